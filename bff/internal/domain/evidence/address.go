package evidence

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// publicURL reports whether the text is an absolute http or https URL (RFC 3986, so ASCII only) of
// a host on the public internet, without user and password. Consumers will fetch it, so a URL is
// refused if two parsers could read it differently, or if it names a machine of an internal
// network. A public name may still resolve to an internal address: whoever resolves it must check
// that.
func publicURL(text string) bool {
	if text == "" || len(text) > maxURL ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return false
	}

	parsed, err := url.Parse(text)
	if err != nil || parsed.Opaque != "" || parsed.User != nil {
		return false
	}

	return (parsed.Scheme == "http" || parsed.Scheme == "https") &&
		validPort(parsed) && publicHost(strings.ToLower(parsed.Hostname()))
}

func validPort(address *url.URL) bool {
	if address.Port() == "" {
		return !strings.HasSuffix(address.Host, ":")
	}

	port, err := strconv.ParseUint(address.Port(), 10, 16)

	return err == nil && port > 0
}

func publicHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return publicIP(ip)
	}

	host = strings.TrimSuffix(host, ".")
	if len(host) > 253 || !namePattern.MatchString(host) {
		return false
	}

	return !slices.ContainsFunc(innerZones(), func(zone string) bool {
		return host == zone || strings.HasSuffix(host, "."+zone)
	})
}

// namePattern matches names of two or more labels. The last one begins with a letter: some parsers
// read anything else as an IPv4 address (127.1, 0x7f.1, 0177.0.0.1).
var namePattern = regexp.MustCompile(
	`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$`,
)

// innerZones returns names of no public machine: special-use names (RFC 6761, RFC 8375, RFC 9476),
// names in use inside networks, and names that resolve to the address which they spell.
func innerZones() []string {
	return []string{
		"alt", "arpa", "consul", "corp", "home", "internal", "intranet", "invalid", "lan", "local",
		"localdomain", "localhost", "mail", "onion", "private", "svc", "test",
		"localtest.me", "lvh.me", "nip.io", "sslip.io", "xip.io",
	}
}

// publicIP reports whether the address is reachable from everywhere, by IANA's registries of
// special-purpose addresses. An IPv6 address that embeds an IPv4 address is not.
func publicIP(ip netip.Addr) bool {
	if ip.Zone() != "" || (ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip)) {
		return false
	}

	return !slices.ContainsFunc(
		specialNetworks,
		func(special netip.Prefix) bool { return special.Contains(ip) },
	)
}

//nolint:gochecknoglobals // a table, read only
var specialNetworks = networks(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"168.63.129.16/32", // a cloud's own services, behind an address that looks public
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

func networks(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}

	return list
}
