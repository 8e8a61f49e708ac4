package auth

import (
	"net"
	"net/netip"
	"time"

	"tributary/platform/fault"
	"tributary/platform/ratelimit"
)

// refusedTokens is how many wrong tokens of one client address are answered one by one in a window.
// People who take the wrong token send a few; thousands are somebody's guesses or a loop.
const refusedTokens = 300

// Limits bound how often callers ask: those with a token by their user id, never by an address that
// a proxy or the caller itself wrote, and wrong tokens by the address that they come from. A caller
// with a good token is never refused for what else comes from its address. The zero value bounds
// nothing.
type Limits struct {
	callers *ratelimit.Limiter
	refused *ratelimit.Limiter
}

// NewLimits returns limits of the requests of a caller in a window; 0 stands for no limits.
func NewLimits(requests int, window time.Duration, now func() time.Time) Limits {
	return Limits{
		callers: ratelimit.New(requests, window, now),
		refused: ratelimit.New(min(requests, refusedTokens), window, now),
	}
}

// client returns what stands for the address of a client: of IPv6 the network of 64 bits, of which
// one client has every address.
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

// tooManyRefused returns a fault when err refuses a token and too many from the address were
// refused before.
func (l Limits) tooManyRefused(err error, remote string) error {
	if f, ok := fault.As(err); !ok || f.Kind != fault.Unauthenticated {
		return nil
	}

	return l.refused.Take(client(remote)).Err()
}
