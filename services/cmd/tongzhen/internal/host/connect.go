package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// Connection is a command's way to the services.
type Connection struct {
	conns map[string]grpc.ClientConnInterface
	close func() error
}

// Conn to a service.
func (c *Connection) Conn(name string) grpc.ClientConnInterface { return c.conns[name] }

// Close ends the connection, and the services if they were started for it.
func (c *Connection) Close() error { return c.close() }

// Connect finds the services: the running system by its control socket; or those at the configured addresses; or, when
// nothing runs on the data folder, all of them started in this process.
func Connect(ctx context.Context, settings Settings, county string) (*Connection, error) {
	if err := settings.checkControl(); err != nil {
		return nil, err
	}
	if controlAnswers(ctx, settings.Control()) {
		return connectControl(settings.Control(), county)
	}
	h, err := Open(ctx, settings, Options{Services: backendsHere(settings), Quiet: true})
	if err != nil {
		return nil, err
	}
	c := &Connection{conns: map[string]grpc.ClientConnInterface{}}
	for _, name := range Backends() {
		c.conns[name] = countyConn{h.Conn(name), county}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- h.Run(running, func() { close(ready) }) }()
	c.close = func() error {
		stop()
		return errors.Join(<-ended, h.Close())
	}
	select {
	case <-ready:
		return c, nil
	case err := <-ended:
		stop()
		return nil, errors.Join(err, h.Close())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), c.close())
	}
}

// backendsHere are the services without an address.
func backendsHere(s Settings) []string {
	here := []string{}
	for _, name := range Backends() {
		if s.addr(name) == "" {
			here = append(here, name)
		}
	}
	return here
}

func controlAnswers(ctx context.Context, addr string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", strings.TrimPrefix(addr, "unix:"))
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func connectControl(addr, county string) (*Connection, error) {
	absolute, err := filepath.Abs(strings.TrimPrefix(addr, "unix:"))
	if err != nil {
		return nil, fmt.Errorf("find control socket: %w", err)
	}
	conn, err := grpc.NewClient("unix://"+absolute, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(64<<20)),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, in, out any, c *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			ctx = metadata.AppendToOutgoingContext(ctx, countyHeader, county)
			if token := rpc.Token(ctx); token != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
			}
			return errs.FromStatus(next(ctx, method, in, out, c, opts...))
		}))
	if err != nil {
		return nil, fmt.Errorf("connect to control socket: %w", err)
	}
	c := &Connection{conns: map[string]grpc.ClientConnInterface{}, close: conn.Close}
	for _, name := range Backends() {
		c.conns[name] = namedConn{conn, name}
	}
	return c, nil
}

// namedConn says which service a call is for, where its method does not.
type namedConn struct {
	*grpc.ClientConn
	service string
}

// Invoke calls the service.
func (c namedConn) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	return c.ClientConn.Invoke(metadata.AppendToOutgoingContext(ctx, serviceHeader, c.service), method, in, out, opts...)
}

// countyConn names the county of a command in every call.
type countyConn struct {
	*grpc.ClientConn
	county string
}

// Invoke calls with the county.
func (c countyConn) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	return c.ClientConn.Invoke(rpc.WithCounty(ctx, c.county), method, in, out, opts...)
}
