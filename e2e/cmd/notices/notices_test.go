package main

import (
	"strings"
	"testing"
)

const (
	mit = "Copyright Ann\n\nPermission is hereby granted, free of charge, to any\nperson obtaining a copy"
	gpl = "GNU GENERAL PUBLIC LICENSE\nVersion 3\n\nPermission is hereby granted, free of charge, " +
		"to any person obtaining a copy"
)

func TestATextThatIsSharedIsPrintedOnceForAllItsComponents(t *testing.T) {
	t.Parallel()

	page, err := notices([]component{
		{Name: "a", Version: "v1", Texts: []string{mit}},
		{Name: "b", Version: "v2", Texts: []string{mit, "NOTICE of b"}},
	})
	if err != nil {
		t.Fatal(err)
	}

	text := string(page)
	for _, want := range []string{"  a v1 (MIT)\n", "  b v2 (MIT)\n", "a v1\nb v2\n\n" + mit, "b v2\n\nNOTICE of b"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}

	if n := strings.Count(text, mit); n != 1 {
		t.Errorf("the licence is printed %d times, want once", n)
	}
}

func TestWhatIsNotAllowedIsRefusedByName(t *testing.T) {
	t.Parallel()

	_, err := notices([]component{
		{Name: "none", Version: "v1"},
		{Name: "unknown", Version: "v1", Texts: []string{"all rights reserved"}},
		{Name: "gpl", Version: "v1", Texts: []string{gpl}},
		{Name: "fine", Version: "v1", Texts: []string{mit}},
	})
	if err == nil {
		t.Fatal("notices = nil, want an error")
	}

	for _, name := range []string{"none v1", "unknown v1", "gpl v1"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q does not name %s", err, name)
		}
	}

	if strings.Contains(err.Error(), "fine") {
		t.Errorf("%q names a component that is allowed", err)
	}
}
