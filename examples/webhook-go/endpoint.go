package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// errGone is returned if the endpoint says that it wants no more events.
var errGone = errors.New("the endpoint answers 410 Gone: it wants no more events")

// refusedError is an answer that is not 2xx.
type refusedError struct {
	status     int
	retryAfter time.Duration // 0 if the endpoint did not say
}

func (e *refusedError) Error() string { return fmt.Sprintf("the endpoint answers %d", e.status) }

// endpoint receives the events, each in a request that is signed by Standard Webhooks.
type endpoint struct {
	url    string
	signer *standardwebhooks.Webhook
	client *http.Client
}

func newEndpoint(address, secret string) (*endpoint, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("WEBHOOK_URL is no URL")
	}

	local := target.Hostname() == "localhost" || net.ParseIP(target.Hostname()).IsLoopback()
	if target.Scheme != "https" && (target.Scheme != "http" || !local) {
		return nil, errors.New("WEBHOOK_URL must be an https URL")
	}

	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil || secret == "" {
		return nil, errors.New("WEBHOOK_SECRET must be whsec_ and 24 to 64 random bytes in Base64")
	}

	return &endpoint{
		url:    address,
		signer: signer,
		client: &http.Client{
			Timeout:       20 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// deliver sends the event. A nil error means that the endpoint has it.
func (e *endpoint) deliver(ctx context.Context, ev event) error {
	body := bytes.NewReader(ev.Body)

	//nolint:gosec // the URL is a setting
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, body)
	if err != nil {
		return err
	}

	now := time.Now() // of the attempt: receivers refuse old ones

	signature, err := e.signer.Sign(ev.ID, now, ev.Body)
	if err != nil {
		return err
	}

	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(standardwebhooks.HeaderWebhookID, ev.ID)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)

	answer, err := e.client.Do(request) //nolint:gosec // the URL is a setting
	if err != nil {
		return err
	}

	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	_ = answer.Body.Close()

	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusGone:
		return errGone
	default:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return &refusedError{answer.StatusCode, time.Duration(seconds) * time.Second}
	}
}
