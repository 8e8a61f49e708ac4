package brokertest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"tributary/platform/broker"
)

// Proxy stands between a client and the broker, so that a test can interrupt the connection without
// touching the shared broker. A broker's answer to a look-up contains its own address, which would
// lead clients past the proxy. The proxy therefore adds what Pulsar's own proxy adds
// (proxy_through_service_url), so that clients keep their address.
type Proxy struct {
	Config broker.Config // leads through the proxy

	target   string
	listener net.Listener
	owned    sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	cut    bool
	closed bool
	frozen chan struct{} // closed while traffic flows
}

// NewProxy starts a proxy to the broker of cfg. It ends with the test.
func NewProxy(tb testing.TB, cfg broker.Config) *Proxy {
	tb.Helper()

	var lc net.ListenConfig

	listener, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}

	flowing := make(chan struct{})
	close(flowing)
	p := &Proxy{
		Config:   cfg,
		target:   strings.TrimPrefix(cfg.ServiceURL, "pulsar://"),
		listener: listener,
		conns:    map[net.Conn]bool{},
		frozen:   flowing,
	}
	p.Config.ServiceURL = "pulsar://" + listener.Addr().String()
	p.owned.Go(p.accept)
	tb.Cleanup(func() {
		p.Thaw()
		p.close(true)
		_ = listener.Close()
		p.owned.Wait()
	})

	return p
}

// Cut closes every connection and refuses new ones, like a broker that is down.
func (p *Proxy) Cut() { p.close(false) }

// Heal accepts new connections again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// Freeze holds back all traffic without closing connections, like a network that drops packets.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = make(chan struct{})
}

// Thaw resumes the traffic, starting with what was held back.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()

	select {
	case <-p.frozen:
	default:
		close(p.frozen)
	}
}

func (p *Proxy) close(permanent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.cut, p.closed = true, p.closed || permanent
	for c := range p.conns {
		_ = c.Close()
	}

	clear(p.conns)
}

// keep records the connection so that Cut can close it. It returns false if the connection must be
// closed now.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.cut {
		_ = c.Close()
		return false
	}

	p.conns[c] = true

	return true
}

func (p *Proxy) flow() {
	p.mu.Lock()
	frozen := p.frozen
	p.mu.Unlock()
	<-frozen
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}

		if !p.keep(client) {
			continue
		}

		server, err := net.Dial("tcp", p.target) //nolint:noctx // ends with the proxy
		if err != nil || !p.keep(server) {
			_ = client.Close()
			continue
		}

		p.owned.Go(func() { p.pump(server, client, p.copy) })
		p.owned.Go(func() { p.pump(client, server, p.copyFrames) })
	}
}

func (p *Proxy) pump(to, from net.Conn, move func(io.Writer, io.Reader) error) {
	_ = move(to, from)
	_ = to.Close()
	_ = from.Close()
}

func (p *Proxy) copy(to io.Writer, from io.Reader) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.flow()

		if n > 0 {
			if _, werr := to.Write(buffer[:n]); werr != nil {
				return werr
			}
		}

		if err != nil {
			return err
		}
	}
}

const maxFrame = 16 << 20

// copyFrames passes on the broker's frames: [total size][command size][command][payload].
func (p *Proxy) copyFrames(to io.Writer, from io.Reader) error {
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return err
		}

		n := binary.BigEndian.Uint32(size[:])
		if n < 4 || n > maxFrame {
			return errors.New("not a frame of Pulsar")
		}

		frame := make([]byte, n)
		if _, err := io.ReadFull(from, frame); err != nil {
			return err
		}

		p.flow()
		frame = rewrite(frame)
		//nolint:gosec // bounded by maxFrame
		out := binary.BigEndian.AppendUint32(nil, uint32(len(frame)))
		if _, err := to.Write(append(out, frame...)); err != nil {
			return err
		}
	}
}

// Numbers of PulsarApi.proto.
const (
	commandType    = 1  // field of BaseCommand
	lookupResponse = 24 // value of the type, and field of BaseCommand
	throughProxy   = 8  // field of CommandLookupTopicResponse: proxy_through_service_url
)

// rewrite adds proxy_through_service_url to the answer of a look-up and leaves other frames
// unchanged.
func rewrite(frame []byte) []byte {
	size := int(binary.BigEndian.Uint32(frame))
	if size > len(frame)-4 {
		return frame
	}

	command, rest := frame[4:4+size], frame[4+size:]

	var out []byte
	for left := command; len(left) > 0; {
		number, kind, tag := protowire.ConsumeTag(left)

		n := tag + protowire.ConsumeFieldValue(number, kind, left[max(tag, 0):])
		if tag < 0 || n < tag || (number == commandType && !isLookup(left)) {
			return frame
		}

		if number != lookupResponse || kind != protowire.BytesType {
			out, left = append(out, left[:n]...), left[n:]
			continue
		}

		body, _ := protowire.ConsumeBytes(left[tag:])
		body = protowire.AppendVarint(
			protowire.AppendTag(append([]byte(nil), body...), throughProxy, protowire.VarintType),
			1,
		)
		out = protowire.AppendBytes(
			protowire.AppendTag(out, lookupResponse, protowire.BytesType),
			body,
		)
		left = left[n:]
	}

	//nolint:gosec // bounded by maxFrame
	frame = binary.BigEndian.AppendUint32(nil, uint32(len(out)))

	return append(append(frame, out...), rest...)
}

func isLookup(field []byte) bool {
	_, _, tag := protowire.ConsumeTag(field)
	value, _ := protowire.ConsumeVarint(field[tag:])

	return value == lookupResponse
}
