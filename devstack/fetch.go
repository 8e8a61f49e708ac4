package devstack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ulikunitz/xz"
)

// What is fetched, and from which Maven coordinates. Containers use the same versions.
const (
	pulsarVersion   = "4.0.8"
	postgresVersion = "17.11.0"
	copyGoal        = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
)

// fetch makes sure that Pulsar and PostgreSQL are in the cache.
func (c Config) fetch(ctx context.Context) error {
	if runtime.GOOS != "linux" || (runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64") {
		return fmt.Errorf("the stack without containers runs on Linux (amd64, arm64), not on %s/%s: use `STACK=docker make up`", runtime.GOOS, runtime.GOARCH)
	}
	if err := os.MkdirAll(c.Cache, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return fmt.Errorf("cache folder (set TRIBUTARY_CACHE to another): %w", err)
	}
	if err := c.need(ctx, "java", "openjdk-17-jre-headless"); err != nil {
		return err
	}
	if err := c.unpacked(ctx, c.pulsarHome(), "Apache Pulsar "+pulsarVersion+" (245 MB)",
		"org.apache.pulsar:pulsar-server-distribution:"+pulsarVersion+":tar.gz:bin", unpackPulsar); err != nil {
		return err
	}
	machine := map[string]string{"amd64": "amd64", "arm64": "arm64v8"}[runtime.GOARCH]
	return c.unpacked(ctx, c.postgresHome(), "PostgreSQL "+postgresVersion+" (15 MB)",
		"io.zonky.test.postgres:embedded-postgres-binaries-linux-"+machine+":"+postgresVersion, unpackPostgres)
}

func (c Config) pulsarHome() string   { return filepath.Join(c.Cache, "pulsar-"+pulsarVersion) }
func (c Config) postgresHome() string { return filepath.Join(c.Cache, "postgres-"+postgresVersion) }

// unpacked fetches and unpacks an artifact unless home is there already. It appears whole or not at all.
func (c Config) unpacked(ctx context.Context, home, title, artifact string, unpack func(archive, dir string) error) error {
	if _, err := os.Stat(home); err == nil {
		return nil
	}
	if err := c.need(ctx, "mvn", "maven"); err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.Cache, "fetching-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	download, fresh := filepath.Join(work, "download"), filepath.Join(work, "unpacked")
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", copyGoal, "-Dartifact="+artifact, "-DoutputDirectory="+download) //nolint:gosec // constants
	if err := c.progress("fetching "+title, cmd); err != nil {
		return fmt.Errorf("fetch %s through Maven (is the network there? does `mvn` work?): %w", title, err)
	}
	archives, err := filepath.Glob(filepath.Join(download, "*"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("maven left %d files in %s, want the one archive", len(archives), download)
	}
	c.say("unpacking %s", title)
	if err := unpack(archives[0], fresh); err != nil {
		return fmt.Errorf("unpack %s: %w", title, err)
	}
	return os.Rename(fresh, home)
}

// need looks for a program; root on Debian installs the package that has it.
func (c Config) need(ctx context.Context, program, debianPackage string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	install := "apt-get install -y " + debianPackage
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("%s is missing: install it (on Debian: sudo %s) and try again", program, install)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", "apt-get update -q && "+install) //nolint:gosec // constants
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := c.progress("installing "+debianPackage, cmd); err != nil {
		return fmt.Errorf("%s is missing and `%s` fails: %w", program, install, err)
	}
	return nil
}

// progress runs a command and shows every few seconds that it is still at work; its output is shown when it fails.
func (c Config) progress(title string, cmd *exec.Cmd) error {
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	c.say("%s …", title)
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w\n%s", err, output.String())
			}
			c.say("%s: done (%.0f s)", title, time.Since(start).Seconds())
			return nil
		case <-tick.C:
			c.say("%s … %.0f s", title, time.Since(start).Seconds())
		}
	}
}

func unpackPulsar(archive, dir string) error {
	file, err := os.Open(archive) //nolint:gosec // just fetched
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	return untar(plain, dir, 1)
}

// unpackPostgres takes the .txz out of the jar.
func unpackPostgres(archive, dir string) error {
	jar, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = jar.Close() }()
	for _, f := range jar.File {
		if !strings.HasSuffix(f.Name, ".txz") {
			continue
		}
		packed, err := f.Open()
		if err != nil {
			return err
		}
		defer func() { _ = packed.Close() }()
		plain, err := xz.NewReader(packed)
		if err != nil {
			return err
		}
		return untar(plain, dir, 0)
	}
	return errors.New("the jar holds no .txz")
}

// untar writes the archive below dir, without the first strip parts of each path. Paths that lead out of dir are refused.
func untar(r io.Reader, dir string, strip int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // programs are for everybody
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	archive := tar.NewReader(r)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		parts := strings.Split(strings.Trim(filepath.Clean(header.Name), "/"), "/")
		if len(parts) <= strip {
			continue
		}
		if err := extract(root, strings.Join(parts[strip:], "/"), header, archive); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func extract(root *os.Root, name string, header *tar.Header, content io.Reader) error {
	if name == "." {
		return nil
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, os.FileMode(header.Mode)&0o755|0o644) //nolint:gosec // masked
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content) //nolint:gosec // a distribution that we chose
		return errors.Join(err, file.Close())
	}
	return nil
}
