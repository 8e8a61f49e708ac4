// Command notices writes THIRD-PARTY-NOTICES.txt: the licence and notice texts of every module that
// is compiled into a program of this repository, and of the files that the documentation pages are
// made of.
//
// Usage: notices [-check] FILE
//
// It fails if a module has no licence text, or one that is not among the licences which may be
// distributed with this project. With -check it writes nothing and fails if FILE is out of date.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("notices", flag.ContinueOnError)

	check := flags.Bool("check", false, "fail if the file is out of date, and write nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}

	if flags.NArg() != 1 {
		return errors.New("usage: notices [-check] FILE")
	}

	components, err := shipped(ctx)
	if err != nil {
		return err
	}

	page, err := notices(components)
	if err != nil {
		return err
	}

	if !*check {
		return os.WriteFile(flags.Arg(0), page, 0o644) //nolint:gosec // published with the code
	}

	written, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}

	if !bytes.Equal(written, page) {
		return fmt.Errorf("%s is out of date: run `make generate`", flags.Arg(0))
	}

	return nil
}
