// Command explain makes a decision again from nothing but the JSON of its explanation, which it reads from the standard input:
//
//	curl -s localhost:8001/api/v1/commission/commissions/$ID/explain | go run ./commission/cmd/explain
//
// It prints what it computed. Where the explanation says something else, it names each member that differs and exits with 1.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"tributary/commission/internal/api/wire"
	"tributary/platform/strictjson"
)

func main() { os.Exit(run(os.Stdin, os.Stdout, os.Stderr)) }

func run(in io.Reader, out, problems io.Writer) int {
	text, err := io.ReadAll(in)
	var x wire.Explanation
	if err == nil {
		err = strictjson.Unmarshal(text, &x)
	}
	if err != nil {
		_, _ = fmt.Fprintln(problems, "this is no explanation:", err)
		return 1
	}
	made, differences, err := x.Check()
	if err != nil {
		_, _ = fmt.Fprintln(problems, "cannot make the decision again:", err)
		return 1
	}
	_, _ = fmt.Fprintf(out, "%s %s: unrounded %q, amount %s %s\n", made.Outcome, made.Reason, made.Unrounded, made.Amount, made.Currency)
	if len(differences) > 0 {
		_, _ = fmt.Fprintln(problems, strings.Join(differences, "\n"))
		return 1
	}
	_, _ = fmt.Fprintln(out, "same as the explanation says")
	return 0
}
