package devstack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// pulsarMemory is enough for the stack and its benchmarks; PULSAR_MEM overrides it.
const pulsarMemory = "-Xms256m -Xmx768m -XX:MaxDirectMemorySize=768m"

// lateCompilation lets Java's optimizing compiler wait until a method has run twenty times as often
// as usual. In a broker's first minutes that compiler took a third of its processor time, most of
// it for methods that matter little; what a loaded broker runs passes these bounds within seconds.
const lateCompilation = "-XX:Tier4InvocationThreshold=100000 -XX:Tier4MinInvocationThreshold=12000 " +
	"-XX:Tier4CompileThreshold=300000 -XX:Tier4BackEdgeThreshold=800000"

// pulsar returns a standalone broker with its own configuration. The bookie inside takes any free
// port unless allowEphemeralPorts lets it have ours. Its data belong to that port, so another port
// requires other data.
func (c Config) pulsar() unit {
	dir := filepath.Join(c.State, "pulsar")
	conf := filepath.Join(dir, "standalone.conf")
	overrides := [][2]string{
		{"brokerServicePort", itoa(c.Ports.Pulsar)},
		{"webServicePort", itoa(c.Ports.PulsarAdmin)},
		{"bindAddress", "127.0.0.1"},
		{"advertisedAddress", "127.0.0.1"},
		{"listeningInterface", "lo"},
		{"allowEphemeralPorts", "true"},
		{"journalSyncData", fmt.Sprint(!c.Fast)},
		{"brokerDeleteInactiveTopicsEnabled", "false"},
		// a delayed take-over of a partition may deliver newer messages before older ones
		{"activeConsumerFailoverDelayTimeMillis", "0"},
		{"narExtractionDirectory", filepath.Join(dir, "tmp")},
	}
	args := []string{
		"standalone",
		"--no-functions-worker",
		"--no-stream-storage",
		"--metadata-dir",
		filepath.Join(dir, "metadata"),
		"--bookkeeper-dir",
		filepath.Join(dir, "bookkeeper"),
		"--bookkeeper-port",
		itoa(c.Ports.Bookie),
		"-a",
		"127.0.0.1",
	}

	memory := c.value("PULSAR_MEM", pulsarMemory)
	if c.Fast {
		memory += " -XX:TieredStopAtLevel=1" // starts sooner, runs slower
	}

	return unit{
		name:  "pulsar",
		ports: []int{c.Ports.Pulsar, c.Ports.PulsarAdmin, c.Ports.Bookie},
		spec:  fmt.Sprint(overrides, args, memory, lateCompilation),
		prepare: func(context.Context) error {
			shipped, err := os.ReadFile(filepath.Join(c.pulsarHome(), "conf", "standalone.conf"))
			if err != nil {
				return err
			}

			if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
				// libraries that a killed broker has unpacked
				return err
			}

			if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
				return err
			}

			//nolint:gosec // below our own folder
			return os.WriteFile(conf, override(shipped, overrides), 0o600)
		},
		command: func(ctx context.Context) (*exec.Cmd, error) {
			//nolint:gosec // ours
			cmd := exec.CommandContext(ctx, filepath.Join(c.pulsarHome(), "bin", "pulsar"), args...)
			cmd.Dir = dir
			cmd.Env = append(
				os.Environ(),
				"PULSAR_STANDALONE_CONF="+conf,
				"PULSAR_MEM="+memory,
				"PULSAR_GC=-XX:+UseG1GC "+lateCompilation,
				"PULSAR_GC_LOG=-Xlog:disable",
				"PULSAR_LOG_DIR="+filepath.Join(dir, "logs"),
				"PULSAR_LOG_APPENDER=Console",
				"PULSAR_EXTRA_OPTS=-Dpulsar.allocator.exit_on_oom=true "+
					"-Dio.netty.recycler.maxCapacityPerThread=4096 -Djava.io.tmpdir="+filepath.Join(
					dir,
					"tmp",
				),
			)

			return cmd, nil
		},
		ready: func(ctx context.Context) error {
			return answers(
				ctx,
				"http://"+address(c.Ports.PulsarAdmin)+"/admin/v2/namespaces/public/default",
			)
		},
		advice: "If memory is short, set other limits with PULSAR_MEM; if its data cannot be " +
			"repaired, `make reset-broker` replaces them and keeps the databases.",
		signal:  syscall.SIGTERM,
		patient: 5 * time.Minute,
	}
}

// override replaces settings of a properties file. The shipped file does not end in a newline.
func override(conf []byte, settings [][2]string) []byte {
	for _, s := range settings {
		line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(s[0]) + `=.*\n?`)
		conf = bytes.TrimRight(line.ReplaceAll(conf, nil), "\n")
		conf = append(conf, "\n"+s[0]+"="+s[1]+"\n"...)
	}

	return conf
}

// answers returns nil if the URL answers 200, and otherwise an error with the beginning of the
// answer.
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
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("%s answers %s %s", url, answer.Status, strings.TrimSpace(string(body)))
	}

	return nil
}
