package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	// clientTimeout is the deadline of a call that has none.
	clientTimeout = 5 * time.Second
	// hop is what a caller keeps of its own deadline, to answer in time when the peer does not.
	hop = 20 * time.Millisecond
	// serviceTokenTTL is short: a token is made for each call.
	serviceTokenTTL = time.Minute
)

// ClientConfig is how a service calls its peers.
type ClientConfig struct {
	Self    string        // the calling service
	Signer  *authn.Signer // nil: calls without a person carry no token and reach open methods only
	Clock   clock.Clock   // needed with a Signer
	Timeout time.Duration // zero: 5 s
	TLS     *tls.Config   // nil: loopback only
}

// Dial makes a connection to addr (host:port or unix:path), several addresses behind a name taken in turn. It does not
// wait for the peer to be there; calls made while it is away fail at once, with errs of kind unavailable.
func Dial(_ context.Context, addr string, cfg ClientConfig) (*grpc.ClientConn, error) {
	if cfg.TLS != nil {
		return cfg.dial(addr, credentials.NewTLS(cfg.TLS))
	}
	if !localName(addr) {
		return nil, fmt.Errorf("dial %s: without certificates only loopback is allowed", addr)
	}
	return cfg.dial(addr, insecure.NewCredentials())
}

func localName(addr string) bool {
	if strings.HasPrefix(addr, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

func (cfg ClientConfig) dial(target string, creds credentials.TransportCredentials, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	if cfg.Self == "" || (cfg.Signer != nil && cfg.Clock == nil) {
		return nil, errors.New("dial: the caller's name is needed, and a clock with a signer")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = clientTimeout
	}
	conn, err := grpc.NewClient(target, append(more,
		grpc.WithTransportCredentials(creds),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler()),
		grpc.WithUnaryInterceptor(cfg.unary),
		grpc.WithStreamInterceptor(cfg.stream),
		grpc.WithNoProxy(), // peers are never behind the proxy of the environment
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: pingTimeout, PermitWithoutStream: true}),
		// A peer that restarts is found again within seconds, not the minutes of the default.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
	)...)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return conn, nil
}

// patience is the key of the limit that a context sets.
type patience struct{}

// WithPatience lets calls made with the context take so long instead of the limit of the client: for what is much work by its nature. The deadline of
// the context itself holds all the same.
func WithPatience(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, patience{}, limit)
}

// unary gives every call its deadline and its token, and brings the error back into our vocabulary.
func (cfg ClientConfig) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-hop))
		defer cancel()
	}
	timeout := cfg.Timeout
	if longer, ok := ctx.Value(patience{}).(time.Duration); ok {
		timeout = longer
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	token, err := cfg.token(ctx)
	if err != nil {
		return err
	}
	// Whatever authorization came from outside (grpc-gateway copies the browser's) is not for peers.
	header, _ := metadata.FromOutgoingContext(ctx)
	header = metadata.Join(header)
	header.Delete(authorization)
	if token != "" {
		header.Set(authorization, bearer+token)
	}
	err = errs.FromStatus(next(metadata.NewOutgoingContext(ctx, header), method, req, reply, conn, opts...))
	if e, ok := errs.As(err); ok && e.Kind == errs.KindUnavailable && e.Meta["peer"] == "" {
		return e.With("peer", service(method))
	}
	return err
}

// token is the person's, or else one that the service makes for itself.
func (cfg ClientConfig) token(ctx context.Context) (string, error) {
	if token := Token(ctx); token != "" || cfg.Signer == nil {
		return token, nil
	}
	return cfg.Signer.Sign(authn.Identity{Service: cfg.Self, County: county(ctx)}, serviceTokenTTL, cfg.Clock.Now())
}

// service is "referral" of "/tongzhen.referral.v1.ReferralService/Submit".
func service(method string) string {
	parts := strings.Split(method, ".")
	if len(parts) < 2 {
		return strings.Trim(method, "/")
	}
	return parts[1]
}
