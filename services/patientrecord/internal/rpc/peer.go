package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	platform "github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// relationTimeout bounds the question whether somebody may look: a page waits for it.
const relationTimeout = 300 * time.Millisecond

// Referrals implements app.Referrals over gRPC.
type Referrals struct {
	client   referralv1.ReferralServiceClient
	handover referralv1.HandoverServiceClient
}

var _ app.Referrals = (*Referrals)(nil)

// NewReferrals calls through conn.
func NewReferrals(conn grpc.ClientConnInterface) *Referrals {
	return &Referrals{client: referralv1.NewReferralServiceClient(conn), handover: referralv1.NewHandoverServiceClient(conn)}
}

// Relation implements app.Referrals, as the service itself: the person may have no other relation to the referral.
func (r *Referrals) Relation(ctx context.Context, county, patient, organization string) (domain.Level, string, error) {
	ctx, cancel := context.WithTimeout(platform.WithCounty(platform.AsService(ctx), county), relationTimeout)
	defer cancel()
	out, err := r.client.GetRelation(ctx, &referralv1.GetRelationRequest{
		County: county, PatientId: patient, OrganizationId: organization,
	})
	if err != nil {
		return domain.LevelNone, "", away(err)
	}
	switch out.GetLevel() {
	case "FULL":
		return domain.LevelFull, out.GetReferralId(), nil
	case "PACKAGE":
		return domain.LevelPackage, out.GetReferralId(), nil
	}
	return domain.LevelNone, "", nil
}

// Standing implements app.Referrals, as the person who asks.
func (r *Referrals) Standing(ctx context.Context, referral string) (domain.Standing, time.Time, error) {
	out, err := r.client.GetReferral(ctx, &referralv1.GetReferralRequest{Id: referral})
	if err != nil {
		if err := errs.FromStatus(err); errs.KindOf(err) == errs.KindNotFound {
			return domain.Standing{}, time.Time{}, errs.NotFound("package")
		}
		return domain.Standing{}, time.Time{}, away(err)
	}
	s := domain.Standing{
		ReferralID: out.GetId(), PatientID: out.GetPatientId(), Version: out.GetVersion(),
		State:      domain.State(out.GetState().String()),
		Originator: out.GetOriginator().GetOrganizationId(), Receiver: out.GetReceiver().GetOrganizationId(),
		Written: out.GetKind() == commonv1.Kind_ADVICE, At: timeOf(out.GetUpdateTime()),
	}
	submitted := timeOf(out.GetSubmitTime())
	if submitted.IsZero() {
		s.Previous = domain.Draft
	}
	return s, submitted, nil
}

// Consent implements app.Referrals, as the service itself.
func (r *Referrals) Consent(ctx context.Context, county, referral string) (app.ReferralConsent, error) {
	ctx, cancel := context.WithTimeout(platform.WithCounty(platform.AsService(ctx), county), handBackTimeout)
	defer cancel()
	out, err := r.handover.GetReferralConsent(ctx, &referralv1.GetReferralConsentRequest{ReferralId: referral})
	if err != nil {
		if err := errs.FromStatus(err); errs.KindOf(err) == errs.KindNotFound {
			return app.ReferralConsent{}, err
		}
		return app.ReferralConsent{}, away(err)
	}
	c := out.GetConsent()
	said := app.ReferralConsent{
		PatientID: out.GetPatientId(), Originator: out.GetOriginator().GetOrganizationId(), Receiver: out.GetReceiver().GetOrganizationId(),
		DeferredReason: c.GetDeferredReason(), Due: timeOf(out.GetDueTime()),
	}
	if c.GetGivenBy() != "" {
		said.Giving = &domain.Giving{
			Name: c.GetGivenBy(), Relation: c.GetRelation(), Method: c.GetMethod(), At: timeOf(c.GetAt()), TextVersion: c.GetTextVersion(),
		}
	}
	return said, nil
}

// away: whatever the referral service answers that is not an answer, access is not decided: Unavailable, never yes and never no.
func away(err error) error {
	if err := errs.FromStatus(err); errs.KindOf(err) == errs.KindUnavailable {
		return err
	}
	return errs.Unavailable("referral", err)
}
