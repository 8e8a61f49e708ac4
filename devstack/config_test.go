package devstack_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tributary/devstack"
)

// checkout creates a root with these files.
func checkout(t *testing.T, files map[string]string) string {
	t.Helper()

	root := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return root
}

func TestTheEnvironmentOverridesTheFile(t *testing.T) {
	root := checkout(t, map[string]string{
		".env.example": "LOG_LEVEL=example\nJWT_ALGORITHM=example\n",
		".env":         "LOG_LEVEL=file\nBFF_PORT=9002\nTRACKING_PORT=9000\nTRIBUTARY_STATE=data\nTRACKING_DB_PASSWORD=a/b@c\n",
	})
	t.Setenv("BFF_PORT", "9902")
	t.Setenv("TRIBUTARY_CACHE", "/somewhere/cache")

	c, err := devstack.Load(root, io.Discard)
	if err != nil {
		t.Fatal(err)
	}

	if c.Ports.BFF != 9902 || c.Ports.Tracking != 9000 || c.Ports.Commission != 8001 {
		t.Errorf("ports %+v", c.Ports)
	}

	if c.Env["LOG_LEVEL"] != "file" || c.Env["JWT_ALGORITHM"] != "" {
		t.Errorf(
			"LOG_LEVEL=%s JWT_ALGORITHM=%s: the example counts although there is a .env",
			c.Env["LOG_LEVEL"],
			c.Env["JWT_ALGORITHM"],
		)
	}

	if c.State != filepath.Join(root, "data") || c.Cache != "/somewhere/cache" {
		t.Errorf("state %s, cache %s", c.State, c.Cache)
	}

	if got, want := c.ServiceEnvironment(
		"tracking",
	), "DATABASE_URL=postgres://tracking_user:a%2Fb%40c@127.0.0.1:5432/trackingdb?sslmode=disable"; !slices.Contains(
		got,
		want,
	) {
		t.Errorf("environment of tracking %v, want %s", got, want)
	}
}

// A .env without the settings of tokens starts the stack as compose does.
//
//nolint:paralleltest // changes the environment
func TestWhatAFileMayLeaveOut(t *testing.T) {
	for name, want := range map[string]string{
		"APP_ENV":        "development",
		"JWT_SECRET_KEY": "development-only-secret-change-me-in-production",
		"AUTH_REQUIRED":  "false",
	} {
		compose, err := os.ReadFile("../docker-compose.yml")
		if err != nil || !strings.Contains(string(compose), name+": ${"+name+":-"+want+"}") {
			t.Errorf("compose has another default of %s (%v)", name, err)
		}

		for file, value := range map[string]string{
			"BFF_PORT=9902\n":  want,
			name + "=\n":       want,
			name + "=chosen\n": "chosen",
		} {
			t.Setenv(name, "") // the environment of the test may have one
			_ = os.Unsetenv(name)

			c, err := devstack.Load(checkout(t, map[string]string{".env": file}), io.Discard)
			if err != nil || c.Env[name] != value {
				t.Errorf("%q: %s=%s %v, want %s", file, name, c.Env[name], err, value)
			}
		}
	}
}

func TestTheExampleCountsUntilThereIsAFile(t *testing.T) {
	t.Parallel()
	root := checkout(t, map[string]string{".env.example": "TRIBUTARY_TEST_SETTING=example\n"})

	c, err := devstack.Load(root, io.Discard)
	if err != nil || c.Env["TRIBUTARY_TEST_SETTING"] != "example" {
		t.Fatalf("%v, setting %q", err, c.Env["TRIBUTARY_TEST_SETTING"])
	}

	if _, err := os.Stat(filepath.Join(root, ".env")); err == nil {
		t.Error("Load wrote a .env")
	}

	if err := c.EnsureEnvFile(); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(
		filepath.Join(root, ".env"),
		[]byte("TRIBUTARY_TEST_SETTING=mine\n"),
		0o600,
	); err != nil {
		t.Fatal(err)
	}

	if err := c.EnsureEnvFile(); err != nil {
		t.Fatal(err)
	}

	if text, err := os.ReadFile(filepath.Join(root, ".env")); err != nil ||
		!strings.Contains(string(text), "mine") {
		t.Errorf("the user's .env was replaced: %s %v", text, err)
	}
}

func TestWrongPortsAreRefused(t *testing.T) {
	t.Parallel()

	for setting, want := range map[string]string{
		"BFF_PORT=http":  "BFF_PORT must be a port number",
		"BFF_PORT=70000": "BFF_PORT must be a port number",
		"BFF_PORT=0":     "BFF_PORT must be a port number",
		"BFF_PORT=8000":  "BFF_PORT and TRACKING_PORT are both 8000",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()

			_, err := devstack.Load(
				checkout(t, map[string]string{".env": setting + "\n"}),
				io.Discard,
			)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}

func TestATakenPortIsNamedWithItsHolderAndTheWayOut(t *testing.T) {
	t.Parallel()
	c, _ := setup(t)

	var lc net.ListenConfig

	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = listener.Close() }()
	_, text, _ := net.SplitHostPort(listener.Addr().String())
	c.Ports.BFF, _ = strconv.Atoi(text)

	err = c.Launch(t.Context(), "bff", "", []int{c.Ports.BFF}, "sleep", "1000")
	for _, want := range []string{"port " + text, "bff", "BFF_PORT=", "process " + strconv.Itoa(os.Getpid())} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}

	if _, alive := c.PID("bff"); alive {
		t.Error("it was started all the same")
	}
}

func TestAServiceIsStartedAgainWhenItsProgramOrSettingsChange(t *testing.T) {
	t.Parallel()
	c, _ := setup(t)
	c.Root = checkout(t, map[string]string{".env.example": "LOG_LEVEL=info\n# RATE_LIMIT=600\n"})
	seen := map[string]string{}
	check := func(after string) {
		spec := c.ServiceSpec("bff")
		if before, found := seen[spec]; found {
			t.Errorf("the specification after %s is that after %s", after, before)
		}

		seen[spec] = after
	}
	check("nothing")
	c.Env["LOG_LEVEL"] = "debug"
	check("another level")
	c.Env["RATE_LIMIT"] = "1"
	check("a setting that is a comment in the example")

	if err := os.MkdirAll(filepath.Join(c.State, "bin"), 0o750); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(
		filepath.Join(c.State, "bin", "bff"),
		[]byte("program"),
		0o600,
	); err != nil {
		t.Fatal(err)
	}

	check("a build")
	before := c.ServiceSpec("bff")

	c.Env["TERM"] = "dumb"
	if c.ServiceSpec("bff") != before {
		t.Error("the specification depends on what is no setting")
	}
}

func TestOverride(t *testing.T) {
	t.Parallel()

	got := string(
		devstack.Override(
			[]byte("# port=1\nport=1\nbindAddress=0.0.0.0\nlast=x"),
			[][2]string{{"port", "2"}, {"extra", "y"}},
		),
	)
	if want := "# port=1\nbindAddress=0.0.0.0\nlast=x\nport=2\nextra=y\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A secret reaches only the programs that need it.
func TestServicesDoNotGetEachOthersSecrets(t *testing.T) {
	t.Parallel()

	secrets := map[string]string{
		"ACCOUNT_DETAILS_KEYS":   "bff commission",
		"COMMISSION_DB_PASSWORD": "migrate",
		"JWT_SECRET_KEY":         "bff generate-jwt",
		"POSTGRES_PASSWORD":      "",
		"PULSAR_TOKEN":           "bff commission provision tracking",
		"TRACKING_DB_PASSWORD":   "migrate",
		"TRACKING_MIGRATION_URL": "migrate",
	}

	c, _ := setup(t)
	for name := range secrets {
		c.Env[name] = "secret"
	}

	c.Env["LOG_LEVEL"] = "info"

	for _, verified := range []bool{false, true} {
		c.Env["AUTH_REQUIRED"] = strconv.FormatBool(verified)
		if verified {
			secrets["JWT_SECRET_KEY"] = "bff commission generate-jwt tracking"
		}

		got := map[string]string{}
		for _, program := range []string{"bff", "commission", "generate-jwt", "migrate", "provision", "tracking"} {
			env := c.Environment(program)
			for name := range secrets {
				if slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
					got[name] = strings.TrimSpace(got[name] + " " + program)
				}
			}

			if !slices.Contains(env, "LOG_LEVEL=info") {
				t.Errorf("%s lacks a setting that is no secret", program)
			}
		}

		for name, want := range secrets {
			if got[name] != want {
				t.Errorf("AUTH_REQUIRED=%t: %s reaches %q, want %q", verified, name, got[name], want)
			}
		}
	}
}
