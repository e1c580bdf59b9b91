package rpc

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
)

// memNetwork is what a net.Addr of a connection in memory calls its network.
const memNetwork = "bufconn"

// memBuffer is each direction's buffer of a connection in memory.
const memBuffer = 256 << 10

// Network finds services by name: at an address, or else in this process by memory.
type Network struct {
	addresses map[string]string

	mu     sync.Mutex
	memory map[string]*memListener
}

// InProcess is a network where every service is in this process.
func InProcess() *Network { return NewNetwork(nil) }

// NewNetwork has the services of the map (name → host:port) at their addresses and all others in this process.
func NewNetwork(addresses map[string]string) *Network {
	return &Network{addresses: addresses, memory: map[string]*memListener{}}
}

// Listen is where the service of this process takes calls. Calls made before it listens wait, within their deadline;
// after the listener was closed they fail until the service listens again.
func (n *Network) Listen(service string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, ok := n.memory[service]
	if !ok || l.closed.Load() {
		l = newMemListener()
		n.memory[service] = l
	}
	return l
}

// Dial connects self to the target. It does not wait for the target to be there. The connection is the caller's to
// close.
func (n *Network) Dial(ctx context.Context, self, target string, opts ClientConfig) (*grpc.ClientConn, error) {
	opts.Self = self
	if addr, ok := n.addresses[target]; ok {
		if opts.TLS != nil {
			opts.TLS = opts.TLS.Clone()
			opts.TLS.ServerName = target // the certificate names the service, not the machine
		}
		return Dial(ctx, addr, opts)
	}
	return opts.dial("passthrough:///"+target, memCreds{self}, grpc.WithContextDialer(
		func(ctx context.Context, _ string) (net.Conn, error) { return n.listener(target).DialContext(ctx) }))
}

// listener is the one that the target has or will have.
func (n *Network) listener(target string) *memListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, ok := n.memory[target]
	if !ok {
		l = newMemListener()
		n.memory[target] = l
	}
	return l
}

// memListener marks its connections, so that the server knows which handshake to expect.
type memListener struct {
	*bufconn.Listener
	closed atomic.Bool
}

func newMemListener() *memListener { return &memListener{Listener: bufconn.Listen(memBuffer)} }

func (l *memListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return memConn{conn}, nil
}

func (l *memListener) Close() error {
	l.closed.Store(true)
	return l.Listener.Close()
}

type memConn struct{ net.Conn }
