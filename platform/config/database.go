package config

import (
	"net"
	"net/url"
	"strings"
)

// DatabaseFaults tells what production refuses about a DATABASE_URL (postgres://…): the example
// passwords, and a connection to another machine that may go unencrypted. No fault holds a part of
// the URL.
func DatabaseFaults(databaseURL string) []string {
	address, err := url.Parse(databaseURL)
	if err != nil || (address.Scheme != "postgres" && address.Scheme != "postgresql") {
		return []string{
			"DATABASE_URL must look like postgres://user:password@host:5432/database?sslmode=verify-full",
		}
	}

	var faults []string
	if password, given := address.User.Password(); given && examplePassword(password) {
		faults = append(faults, "DATABASE_URL holds an example password: refused in production")
	}

	switch address.Query().Get("sslmode") {
	case "require", "verify-ca", "verify-full":
	default:
		if !local(address.Hostname()) {
			faults = append(
				faults,
				"DATABASE_URL must have sslmode=require, verify-ca or verify-full in production",
			)
		}
	}

	return faults
}

func examplePassword(password string) bool {
	lower := strings.ToLower(password)
	for _, word := range []string{"password", "postgres", "secret", "change", "example", "admin"} {
		if strings.Contains(lower, word) {
			return true
		}
	}

	return len(password) < 8
}

// local tells whether the connection stays on this machine: a socket or a loopback address.
func local(host string) bool {
	if host == "" || host == "localhost" {
		return true
	}

	ip := net.ParseIP(host)

	return ip != nil && ip.IsLoopback()
}
