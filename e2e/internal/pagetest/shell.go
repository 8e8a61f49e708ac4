package pagetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tributary/e2e/stacktest"
)

// shell is one bash for a whole page, so that later blocks see the variables of earlier ones.
type shell struct {
	stack *stacktest.Stack
	in    io.Writer
	out   *bufio.Reader
	block string // the file of the running block
}

const ended = "\x01ended "

// open starts a shell at the root of the checkout. It signs tokens with the stack's secret.
func open(t *testing.T, stack *stacktest.Stack) *shell {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc")
	cmd.Dir = stack.Root
	cmd.Stderr = os.Stderr
	cmd.Env = append(
		os.Environ(),
		"JWT_SECRET_KEY="+stack.Secret,
		"JWT_ALGORITHM=HS256",
		"JWT_ISSUER=",
		"JWT_AUDIENCE=",
	)

	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}

	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})

	return &shell{
		stack: stack,
		in:    in,
		out:   bufio.NewReader(out),
		block: filepath.Join(t.TempDir(), "block.sh"),
	}
}

// run runs a block and returns its output and exit code. The pages name the usual ports.
func (s *shell) run(t *testing.T, command string) (printed string, code int) {
	t.Helper()

	moved := strings.NewReplacer(
		"localhost:8002", strings.TrimPrefix(s.stack.BFF, "http://"),
		"localhost:8000", strings.TrimPrefix(s.stack.Tracking, "http://"),
		"localhost:8001", strings.TrimPrefix(s.stack.Commission, "http://"),
	).Replace(command)
	if err := os.WriteFile(s.block, []byte(moved+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	_, err := fmt.Fprintf(s.in, "set -o pipefail; source %q < /dev/null; printf '\\x01ended %%d\\n' $?\n", s.block)
	if err != nil {
		t.Fatal(err)
	}

	var text strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("the shell ends after %q: %v", text.String(), err)
		}

		if before, number, found := strings.Cut(line, ended); found {
			text.WriteString(before)
			_, _ = fmt.Sscanf(number, "%d", &code)

			return text.String(), code
		}

		text.WriteString(line)
	}
}
