package batch

import (
	"slices"
	"time"

	"tributary/commission/internal/domain/effect"
)

// File is a payment file of a batch, without its bytes, which name accounts. Made again from the
// same batch it has the same bytes.
type File struct {
	Format string
	Digest [32]byte // SHA-256 of the bytes
	Bytes  int      // their number
	MadeBy string
	MadeAt time.Time
}

// File returns the file in the format; the bool reports whether it was made.
func (b *Batch) File(format string) (File, bool) {
	i := slices.IndexFunc(b.snapshot.Files, func(f File) bool { return f.Format == format })
	if i < 0 {
		return File{}, false
	}

	return b.snapshot.Files[i], true
}

// CheckFile returns effect.ErrTransition if the accounts of the batch may not be opened for a file
// in the format: a sent batch has only the files that were made before, since another one could be
// paid too, and a cancelled one has none.
func (b *Batch) CheckFile(format string) error {
	switch b.snapshot.Status {
	case Draft, Approved:
		return nil
	case Sent, Settled:
		if _, made := b.File(format); made {
			return nil
		}
	case Cancelled:
	}

	return effect.ErrTransition.New(
		"The batch is " + string(b.snapshot.Status) + "; no file in this format can be made.",
	)
}

// AddFile adds the file to an approved batch. It changes nothing if the same file was made before,
// and returns ErrFileChanged if that one was different, and ErrNotApproved for a draft.
func (b *Batch) AddFile(file File) error {
	known, made := b.File(file.Format)

	switch {
	case made && known.Digest == file.Digest:
		return nil
	case made:
		return ErrFileChanged
	case b.snapshot.Status == Draft:
		return ErrNotApproved
	}

	b.snapshot.Files = append(slices.Clone(b.snapshot.Files), file)
	b.snapshot.Version++

	return nil
}
