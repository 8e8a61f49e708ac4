package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// request is one of the five requests of the demo.
type request struct {
	method, url, body string
	token             bool
}

func (c Config) requests() []request {
	return []request{
		{
			"POST",
			c.URL("bff") + "/api/v1/campaigns/camp123/accept",
			`{"accepted_terms": true, "metadata": {"source": "mobile_app"}}`,
			true,
		},
		{
			"POST",
			c.URL("bff") + "/api/v1/evidence/upload",
			`{"campaign_id": "camp123", "evidence_type": "photo", ` +
				`"file_url": "https://example.com/photo.jpg",` +
				"\n      " + `"metadata": {"description": "Product photo"}}`,
			true,
		},
		{
			"POST",
			c.URL("bff") + "/api/v1/payments/request",
			`{"amount": 150.00, "currency": "USD", "payment_method": "paypal",` +
				"\n      " + `"account_details": {"email": "user@example.com"}}`,
			true,
		},
		{
			"POST",
			c.URL("tracking") + "/api/v1/tracking/events",
			`{"user_id": "user123", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}`,
			false,
		},
		{"GET", c.URL("commission") + "/api/v1/commission/commissions", "", false},
	}
}

// curl returns the request as a curl command.
func (r request) curl() string {
	text := "curl"
	if r.method != http.MethodGet {
		text += " -X " + r.method
	}

	text += " " + r.url
	if r.token {
		text += " \\\n  -H \"Authorization: Bearer $TOKEN\""
	}

	if r.body != "" {
		text += " -H 'Content-Type: application/json' \\\n  -d '" + r.body + "'"
	}

	return text
}

// Demo sends the five requests to the running stack, shows their answers, and waits for the
// commission of the purchase.
func (c Config) Demo(ctx context.Context) error {
	token, err := c.Token(ctx, "-user", "user123")
	if err != nil {
		return err
	}

	c.say("\nTOKEN=$(make -s token)")

	var event struct {
		ID string `json:"event_id"`
	}
	begin := time.Now() //nolint:forbidigo // the time that is shown
	since := begin.Add(-time.Minute)

	list := c.requests()
	for _, r := range list[:4] {
		answer, err := c.show(ctx, r, token)
		if err != nil {
			return err
		}

		if strings.HasSuffix(r.url, "/tracking/events") {
			begin = time.Now() //nolint:forbidigo // the time that is shown

			if err := json.Unmarshal(answer, &event); err != nil {
				return fmt.Errorf("%s does not answer with an event: %w", r.url, err)
			}
		}
	}

	found, err := c.commissionOf(ctx, event.ID, since)
	if err != nil {
		return err
	}

	waited := time.Since(begin)

	if _, err := c.show(ctx, list[4], token); err != nil {
		return err
	}

	c.say(
		"\nThe purchase of 100.00 earned %s a commission of %s %s (rate %s, status %s),\n"+
			"visible %.2f s after the event.",
		found.UserID,
		found.Amount,
		found.Currency,
		found.Rate,
		found.Status,
		waited.Seconds(),
	)

	if found.Amount != "10.00" || found.Currency != "USD" {
		return fmt.Errorf("the commission is %s %s, want 10.00 USD", found.Amount, found.Currency)
	}

	return nil
}

// show sends a request and prints it with its answer.
func (c Config) show(ctx context.Context, r request, token string) ([]byte, error) {
	c.say("\n%s", r.curl())

	status, answer, err := r.send(ctx, token)
	if err != nil {
		return nil, err
	}

	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer, "", "  "); err != nil {
		return nil, fmt.Errorf("%s does not answer with JSON: %w", r.url, err)
	}

	text := strings.TrimSpace(pretty.String())
	if len(text) > 1200 {
		text = fmt.Sprintf("%s … (%d bytes)", text[:1200], len(answer))
	}

	c.say("%d %s", status, text)

	if status >= http.StatusBadRequest {
		return nil, fmt.Errorf("%s answers %d: `make logs` shows why", r.url, status)
	}

	return answer, nil
}

func (r request) send(ctx context.Context, token string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader([]byte(r.body)))
	if err != nil {
		return 0, nil, err
	}

	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}

	if r.token {
		req.Header.Set("Authorization", "Bearer "+token)
	}

	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w (is the stack running? See `make status`)", err)
	}

	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(response.Body)

	return response.StatusCode, answer, err
}

type commission struct {
	EventID  string `json:"event_id"`
	UserID   string `json:"user_id"`
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
	Rate     string `json:"rate"`
	Status   string `json:"status"`
}

// commissionOf waits for the commission of the event.
func (c Config) commissionOf(
	ctx context.Context,
	event string,
	since time.Time,
) (found commission, err error) {
	query := url.Values{
		"user_id":       {"user123"},
		"occurred_from": {since.UTC().Format(time.RFC3339)},
		"limit":         {"1000"},
	}
	r := request{
		method: http.MethodGet,
		url:    c.URL("commission") + "/api/v1/commission/commissions?" + query.Encode(),
	}
	err = await(ctx, time.Minute, func() error {
		_, answer, err := r.send(ctx, "")
		if err != nil {
			return err
		}

		var page struct {
			Data []commission `json:"data"`
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return err
		}

		for _, row := range page.Data {
			if row.EventID == event {
				found = row
				return nil
			}
		}

		return fmt.Errorf(
			"event %s has no commission yet: see GET %s/api/v1/commission/decisions/%s and `make logs`",
			event,
			c.URL("commission"),
			event,
		)
	})

	return found, err
}

// Next prints what to do with a running stack.
func (c Config) Next() {
	c.say("\nThe stack runs. Documentation and forms to try it:")

	for _, name := range Services() {
		c.say("  %-11s %s/docs", name, c.URL(name))
	}

	c.say(
		"make status, make logs and make token inspect it; make down stops it and keeps the data; make " +
			"clean removes everything.",
	)
}
