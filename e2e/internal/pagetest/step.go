package pagetest

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"
)

// step is a shell block of a page, with the output that the page shows after it.
type step struct {
	line    int
	command string
	shown   string // empty if the page shows none
	json    bool
}

// steps reads the blocks of a page. The output of a shell block is shown in the block directly
// after it.
func steps(page string) []step {
	var (
		list  []step
		fence string
		block []string
		begin int
		after int // the line after the last shell block
	)

	for i, line := range strings.Split(page, "\n") {
		language, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && fence == "":
			fence = "```" + language
			block = nil
			begin = i + 1
		case isFence:
			text := strings.Join(block, "\n")
			if fence == "```sh" {
				list = append(list, step{line: begin, command: text})
				after = i + 2
			} else if begin == after {
				list[len(list)-1].shown = text
				list[len(list)-1].json = fence == "```json"
			}

			fence = ""
		case fence != "":
			block = append(block, line)
		}
	}

	return list
}

// writing matches a request that changes something, or a call of a function of docs/rules.md that
// sends one.
var writing = regexp.MustCompile(`-X POST|(?m)(^|\(|  )(rule|event) '`)

// writes reports whether the step changes something, and so must not be repeated.
func (s step) writes() bool { return writing.MatchString(s.command) }

// matches reports whether the step printed what the page shows. Ids, times and digests differ each
// time.
func (s step) matches(printed string) bool {
	switch {
	case s.shown == "":
		return true
	case s.json:
		got, err := values(printed)
		if err != nil {
			return false
		}

		want, err := values(s.shown)

		return err == nil && reflect.DeepEqual(got, want)
	}

	return strings.TrimSpace(plain(printed)) == strings.TrimSpace(plain(s.shown))
}

// values reads a sequence of JSON values.
func values(text string) ([]any, error) {
	decoder := json.NewDecoder(strings.NewReader(plain(text)))
	decoder.UseNumber()

	var list []any
	for {
		var v any

		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return list, nil
		}

		if err != nil {
			return nil, err
		}

		list = append(list, v)
	}
}

var (
	uuids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times   = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z`)
	digests = regexp.MustCompile(`[0-9a-f]{64}`)
)

// plain removes what differs each time.
func plain(text string) string {
	text = digests.ReplaceAllString(text, "DIGEST")
	text = uuids.ReplaceAllString(text, "ID")

	return times.ReplaceAllString(text, "TIME")
}
