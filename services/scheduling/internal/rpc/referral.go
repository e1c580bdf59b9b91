package rpc

import (
	"context"

	"google.golang.org/grpc"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Referral implements app.Referral over gRPC, as the service itself.
type Referral struct {
	client referralv1.ReferralServiceClient
}

// NewReferral calls through conn.
func NewReferral(conn grpc.ClientConnInterface) *Referral {
	return &Referral{client: referralv1.NewReferralServiceClient(conn)}
}

// Settle implements app.Referral.
func (r *Referral) Settle(ctx context.Context, county, holdID, referralID string) (app.Verdict, error) {
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	out, err := r.client.SettleBooking(ctx, &referralv1.SettleBookingRequest{County: county, HoldId: holdID, ReferralId: referralID})
	if err != nil {
		return app.Verdict{}, errs.FromStatus(err)
	}
	switch out.GetVerdict() {
	case referralv1.SettleBookingResponse_KEEP:
		return app.Verdict{Keep: true, Settled: out.GetSettled()}, nil
	case referralv1.SettleBookingResponse_RELEASE:
		return app.Verdict{}, nil
	default:
		// Freeing needs a clear word.
		return app.Verdict{}, errs.New(errs.KindInternal, errs.ReasonInternal, "the referral service gave no verdict", nil)
	}
}

// Case implements app.Referral.
func (r *Referral) Case(ctx context.Context, county, referralID string) (domain.Case, error) {
	ctx = platform.WithCounty(platform.AsService(ctx), county)
	c, err := r.client.GetCase(ctx, &referralv1.GetCaseRequest{County: county, ReferralId: referralID})
	if err != nil {
		return domain.Case{}, errs.FromStatus(err)
	}
	return domain.Case{
		County: county, ReferralID: c.GetId(), Version: c.GetVersion(), Number: c.GetNumber(), PatientID: c.GetPatientId(), State: c.GetState().String(),
		Direction: c.GetDirection().String(), Kind: c.GetKind().String(), Urgency: c.GetUrgency().String(),
		SenderOrganizationID: c.GetOriginator().GetOrganizationId(), ReceiverOrganizationID: c.GetReceiver().GetOrganizationId(),
		ReceiverDepartment: c.GetReceiver().GetDepartmentCode(), DueTime: instant(c.GetDueTime()),
	}, nil
}
