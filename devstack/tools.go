package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	oldestJava  = 17
	javaPackage = "openjdk-17-jre-headless"
)

// needJava looks for a Java that Pulsar runs on.
func (c Config) needJava(ctx context.Context) error {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
		if !exists(java) {
			return fmt.Errorf(
				"JAVA_HOME is %s, where there is no bin/java: correct it or unset it",
				home,
			)
		}
	} else if err := c.need(ctx, java, javaPackage); err != nil {
		return err
	}

	//nolint:gosec // the user's own
	output, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("`%s -version` fails: %w\n%s", java, err, output)
	}

	found := regexp.MustCompile(`version "(\d+)`).FindSubmatch(output)
	if found == nil {
		return nil // an unusual one: let Pulsar decide
	}

	if major, err := strconv.Atoi(string(found[1])); err == nil && major < oldestJava {
		return fmt.Errorf(
			"%s is version %d and Pulsar needs %d: install it (on Debian: sudo apt-get install "+
				"%s) or set JAVA_HOME",
			java,
			major,
			oldestJava,
			javaPackage,
		)
	}

	return nil
}

// need looks for a program. On Debian, root installs the package that contains it.
func (c Config) need(ctx context.Context, program, debianPackage string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}

	install := "apt-get install -y " + debianPackage
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf(
			"%s is missing: install it (on Debian: sudo %s) and retry",
			program,
			install,
		)
	}

	//nolint:gosec // constants
	cmd := exec.CommandContext(ctx, "sh", "-c", "apt-get update -q && "+install)

	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := c.progress("installing "+debianPackage, cmd, nil); err != nil {
		return fmt.Errorf("%s is missing and `%s` fails: %w", program, install, err)
	}

	return nil
}

// progress runs a command and shows every few seconds that it is still running, with the number of
// bytes if size is not nil. The command's output is shown if it fails.
func (c Config) progress(title string, cmd *exec.Cmd, size func() int64) error {
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	begin := time.Now() //nolint:forbidigo // times shown to people
	c.say("%s …", title)

	pause := 15 * time.Second
	if size != nil {
		pause = 3 * time.Second
	}

	stop := c.every(pause, func(waited time.Duration) {
		if size == nil {
			c.say("%s … %.0f s", title, waited.Seconds())
		} else {
			c.say("%s … %d MB, %.0f s", title, size()>>20, waited.Seconds())
		}
	})
	err := cmd.Run()
	stop()

	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is missing: install it and retry", cmd.Args[0])
	}

	if err != nil {
		return fmt.Errorf("%w\n%s", err, output.String())
	}

	c.say("%s: done (%.1f s)", title, time.Since(begin).Seconds())

	return nil
}
