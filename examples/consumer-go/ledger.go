package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// command holds the members of a message that this consumer reads.
type command struct {
	CommandID     string `json:"command_id"`
	CommandType   string `json:"command_type"`
	SchemaVersion string `json:"schema_version"`
	UserID        string `json:"user_id"`
	IssuedAt      string `json:"issued_at"`
	Identity      struct {
		Verified bool `json:"verified"`
	} `json:"identity"`
	Payload struct {
		CampaignID string `json:"campaign_id"`
	} `json:"payload"`
}

func parse(payload []byte) (command, error) {
	var cmd command
	if err := json.Unmarshal(payload, &cmd); err != nil {
		return command{}, errors.New("not JSON of the expected form")
	}

	if cmd.SchemaVersion != "v1" || cmd.CommandType != "campaign.accept" ||
		cmd.CommandID == "" || cmd.UserID == "" || cmd.Payload.CampaignID == "" {
		return command{}, errors.New("not a campaign.accept of version v1")
	}

	return cmd, nil
}

// ledger is a file with one line for each accepted campaign. A line is both the effect and its
// record, so that no crash can separate them.
type ledger struct {
	file *os.File
	seen map[string]bool
}

func openLedger(path string) (*ledger, error) {
	//nolint:gosec // the file that the caller names
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}

	l := &ledger{file: file, seen: map[string]bool{}}

	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var cmd command
		if json.Unmarshal(lines.Bytes(), &cmd) == nil {
			// the last line may be cut off by a crash: its command is delivered again
			l.seen[cmd.CommandID] = true
		}
	}

	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}

	_, err = file.WriteString("\n") // separates a line that was cut off

	return l, err
}

// accept stores the effect of the command unless it is stored already. It returns after the disk
// has it.
func (l *ledger) accept(cmd command) (fresh bool, err error) {
	if l.seen[cmd.CommandID] {
		return false, nil
	}

	line, err := json.Marshal(cmd)
	if err != nil {
		return false, err
	}

	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return false, err
	}

	if err := l.file.Sync(); err != nil {
		return false, err
	}

	l.seen[cmd.CommandID] = true

	return true, nil
}

func (l *ledger) close() { _ = l.file.Close() }
