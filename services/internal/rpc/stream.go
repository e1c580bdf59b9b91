package rpc

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// StreamTimeout is the deadline of a stream that has none, and the longest there is: a file on a slow line takes minutes.
const StreamTimeout = 15 * time.Minute

// stream is the interceptor of methods that stream one way: who calls and what the table says are asked before the handler runs, every
// message that comes in is checked like a request.
func (g gate) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if _, governed := g.Table[info.FullMethod]; !governed {
		return next(srv, ss) // health and reflection; whatever else is registered has a rule (check)
	}
	start := g.Clock.Now()
	ctx, cancel := context.WithTimeout(ss.Context(), StreamTimeout)
	defer cancel()
	var caller authn.Identity
	_, err := g.recovered(ctx, func() (any, error) {
		inner, err := g.enter(ctx, info.FullMethod)
		if err != nil {
			return nil, err
		}
		caller, _ = authn.FromContext(inner)
		return nil, next(srv, &checkedStream{ServerStream: ss, ctx: inner, gate: g})
	})
	return g.told(ctx, err, info.FullMethod, caller, start)
}

// checkedStream is the server's end of a stream as its handler has it.
type checkedStream struct {
	grpc.ServerStream
	ctx  context.Context
	gate gate
}

// Context is that of the handler, with the caller's identity.
func (s *checkedStream) Context() context.Context { return s.ctx }

// RecvMsg answers with the next message, once it was found valid.
func (s *checkedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.gate.validate(m)
}

// stream gives a stream its deadline and its token, and brings the error back into our vocabulary.
func (cfg ClientConfig) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, next grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	release := func() {}
	if deadline, ok := ctx.Deadline(); ok {
		ctx, release = context.WithDeadline(ctx, deadline.Add(-hop))
	}
	ctx, stop := context.WithTimeout(ctx, StreamTimeout)
	cancel := func() { stop(); release() }
	token, err := cfg.token(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	header, _ := metadata.FromOutgoingContext(ctx)
	header = metadata.Join(header)
	header.Delete(authorization)
	if token != "" {
		header.Set(authorization, bearer+token)
	}
	s, err := next(metadata.NewOutgoingContext(ctx, header), desc, conn, method, opts...)
	if err != nil {
		cancel()
		return nil, errs.FromStatus(err)
	}
	return &endingStream{ClientStream: s, end: cancel, single: !desc.ServerStreams}, nil
}

// endingStream lets go of what the stream holds when its last answer was read.
type endingStream struct {
	grpc.ClientStream
	end    context.CancelFunc
	single bool // there is one answer
}

// RecvMsg answers io.EOF at the end, like every stream.
func (s *endingStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil || s.single {
		s.end()
	}
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return errs.FromStatus(err)
}
