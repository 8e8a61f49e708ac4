// Package commission (infrastructure) reads from the commission service over HTTP.
package commission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"tributary/bff/internal/application/query"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/strictjson"
)

const (
	base       = "/api/v1/commission"
	maxAnswer  = 8 << 20
	retryAfter = time.Second
)

// Config says how to reach the service.
type Config struct {
	URL           string        // such as http://localhost:8001
	Timeout       time.Duration // of a whole call
	MaxConcurrent int           // concurrent calls; more are refused at once
	Transport     http.RoundTripper
	Now           func() time.Time
}

// Client reads from the commission service. It is safe for concurrent use.
type Client struct {
	url     string
	timeout time.Duration
	http    *http.Client
	slots   chan struct{}
	circuit *circuit
}

var _ query.Source = (*Client)(nil)

// New returns a client. It does not connect.
func New(cfg Config) *Client {
	return &Client{
		url:     cfg.URL,
		timeout: cfg.Timeout,
		slots:   make(chan struct{}, cfg.MaxConcurrent),
		circuit: newCircuit(cfg.Now),
		http: &http.Client{
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Payout returns the payment of a command. A payout has the id of the command that requested it.
func (c *Client) Payout(
	ctx context.Context,
	q query.Origin,
	commandID string,
) (query.Document, error) {
	text, err := c.get(ctx, q, "/payouts/"+url.PathEscape(commandID), nil)
	if errors.Is(err, errNotFound) {
		return query.Document{}, query.ErrNotFound
	}

	if err != nil {
		return query.Document{}, err
	}

	var owner struct {
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal([]byte(text), &owner); err != nil {
		return query.Document{}, unavailable(fmt.Errorf("payout without owner: %w", err))
	}

	return query.Document{Owner: owner.UserID, Text: text}, nil
}

// Payouts returns a page of the caller's payments.
func (c *Client) Payouts(
	ctx context.Context,
	q query.Origin,
	status string,
	page query.Page,
) (query.Document, error) {
	return c.list(
		ctx,
		q,
		"/payouts",
		page,
		url.Values{"user_id": {q.Caller.UserID()}, "status": {status}},
	)
}

// Balance returns the caller's balances.
func (c *Client) Balance(ctx context.Context, q query.Origin) (query.Document, error) {
	text, err := c.get(ctx, q, "/balances/"+url.PathEscape(q.Caller.UserID()), nil)
	return query.Document{Text: text}, err
}

// Commissions returns a page of the caller's commissions.
func (c *Client) Commissions(
	ctx context.Context,
	q query.Origin,
	f query.CommissionFilter,
	page query.Page,
) (query.Document, error) {
	return c.list(ctx, q, "/commissions", page, url.Values{
		"user_id": {
			q.Caller.UserID(),
		},
		"campaign_id": {f.CampaignID},
		"product_id":  {f.ProductID},
		"event_type":  {f.EventType},
		"status":      {f.Status},
		"kind": {
			f.Kind,
		},
		"currency":      {f.Currency},
		"occurred_from": {f.OccurredFrom},
		"occurred_to":   {f.OccurredTo},
	})
}

func (c *Client) list(
	ctx context.Context,
	q query.Origin,
	path string,
	page query.Page,
	filter url.Values,
) (query.Document, error) {
	filter.Set("limit", strconv.Itoa(page.Limit))
	filter.Set("cursor", page.Cursor)

	for name, values := range filter {
		if values[0] == "" {
			delete(filter, name)
		}
	}

	text, err := c.get(ctx, q, path, filter)

	return query.Document{Text: text}, err
}

// get sends one request, within the timeout, if a slot is free and the circuit allows it: if the
// service is unavailable, callers are refused without delay.
func (c *Client) get(
	ctx context.Context,
	q query.Origin,
	path string,
	values url.Values,
) (string, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		return "", unavailable(errors.New("too many calls under way"))
	}

	if !c.circuit.allows() {
		return "", unavailable(errors.New("the circuit is open"))
	}

	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	text, err := c.ask(limited, q, path, values)
	f, isFault := fault.As(err)
	// a caller that left proves nothing
	away := err != nil && !errors.Is(err, errNotFound) && !errors.Is(err, errAnswered) &&
		(!isFault || f.Kind() == fault.Unavailable) &&
		ctx.Err() == nil
	c.circuit.note(away)

	if err != nil && !isFault {
		err = unavailable(err)
	}

	return text, err
}

func (c *Client) ask(
	ctx context.Context,
	q query.Origin,
	path string,
	values url.Values,
) (string, error) {
	r, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		c.url+base+path+"?"+values.Encode(),
		http.NoBody,
	)
	if err != nil {
		return "", err
	}

	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+q.Bearer)
	r.Header.Set("X-Request-ID", httpapi.RequestID(ctx))
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(r.Header))

	answer, err := c.http.Do(r)
	if err != nil {
		var withURL *url.Error // its text contains the URL, and with it the user's id
		if errors.As(err, &withURL) {
			err = withURL.Err
		}

		return "", err
	}

	defer func() { _ = answer.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return "", err
	case len(body) > maxAnswer:
		return "", fmt.Errorf("%w with more than %d bytes", errAnswered, maxAnswer)
	case answer.StatusCode != http.StatusOK:
		return "", refusal(answer.StatusCode, body)
	}

	if err := strictjson.Check(body); err != nil {
		// the fault itself would refer to the caller's body
		return "", errors.New("the answer is not strict JSON")
	}

	return string(body), nil
}

func unavailable(cause error) error {
	return query.ErrUnavailable.
		Because(cause, "The commission service does not answer.").
		RetryIn(retryAfter)
}
