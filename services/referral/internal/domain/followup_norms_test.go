package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestTheNormsAskForFollowUpOfReferredPatients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		direction domain.Direction
		diagnoses []string
		want      []string
	}{
		{domain.Up, []string{"I10"}, []string{domain.NormHypertension}},
		{domain.Up, []string{"I15.900"}, []string{domain.NormHypertension}},
		{domain.Up, []string{"I16"}, nil},
		{domain.Up, []string{"E11.9", "I10.x00x002", "I11"}, []string{domain.NormHypertension, domain.NormDiabetes}},
		{domain.Up, []string{"F20.0"}, []string{domain.NormSMD}},
		{domain.Up, []string{"I10", "A16.2"}, []string{domain.NormTBSuspicion, domain.NormHypertension}},
		{domain.Up, []string{"A17"}, nil},
		{domain.Down, []string{"A15.0"}, []string{domain.NormTBNotice}},
		{domain.Down, []string{"F31"}, []string{domain.NormSMDStable}},
		{domain.Down, []string{"I10"}, nil},
		{domain.Out, []string{"A15"}, nil},
		{domain.Up, []string{"", "I1"}, nil},
	} {
		var got []string
		for _, task := range domain.NormTasks(c.direction, c.diagnoses) {
			got = append(got, task.Code)
			if task.Source == "" || !slices.Contains(domain.Certainties(), task.Certainty) || (task.Days == 0) == (task.Hours == 0) {
				t.Errorf("%s: %+v", task.Code, task)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %v: got %q, want %q", c.direction, c.diagnoses, got, c.want)
		}
	}
}

func TestANormsDaysEndWithTheLocalDayAndItsHoursToTheMinute(t *testing.T) {
	t.Parallel()
	cal, at := calendar(t), inZone(t, "2026-03-18 09:30")
	for _, c := range []struct {
		direction domain.Direction
		code, due string
	}{
		{domain.Up, "I10", "2026-04-02 00:00"},
		{domain.Up, "A15", "2026-03-26 00:00"},
		{domain.Down, "A15", "2026-03-21 09:30"},
	} {
		got := cal.NormDue(domain.NormTasks(c.direction, []string{c.code})[0], at)
		if want := inZone(t, c.due); !got.Equal(want) {
			t.Errorf("%s %s: due %s, want %s", c.direction, c.code, got.In(want.Location()).Format(local), c.due)
		}
	}
}
