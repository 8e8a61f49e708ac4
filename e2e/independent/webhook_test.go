//go:build python

package independent_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// The webhook example forwards every event over HTTPS. The library of the standard for another
// language verifies each. A kill, and an endpoint that refuses, neither lose an event nor change
// the order of a user's.
func TestExampleOfWebhooks(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	binary := filepath.Join(folder, "webhook")
	source := filepath.Join(stack.Root, "examples", "webhook-go")

	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = source
	build.Env = append(os.Environ(), "GOWORK=off")

	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the example: %v\n%s", err, output)
	}

	random := make([]byte, 32)
	_, _ = rand.Read(random)
	secret := "WEBHOOK_SECRET=whsec_" + base64.StdEncoding.EncodeToString(random)
	certificate, key := selfSigned(t, folder)

	receiver := command(t, ".", "receiver.py", certificate, key)
	receiver.Env = append(receiver.Env, secret)

	output, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { end(receiver) })

	printed := bufio.NewScanner(output)
	printed.Buffer(nil, 1<<20)

	if !printed.Scan() {
		t.Fatal("the receiver does not start")
	}

	url := "WEBHOOK_URL=https://127.0.0.1:" + printed.Text()
	start := func() *exec.Cmd {
		forwarder := program(t, folder, binary, "-state", filepath.Join(folder, "state.json"))
		forwarder.Env = append(
			forwarder.Env,
			secret,
			url,
			"SSL_CERT_FILE="+certificate,
		)

		if err := forwarder.Start(); err != nil {
			t.Fatal(err)
		}

		t.Cleanup(func() { end(forwarder) })

		return forwarder
	}

	want := map[string]bool{}

	for _, prefix := range []string{"slow", "user", "slow", "user"} {
		user := stacktest.Unique(prefix)
		history(t, user)

		for _, e := range awaitEvents(t, user) {
			want[e.ID] = true
		}
	}

	forwarder := start()
	last := map[string]int64{}

	for count := 1; len(want) > 0; count++ {
		if !printed.Scan() {
			t.Fatalf("the receiver ended; %d events are missing", len(want))
		}

		var got struct {
			ID       string
			Key      string
			Sequence int64
		}

		if err := json.Unmarshal(printed.Bytes(), &got); err != nil {
			t.Fatalf("the receiver printed %s", printed.Text())
		}

		delete(want, got.ID)

		if got.Sequence > last[got.Key]+1 {
			t.Errorf("%s: event %d follows %d", got.Key, got.Sequence, last[got.Key])
		}

		last[got.Key] = max(last[got.Key], got.Sequence)

		if count%25 == 0 && count <= 100 {
			end(forwarder)
			forwarder = start()
		}
	}
}

// end kills the program, if it still runs.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// selfSigned writes a certificate of 127.0.0.1 and its key.
func selfSigned(t *testing.T, folder string) (certificate, key string) {
	t.Helper()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true,

		BasicConstraintsValid: true,
	}

	signed, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}

	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}

	certificate = filepath.Join(folder, "certificate.pem")
	key = filepath.Join(folder, "key.pem")

	for path, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: signed},
		key:         {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return certificate, key
}
