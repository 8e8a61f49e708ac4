package service

import (
	"time"

	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/ratelimit"
)

// Settings are the settings that the frame needs. Each service reads them under its own defaults.
type Settings struct {
	config.Service

	Address      string // to listen on
	Auth         auth.Optional
	Broker       broker.Config
	CORS         config.CORS
	RateVariable string // the environment variable of RateLimit
	RateLimit    int    // requests of a caller in RateWindow; 0 for no limit
	RateWindow   time.Duration
	CursorSecret string // seals the cursors of lists; the same in all replicas
}

// Validate returns every fault of the settings. Production refuses insecure ones.
func (s Settings) Validate() []string {
	production := s.Production()
	faults := s.Service.Validate()
	faults = append(faults, s.Auth.Validate(production)...)
	faults = append(faults, s.CORS.Validate(production)...)
	faults = append(faults, s.Broker.Validate()...)

	if production {
		faults = append(faults, s.Broker.ProductionFaults()...)
	}

	return append(
		faults,
		ratelimit.Faults(s.RateVariable, s.RateLimit, s.RateWindow, production)...)
}
