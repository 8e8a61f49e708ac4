// Command explain recomputes a decision from the JSON of its explanation alone, which it reads from
// the standard input:
//
//	curl -s localhost:8001/api/v1/commission/commissions/$ID/explain |
//	  go run ./commission/cmd/explain
//
// It prints the recomputed decision, or for an adjustment that a replay made, the difference
// between what the rules grant and what was posted. If the explanation differs, it names each
// member that differs and exits with 1. It also exits with 1 and says why if nothing can be
// recomputed, as for an adjustment by an operator.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	_ "time/tzdata" // a machine without time zones recomputes the same

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

	made, differences, err := again(x)
	if err != nil {
		_, _ = fmt.Fprintln(problems, "cannot make the decision again:", err)
		return 1
	}

	_, _ = fmt.Fprintln(out, made)
	if len(differences) > 0 {
		_, _ = fmt.Fprintln(problems, strings.Join(differences, "\n"))
		return 1
	}

	_, _ = fmt.Fprintln(out, "same as the explanation says")

	return 0
}

// again recomputes what is explained: a decision, or the difference that an adjustment corrects.
func again(x wire.Explanation) (made string, differences []string, err error) {
	if x.Adjustment != nil {
		minor, differences, err := x.CheckAdjustment()

		return fmt.Sprintf(
			"adjustment: expected less booked is %d minor units of %s",
			minor,
			x.Currency,
		), differences, err
	}

	d, differences, err := x.Check()

	return fmt.Sprintf(
		"%s %s: unrounded %q, amount %s %s",
		d.Outcome,
		d.Reason,
		d.Unrounded,
		d.Amount,
		d.Currency,
	), differences, err
}
