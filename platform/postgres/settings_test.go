package postgres_test

import (
	"strings"
	"testing"

	"tributary/platform/postgres"
)

func TestProductionFaults(t *testing.T) {
	t.Parallel()

	for address, want := range map[string]int{
		"postgres://u:Vq8-rT2m_Zx4@db.internal:5432/d?sslmode=verify-full": 0,
		"postgresql://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=require":        1,
		"postgresql://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=verify-ca":      1,
		"postgresql://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=allow":          1,
		"postgres://u:Vq8-rT2m_Zx4@localhost/d?host=db.internal":           1,
		"postgres://u:Vq8-rT2m_Zx4@localhost,db.internal/d":                1,
		"postgres://u:Vq8-rT2m_Zx4@localhost/d?host=localhost,db.internal": 1,
		"postgres://u@localhost/d?password=postgres":                       1,
		"postgres://localhost/d?user=postgres":                             1,
		"postgres://u@localhost/d?user=Admin":                              1,
		"postgres://rdsadmin:Vq8-rT2m_Zx4@localhost/d":                     1,
		"postgres://reporting:reporting@localhost/d":                       1,
		"postgres://u:123456789012@localhost/d":                            1,
		"postgres://u@localhost/d?sslmode=nonsense":                        1,
		"postgres://u@localhost/d":                                         0,
		"postgres://u:Vq8-rT2m_Zx4@127.0.0.1:5432/d?sslmode=disable":       0,
		"postgres://u@/d?host=/var/run/postgresql":                         0,
		"postgres://u:Vq8-rT2m_Zx4@db.internal/d":                          1,
		"postgres://u:Vq8-rT2m_Zx4@db.internal/d?sslmode=prefer":           1,
		"postgres://u:tracking_password@db.internal/d?sslmode=disable":     2,
		"postgres://u:short@localhost/d":                                   1,
		"postgres://postgres:postgres@localhost/d":                         2,
		"mysql://u@localhost/d":                                            1,
		"":                                                                 1,
	} {
		faults := postgres.ProductionFaults(address)
		if len(faults) != want {
			t.Errorf("%s: %v, want %d", address, faults, want)
		}

		if text := strings.Join(faults, " "); strings.Contains(text, "tracking_password") ||
			strings.Contains(text, "internal") {
			t.Errorf("%s: the fault shows it: %s", address, text)
		}
	}
}
