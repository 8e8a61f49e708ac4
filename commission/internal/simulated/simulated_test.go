//go:build python

// Package simulated_test runs a programme for a year through the application and the database, and
// has a Python program that shares no code with ours close every month. `make test-python` runs it;
// TEST_PYTHON is its interpreter.
package simulated_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/api/rest"
)

// seed determines the programme. TEST_SEED takes another one, TEST_PARTNERS another size.
const (
	seed     = 2026
	partners = 500
	months   = 12
	zone     = "America/New_York"
)

func TestAYearOfAProgramme(t *testing.T) {
	t.Parallel()

	p := setup(t, number(t, "TEST_SEED", seed), number(t, "TEST_PARTNERS", partners))

	owed := [][]string{{"month", "when", "currency", "owed_minor"}}
	note := func(month, when, query string) {
		for _, row := range p.get(t, "/liabilities"+query)["data"].([]any) {
			x := row.(map[string]any)
			owed = append(owed, []string{
				month,
				when,
				fmt.Sprint(x["currency"]),
				strconv.FormatFloat(x["owed_minor"].(float64), 'f', 0, 64),
			})
		}
	}

	var ends []time.Time

	for month := range months {
		p.month(t, month)

		end := p.begin.AddDate(0, month+1, 0)
		ends = append(ends, end)
		p.at(end)
		note(label(p.begin, month), "then", "")
	}

	p.at(ends[months-1].Add(time.Hour))

	for month, end := range ends {
		note(label(p.begin, month), "later", "?as_of="+end.UTC().Format(time.RFC3339))
	}

	t.Logf("%d commissions were acted on in bulk", p.together)

	folder := t.TempDir()
	write(t, filepath.Join(folder, "liabilities.csv"), owed)
	p.export(t, folder)
	closeMonths(t, folder)
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()

	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}

	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}

	return n
}

func label(begin time.Time, month int) string { return begin.AddDate(0, month, 0).Format("2006-01") }

// export writes what the API and the database say into the folder.
func (p *programme) export(t *testing.T, folder string) {
	t.Helper()

	for name, sql := range map[string]string{
		"ledger": `SELECT id, user_id, currency, from_account, to_account, amount_minor,
    coalesce(commission_id::text, '') AS commission_id, coalesce(payout_id::text, '') AS payout_id,
    created_at FROM ledger ORDER BY id`,
		"payouts": `SELECT id, user_id, currency, amount_minor, status FROM payouts ORDER BY id`,
	} {
		p.dump(t, filepath.Join(folder, name+".csv"), sql)
	}

	commissions := p.call(t, "/commissions.csv")
	save(t, filepath.Join(folder, "commissions.csv"), commissions)

	items := [][]string{{"payout_id", "commission_id", "amount_minor"}}

	for _, id := range p.requested {
		for cursor := ""; ; {
			page := p.get(t, "/payouts/"+id+"/items?limit=100"+cursor)
			for _, row := range page["data"].([]any) {
				x := row.(map[string]any)
				items = append(items, []string{
					id,
					fmt.Sprint(x["commission_id"]),
					strconv.FormatFloat(x["amount_minor"].(float64), 'f', 0, 64),
				})
			}

			next, more := page["next_cursor"].(string)
			if !more {
				break
			}

			cursor = "&cursor=" + next
		}
	}

	write(t, filepath.Join(folder, "items.csv"), items)

	statements := [][]string{}

	for _, user := range p.users {
		for month := range months {
			name := label(p.begin, month)
			body := p.call(t, "/statements/"+user+"/csv?month="+name)

			rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}

			for i, row := range rows {
				switch {
				case i > 0:
					statements = append(statements, append([]string{user, name}, row...))
				case len(statements) == 0:
					statements = append(statements, append([]string{"user_id", "month"}, row...))
				}
			}
		}
	}

	write(t, filepath.Join(folder, "statements.csv"), statements)

	about, err := json.Marshal(map[string]any{
		"time_zone": zone,
		"begin":     label(p.begin, 0),
		"months":    months,
		"partners":  len(p.users),
	})
	if err != nil {
		t.Fatal(err)
	}

	save(t, filepath.Join(folder, "about.json"), about)
}

func (p *programme) dump(t *testing.T, path, sql string) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), p.db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(t.Context()) }()

	var out bytes.Buffer

	if _, err := conn.Exec(t.Context(), `SET timezone = 'UTC'`); err != nil {
		t.Fatal(err)
	}

	if _, err := conn.PgConn().CopyTo(
		t.Context(),
		&out,
		"COPY ("+sql+") TO STDOUT (FORMAT csv, HEADER)",
	); err != nil {
		t.Fatal(err)
	}

	save(t, path, out.Bytes())
}

func (p *programme) call(t *testing.T, path string) []byte {
	t.Helper()

	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, rest.Base+path, http.NoBody)
	w := httptest.NewRecorder()

	p.handler.ServeHTTP(w, r)

	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}

	return w.Body.Bytes()
}

func (p *programme) get(t *testing.T, path string) map[string]any {
	t.Helper()

	var body map[string]any
	if err := json.Unmarshal(p.call(t, path), &body); err != nil {
		t.Fatal(err)
	}

	return body
}

func write(t *testing.T, path string, rows [][]string) {
	t.Helper()

	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		t.Fatal(err)
	}

	save(t, path, out.Bytes())
}

func save(t *testing.T, path string, content []byte) {
	t.Helper()

	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// closeMonths runs the oracle over the folder.
func closeMonths(t *testing.T, folder string) {
	t.Helper()

	python := os.Getenv("TEST_PYTHON")
	if python == "" {
		t.Fatal("TEST_PYTHON is not set: run `make test-python`")
	}

	output, err := exec.CommandContext(t.Context(), python, "oracle.py", folder).CombinedOutput()
	t.Logf("%s", output)

	if err != nil {
		t.Fatalf("the oracle: %v", err)
	}
}
