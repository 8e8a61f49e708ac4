package devstack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"tributary/devstack"
)

func archive(t *testing.T, headers ...tar.Header) *bytes.Buffer {
	t.Helper()

	var packed bytes.Buffer

	w := tar.NewWriter(&packed)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len("content"))
		}

		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}

		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte("content")); err != nil {
				t.Fatal(err)
			}
		}
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	return &packed
}

func TestUntar(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "home")

	packed := archive(t,
		tar.Header{Name: "top/", Typeflag: tar.TypeDir, Mode: 0o700},
		tar.Header{Name: "top/bin/run", Typeflag: tar.TypeReg, Mode: 0o700},
		tar.Header{Name: "top/lib.so.1", Typeflag: tar.TypeReg, Mode: 0o600},
		tar.Header{Name: "top/lib.so", Typeflag: tar.TypeSymlink, Linkname: "lib.so.1"})
	if err := devstack.Untar(packed, dir, 1); err != nil {
		t.Fatal(err)
	}

	for name, mode := range map[string]os.FileMode{"bin/run": 0o744, "lib.so.1": 0o644, "lib.so": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm()&0o444 != 0o444 ||
			info.Mode().Perm()&0o100 != mode&0o100 {
			t.Errorf("%s: %v %v, want readable by all, mode like %v", name, info, err, mode)
		}
	}
}

func TestUntarStaysInItsFolder(t *testing.T) {
	t.Parallel()

	for name, headers := range map[string][]tar.Header{
		"parent":       {{Name: "top/../../escaped", Typeflag: tar.TypeReg, Mode: 0o600}},
		"through link": {{Name: "top/out", Typeflag: tar.TypeSymlink, Linkname: "../.."}, {Name: "top/out/escaped", Typeflag: tar.TypeReg, Mode: 0o600}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()

			err := devstack.Untar(archive(t, headers...), filepath.Join(parent, "home"), 0)
			if _, missing := os.Stat(filepath.Join(parent, "escaped")); err == nil ||
				missing == nil {
				t.Errorf("error %v, escaped file: %v", err, missing == nil)
			}
		})
	}
}

func TestPostgresComesOutOfItsJar(t *testing.T) {
	t.Parallel()

	var jar, packed bytes.Buffer

	squeeze, err := xz.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}

	if _, err := squeeze.Write(
		archive(t, tar.Header{Name: "bin/postgres", Typeflag: tar.TypeReg, Mode: 0o755}).Bytes(),
	); err != nil {
		t.Fatal(err)
	}

	if err := squeeze.Close(); err != nil {
		t.Fatal(err)
	}

	w := zip.NewWriter(&jar)
	for name, content := range map[string][]byte{"META-INF/MANIFEST.MF": []byte("x"), "postgres-linux-x86_64.txz": packed.Bytes()} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}

		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()

	file := filepath.Join(dir, "postgres.jar")
	if err := os.WriteFile(file, jar.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	if err := devstack.UnpackPostgres(file, filepath.Join(dir, "home")); err != nil {
		t.Fatal(err)
	}

	if info, err := os.Stat(filepath.Join(dir, "home", "bin", "postgres")); err != nil ||
		info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info, err)
	}

	if err := devstack.Verify(file, strings.Repeat("0", 64)); err == nil {
		t.Error("a wrong check sum is taken")
	}
}
