package devstack

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func (c Config) pulsar() unit {
	dir := filepath.Join(c.State, "pulsar")
	conf := filepath.Join(dir, "standalone.conf")
	overrides := [][2]string{
		{"brokerServicePort", itoa(c.Ports.Pulsar)}, {"webServicePort", itoa(c.Ports.PulsarAdmin)}, {"bindAddress", "127.0.0.1"},
		{"advertisedAddress", "127.0.0.1"}, {"journalSyncData", fmt.Sprint(!c.Fast)}, {"brokerDeleteInactiveTopicsEnabled", "false"},
	}
	return unit{
		name: "pulsar", ports: []int{c.Ports.Pulsar, c.Ports.PulsarAdmin, c.Ports.Bookie}, spec: fmt.Sprint(overrides), signal: syscall.SIGTERM, patient: 2 * time.Minute,
		prepare: func(context.Context) error {
			shipped, err := os.ReadFile(filepath.Join(c.pulsarHome(), "conf", "standalone.conf"))
			if err != nil {
				return err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // nothing secret in it
				return err
			}
			return os.WriteFile(conf, override(shipped, overrides), 0o600)
		},
		command: func(ctx context.Context) (*exec.Cmd, error) {
			cmd := exec.CommandContext(ctx, filepath.Join(c.pulsarHome(), "bin", "pulsar"), "standalone", "--no-functions-worker", "--no-stream-storage", //nolint:gosec // ours
				"--metadata-dir", filepath.Join(dir, "metadata"), "--bookkeeper-dir", filepath.Join(dir, "bookkeeper"), "--bookkeeper-port", itoa(c.Ports.Bookie), "-a", "127.0.0.1")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PULSAR_STANDALONE_CONF="+conf, "PULSAR_MEM=-Xms256m -Xmx768m -XX:MaxDirectMemorySize=768m", "PULSAR_LOG_DIR="+filepath.Join(dir, "logs"))
			return cmd, nil
		},
		ready: func(ctx context.Context) error {
			return answers(ctx, fmt.Sprintf("http://127.0.0.1:%d/admin/v2/namespaces/public/default", c.Ports.PulsarAdmin))
		},
	}
}

// override replaces settings of a properties file. The shipped one does not end in a newline.
func override(conf []byte, settings [][2]string) []byte {
	for _, s := range settings {
		line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(s[0]) + `=.*$`)
		conf = line.ReplaceAll(conf, nil)
		conf = append(bytes.TrimRight(conf, "\n"), "\n"+s[0]+"="+s[1]+"\n"...)
	}
	return conf
}

// answers is nil when the URL gives 200.
func answers(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
