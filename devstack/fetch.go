package devstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// Downloads. Containers use the same versions.
const (
	pulsarVersion   = "4.0.8"
	postgresVersion = "17.11.0"
	copyGoal        = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
)

// artifact is an archive in a Maven repository.
type artifact struct {
	title         string // for people
	group, name   string
	version, kind string // kind is empty for a jar
	sum           string // SHA-256
	home          string // where it is unpacked
	unpack        func(archive, dir string) error
}

func (c Config) artifacts() ([]artifact, error) {
	machine, ok := map[string]struct{ name, sum string }{
		"amd64": {"amd64", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"},
		"arm64": {"arm64v8", "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b"},
	}[runtime.GOARCH]
	if runtime.GOOS != "linux" || !ok {
		return nil, fmt.Errorf(
			"the stack without containers runs on Linux (amd64, arm64), not on %s/%s: use "+
				"`STACK=docker make up`",
			runtime.GOOS,
			runtime.GOARCH,
		)
	}

	return []artifact{
		{
			title:   "PostgreSQL " + postgresVersion + " (15 MB)",
			home:    c.postgresHome(),
			unpack:  unpackPostgres,
			sum:     machine.sum,
			group:   "io.zonky.test.postgres",
			name:    "embedded-postgres-binaries-linux-" + machine.name,
			version: postgresVersion,
		},
		{
			title:   "Apache Pulsar " + pulsarVersion + " (245 MB)",
			home:    c.pulsarHome(),
			unpack:  unpackPulsar,
			sum:     "35c7d064c9e0928edbf2e708989faba0379662f98aa84ce0d4190c59efb6765e",
			group:   "org.apache.pulsar",
			name:    "pulsar-server-distribution",
			version: pulsarVersion,
			kind:    ":tar.gz:bin",
		},
	}, nil
}

func (c Config) pulsarHome() string   { return filepath.Join(c.Cache, "pulsar-"+pulsarVersion) }
func (c Config) postgresHome() string { return filepath.Join(c.Cache, "postgres-"+postgresVersion) }

// fetch ensures that Pulsar and PostgreSQL are in the cache, and that there is a Java to run
// Pulsar.
func (c Config) fetch(ctx context.Context) error {
	artifacts, err := c.artifacts()
	if err != nil {
		return err
	}

	if err := c.needJava(ctx); err != nil {
		return err
	}

	missing := slices.DeleteFunc(artifacts, func(a artifact) bool { return exists(a.home) })
	if len(missing) == 0 {
		return nil
	}

	//nolint:gosec // the databases' user must pass
	if err := os.MkdirAll(c.Cache, 0o755); err != nil {
		return fmt.Errorf("set TRIBUTARY_CACHE to a folder for the downloads: %w", err)
	}

	if err := c.need(ctx, "mvn", "maven"); err != nil {
		return err
	}

	// another stack may be fetching the same artifacts
	unlock, err := lockFile(filepath.Join(c.Cache, "lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()

	for _, a := range missing {
		if err := c.fetchOne(ctx, a); err != nil {
			return err
		}
	}

	return nil
}

// fetchOne fetches and unpacks an artifact. Its home appears complete or not at all.
func (c Config) fetchOne(ctx context.Context, a artifact) error {
	if exists(a.home) {
		return nil
	}

	work := filepath.Join(c.Cache, "fetching") // only this process uses it: it holds the lock
	if err := os.RemoveAll(work); err != nil {
		return err
	}

	defer func() { _ = os.RemoveAll(work) }()
	download, fresh := filepath.Join(work, "download"), filepath.Join(work, "unpacked")
	coordinates := a.group + ":" + a.name + ":" + a.version + a.kind
	//nolint:gosec // constants
	cmd := exec.CommandContext(
		ctx,
		"mvn",
		"-q",
		"-B",
		"-C",
		copyGoal,
		"-Dartifact="+coordinates,
		"-DoutputDirectory="+download,
	)

	size := func() int64 { return sizeBelow(mavenFolder(a)) + sizeBelow(download) }
	if err := c.progress("fetching "+a.title, cmd, size); err != nil {
		//nolint:staticcheck // a name
		return fmt.Errorf(
			"Maven cannot fetch %s: check the network, then retry: %w",
			a.title,
			err,
		)
	}

	archives, err := filepath.Glob(filepath.Join(download, "*"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf(
			"maven left %d files in %s, want the one archive",
			len(archives),
			download,
		)
	}

	if err := verify(archives[0], a.sum); err != nil {
		return fmt.Errorf(
			"%s differs from the published file; remove %s and retry: %w",
			a.title,
			mavenFolder(a),
			err,
		)
	}

	c.say("unpacking %s", a.title)

	if err := a.unpack(archives[0], fresh); err != nil {
		return fmt.Errorf("unpack %s: %w", a.title, err)
	}

	return os.Rename(fresh, a.home)
}

func exists(path string) bool {
	_, err := os.Stat(path) //nolint:gosec // of our own folders
	return err == nil
}

// mavenFolder returns where Maven stores the artifact by default.
func mavenFolder(a artifact) string {
	home, _ := os.UserHomeDir()

	return filepath.Join(
		home,
		".m2",
		"repository",
		strings.ReplaceAll(a.group, ".", "/"),
		a.name,
		a.version,
	)
}

// sizeBelow returns the total size of the files in a folder. Files that disappear meanwhile are not
// counted.
func sizeBelow(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				size += info.Size()
			}
		}

		return nil
	})

	return size
}

func verify(file, sum string) error {
	f, err := os.Open(file) //nolint:gosec // just fetched
	if err != nil {
		return err
	}

	defer func() { _ = f.Close() }()

	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}

	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("SHA-256 is %s, want %s", got, sum)
	}

	return nil
}
