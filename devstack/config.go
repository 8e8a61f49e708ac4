// Package devstack runs the whole stack on one machine without containers: two PostgreSQL servers, Apache Pulsar and the three
// services, each as a process of its own that outlives the command which started it. The system tests use the same code.
package devstack

import (
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/joho/godotenv"
)

// Config says where the stack lives. Load fills it from the environment.
type Config struct {
	Root  string            // the checkout
	State string            // data, logs and what runs; TRIBUTARY_STATE
	Cache string            // what was fetched and unpacked; TRIBUTARY_CACHE
	Ports Ports             // where each process listens, on 127.0.0.1
	Env   map[string]string // settings of the services, from .env and the environment
	Out   io.Writer         // progress, for people
	Fast  bool              // databases may lose data when the machine fails: for tests only
}

// Ports are those of the contract unless the environment moves them.
type Ports struct {
	TrackingDB, CommissionDB, Pulsar, PulsarAdmin, Bookie, BFF, Tracking, Commission int
}

// Load reads the root's .env (made from .env.example when it is missing), which the environment overrides.
func Load(root string, out io.Writer) (Config, error) {
	env, err := settings(root)
	if err != nil {
		return Config{}, err
	}
	c := Config{Root: root, State: env["TRIBUTARY_STATE"], Cache: env["TRIBUTARY_CACHE"], Env: env, Out: out}
	if c.State == "" {
		c.State = filepath.Join(root, ".devstack")
	}
	if c.Cache == "" {
		c.Cache, err = defaultCache()
		if err != nil {
			return Config{}, err
		}
	}
	for name, port := range map[string]struct {
		value *int
		usual int
	}{
		"TRACKING_DB_PORT": {&c.Ports.TrackingDB, 5432}, "COMMISSION_DB_PORT": {&c.Ports.CommissionDB, 5433},
		"PULSAR_PORT": {&c.Ports.Pulsar, 6650}, "PULSAR_ADMIN_PORT": {&c.Ports.PulsarAdmin, 8080}, "PULSAR_BOOKIE_PORT": {&c.Ports.Bookie, 3181},
		"BFF_PORT": {&c.Ports.BFF, 8002}, "TRACKING_PORT": {&c.Ports.Tracking, 8000}, "COMMISSION_PORT": {&c.Ports.Commission, 8001},
	} {
		*port.value = port.usual
		if text := env[name]; text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 65535 {
				return Config{}, fmt.Errorf("%s must be a port number from 1 to 65535", name)
			}
			*port.value = n
		}
	}
	return c, nil
}

// settings merges .env and the environment; the environment wins.
func settings(root string) (map[string]string, error) {
	file := filepath.Join(root, ".env")
	if _, err := os.Stat(file); os.IsNotExist(err) {
		example, err := os.ReadFile(filepath.Join(root, ".env.example"))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, example, 0o600); err != nil {
			return nil, err
		}
	}
	env, err := godotenv.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read .env: %w", err)
	}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env, nil
}

// defaultCache is the user's cache folder. Root's is closed to others, and PostgreSQL refuses to run as root, so root uses one that
// an unprivileged user can reach.
func defaultCache() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/tributary", nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "tributary"), err
}

// databases is the folder of the databases' files: in State, or for root, when State lies where an unprivileged user cannot
// get, in a folder of its own.
func (c Config) databases() string {
	if os.Geteuid() != 0 || reachable(c.State) {
		return filepath.Join(c.State, "postgres")
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.State))
	return fmt.Sprintf("/var/lib/tributary/%016x", h.Sum64())
}

// reachable tells whether every folder above dir lets any user through.
func reachable(dir string) bool {
	for dir = filepath.Dir(dir); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func (c Config) logFile(name string) string { return filepath.Join(c.State, "logs", name+".log") }

func (c Config) binary(name string) string { return filepath.Join(c.State, "bin", name) }

func (c Config) say(format string, args ...any) { _, _ = fmt.Fprintf(c.Out, format+"\n", args...) }
