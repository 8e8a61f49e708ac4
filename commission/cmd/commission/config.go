package main

import (
	"tributary/contracts"
	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/sealed"
)

// settings are everything that the environment decides.
type settings struct {
	config.Service

	HTTPAddr     string `envconfig:"HTTP_ADDR" default:":8001"`
	DatabaseURL  string `envconfig:"DATABASE_URL" default:"postgres://commission_user:commission_password@localhost:5433/commissiondb?sslmode=disable"`
	Topic        string `envconfig:"PULSAR_TOPIC"` // full name; default: tracking-events in tenant and namespace
	AuthRequired bool   `envconfig:"AUTH_REQUIRED" default:"true"`

	Auth   auth.Config
	Broker broker.Config
	Sealed sealed.Config
}

// Validate tells every fault at once; production refuses what is insecure.
func (s *settings) Validate() []string {
	faults := s.Service.Validate()
	if s.AuthRequired {
		faults = append(faults, s.Auth.Validate(s.Production())...)
	} else if s.Production() {
		faults = append(faults, "AUTH_REQUIRED=false is refused in production")
	}
	faults = append(faults, s.Broker.Validate()...)
	faults = append(faults, s.Sealed.Validate(s.Production())...)
	if s.Topic == "" {
		s.Topic = s.Broker.Topic(contracts.TrackingEvents)
	}
	return faults
}
