package devstack

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ulikunitz/xz"
)

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

// unpackPostgres extracts the .txz from the jar.
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

	return errors.New("the jar contains no .txz")
}

// untar writes the archive below dir, without the first strip parts of each path. Paths that lead
// out of dir are refused.
func untar(r io.Reader, dir string, strip int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // any user may run the programs
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
		//nolint:gosec // masked
		file, err := root.OpenFile(
			name,
			os.O_CREATE|os.O_WRONLY|os.O_TRUNC,
			os.FileMode(header.Mode)&0o755|0o644,
		)
		if err != nil {
			return err
		}

		_, err = io.Copy(file, content)

		return errors.Join(err, file.Close())
	}

	return nil
}
