package rpc_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

const (
	takePath = "/tongzhen.referral.v1.TestService/Take"
	givePath = "/tongzhen.referral.v1.TestService/Give"
)

// registerStreams adds Take, which answers how many codings came, and Give, which answers the coding three times.
func registerStreams(asked chan<- context.Context) func(grpc.ServiceRegistrar) {
	take := func(_ any, s grpc.ServerStream) error {
		asked <- s.Context()
		var n int
		for {
			var in commonv1.Coding
			err := s.RecvMsg(&in)
			if errors.Is(err, io.EOF) {
				return s.SendMsg(&commonv1.Coding{Code: string(rune('0' + n))})
			}
			if err != nil {
				return err
			}
			n++
		}
	}
	give := func(_ any, s grpc.ServerStream) error {
		var in commonv1.Coding
		if err := s.RecvMsg(&in); err != nil {
			return err
		}
		for range 3 {
			if err := s.SendMsg(&in); err != nil {
				return err
			}
		}
		return errs.Conflict(errs.ReasonSlotTaken, "the end")
	}
	desc := grpc.ServiceDesc{ServiceName: "tongzhen.referral.v1.TestService", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{
		{StreamName: "Take", ClientStreams: true, Handler: take}, {StreamName: "Give", ServerStreams: true, Handler: give},
	}}
	return func(r grpc.ServiceRegistrar) { r.RegisterService(&desc, struct{}{}) }
}

func send(ctx context.Context, conn *grpc.ClientConn, codes ...string) (string, error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "Take", ClientStreams: true}, takePath)
	if err != nil {
		return "", err
	}
	for _, code := range codes {
		if err := s.SendMsg(&commonv1.Coding{Code: code}); err != nil {
			break // the answer says why
		}
	}
	if err := s.CloseSend(); err != nil {
		return "", err
	}
	var out commonv1.Coding
	err = s.RecvMsg(&out)
	return out.GetCode(), err
}

func TestAStreamPassesTheSameGateAsACall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := make(chan context.Context, 10)
	rule := authz.Rule{Roles: []string{"SPECIALIST"}}
	w.run("referral", authz.Table{takePath: rule, givePath: rule}, registerStreams(asked))
	conn := w.dial("gateway", "referral")
	ctx := rpc.WithToken(t.Context(), w.token("SPECIALIST"))
	if got, err := send(ctx, conn, "a", "b"); err != nil || got != "2" {
		t.Fatalf("%q %v", got, err)
	}
	inner := <-asked
	if who, ok := authn.FromContext(inner); !ok || who.Subject != "account-1" {
		t.Error("the handler does not know who calls")
	}
	if _, ok := inner.Deadline(); !ok {
		t.Error("a stream without an end")
	}
	if _, err := send(rpc.WithToken(t.Context(), w.token("AUDITOR")), conn, "a"); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("another role: %v", err)
	}
	if _, err := send(t.Context(), conn, "a"); errs.KindOf(err) != errs.KindDenied {
		t.Errorf("the gateway for itself: %v", err)
	}
	if len(asked) != 0 {
		t.Error("a refused call reached the handler")
	}
	if _, err := send(ctx, conn, "a", "b\x00"); errs.KindOf(err) != errs.KindInvalid {
		t.Errorf("a message in the middle that is not valid: %v", err)
	}
}

func TestTheErrorAtTheEndOfAStreamReachesItsCallerAsItWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rule := authz.Rule{AnyPerson: true}
	w.run("referral", authz.Table{takePath: rule, givePath: rule}, registerStreams(make(chan context.Context, 1)))
	conn := w.dial("gateway", "referral")
	s, err := conn.NewStream(rpc.WithToken(t.Context(), w.token("SPECIALIST")), &grpc.StreamDesc{StreamName: "Give", ServerStreams: true}, givePath)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SendMsg(&commonv1.Coding{Code: "x"}), s.CloseSend()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var out commonv1.Coding
		if err := s.RecvMsg(&out); err != nil || out.GetCode() != "x" {
			t.Fatalf("%q %v", out.GetCode(), err)
		}
	}
	if err := s.RecvMsg(&commonv1.Coding{}); errs.ReasonOf(err) != errs.ReasonSlotTaken || errs.KindOf(err) != errs.KindConflict {
		t.Errorf("%v", err)
	}
}
