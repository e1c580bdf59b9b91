package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestOnlyWhoWasSentDownAndIsBackInTimeIsABounceBack(t *testing.T) {
	t.Parallel()
	const fortnight = 14
	up, down := inState(domain.KindEmergency, domain.StateArrived), inState(domain.KindRehabilitation, domain.StateFollowUp)
	down.SubmitTime = now
	for name, c := range map[string]struct {
		spoil func(up, down *domain.Snapshot)
		after time.Duration
		want  bool
	}{
		"back in time":            {func(_, _ *domain.Snapshot) {}, fortnight * 24 * time.Hour, true},
		"back too late":           {func(_, _ *domain.Snapshot) {}, fortnight*24*time.Hour + 1, false},
		"came before":             {func(_, _ *domain.Snapshot) {}, -1, false},
		"closed meanwhile":        {func(_, d *domain.Snapshot) { d.State = domain.StateClosed }, 0, true},
		"refused":                 {func(_, d *domain.Snapshot) { d.State = domain.StateDeclined }, 0, false},
		"taken back":              {func(_, d *domain.Snapshot) { d.State = domain.StateCancelled }, 0, false},
		"never sent":              {func(_, d *domain.Snapshot) { d.Number = "" }, 0, false},
		"another patient":         {func(u, _ *domain.Snapshot) { u.PatientID = "other" }, 0, false},
		"another condition":       {func(u, _ *domain.Snapshot) { u.Diagnoses = []domain.Diagnosis{{Code: "I64"}} }, 0, false},
		"no condition at all":     {func(u, d *domain.Snapshot) { u.Diagnoses, d.Diagnoses = nil, nil }, 0, false},
		"a question, nobody came": {func(u, _ *domain.Snapshot) { u.Kind = domain.KindAdvice }, 0, false},
		"sent down a second time": {func(u, d *domain.Snapshot) { *u = *d }, 0, false},
	} {
		u, d := up, down
		c.spoil(&u, &d)
		if got := u.InPlaceOf(d, now.Add(c.after), fortnight); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
