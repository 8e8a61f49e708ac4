package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// errExpired is returned for a cursor after which events are no longer kept.
var errExpired = errors.New("events after the cursor are no longer kept")

// event is a commission event. Body is the whole of it, as it is forwarded.
type event struct {
	ID       string
	Key      string // its user or rule, whose events keep their order
	Sequence int64
	Body     []byte
}

func (e *event) UnmarshalJSON(text []byte) error {
	var members struct {
		ID       string `json:"id"`
		Sequence int64  `json:"sequence"`
		UserID   string `json:"user_id"`
		Data     struct {
			Rule struct {
				RuleID string `json:"rule_id"`
			} `json:"rule"`
		} `json:"data"`
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}

	e.ID = members.ID
	e.Sequence = members.Sequence
	e.Body = append([]byte(nil), text...)

	e.Key = userPrefix + members.UserID
	if members.UserID == "" {
		e.Key = rulePrefix + members.Data.Rule.RuleID
	}

	return nil
}

const (
	userPrefix = "user "
	rulePrefix = "rule "
)

type page struct {
	Events  []event `json:"data"`
	HasMore bool    `json:"has_more"`
	Next    string  `json:"next_cursor"`
}

type feed struct {
	url    string // of commission
	token  string // a bearer token, or ""
	client *http.Client
}

func newFeed(base, token string) *feed {
	return &feed{
		url:    base + "/api/v1/commission/events",
		token:  token,
		client: &http.Client{Timeout: time.Minute}, // it answers after 30 seconds at the latest
	}
}

// all returns a page of all events. If there is none yet, it waits some seconds for one.
func (f *feed) all(ctx context.Context, cursor string) (page, error) {
	return f.read(ctx, cursor, url.Values{"limit": {"500"}, "wait": {"20s"}})
}

// of returns a page that has the events of the key, and may have others.
func (f *feed) of(ctx context.Context, key, cursor string) (page, error) {
	query := url.Values{"limit": {"100"}}

	if user, found := strings.CutPrefix(key, userPrefix); found {
		query.Set("user_id", user)
	} else {
		query.Set("type", "rule.published,rule.retired")
	}

	return f.read(ctx, cursor, query)
}

func (f *feed) read(ctx context.Context, cursor string, query url.Values) (page, error) {
	if cursor != "" {
		query.Set("cursor", cursor)
	}

	request, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		f.url+"?"+query.Encode(),
		http.NoBody,
	)
	if err != nil {
		return page{}, err
	}

	if f.token != "" {
		request.Header.Set("Authorization", "Bearer "+f.token)
	}

	answer, err := f.client.Do(request)
	if err != nil {
		return page{}, err
	}

	defer func() { _ = answer.Body.Close() }()

	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusConflict:
		return page{}, errExpired
	default:
		return page{}, fmt.Errorf("the feed answers %d", answer.StatusCode)
	}

	var p page

	err = json.NewDecoder(answer.Body).Decode(&p)

	return p, err
}
