package auth

import (
	"net"
	"net/netip"
	"time"

	"tributary/platform/fault"
	"tributary/platform/ratelimit"
)

// refusedTokens is how many invalid tokens of one client address are answered individually in a
// window. A person with a wrong token sends a few; thousands are guesses or a loop.
const refusedTokens = 300

// Limits bounds the rate of requests: with a valid token by its user id, never by an address that a
// proxy or the caller wrote, and with an invalid token by the client address. A caller with a valid
// token is never refused because of other requests from its address. The zero value limits nothing.
type Limits struct {
	callers *ratelimit.Limiter
	refused *ratelimit.Limiter
}

// NewLimits returns limits for the requests of a caller in a window; 0 means no limit.
func NewLimits(requests int, window time.Duration, now func() time.Time) Limits {
	return Limits{
		callers: ratelimit.New(requests, window, now),
		refused: ratelimit.New(min(requests, refusedTokens), window, now),
	}
}

// client returns the key of a client address. For IPv6 it is the /64 network, since one client has
// all of its addresses.
func client(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}

	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}

	ip = ip.Unmap()
	if ip.Is4() {
		return ip.String()
	}

	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return host
	}

	return network.String()
}

// tooManyRefused returns a fault if err refuses a token and too many tokens from the address were
// refused before.
func (l Limits) tooManyRefused(err error, remote string) error {
	if f, ok := fault.As(err); !ok || f.Kind() != fault.Unauthenticated {
		return nil
	}

	return l.refused.Take(client(remote)).Err()
}
