package devstack

// What the stack knows about each service is in this file.

// Ports are the contract's ports unless the environment changes them.
type Ports struct {
	TrackingDB, CommissionDB, Pulsar, PulsarAdmin, Bookie, BFF, Tracking, Commission int
}

// portSetting is the variable that changes a port.
type portSetting struct {
	variable string
	port     *int
	usual    int
	title    string // what listens there
}

func (p *Ports) settable() []portSetting {
	return []portSetting{
		{"TRACKING_DB_PORT", &p.TrackingDB, 5432, "tracking's database"},
		{"COMMISSION_DB_PORT", &p.CommissionDB, 5433, "commission's database"},
		{"PULSAR_PORT", &p.Pulsar, 6650, "the local broker"},
		{"PULSAR_ADMIN_PORT", &p.PulsarAdmin, 8080, "the local broker's administration"},
		{"PULSAR_BOOKIE_PORT", &p.Bookie, 3181, "the local broker's storage"},
		{"BFF_PORT", &p.BFF, 8002, "bff"},
		{"TRACKING_PORT", &p.Tracking, 8000, "tracking"},
		{"COMMISSION_PORT", &p.Commission, 8001, "commission"},
	}
}

// Services returns the names of the services, in the order in which they are shown.
func Services() []string { return []string{"bff", "tracking", "commission"} }

type ours struct {
	name string
	port int
	env  []string // settings that only this service gets
}

// ours returns the services in the order of starting.
func (c Config) ours() []ours {
	return []ours{
		{
			name: "tracking",
			port: c.Ports.Tracking,
			env: []string{
				"DATABASE_URL=" + databaseURL(
					"tracking",
					c.value("TRACKING_DB_PASSWORD", "tracking_password"),
					c.Ports.TrackingDB,
				),
			},
		},
		{
			name: "commission",
			port: c.Ports.Commission,
			env: []string{
				"DATABASE_URL=" + databaseURL(
					"commission",
					c.value("COMMISSION_DB_PASSWORD", "commission_password"),
					c.Ports.CommissionDB,
				),
			},
		},
		{
			name: "bff",
			port: c.Ports.BFF,
			env:  []string{"COMMISSION_URL=http://" + address(c.Ports.Commission)},
		},
	}
}

// serviceEnvironment returns the settings that only this service gets.
func (c Config) serviceEnvironment(service string) []string {
	for _, s := range c.ours() {
		if s.name == service {
			return s.env
		}
	}

	return nil
}

// packages returns the programs to build, by package.
func (Config) packages() []string {
	list := []string{"./bff/cmd/generate-jwt", "./contracts/cmd/provision", "./migrations/cmd/migrate"}
	for _, name := range Services() {
		list = append(list, "./"+name+"/cmd/"+name)
	}

	return list
}

// confidential returns the settings that are secrets, each with the programs that get it.
func (c Config) confidential() map[string][]string {
	verifying := []string{"bff", "generate-jwt"}
	if c.Env["AUTH_REQUIRED"] == "true" {
		verifying = append(verifying, "tracking", "commission")
	}

	return map[string][]string{
		"ACCOUNT_DETAILS_KEYS":      {"bff", "commission"},
		"ACCOUNT_DETAILS_KEYS_FILE": {"bff", "commission"},
		"COMMISSION_DB_PASSWORD":    {"migrate"}, // commission finds its own in DATABASE_URL
		"COMMISSION_MIGRATION_URL":  {"migrate"},
		"DATABASE_URL":              {}, // each service gets its own
		"JWT_PRIVATE_KEY_FILE":      {"generate-jwt"},
		"JWT_SECRET_KEY":            verifying,
		"POSTGRES_PASSWORD":         {},
		"PULSAR_ADMIN_URL":          {"provision"},
		"PULSAR_TOKEN":              {"bff", "tracking", "commission", "provision"},
		"TRACKING_DB_PASSWORD":      {"migrate"},
		"TRACKING_MIGRATION_URL":    {"migrate"},
	}
}
