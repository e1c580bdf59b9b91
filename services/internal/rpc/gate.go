package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	authorization = "authorization"
	bearer        = "Bearer "
	// openHealth is admitted without a token; reflection streams and has no rule.
	openHealth = "/grpc.health.v1.Health/"
)

// gate is what every call passes on its way to the handler and back.
type gate struct {
	ServerConfig
	validator protovalidate.Validator
}

// unary is the interceptor: the way in is admit, the way out is one log line and the error's form on the wire.
func (g gate) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if strings.HasPrefix(info.FullMethod, openHealth) {
		return next(ctx, req)
	}
	start := g.Clock.Now()
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, serverTimeout)
		defer cancel()
	}
	var caller authn.Identity
	answer, err := g.recovered(ctx, func() (any, error) {
		inner, err := g.admit(ctx, req, info.FullMethod)
		if err != nil {
			return nil, err
		}
		caller, _ = authn.FromContext(inner)
		return next(inner, req)
	})
	if err = g.told(ctx, err, info.FullMethod, caller, start); err != nil {
		return nil, err
	}
	return answer, nil
}

// told logs how a call ended, once, and gives the error its form on the wire.
func (g gate) told(ctx context.Context, err error, method string, caller authn.Identity, start time.Time) error {
	attrs := []slog.Attr{
		slog.String("method", method), slog.String("caller", caller.Subject),
		slog.Duration("duration", g.Clock.Now().Sub(start)),
	}
	if err == nil {
		g.Logger.LogAttrs(ctx, slog.LevelDebug, "call answered", attrs...)
		return nil
	}
	kind := errs.KindOf(err)
	attrs = append(attrs, slog.String("kind", kind.String()), slog.String("reason", errs.ReasonOf(err)), slog.Any("error", err))
	g.Logger.LogAttrs(ctx, level(ctx, kind), "call refused or failed", attrs...)
	return errs.ToStatus(err).Err()
}

// level is that of the person who must act: the operator, or nobody here.
func level(ctx context.Context, kind errs.Kind) slog.Level {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return slog.LevelInfo // the caller went away
	case kind == errs.KindInternal:
		return slog.LevelError
	case kind == errs.KindUnavailable:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// recovered turns a panic into an error. The panic's value may hold patient data, so only its type is told, unless it
// is the runtime's own.
func (g gate) recovered(ctx context.Context, f func() (any, error)) (answer any, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		text := fmt.Sprintf("%T", p)
		if re, ok := p.(runtime.Error); ok {
			text = re.Error()
		}
		g.Logger.LogAttrs(ctx, slog.LevelError, "panic in a call",
			slog.String("panic", text), slog.String("stack", string(debug.Stack())))
		answer, err = nil, errs.New(errs.KindInternal, errs.ReasonInternal, "panic", nil)
	}()
	return f()
}

// admit finds out who calls, asks the table, and checks the request, in this order: whoever may not call a method
// learns nothing about its fields. The answer is the handler's context.
func (g gate) admit(ctx context.Context, req any, method string) (context.Context, error) {
	ctx, err := g.enter(ctx, method)
	if err != nil {
		return nil, err
	}
	return ctx, g.validate(req)
}

// enter is the part of admit that needs no request.
func (g gate) enter(ctx context.Context, method string) (context.Context, error) {
	caller, token, err := g.identify(ctx)
	if err != nil && !g.Table[method].Open {
		return nil, err
	}
	if err := g.Table.Check(method, caller); err != nil {
		return nil, err
	}
	if caller != nil {
		ctx = authn.WithIdentity(ctx, *caller)
		if !caller.IsService() {
			// A person is forwarded to peers; a service is not: what this service asks then, it asks for itself.
			ctx = WithToken(ctx, token)
		}
	}
	return ctx, nil
}

// identify answers nil for a call without a token.
func (g gate) identify(ctx context.Context) (*authn.Identity, string, error) {
	values := metadata.ValueFromIncomingContext(ctx, authorization)
	if len(values) == 0 {
		return nil, "", nil
	}
	token, ok := strings.CutPrefix(values[0], bearer)
	if !ok || len(values) > 1 {
		return nil, "", errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the authorization is not one bearer token", nil)
	}
	id, err := g.Verifier.Verify(ctx, token)
	if err != nil {
		return nil, "", err
	}
	if names, proven := peerNames(ctx); id.IsService() && proven && !slices.Contains(names, id.Service) {
		return nil, "", errs.New(errs.KindDenied, errs.ReasonRole, "the connection belongs to another service than the token", nil)
	}
	return &id, token, nil
}

// peerNames are the services that the other end of the connection proved to be. On plain loopback nothing is proven.
func peerNames(ctx context.Context) (names []string, proven bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, false
	}
	named, ok := p.AuthInfo.(serviceNames)
	if !ok {
		return nil, false
	}
	return named.serviceNames(), true
}

func (g gate) validate(req any) error {
	msg, ok := req.(proto.Message)
	if !ok {
		return fmt.Errorf("validate request: %T is not a message", req)
	}
	if paths := nuls(msg.ProtoReflect()); len(paths) > 0 {
		bad := make([]errs.Field, len(paths))
		for i, path := range paths {
			bad[i] = errs.Bad(path, errs.ReasonFieldInvalid)
		}
		return errs.Invalid(bad...)
	}
	err := g.validator.Validate(msg)
	var refused *protovalidate.ValidationError
	if errors.As(err, &refused) {
		return errs.Invalid(fields(refused)...)
	}
	if err != nil {
		return fmt.Errorf("validate request: %w", err)
	}
	return nil
}
