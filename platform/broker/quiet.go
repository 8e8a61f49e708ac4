package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// quiet passes the client library's log records on: errors become warnings, the rest debug
// messages. During an outage every partition logs several times a second, so repeats of a text are
// dropped for a while. Publishers and consumers log what operators need.
type quiet struct {
	slog.Handler
	said *said
}

const (
	repeatAfter = 30 * time.Second
	maxTexts    = 200
)

type said struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func newQuiet(h slog.Handler) quiet {
	return quiet{h, &said{last: map[string]time.Time{}}}
}

// level returns our level for the library's. Its debug records, several per message sent, are
// dropped.
func level(theirs slog.Level) (ours slog.Level, wanted bool) {
	if theirs >= slog.LevelError {
		return slog.LevelWarn, true
	}

	return slog.LevelDebug, theirs >= slog.LevelInfo
}

// Enabled is part of slog.Handler.
func (q quiet) Enabled(ctx context.Context, theirs slog.Level) bool {
	ours, wanted := level(theirs)
	return wanted && q.Handler.Enabled(ctx, ours)
}

// Handle is part of slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	ours, wanted := level(r.Level)
	if !wanted || (ours > slog.LevelDebug && !q.said.first(r.Message, r.Time)) {
		return nil
	}

	r.Level = ours

	return q.Handler.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.said}
}

// WithGroup is part of slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler {
	return quiet{q.Handler.WithGroup(name), q.said}
}

// first reports whether the text has not been logged recently.
func (s *said) first(text string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()

	if last, ok := s.last[text]; ok && at.Sub(last) < repeatAfter {
		return false
	}

	if len(s.last) >= maxTexts {
		clear(s.last)
	}

	s.last[text] = at

	return true
}
