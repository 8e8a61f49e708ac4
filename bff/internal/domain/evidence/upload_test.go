package evidence_test

import (
	"strings"
	"testing"
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/platform/fault"
)

func refused(t *testing.T, address string) bool {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: "user123"})
	if err != nil {
		t.Fatal(err)
	}

	stamp, err := command.NewStamp(
		"019ac2a0-0000-7000-8000-000000000000",
		evidence.UploadType,
		from,
		"",
		time.Now(),
	)
	if err != nil {
		t.Fatal(err)
	}

	_, err = evidence.NewUpload(stamp, evidence.Input{
		CampaignID: "camp123",
		Kind:       "photo",
		FileURL:    address,
	})
	if err == nil {
		return false
	}

	f, _ := fault.As(err)
	if len(f.Fields) != 1 || f.Fields[0].Code.Name() != "invalid_url" {
		t.Errorf("%s: %v", address, err)
	}

	return true
}

func TestAddressesOfPublicHosts(t *testing.T) {
	t.Parallel()

	for _, address := range []string{
		"https://example.com/photo.jpg",
		"HTTPS://Example.COM./photo.jpg?size=1&at=a@b#top",
		"http://example.com:8080/a%20b",
		"https://example.com:65535/",
		"https://my_bucket.s3.eu-west-1.amazonaws.com/x",
		"https://xn--bcher-kva.example/x",
		"https://files.internal.example.com/x",
		"https://localhost.example.com/x",
		"https://10.example.com/x",
		"https://93.184.215.14/x",
		"https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x",
		"https://" + strings.Repeat("a", 63) + ".example.com/",
	} {
		if refused(t, address) {
			t.Errorf("%s is refused", address)
		}
	}
}

func TestAddressesThatLeadInside(t *testing.T) {
	t.Parallel()

	for _, address := range []string{
		// loopback, private, link-local, metadata
		"http://127.0.0.1/x", "http://127.255.255.254/", "http://[::1]/", "http://[::]/", "http://0.0.0.0/",
		"http://0.1.2.3/", "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/",
		"http://192.168.1.1/", "http://169.254.169.254/latest/", "http://100.64.0.1/",
		"http://100.100.100.200/", "http://192.0.0.192/", "http://168.63.129.16/", "http://224.0.0.1/",
		"http://255.255.255.255/", "http://198.18.0.1/", "http://240.0.0.1/",
		"http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fd00:ec2::254]/", "http://[fc00::1]/",
		"http://[ff02::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
		"http://[::ffff:8.8.8.8]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
		"http://[2002:7f00:1::]/", "http://[2001:0:7f00:1::]/", "http://[2001:db8::1]/",
		// the same addresses in other notations
		"http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.1/",
		"http://127.0.1/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://127.0.0.0x1/",
		"http://127.0.0.1./", "http://1.1/", "http://0/", "http://127.000.000.001/", "http://[127.0.0.1]/",
		// names
		"http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://intranet/",
		"http://db/", "http://metadata.google.internal/", "http://metadata.google.internal./",
		"http://printer.local/", "http://nas.lan/", "http://x.corp/", "http://router.home.arpa/",
		"http://1.0.0.127.in-addr.arpa/", "http://127.0.0.1.nip.io/", "http://localtest.me/",
		"http://app.localtest.me/", "http://kubernetes.default.svc.cluster.local/",
		"http://kubernetes.default.svc/", "http://vault.service.consul/",
	} {
		if !refused(t, address) {
			t.Errorf("%s is taken", address)
		}
	}
}

func TestAddressesThatDeceive(t *testing.T) {
	t.Parallel()

	for _, address := range []string{
		"", "x", "/x", "//example.com/x", "example.com/x", "ftp://example.com/x", "javascript:alert(1)",
		"http:example.com", "http:/example.com/x", "http:///x", "http://", "https://?x", "data:,x",
		"https://example.com:99999/", "https://example.com:65536/", "https://example.com:0/",
		"https://example.com:/", "https://example.com:-1/", "https://example.com:80:80/",
		"https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/",
		"https://example.com\\@evil.example/", "https://example.com\\.evil.example/",
		"https://exam\u202Eple.com/", "https://example\u3002com/", "https://example\uFF0Ecom/",
		"https://example\uFF61com/", "https://example.com\u2028/", "https://example.com\u2029/",
		"https://example.com\u00ADx.example/", "https://exa\u200Bmple.com/", "https://\uFEFFexample.com/",
		"https://example.com\u2215evil.example/", "https://example.com\uFF0Fevil.example/",
		"https://ex\u0430mple.com/", "https://①②⑦.0.0.1/", "https://example.com/\u202Egpj.exe",
		"https://example%E3%80%82com/", "https://127%2E0%2E0%2E1/", "https://%6Cocalhost/",
		"https://ex%61mple.com/", "https://exa mple.com/", "https://example.com/\n", "https://example.com/\x7f",
		" https://example.com/", "https://example.com/ ", "https://-example.com/", "https://example-.com/",
		"https://example..com/", "https://.example.com/", "https://example.com../", "https://*.example.com/",
		"https://exam$ple.com/", "https://example.c/", "https://" + strings.Repeat("a", 64) + ".com/",
		"https://" + strings.Repeat("a.", 130) + "com/", "https://example.com/" + strings.Repeat("a", 2048),
	} {
		if !refused(t, address) {
			t.Errorf("%q is taken", address)
		}
	}
}
