package commandtest

import (
	"errors"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/platform/fault"
)

// JournalSuite tests the contract of change.Journal. open returns an empty world.
func JournalSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a note is in the audit":            notes,
		"a note answers its key":            notedKeys,
		"what is unnamed is not noted":      unnamed,
		"requests without a key are apart":  unkeyed,
		"a change of a repository is known": changedKeys,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func opened() change.Record {
	return change.Record{
		Action:      "open",
		SubjectType: "payout",
		SubjectID:   id(1),
		Before:      "{}",
		After:       "{}",
	}
}

func notes(t *testing.T, w World) {
	if err := w.Journal.Note(t.Context(), by("operator"), opened(), nil); err != nil {
		t.Fatal(err)
	}

	w.checkRecord(t, "open", id(1))
}

func notedKeys(t *testing.T, w World) {
	if err := w.Journal.Known(t.Context(), keyed("operator", 1)); err != nil {
		t.Errorf("before: %v", err)
	}

	checkKeys(
		t,
		func(request change.Request) error {
			return w.Journal.Note(t.Context(), request, opened(), "made")
		},
		func() int { return len(w.Records(t, id(1))) },
	)

	for name, c := range map[string]struct {
		request change.Request
		want    error
	}{
		"other content":    {keyed("operator", 2), fault.ErrKeyReused},
		"another's key":    {keyed("stranger", 2), nil},
		"without a key":    {by("operator"), nil},
		"the same request": {keyed("operator", 1), &change.ReplayedError{}},
	} {
		err := w.Journal.Known(t.Context(), c.request)

		var replayed *change.ReplayedError
		if errors.As(c.want, &replayed) {
			if !errors.As(err, &replayed) || string(replayed.Body) != `"made"` {
				t.Errorf("%s: %v", name, err)
			}
		} else if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The key is used nevertheless.
func unnamed(t *testing.T, w World) {
	if err := w.Journal.Note(
		t.Context(), keyed("operator", 1), change.Record{SubjectID: id(1)}, "made",
	); err != nil {
		t.Fatal(err)
	}

	if records := w.Records(t, id(1)); len(records) > 0 {
		t.Errorf("%+v", records)
	}

	var replayed *change.ReplayedError
	if err := w.Journal.Known(t.Context(), keyed("operator", 1)); !errors.As(err, &replayed) {
		t.Errorf("afterwards: %v", err)
	}
}

func unkeyed(t *testing.T, w World) {
	for range 2 {
		if err := w.Journal.Note(t.Context(), by("operator"), opened(), nil); err != nil {
			t.Error(err)
		}
	}

	if records := w.Records(t, id(1)); len(records) != 2 {
		t.Errorf("%+v", records)
	}
}

// Keys are those of all changes.
func changedKeys(t *testing.T, w World) {
	if err := w.adjust(t.Context(), keyed("operator", 1), 1, "u", 70); err != nil {
		t.Fatal(err)
	}

	var replayed *change.ReplayedError
	if err := w.Journal.Known(t.Context(), keyed("operator", 1)); !errors.As(err, &replayed) {
		t.Errorf("%v", err)
	}
}
