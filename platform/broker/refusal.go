package broker

import (
	"fmt"
	"strings"
)

// RefusedError is returned if the broker answers and refuses: an operator must act.
type RefusedError struct {
	Topic string
	Right string // what was requested: produce or consume
	Code  string // the broker's error code, such as AuthorizationError
	cause error
}

func (e *RefusedError) Error() string { return e.Advice() + ": " + e.cause.Error() }

func (e *RefusedError) Unwrap() error { return e.cause }

// Advice says what the broker refused and what to do about it. It contains none of the broker's
// text, which can name the token's subject.
func (e *RefusedError) Advice() string {
	said := fmt.Sprintf("the broker refuses to let this service %s on %s (%s)", e.Right, e.Topic, e.Code)
	switch e.Code {
	case authorizationError:
		return said + ": grant the role of PULSAR_TOKEN the right to " + e.Right + " there"
	case authenticationError:
		return said + ": PULSAR_TOKEN is missing, expired or not of this broker"
	case topicNotFound:
		return said + ": create the topic, as the command provision does"
	}

	return said
}

const (
	authorizationError  = "AuthorizationError"
	authenticationError = "AuthenticationError"
	topicNotFound       = "TopicNotFound"
)

// refusal returns err as a RefusedError if it contains one of the broker's codes that need an
// operator, and otherwise err itself. The client library passes the codes on as text only.
func refusal(topic, right string, err error) error {
	for _, code := range []string{authorizationError, authenticationError, topicNotFound} {
		if err != nil && strings.Contains(err.Error(), code) {
			return &RefusedError{
				Topic: topic,
				Right: right,
				Code:  code,
				cause: err,
			}
		}
	}

	return err
}
