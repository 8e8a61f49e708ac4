package main

import (
	"os"
	"path/filepath"
	"testing"
)

const message = `{"command_id":"c-1","command_type":"campaign.accept","schema_version":"v1","user_id":"user123","issued_at":"2026-11-23T12:00:00Z",` +
	`"identity":{"subject":"user123","verified":true},"payload":{"campaign_id":"camp123","accepted_terms":true},"added_later":1}`

// A command takes effect once, even across a crash that cuts off the last line.
func TestOnceOverRestarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "accepted.jsonl")

	cmd, err := parse([]byte(message))
	if err != nil {
		t.Fatal(err)
	}

	for i, want := range []bool{true, false, false} {
		l, err := openLedger(path)
		if err != nil {
			t.Fatal(err)
		}

		if fresh, err := l.accept(cmd); err != nil || fresh != want {
			t.Errorf("start %d: %t %v", i, fresh, err)
		}

		if _, err := l.file.WriteString(`{"command_id":"c-2","comm`); err != nil {
			t.Fatal(err)
		}

		l.close()
	}

	l, err := openLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()

	cmd.CommandID = "c-2"
	if fresh, err := l.accept(cmd); err != nil || !fresh {
		t.Errorf("the command whose line was cut off: %t %v", fresh, err)
	}

	if content, _ := os.ReadFile(path); len(content) == 0 {
		t.Error("nothing is kept")
	}
}

func TestWhatIsNoCommand(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", "junk", "[]", "{}", `{"schema_version":"v2","command_type":"campaign.accept","command_id":"a","user_id":"u","payload":{"campaign_id":"c"}}`} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
