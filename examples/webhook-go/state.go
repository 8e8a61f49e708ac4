package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// state is what survives a restart.
type state struct {
	Cursor string               `json:"cursor"` // of the feed of all events
	Keys   map[string]*position `json:"keys"`
}

// position is how far a key is that is not where the cursor is: behind, since deliveries fail, or
// ahead, since its own feed was read to the end.
type position struct {
	Delivered int64 `json:"delivered"` // the sequence of the last event that the endpoint has
	Failing   bool  `json:"failing"`

	passed int64 // the sequence of the last event that was left to the key's own feed
}

func loadState(path string) (*state, error) {
	s := &state{Keys: map[string]*position{}}

	text, err := os.ReadFile(path) //nolint:gosec // the file that the caller names
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}

	if err != nil {
		return nil, err
	}

	return s, json.Unmarshal(text, s)
}

// save replaces the file, so that it is whole after a crash.
func (s *state) save(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}

	file, err := os.OpenFile( //nolint:gosec // the file that the caller names
		path+".new",
		os.O_WRONLY|os.O_CREATE|os.O_TRUNC,
		0o600,
	)
	if err != nil {
		return err
	}

	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}

	return os.Rename(path+".new", path) //nolint:gosec // the file that the caller names
}
