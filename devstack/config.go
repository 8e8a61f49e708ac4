// Package devstack runs the whole stack on one machine without containers: two PostgreSQL servers,
// Apache Pulsar and the three services, each as a process of its own that outlives the command
// which started it. The system tests use the same code.
package devstack

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/joho/godotenv"
)

// Config describes a stack. Load fills it from the environment; its methods run the stack.
type Config struct {
	Root     string            // the checkout
	State    string            // data, logs and records of processes; TRIBUTARY_STATE
	Cache    string            // downloads, unpacked; TRIBUTARY_CACHE
	Ports    Ports             // where each process listens, on 127.0.0.1
	Env      map[string]string // settings of the services, from .env and the environment
	Replicas []Replica         // more instances of services
	Out      io.Writer         // progress, for people
	// Fast lets databases and broker lose data if the machine fails: for tests only.
	Fast bool
}

// Replica is a further instance of a service.
type Replica struct {
	Service string   // tracking or commission
	Name    string   // of the process and its log, such as tracking-2
	Port    int      // where it listens, on 127.0.0.1
	Env     []string // NAME=value, for this instance only
}

// Load reads the root's .env, or .env.example if there is no .env; the environment overrides both.
// It writes nothing.
func Load(root string, out io.Writer) (Config, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Config{}, err
	}

	env, err := settings(root)
	if err != nil {
		return Config{}, err
	}

	c := Config{
		Root:  root,
		State: env["TRIBUTARY_STATE"],
		Cache: env["TRIBUTARY_CACHE"],
		Env:   env,
		Out:   &lines{out: out},
	}
	if c.State == "" {
		c.State = ".devstack"
	}

	if c.Cache == "" {
		if c.Cache, err = defaultCache(); err != nil {
			return Config{}, fmt.Errorf(
				"set TRIBUTARY_CACHE to a folder for the downloads: %w",
				err,
			)
		}
	}

	c.State, c.Cache = below(root, c.State), below(root, c.Cache)
	c.Ports, err = portsFrom(env)

	return c, err
}

// Root returns the checkout: the nearest folder above dir with a go.work.
func Root(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			return at, nil
		}

		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not in a checkout of the project: change to one first", dir)
		}
	}
}

func below(root, dir string) string {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}

	return filepath.Join(root, dir)
}

// settings merges the file and the environment; the environment wins.
func settings(root string) (map[string]string, error) {
	file := filepath.Join(root, ".env")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		file = filepath.Join(root, ".env.example")
	}

	env, err := godotenv.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}

	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}

	// optional settings and their values, as in docker-compose.yml
	for name, value := range map[string]string{
		"APP_ENV":        "development",
		"JWT_SECRET_KEY": "development-only-secret-change-me-in-production",
		"AUTH_REQUIRED":  "false",
	} {
		if env[name] == "" {
			env[name] = value
		}
	}

	return env, nil
}

// EnsureEnvFile creates .env from .env.example if it is missing.
func (c Config) EnsureEnvFile() error {
	file := filepath.Join(c.Root, ".env")
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}

	example, err := os.ReadFile(filepath.Join(c.Root, ".env.example"))
	if err != nil {
		return err
	}

	c.say("created .env from .env.example: change settings there")

	return os.WriteFile(file, example, 0o600) //nolint:gosec // in the checkout
}

// defaultCache returns the user's cache folder. Root's is closed to other users, and PostgreSQL
// refuses to run as root, so root uses one that an unprivileged user can reach.
func defaultCache() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/tributary", nil
	}

	dir, err := os.UserCacheDir()

	return filepath.Join(dir, "tributary"), err
}

// databases returns the folder of the databases' files: in State, or for root, if an unprivileged
// user cannot reach State, in a folder of its own.
func (c Config) databases() string {
	if os.Geteuid() != 0 || reachable(c.State) {
		return filepath.Join(c.State, "postgres")
	}

	h := fnv.New64a()
	_, _ = h.Write([]byte(c.State))

	return fmt.Sprintf("/var/lib/tributary/%016x", h.Sum64())
}

// reachable reports whether every user may pass the folders above dir.
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

// lines keeps the output of several goroutines apart.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.out.Write(p)
}
