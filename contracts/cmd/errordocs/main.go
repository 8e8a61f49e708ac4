// Command errordocs prints docs/errors.md, which it generates from the OpenAPI documents in
// contracts/openapi.
package main

import (
	"context"
	"os"

	"tributary/contracts"
	"tributary/platform/process"
)

func main() { os.Exit(process.Main(os.Args[1:], os.Stderr, run)) }

func run(context.Context, []string) error {
	text, err := contracts.ErrorDocs()
	if err != nil {
		return err
	}

	_, err = os.Stdout.WriteString(text)

	return err
}
