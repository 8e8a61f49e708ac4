package config_test

import (
	"strings"
	"testing"

	"tributary/platform/config"
)

func TestDatabaseFaults(t *testing.T) {
	t.Parallel()

	for address, want := range map[string]int{
		"postgres://u:Vq8-rT2m_Zx4@db.internal:5432/d?sslmode=verify-full": 0,
		"postgresql://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=require":        0,
		"postgres://u@localhost/d":                                         0,
		"postgres://u:Vq8-rT2m_Zx4@127.0.0.1:5432/d?sslmode=disable":       0,
		"postgres:///d?host=/var/run/postgresql":                           0,
		"postgres://u:Vq8-rT2m_Zx4@db.internal/d":                          1,
		"postgres://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=prefer":           1,
		"postgres://u:tracking_password@db.internal/d?sslmode=disable":     2,
		"postgres://u:short@localhost/d":                                   1,
		"postgres://postgres:postgres@localhost/d":                         1,
		"mysql://u@localhost/d":                                            1,
		"":                                                                 1,
	} {
		faults := config.DatabaseFaults(address)
		if len(faults) != want {
			t.Errorf("%s: %v, want %d", address, faults, want)
		}

		if text := strings.Join(faults, " "); strings.Contains(text, "tracking_password") ||
			strings.Contains(text, "internal") {
			t.Errorf("%s: the fault shows it: %s", address, text)
		}
	}
}
