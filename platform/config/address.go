package config

import (
	"net"
	"net/url"
)

// PlainRemote reports whether the URL leads to another machine without encryption.
func PlainRemote(address string) bool {
	u, err := url.Parse(address)
	return err != nil || (u.Scheme != "https" && !Local(u.Hostname()))
}

// Local reports whether the host is a loopback address, so that a connection stays on this machine.
func Local(host string) bool {
	if host == "localhost" {
		return true
	}

	ip := net.ParseIP(host)

	return ip != nil && ip.IsLoopback()
}
