package host

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// countyHeader carries --county of a command; a person's county comes from the token.
const countyHeader = "tongzhen-county"

// serviceHeader names the service of a call whose method every service has.
const serviceHeader = "tongzhen-service"

// frame is a message that is passed on unread.
type frame struct{ data []byte }

// rawCodec passes frames on.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, fmt.Errorf("control: cannot pass on %T", v)
	}
	return f.data, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("control: cannot pass on %T", v)
	}
	f.data = append(f.data[:0], data...)
	return nil
}

// control serves the commands of this machine: every call on the socket goes to the service that has the method, in the
// name "cli", or in that of the person whose token the call carries. Whoever may open the socket may do that: it is a
// file of mode 0600 (Settings.checkControl).
type control struct {
	conns map[string]*grpc.ClientConn // by protobuf package: "tongzhen.directory.v1"
}

func newControl(conns map[string]*grpc.ClientConn) *control {
	c := &control{conns: map[string]*grpc.ClientConn{}}
	for service, conn := range conns {
		c.conns["tongzhen."+service+".v1"] = conn
	}
	return c
}

func (c *control) forward(_ any, stream grpc.ServerStream) error {
	method, ok := grpc.MethodFromServerStream(stream)
	if !ok {
		return status.Error(codes.Internal, "no method")
	}
	service := strings.TrimPrefix(method, "/")
	if i := strings.LastIndex(service[:max(strings.Index(service, "/"), 0)], "."); i > 0 {
		service = service[:i]
	}
	ctx := stream.Context()
	header, _ := metadata.FromIncomingContext(ctx)
	if named := header.Get(serviceHeader); service == "tongzhen.common.v1" && len(named) == 1 {
		service = "tongzhen." + named[0] + ".v1"
	}
	conn, ok := c.conns[service]
	if !ok {
		return status.Error(codes.Unimplemented, "unknown service")
	}
	var in, out frame
	if err := stream.RecvMsg(&in); err != nil {
		return err
	}
	if token := header.Get("authorization"); len(token) == 1 {
		ctx = rpc.WithToken(ctx, strings.TrimPrefix(token[0], "Bearer "))
	} else if county := header.Get(countyHeader); len(county) == 1 {
		ctx = rpc.WithCounty(ctx, county[0])
	}
	if err := conn.Invoke(ctx, method, &in, &out, grpc.ForceCodec(rawCodec{})); err != nil {
		return errs.ToStatus(err).Err()
	}
	return stream.SendMsg(&out)
}

// run opens the socket and serves it until ctx ends.
func (c *control) run(ctx context.Context, addr string) error {
	listener, err := listenControl(ctx, addr)
	if err != nil {
		return err
	}
	return c.serve(ctx, listener)
}

// serve closes the listener when ctx ends.
func (c *control) serve(ctx context.Context, listener net.Listener) error {
	server := grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(c.forward), grpc.MaxRecvMsgSize(64<<20), rpc.Pinged())
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve control socket: %w", err)
	}
	return nil
}

func listenControl(ctx context.Context, addr string) (net.Listener, error) {
	path := strings.TrimPrefix(addr, "unix:")
	// The data folder is locked by this process: a socket that is there was left by one that died.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove old control socket: %w", err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("protect control socket: %w", err)
	}
	return listener, nil
}
