package batch_test

import (
	"errors"
	"testing"

	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
)

func TestAFileIsMadeOfABatchThatIsNotPaidYet(t *testing.T) {
	t.Parallel()

	for status, allowed := range map[batch.Status]struct{ known, other bool }{
		batch.Draft:     {true, true},
		batch.Approved:  {true, true},
		batch.Sent:      {true, false},
		batch.Settled:   {true, false},
		batch.Cancelled: {false, false},
	} {
		b, _ := in(t, status, 1)

		s := b.Snapshot()
		s.Files = []batch.File{{Format: "known"}}
		b = batch.Restore(s, nil)

		for format, want := range map[string]bool{"known": allowed.known, "other": allowed.other} {
			err := b.CheckFile(format)
			if (err == nil) != want || err != nil && !errors.Is(err, effect.ErrTransition) {
				t.Errorf("%s, %s: %v", status, format, err)
			}
		}
	}
}

func TestAFileIsFixedOnceMade(t *testing.T) {
	t.Parallel()

	first := batch.File{Format: "csv", Digest: [32]byte{1}, Bytes: 7}
	second := batch.File{Format: "csv", Digest: [32]byte{2}, Bytes: 7}

	draft, _ := in(t, batch.Draft, 1)
	if err := draft.AddFile(first); !errors.Is(err, batch.ErrNotApproved) {
		t.Errorf("of a draft: %v", err)
	}

	b, _ := in(t, batch.Approved, 1)
	version := b.Snapshot().Version

	if _, made := b.File("csv"); made {
		t.Error("a file before it is made")
	}

	for range 2 {
		if err := b.AddFile(first); err != nil || b.Snapshot().Version != version+1 {
			t.Errorf("version %d, %v", b.Snapshot().Version, err)
		}
	}

	if err := b.AddFile(second); !errors.Is(err, batch.ErrFileChanged) || len(b.Snapshot().Files) != 1 {
		t.Errorf("another: %v", err)
	}

	if got, made := b.File("csv"); !made || got != first {
		t.Errorf("File = %+v, %t", got, made)
	}
}
