package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portsFrom reads the ports from the settings. It refuses a port that occurs twice.
func portsFrom(env map[string]string) (Ports, error) {
	var ports Ports

	taken := map[int]string{}
	for _, s := range ports.settable() {
		*s.port = s.usual
		if text := env[s.variable]; text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 65535 {
				return Ports{}, fmt.Errorf("%s must be a port number from 1 to 65535", s.variable)
			}

			*s.port = n
		}

		if other, found := taken[*s.port]; found {
			return Ports{}, fmt.Errorf(
				"%s and %s are both %d: set one of them to another port",
				other,
				s.variable,
				*s.port,
			)
		}

		taken[*s.port] = s.variable
	}

	return ports, nil
}

// variable returns the name of the setting that changes the port, or "" for a replica's.
func (p Ports) variable(port int) string {
	for _, s := range p.settable() {
		if *s.port == port {
			return s.variable
		}
	}

	return ""
}

func free(ctx context.Context, port int) bool {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address(port))

	return err == nil && listener.Close() == nil
}

// taken returns an error that names the holder of the port and what to do about it.
func (c Config) taken(name string, port int) error {
	who := "another program"
	if h := holder(port); h != "" {
		who = h
	}

	move := ""
	if v := c.Ports.variable(port); v != "" {
		move = fmt.Sprintf(", or move %s to another port with %s=…", name, v)
	}

	return fmt.Errorf("port %d, which %s needs, is taken by %s: stop that%s", port, name, who, move)
}

// holder names the process that listens on the port, if /proc shows it.
func holder(port int) string {
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table) //nolint:gosec // of the kernel
		if err != nil {
			continue
		}

		for line := range strings.Lines(string(text)) {
			// sl local remote state … inode is the tenth; state 0A listens
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}

	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}

	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			pid := strings.Split(link, "/")[2]
			//nolint:gosec // of the kernel
			program, _ := os.ReadFile(filepath.Join("/proc", pid, "comm"))

			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(program)), pid)
		}
	}

	return ""
}

// freePorts returns ports on which no process listens. They are below the range that the kernel
// assigns to outgoing connections, and start at another number in each process, so that concurrent
// callers rarely collide.
func freePorts(ctx context.Context, n int) ([]int, error) {
	var ports []int
	for port := 20000 + os.Getpid()%600*20; len(ports) < n && port < 32500; port++ {
		if free(ctx, port) {
			ports = append(ports, port)
		}
	}

	if len(ports) < n {
		return nil, errors.New("there are not enough free ports from 20000 to 32500")
	}

	return ports, nil
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func itoa(n int) string { return strconv.Itoa(n) }
