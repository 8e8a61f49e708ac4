package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/httpapi"
)

// rules returns every kind of formula and limit, each for a campaign of its own.
func rules() map[string]string {
	return map[string]string{
		"flat":       `"formula":{"kind":"flat","amount":"1.25"}`,
		"percentage": `"formula":{"kind":"percentage","rate":"0.0775"}`,
		"graduated":  `"formula":{"kind":"graduated","period":"month","tiers":[{"from":0,"rate":"0.05"},{"from":100,"rate":"0.1"}]}`,
		"all_units":  `"formula":{"kind":"all_units","period":"lifetime","tiers":[{"from":0,"rate":"0.05"},{"from":100,"rate":"0.1"}]}`,
		"cap":        `"formula":{"kind":"percentage","rate":"0.1"},"cap":{"amount":"10","period":"month"}`,
		"minimum":    `"formula":{"kind":"percentage","rate":"0.1"},"minimum_base":"50"`,
	}
}

// example is an event and the expected output of the program.
type example struct {
	event.Snapshot
	outcome, reason, amount string
}

// cases are in this order: tiers and caps count the earlier ones.
func cases() []example {
	sale := func(id, campaign, amount string) event.Snapshot {
		return event.Snapshot{
			ID:         id,
			UserID:     "u",
			Type:       eventtype.Sale,
			CampaignID: campaign,
			Amount:     amount,
		}
	}

	return []example{
		{sale("flat", "flat", "80"), "commissioned", "rule_applied", "1.25"},
		{sale("percentage", "percentage", "80.01"), "commissioned", "rule_applied", "6.20"},
		{sale("graduated-1", "graduated", "80.01"), "commissioned", "rule_applied", "4.00"},
		// 19.99 at 5 %, 40.34 at 10 %
		{sale("graduated-2", "graduated", "60.33"), "commissioned", "rule_applied", "5.03"},
		{sale("all-units-1", "all_units", "80"), "commissioned", "rule_applied", "4.00"},
		// 10 % of both, less what the first earned
		{sale("all-units-2", "all_units", "60"), "commissioned", "rule_applied", "10.00"},
		{sale("cap-1", "cap", "80"), "commissioned", "rule_applied", "8.00"},
		{sale("cap-2", "cap", "80"), "commissioned", "rule_applied_at_cap", "2.00"},
		{sale("cap-3", "cap", "80"), "not_commissioned", "cap_reached", "0.00"},
		{sale("minimum-1", "minimum", "49.99"), "not_commissioned", "below_minimum", "0.00"},
		{sale("minimum-2", "minimum", "50"), "commissioned", "rule_applied", "5.00"},
		{
			event.Snapshot{
				ID:         "clawback",
				UserID:     "u",
				Type:       eventtype.Refund,
				OriginalID: "graduated-2",
				Amount:     "10.10",
			},
			"commissioned",
			"clawed_back",
			"",
		},
		{event.Snapshot{ID: "none", UserID: "u", Type: eventtype.Lead}, "not_commissioned", "no_rule", ""},
	}
}

func TestProgramMakesDecisionsAgain(t *testing.T) {
	t.Parallel()

	program, explained := build(t), explanations(t)
	for _, c := range cases() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()

			out, problems, status := run(t, program, explained[c.ID])
			if status != 0 || problems != "" ||
				!strings.Contains(out, "same as the explanation says") ||
				!strings.HasPrefix(out, c.outcome+" "+c.reason+": ") ||
				!strings.Contains(out, "amount "+c.amount) {
				t.Errorf("status %d: %s%s from %s", status, out, problems, explained[c.ID])
			}
		})
	}
}

func TestProgramTellsWhatDiffers(t *testing.T) {
	t.Parallel()

	program, explained := build(t), explanations(t)
	for _, id := range []string{"flat", "percentage", "graduated-2", "all-units-2", "cap-2", "minimum-1", "clawback"} {
		for member, value := range map[string]any{
			"amount": "77.77", "amount_minor": 7777, "unrounded_amount": "77.777", "currency": "EUR", "outcome": "parked", "reason_code": "self_referral", "rule_version": 9,
		} {
			t.Run(id+"/"+member, func(t *testing.T) {
				t.Parallel()

				var x map[string]any
				if err := json.Unmarshal([]byte(explained[id]), &x); err != nil {
					t.Fatal(err)
				}

				altered := maps.Clone(x)
				altered[member] = value

				text, err := json.Marshal(altered)
				if err != nil {
					t.Fatal(err)
				}

				out, problems, status := run(t, program, string(text))

				says, _ := json.Marshal(value)
				if status != 1 || strings.Contains(out, "same as") ||
					!strings.Contains(problems, member+": ") ||
					!strings.Contains(
						problems,
						"the explanation says "+strings.Trim(string(says), `"`),
					) {
					t.Errorf("status %d: %s%s", status, out, problems)
				}
			})
		}
	}
}

func TestProgramRefusesWhatIsNoExplanation(t *testing.T) {
	t.Parallel()

	program := build(t)
	for text, want := range map[string]string{
		"": "this is no explanation", `{"event":1}`: "this is no explanation", `{"amount_minor":1,"amount_minor":2}`: "this is no explanation",
		`{"amount_minor":0,"verified":false}`: "cannot make the decision again",
	} {
		if out, problems, status := run(t, program, text); status != 1 || out != "" ||
			!strings.HasPrefix(problems, want) {
			t.Errorf("%s: status %d: %s%s", text, status, out, problems)
		}
	}
}

// An adjustment by a replay is recomputed from the explanation; an adjustment by an operator cannot
// be, and the program says so.
func TestProgramChecksAdjustments(t *testing.T) {
	t.Parallel()
	program := build(t)

	replayed := `{"currency":"USD","amount":"-5.00","amount_minor":-500,"verified":true,"adjustment":{"origin":"replay","reason":"r","at":"2026-11-23T12:00:00Z","comparison":{
		"booked":[{"commission_id":"c","event_id":"e","kind":"earning","amount":"5.00","amount_minor":500}],"booked_before":"5.00","booked_before_minor":500,"rejected":true,
		"expected":"0.00","expected_minor":0,"difference":"-5.00","difference_minor":-500}}}`
	if out, problems, status := run(t, program, replayed); status != 0 || problems != "" ||
		out != "adjustment: expected less booked is -500 minor units of USD\nsame as the explanation says\n" {
		t.Errorf("by a replay: status %d: %s%s", status, out, problems)
	}

	altered := strings.Replace(replayed, `"amount_minor":-500`, `"amount_minor":-501`, 1)
	if out, problems, status := run(t, program, altered); status != 1 ||
		problems != "amount_minor: made again it is -500, the explanation says -501\n" {
		t.Errorf("altered: status %d: %s%s", status, out, problems)
	}

	byHand := `{"currency":"USD","amount":"1.00","amount_minor":100,"verified":false,"not_computed":"it was made by hand","adjustment":{"origin":"hand","reason":"r","at":"2026-11-23T12:00:00Z"}}`
	if out, problems, status := run(t, program, byHand); status != 1 || out != "" ||
		problems != "cannot make the decision again: it was made by hand\n" {
		t.Errorf("by hand: status %d: %s%s", status, out, problems)
	}
}

func build(t *testing.T) string {
	t.Helper()

	program := filepath.Join(t.TempDir(), "explain")
	if out, err := exec.CommandContext(
		t.Context(),
		"go",
		"build",
		"-o",
		program,
		".",
	).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}

	return program
}

func run(t *testing.T, program, text string) (out, problems string, status int) {
	t.Helper()

	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), program)
	c.Stdin = strings.NewReader(text)
	c.Stdout = &stdout
	c.Stderr = &stderr

	err := c.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}

	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// explanations returns the service's answers for the cases, by event.
func explanations(t *testing.T) map[string]string {
	t.Helper()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return start }
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	store := postgres.New(migrationstest.New(t, migrations.Commission()).Pool)
	api := httpapi.New(httpapi.Config{
		Service:    "commission",
		Title:      "Commission",
		Version:    "1",
		HealthPath: rest.Base + "/health",
		Health:     httpapi.NewHealth("commission"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    prometheus.NewRegistry(),
		Now:        clock,
	})
	rest.Register(
		api.Huma,
		rest.UseCases{
			GetCommission:   query.NewGetCommission(store),
			ListCommissions: query.NewListCommissions(store),
			GetDecision:     query.NewGetDecision(store),
			PublishRule:     command.NewPublishRule(store, newID),
			RetireRule:      command.NewRetireRule(store),
			Rules:           query.NewRules(store),
			Explain:         query.NewExplain(store),
			Now:             clock,
		},
	)

	call := func(method, path, body string) string {
		r := httptest.NewRequestWithContext(
			t.Context(),
			method,
			rest.Base+path,
			strings.NewReader(body),
		)
		r.Header.Set("Content-Type", "application/json")

		w := httptest.NewRecorder()
		if api.Router.ServeHTTP(w, r); w.Code != http.StatusOK && w.Code != http.StatusCreated {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}

		return w.Body.String()
	}
	for campaign, formula := range rules() {
		call(
			http.MethodPost,
			"/rules",
			`{"name":"`+campaign+`","event_type":"sale","campaign_id":"`+campaign+`","currency":"USD","effective_from":"2026-01-01T00:00:00Z",`+formula+`}`,
		)
	}

	decide := command.NewConsumeEvents(store, clock, newID)

	answers := map[string]string{}
	for _, c := range cases() {
		c.OccurredAt, c.ReceivedAt = start.Add(-time.Hour), start

		e, err := event.New(c.Snapshot)
		if err != nil {
			t.Fatal(err)
		}

		if refused, err := decide.Handle(t.Context(), []event.Event{e}); err != nil ||
			len(refused) > 0 {
			t.Fatalf("Handle: %v, %v", refused, err)
		}

		answers[c.ID] = call(http.MethodGet, "/decisions/"+c.ID+"/explain", "")
	}

	return answers
}
