package pulsar

import (
	"tributary/bff/internal/domain/command"
	"tributary/platform/sealed"
)

// Encode returns the message of a command, with personal data sealed by the ring unless it is nil.
func Encode(cmd command.Command, ring *sealed.Ring) ([]byte, error) {
	for _, e := range commands() {
		if e.kind == cmd.Stamp().Type() {
			return e.message(cmd, (&Publisher{ring: ring}).seal)
		}
	}

	return nil, nil
}

// Topics returns the topics of all commands.
func Topics() (names []string) {
	for _, e := range commands() {
		names = append(names, e.topic)
	}

	return names
}
