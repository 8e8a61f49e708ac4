package main

import (
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the image has no time zones

	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/contracts"
	"tributary/platform/auth"
	"tributary/platform/broker"
	"tributary/platform/config"
	"tributary/platform/money"
	platform "tributary/platform/postgres"
	"tributary/platform/sealed"
	"tributary/platform/service"
)

// The log of changes has a part for each day. Each read of it looks into all of them.
const (
	shortestKeep = 24 * time.Hour
	longestKeep  = 90 * 24 * time.Hour
)

// settings are the service's settings from the environment.
type settings struct {
	config.Service

	// HTTPAddr is the address that the service listens on.
	HTTPAddr string `envconfig:"HTTP_ADDR" default:":8001"`
	// DatabaseURL is the service's own database and role. Production: TLS to another machine, no
	// example password.
	DatabaseURL string `envconfig:"DATABASE_URL" default:"postgres://commission_user:commission_password@localhost:5433/commissiondb?sslmode=disable"`
	// Topic is the full name of the topic of events; empty for tracking-events in tenant and
	// namespace.
	Topic string `envconfig:"PULSAR_TOPIC"`

	// RateLimit is how many requests a caller may send in RATE_LIMIT_WINDOW; 0 for no limit.
	// Production: not 0.
	RateLimit int `envconfig:"RATE_LIMIT" default:"600"`
	// RateWindow is the time over which RATE_LIMIT counts; at least 1s.
	RateWindow time.Duration `envconfig:"RATE_LIMIT_WINDOW" default:"1m"`

	// AdjustmentLimit is the largest adjustment that one operator posts alone, in major units of
	// any currency; a larger one is pending until another operator approves it. Empty for no limit.
	// Production: must be set.
	AdjustmentLimit string `envconfig:"ADJUSTMENT_SECOND_PERSON_ABOVE" default:"1000"`

	// FourEyes is true if another person than its maker must approve a payout batch. Empty for true
	// in production and false in development. Production: refuses false.
	FourEyes string `envconfig:"PAYOUT_FOUR_EYES"`
	// Minimum is the smallest payout of each currency, in major units, such as
	// USD:20.00,EUR:25.00; requests below it are rejected. Empty for none.
	Minimum string `envconfig:"PAYOUT_MINIMUM"`

	// DebtorName is the holder of the account that SEPA credit transfers are paid from, in Latin
	// letters. Empty for no SEPA files.
	DebtorName string `envconfig:"PAYOUT_DEBTOR_NAME"`
	// DebtorIBAN is the IBAN of that account.
	DebtorIBAN string `envconfig:"PAYOUT_DEBTOR_IBAN"`
	// DebtorBIC is the BIC of its bank; empty if the bank needs none.
	DebtorBIC string `envconfig:"PAYOUT_DEBTOR_BIC"`

	// EventsKeep is how long events are kept in the log of changes, at least: from 24h to 2160h. An
	// event that the broker has not taken yet is kept longer.
	EventsKeep time.Duration `envconfig:"COMMISSION_EVENTS_KEEP" default:"168h"`

	// TimeZone is the IANA time zone of the programme: the months of statements, and the periods of
	// rules that ask for it, begin at its midnight.
	TimeZone string `envconfig:"PROGRAMME_TIME_ZONE" default:"UTC"`

	zone              *time.Location
	secondPersonAbove *money.Rate
	fourEyes          bool
	minimum           payout.Minimum
	payer             payfile.Payer

	Auth   auth.Optional // AUTH_REQUIRED=false is for the local stack
	Broker broker.Config
	Sealed sealed.Config // opens account details for operators
}

// Frame returns the settings of the frame.
func (s *settings) Frame() service.Settings {
	return service.Settings{
		Service:      s.Service,
		Address:      s.HTTPAddr,
		Auth:         s.Auth,
		Broker:       s.Broker,
		RateVariable: "RATE_LIMIT",
		RateLimit:    s.RateLimit,
		RateWindow:   s.RateWindow,
		CursorSecret: s.DatabaseURL,
	}
}

// Validate returns every fault of the settings. Production refuses insecure ones.
func (s *settings) Validate() []string {
	faults := s.Frame().Validate()
	faults = append(faults, s.Sealed.Validate(s.Production())...)
	faults = append(faults, platform.Faults(s.DatabaseURL, s.Production())...)

	faults = append(faults, s.readLimit()...)
	faults = append(faults, s.readPayouts()...)
	faults = append(faults, s.readZone()...)

	if s.EventsKeep < shortestKeep || s.EventsKeep > longestKeep {
		faults = append(faults, "COMMISSION_EVENTS_KEEP must be from 24h to 2160h")
	}

	if s.Topic == "" {
		s.Topic = s.Broker.Topic(contracts.TrackingEvents)
	}

	return faults
}

// readLimit reads the sum above which an adjustment needs a second person.
func (s *settings) readLimit() []string {
	if s.AdjustmentLimit == "" {
		if s.Production() {
			return []string{"ADJUSTMENT_SECOND_PERSON_ABOVE must be set in production"}
		}

		return nil
	}

	limit, err := money.ParseRate(s.AdjustmentLimit)
	if err != nil {
		return []string{"ADJUSTMENT_SECOND_PERSON_ABOVE must be a decimal number of major units"}
	}

	s.secondPersonAbove = &limit

	return nil
}

func (s *settings) readZone() []string {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		return []string{"PROGRAMME_TIME_ZONE must be an IANA time zone such as Europe/Berlin"}
	}

	s.zone = zone

	return nil
}

// readPayouts reads the rules of payouts and their batches.
func (s *settings) readPayouts() []string {
	var faults []string

	switch s.FourEyes {
	case "":
		s.fourEyes = s.Production()
	case "true":
		s.fourEyes = true
	case "false":
		if s.Production() {
			faults = append(faults, "PAYOUT_FOUR_EYES must be true in production")
		}
	default:
		faults = append(faults, "PAYOUT_FOUR_EYES must be true or false")
	}

	if s.fourEyes && !s.Auth.Required && !s.Production() {
		faults = append(
			faults,
			"PAYOUT_FOUR_EYES needs AUTH_REQUIRED=true: without tokens every caller is the same person",
		)
	}

	minimum, err := payout.ParseMinimum(s.Minimum)
	if err != nil {
		faults = append(
			faults,
			"PAYOUT_MINIMUM must be positive amounts by currency, each once, such as USD:20.00,EUR:25.00",
		)
	}

	s.minimum = minimum

	payer, wrong := payfile.NewPayer(s.DebtorName, s.DebtorIBAN, s.DebtorBIC)
	for _, part := range slices.Sorted(maps.Keys(wrong)) {
		faults = append(faults, "PAYOUT_DEBTOR_"+strings.ToUpper(part)+" "+wrong[part])
	}

	s.payer = payer

	return faults
}
