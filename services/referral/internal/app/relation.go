package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// DefaultKept is how long a finished referral still lets its two sides look where nothing else is set.
const DefaultKept = 30 * 24 * time.Hour

// Relation is how far referrals let an organisation see a patient: NONE, PACKAGE or FULL, and by which referral.
type Relation struct {
	Level, ReferralID string
}

// Relation answers patient-record: the sender sees all while it is open, the receiver the package from submission and all from arrival (of an ADVICE the package only);
// a finished referral counts for as long as Ports.Kept says.
func (s *Service) Relation(ctx context.Context, county, patientID, organizationID string) (Relation, error) {
	standings, err := s.Reader.Standings(ctx, county, patientID, organizationID)
	if err != nil {
		return Relation{}, err
	}
	best := Relation{Level: "NONE"}
	for _, st := range standings {
		if slices.Contains([]domain.State{domain.StateDeclined, domain.StateCancelled, domain.StateClosed}, st.State) &&
			s.Clock.Now().Sub(st.UpdateTime) > cmp.Or(s.Kept, DefaultKept) {
			continue
		}
		if level(st) == "FULL" {
			return Relation{"FULL", st.ReferralID}, nil
		}
		best = Relation{"PACKAGE", st.ReferralID}
	}
	return best, nil
}

func level(st Standing) string {
	came := []domain.State{domain.StateArrived, domain.StateAdmitted, domain.StateConcluded, domain.StateFollowUp, domain.StateClosed}
	// Nobody comes for an ADVICE: what was asked is answered from the package.
	if st.Side == domain.Originator || st.Kind != domain.KindAdvice && slices.Contains(came, st.State) {
		return "FULL"
	}
	return "PACKAGE"
}

// Case is a referral for a service that has heard no fact of it. NOT_FOUND for one that was never sent.
func (s *Service) Case(ctx context.Context, caller authn.Identity, referralID string) (domain.Snapshot, error) {
	v, err := s.Reader.Get(ctx, caller, referralID)
	if err != nil {
		return domain.Snapshot{}, err
	}
	if v.State == domain.StateDraft {
		return domain.Snapshot{}, errs.NotFound("referral")
	}
	return v.Snapshot, nil
}
