package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestWhatAHospitalHasOfAPatientIsAskedAbout(t *testing.T) {
	const county, other = "county", "other"
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	one := func(kind domain.Kind, state domain.State) domain.Snapshot {
		return domain.Snapshot{ID: string(kind), Direction: domain.Up, Kind: kind, State: state, Receiver: domain.Party{OrganizationID: county}}
	}
	down := one(domain.KindChronic, domain.StateSubmitted)
	down.Direction = domain.Down
	all := []domain.Kind{domain.KindOutpatient, domain.KindInpatient, domain.KindEmergency, domain.KindExam}
	for name, c := range map[string]struct {
		referrals []domain.Snapshot
		stays     []domain.Admission
		rows      int
		asks      []domain.Kind
	}{
		"nothing":               {nil, nil, 0, nil},
		"in a ward":             {nil, []domain.Admission{{county, at}}, 0, all},
		"in a ward somewhere":   {nil, []domain.Admission{{"", at}}, 0, nil},
		"in a ward elsewhere":   {nil, []domain.Admission{{other, at}}, 0, nil},
		"expected":              {[]domain.Snapshot{one(domain.KindExam, domain.StateAccepted)}, nil, 1, all[:3]},
		"on the way and inside": {[]domain.Snapshot{one(domain.KindExam, domain.StateSubmitted)}, []domain.Admission{{county, at}}, 1, all},
		"two kinds":             {[]domain.Snapshot{one(domain.KindExam, domain.StateNoShow), one(domain.KindInpatient, domain.StateAdmitted)}, nil, 2, all},
		"answered":              {[]domain.Snapshot{one(domain.KindExam, domain.StateConcluded)}, nil, 0, nil},
		"a draft":               {[]domain.Snapshot{one(domain.KindExam, domain.StateDraft)}, nil, 0, nil},
		"advice":                {[]domain.Snapshot{one(domain.KindAdvice, domain.StateSubmitted)}, nil, 0, nil},
		"going down":            {[]domain.Snapshot{down}, nil, 0, nil},
	} {
		var got domain.UnderWay
		for _, u := range domain.UnderWayAt(c.referrals, c.stays) {
			if u.OrganizationID == county {
				got = u
			}
		}
		if len(got.Referrals) != c.rows || !slices.Equal(got.Asks(), c.asks) {
			t.Errorf("%s: %d referrals, asks %v", name, len(got.Referrals), got.Asks())
		}
	}
}
