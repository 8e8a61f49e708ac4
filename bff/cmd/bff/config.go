package main

import (
	"net/url"
	"strings"
	"time"

	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/sealed"
	"tributary/platform/service"
)

// settings are the service's settings from the environment.
type settings struct {
	config.Service

	// HTTPAddr is the address that the service listens on.
	HTTPAddr string `envconfig:"HTTP_ADDR" default:":8002"`
	// CommissionURL is the commission service, which payments, balances and commissions are read
	// from.
	CommissionURL string `envconfig:"COMMISSION_URL" default:"http://localhost:8001"`

	// RateLimit is how many requests a caller may send in RATE_LIMIT_WINDOW; 0 for no limit.
	// Production: not 0.
	RateLimit int `envconfig:"RATE_LIMIT" default:"600"`
	// RateWindow is the time over which RATE_LIMIT counts; at least 1s.
	RateWindow time.Duration `envconfig:"RATE_LIMIT_WINDOW" default:"1m"`

	CORS   config.CORS
	Auth   auth.Config
	Broker broker.Config
	Sealed sealed.Config
}

// Frame returns the settings of the frame.
func (s *settings) Frame() service.Settings {
	return service.Settings{
		Service:      s.Service,
		Address:      s.HTTPAddr,
		Auth:         auth.Optional{Required: true, Config: s.Auth},
		Broker:       s.Broker,
		CORS:         s.CORS,
		RateVariable: "RATE_LIMIT",
		RateLimit:    s.RateLimit,
		RateWindow:   s.RateWindow,
	}
}

// Validate returns every fault of the settings. Production refuses insecure ones.
func (s *settings) Validate() []string {
	faults := s.Frame().Validate()
	faults = append(faults, s.Sealed.Validate(s.Production())...)

	address, err := url.Parse(s.CommissionURL)
	switch {
	case err != nil || (address.Scheme != "http" && address.Scheme != "https") ||
		address.Host == "" || strings.HasSuffix(address.Path, "/"):
		faults = append(
			faults,
			"COMMISSION_URL must look like http://localhost:8001, without a slash at the end",
		)
	case s.Production() && config.PlainRemote(s.CommissionURL):
		faults = append(
			faults,
			"COMMISSION_URL must be https in production, except on this machine: reads carry the "+
				"caller's token",
		)
	}

	return faults
}
