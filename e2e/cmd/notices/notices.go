package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// licences returns the licences that may be distributed with this project, each with a phrase of
// its text. A text has the first licence whose phrase it contains.
func licences() []struct{ name, phrase string } {
	return []struct{ name, phrase string }{
		{"Apache-2.0", "Apache License Version 2.0, January 2004"},
		{"Apache-2.0", "Licensed under the Apache License, Version 2.0"},
		{"MPL-2.0", "Mozilla Public License Version 2.0"},
		{"BSD-3-Clause", "may be used to endorse or promote products derived from"},
		{"BSD-2-Clause", "Redistributions in binary form must reproduce the above copyright notice"},
		{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
		{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
		{"ISC", "Permission to use, copy, modify, and distribute this software"},
		{"Unlicense", "This is free and unencumbered software released into the public domain"},
	}
}

// refused returns the titles of licences that would bind the whole program.
func refused() []string {
	return []string{
		"GNU GENERAL PUBLIC LICENSE Version",
		"GNU LESSER GENERAL PUBLIC LICENSE Version",
		"GNU AFFERO GENERAL PUBLIC LICENSE Version",
	}
}

// licenceOf returns the names of the licences in the texts, or "" if none is known or one is
// refused.
func licenceOf(texts []string) string {
	var names []string
	for _, text := range texts {
		words := strings.Join(strings.Fields(text), " ")
		for _, title := range refused() {
			if strings.Contains(words, title) {
				return ""
			}
		}

		for _, l := range licences() {
			if strings.Contains(words, l.phrase) {
				if !slices.Contains(names, l.name) {
					names = append(names, l.name)
				}

				break
			}
		}
	}

	return strings.Join(names, " and ")
}

const (
	head = `THIRD-PARTY NOTICES

The programs and images of this project contain the software listed here. The texts of the licences
and notices follow the list; a text that several components share is printed once.

Written by ` + "`make generate`" + ` from the modules that are compiled in.

`
	rule = "\n\n------------------------------------------------------------------------------\n"
)

// notices returns the page, or an error that names every component whose licence is missing or not
// allowed.
func notices(components []component) ([]byte, error) {
	var (
		page   bytes.Buffer
		order  []string
		refuse []error
	)

	page.WriteString(head)

	owners := map[string][]string{}
	for _, c := range components {
		name := strings.TrimSpace(c.Name + " " + c.Version)

		licence := licenceOf(c.Texts)
		if licence == "" {
			refuse = append(refuse, fmt.Errorf("%s has no licence that is allowed", name))
		}

		fmt.Fprintf(&page, "  %s (%s)\n", name, licence)

		for _, text := range c.Texts {
			if owners[text] == nil {
				order = append(order, text)
			}

			owners[text] = append(owners[text], name)
		}
	}

	for _, text := range order {
		page.WriteString(rule)

		for _, owner := range owners[text] {
			page.WriteString(owner + "\n")
		}

		page.WriteString("\n" + text)
	}

	page.WriteString("\n")

	return page.Bytes(), errors.Join(refuse...)
}
