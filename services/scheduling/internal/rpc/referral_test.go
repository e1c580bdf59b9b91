package rpc_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"google.golang.org/grpc"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/rpc"
)

// answers is a referral service whose verdict goes by the hold's name.
type answers struct {
	referralv1.UnimplementedReferralServiceServer
}

func (answers) SettleBooking(ctx context.Context, r *referralv1.SettleBookingRequest) (*referralv1.SettleBookingResponse, error) {
	who, _ := authn.FromContext(ctx)
	if who.Service != "scheduling" || who.County != "450321" || r.GetCounty() != "450321" {
		return nil, errors.New("not the caller's county or name")
	}
	switch r.GetHoldId() {
	case "named":
		return &referralv1.SettleBookingResponse{Verdict: referralv1.SettleBookingResponse_KEEP, Settled: true}, nil
	case "open":
		return &referralv1.SettleBookingResponse{Verdict: referralv1.SettleBookingResponse_KEEP}, nil
	case "abandoned":
		return &referralv1.SettleBookingResponse{Verdict: referralv1.SettleBookingResponse_RELEASE, Settled: true}, nil
	}
	return &referralv1.SettleBookingResponse{}, nil
}

func TestOnlyAClearWordOfReferralIsAVerdict(t *testing.T) {
	t.Parallel()
	pem, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(pem)
	if err != nil {
		t.Fatal(err)
	}
	network := platform.InProcess()
	table := authz.Table{}
	for _, m := range referralv1.ReferralService_ServiceDesc.Methods {
		table["/"+referralv1.ReferralService_ServiceDesc.ServiceName+"/"+m.MethodName] = authz.Rule{Services: []string{"scheduling"}}
	}
	server, err := platform.NewServer(platform.ServerConfig{Service: "referral", Table: table, Logger: slog.New(slog.DiscardHandler),
		Verifier: authn.NewVerifier(authn.KeysOf(signer), clock.System()), Clock: clock.System()},
		func(r grpc.ServiceRegistrar) { referralv1.RegisterReferralServiceServer(r, answers{}) })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	lis := network.Listen("referral")
	go func() { ended <- server.Serve(ctx, lis) }()
	conn, err := network.Dial(t.Context(), "scheduling", "referral", platform.ClientConfig{Signer: signer, Clock: clock.System()})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	peer := rpc.NewReferral(conn)
	for hold, want := range map[string]app.Verdict{"named": {Keep: true, Settled: true}, "open": {Keep: true}, "abandoned": {}} {
		// The person whose call led here is not who asks.
		if got, err := peer.Settle(platform.WithToken(t.Context(), "a person's"), "450321", hold, "r"); err != nil || got != want {
			t.Errorf("%s: %+v, want %+v, %v", hold, got, want, err)
		}
	}
	if _, err := peer.Settle(t.Context(), "450321", "something else", "r"); errs.KindOf(err) != errs.KindInternal {
		t.Errorf("no verdict: %v", err)
	}
	stop()
	if err := bustest.Receive(t, ended, "end of the server"); err != nil {
		t.Error(err)
	}
	if _, err := peer.Settle(t.Context(), "450321", "abandoned", "r"); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("away: %v", err)
	}
}
