package config

import (
	"net"
	"net/url"
)

// PlainRemote reports whether the URL leads to another machine unencrypted.
func PlainRemote(address string) bool {
	u, err := url.Parse(address)
	return err != nil || (u.Scheme != "https" && !Local(u.Hostname()))
}

// Local reports whether a connection to the host stays on this machine: a loopback address.
func Local(host string) bool {
	if host == "localhost" {
		return true
	}

	ip := net.ParseIP(host)

	return ip != nil && ip.IsLoopback()
}
