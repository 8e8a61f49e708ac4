// Command settings prints docs/settings.md, which it generates from the code that reads the
// settings. It runs in the root of the checkout.
package main

import (
	"context"
	"os"

	"tributary/e2e/internal/settings"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

func run(context.Context, []string) error {
	page, err := settings.Page(".")
	if err != nil {
		return err
	}

	_, err = os.Stdout.WriteString(page)

	return err
}
