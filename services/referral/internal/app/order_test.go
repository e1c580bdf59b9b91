package app_test

import (
	"context"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// watched notes in which order transactions take hold of referrals and of a patient's candidates.
type watched struct {
	app.Referrals
	took *[]string
}

func (w watched) Change(ctx context.Context, cmd app.Command, decide func(app.Unit) error) (app.View, error) {
	return w.Referrals.Change(ctx, cmd, func(u app.Unit) error {
		*w.took = nil
		return decide(watchedUnit{u, w.took})
	})
}

type watchedUnit struct {
	app.Unit
	took *[]string
}

func (u watchedUnit) Referral(ctx context.Context, id string) (*domain.Referral, error) {
	if n := len(*u.took); n == 0 || (*u.took)[n-1] != "referral" {
		*u.took = append(*u.took, "referral")
	}
	return u.Unit.Referral(ctx, id)
}

func (u watchedUnit) Candidates(ctx context.Context, patientID string) ([]*domain.Candidate, error) {
	if n := len(*u.took); n == 0 || (*u.took)[n-1] != "candidates" { // asked again they are the same ones
		*u.took = append(*u.took, "candidates")
	}
	return u.Unit.Candidates(ctx, patientID)
}

// Two who take the same things in another order wait for each other.
func TestReferralsAreTakenBeforeThePatientsCandidates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		var took []string
		h.ports.Referrals = watched{h.ports.Referrals, &took}
		h.Service = app.New(h.ports)
		h.conclude(t, admitted(t, h), "IMPROVED")
		expectList(t, "a conclusion", took, []string{"referral", "candidates"})
		c := h.only(t, domain.CandidateOpen)
		var draft app.View
		for _, first := range []bool{true, false} {
			v, err := h.ReferCandidate(t.Context(), by(specialist()), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			draft = v
			if !first && (len(took) < 2 || took[0] != "referral" || took[1] != "candidates") {
				t.Errorf("the same draft again: %v", took)
			}
		}
		h.do(t, specialist(), draft, domain.ActionCancel)
		expectList(t, "a draft taken back", took, []string{"referral", "candidates"})
	})
}
