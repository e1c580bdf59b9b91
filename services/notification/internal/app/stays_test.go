package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// stay is a fact about the stay of a resident of the centre in the hospital.
func (f *fixture) stay(event string, version int32) app.ReferralFact {
	s := domain.Stay{EncounterID: "e", PatientID: "p", Version: version, Class: "IMP"}
	if event == domain.EncounterClosed {
		s.End = f.clk.Now()
	}
	return app.ReferralFact{Consumer: "notification-stay", County: county, Fact: domain.Fact{
		ID: id.New(), Event: event, OccurTime: f.clk.Now(), Urgency: "ROUTINE", ActorOrganizationID: "hospital", HomeOrganizationID: "centre", Stay: s,
	}}
}

// Invariant 8.
func TestTheHomeCentreIsToldOfAStayOnce(t *testing.T) {
	each(t, func(f *fixture) {
		tell := func(fact app.ReferralFact, want ...string) {
			t.Helper()
			for range 2 { // as after the broker's window
				if err := f.OnStay(t.Context(), fact); err != nil {
					t.Fatal(err)
				}
			}
			f.wantTold(fact, want...)
		}
		centre := []string{"doctor", "colleague", "centre head"}
		admission, moved, discharge := f.stay(domain.EncounterOpened, 1), f.stay(domain.EncounterOpened, 2), f.stay(domain.EncounterClosed, 3)
		discharge.ReasonCode = "3"
		tell(admission, centre...)
		tell(moved)
		tell(discharge, centre...)
		tell(f.stay(domain.EncounterOpened, 2))
		tell(f.stay(domain.EncounterCancelled, 4), centre...)

		own := f.stay(domain.EncounterOpened, 1)
		own.Stay.EncounterID, own.ActorOrganizationID = "own", "centre"
		tell(own)
		nobodys := f.stay(domain.EncounterOpened, 1)
		nobodys.Stay.EncounterID, nobodys.HomeOrganizationID = "nobody's", ""
		tell(nobodys)
		visit := f.stay(domain.EncounterOpened, 1)
		visit.Stay.EncounterID, visit.Stay.Class = "visit", "AMB"
		tell(visit)
		if n := f.count("SELECT count(*) FROM stay_told"); n != 1 {
			t.Errorf("%d stays are kept", n)
		}
		if n := f.count("SELECT count(*) FROM entry WHERE event = $1 AND patient_id = 'p' AND encounter_id = 'e' AND reason_code = '3' AND referral_id = ''", domain.EncounterClosed); n != 3 {
			t.Errorf("%d entries of the discharge say of whom", n)
		}
	})
}

// The directory is away: the fact comes again, and nothing is noted as told.
func TestAStayWaitsForTheAccounts(t *testing.T) {
	each(t, func(f *fixture) {
		f.directory.away = true
		admission := f.stay(domain.EncounterOpened, 1)
		if err := f.OnStay(t.Context(), admission); err == nil {
			t.Fatal("told without accounts")
		}
		f.directory.away = false
		if err := f.OnStay(t.Context(), admission); err != nil {
			t.Fatal(err)
		}
		f.wantTold(admission, "doctor", "colleague", "centre head")
	})
}
