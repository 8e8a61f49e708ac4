package main

import (
	"time"

	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/postgres"
	"tributary/platform/service"
	"tributary/tracking/internal/application/ingest"
)

// settings are the service's settings from the environment.
type settings struct {
	config.Service

	// HTTPAddr is the address that the service listens on.
	HTTPAddr string `envconfig:"HTTP_ADDR" default:":8000"`
	// DatabaseURL is the service's own database and role. Production: TLS to another machine, no
	// example password.
	DatabaseURL string `envconfig:"DATABASE_URL" default:"postgres://tracking_user:tracking_password@localhost:5432/trackingdb?sslmode=disable"`
	// Topic is the full name of the topic of events.
	Topic string `envconfig:"PULSAR_TOPIC" default:"persistent://public/default/tracking-events"`
	// Readers is the number of database connections for queries. The relay and the look-up of keys
	// have 4 each of their own.
	Readers int32 `envconfig:"TRACKING_READERS" default:"8"`
	// Writers is the number of database connections that commit events. Commits are serialized, and
	// a single writer forms the largest ones; a second one pays if the database is far away. 1 to
	// 8.
	Writers int `envconfig:"TRACKING_WRITERS" default:"1"`
	// QueueRows is how many events may wait for a commit. Beyond it requests are refused with 503
	// intake_full.
	QueueRows int `envconfig:"TRACKING_QUEUE_EVENTS" default:"20000"`
	// QueueBytes is how many bytes of events may wait for a commit. Beyond it requests are refused
	// with 503 intake_full.
	QueueBytes int `envconfig:"TRACKING_QUEUE_BYTES" default:"33554432"`
	// Lease is how long a silent replica keeps the relay before another takes over; 1s to 1m.
	Lease time.Duration `envconfig:"TRACKING_RELAY_LEASE" default:"3s"`

	// RateLimit is how many requests a caller may send in RATE_LIMIT_WINDOW; 0 for no limit.
	// Production: not 0.
	RateLimit int `envconfig:"TRACKING_RATE_LIMIT" default:"1000000"`
	// RateWindow is the time over which TRACKING_RATE_LIMIT counts; at least 1s.
	RateWindow time.Duration `envconfig:"RATE_LIMIT_WINDOW" default:"1m"`

	CORS   config.CORS
	Auth   auth.Optional // AUTH_REQUIRED=false is for the local stack
	Broker broker.Config
}

// Frame returns the settings of the frame.
func (s *settings) Frame() service.Settings {
	return service.Settings{
		Service:      s.Service,
		Address:      s.HTTPAddr,
		Auth:         s.Auth,
		Broker:       s.Broker,
		CORS:         s.CORS,
		RateVariable: "TRACKING_RATE_LIMIT",
		RateLimit:    s.RateLimit,
		RateWindow:   s.RateWindow,
		CursorSecret: s.DatabaseURL,
	}
}

// Validate returns every fault of the settings. Production refuses insecure ones.
func (s *settings) Validate() []string {
	faults := s.Frame().Validate()
	faults = append(faults, postgres.Faults(s.DatabaseURL, s.Production())...)

	note := func(wrong bool, text string) {
		if wrong {
			faults = append(faults, text)
		}
	}

	note(s.Topic == "", "PULSAR_TOPIC must be set")
	note(s.Readers < 1, "TRACKING_READERS must be at least 1")
	note(s.Writers < 1 || s.Writers > 8, "TRACKING_WRITERS must be between 1 and 8")
	note(
		s.QueueRows < 1 || s.QueueBytes < 1,
		"TRACKING_QUEUE_EVENTS and TRACKING_QUEUE_BYTES must be positive",
	)
	note(
		s.Lease < time.Second || s.Lease > time.Minute,
		"TRACKING_RELAY_LEASE must be between 1s and 1m",
	)

	return faults
}

func (s *settings) limits() ingest.Limits {
	limits := ingest.DefaultLimits()
	limits.Writers = s.Writers
	limits.QueueRows = s.QueueRows
	limits.QueueBytes = s.QueueBytes

	return limits
}
