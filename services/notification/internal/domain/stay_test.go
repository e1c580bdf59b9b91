package domain_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Invariant 8. Each story is the facts of one encounter in the order in which they come.
func TestTheHomeCentreHearsOfEveryAdmissionAndDischargeOnce(t *testing.T) {
	t.Parallel()
	const opened, closed, cancelled, nothing = domain.EncounterOpened, domain.EncounterClosed, domain.EncounterCancelled, ""
	noon := time.Date(2026, time.March, 18, 4, 0, 0, 0, time.UTC)
	type fact struct {
		event, class string
		version      int32
		end          time.Time
		want         string
	}
	for name, story := range map[string][]fact{
		"admission and discharge":          {{opened, "IMP", 1, time.Time{}, opened}, {closed, "IMP", 2, noon, closed}},
		"a move of wards":                  {{opened, "IMP", 1, time.Time{}, opened}, {opened, "IMP", 2, time.Time{}, nothing}},
		"codes that come later":            {{closed, "IMP", 1, noon, closed}, {closed, "IMP", 2, noon, nothing}},
		"another time of discharge":        {{closed, "IMP", 1, noon, closed}, {closed, "IMP", 2, noon.Add(time.Hour), closed}},
		"a discharge taken back":           {{closed, "IMP", 1, noon, closed}, {opened, "IMP", 2, time.Time{}, opened}, {closed, "IMP", 3, noon, closed}},
		"an admission that never was":      {{opened, "IMP", 1, time.Time{}, opened}, {cancelled, "IMP", 2, time.Time{}, cancelled}, {opened, "IMP", 3, time.Time{}, opened}},
		"cancelled before it was told":     {{cancelled, "IMP", 2, time.Time{}, nothing}, {opened, "IMP", 1, time.Time{}, nothing}},
		"the discharge comes first":        {{closed, "IMP", 2, noon, closed}, {opened, "IMP", 1, time.Time{}, nothing}},
		"the same again":                   {{opened, "IMP", 1, time.Time{}, opened}, {opened, "IMP", 1, time.Time{}, nothing}},
		"a visit":                          {{opened, "AMB", 1, time.Time{}, nothing}, {closed, "AMB", 2, noon, nothing}},
		"a visit that became an admission": {{opened, "AMB", 1, time.Time{}, nothing}, {opened, "IMP", 2, time.Time{}, opened}},
		"an admission that became a visit": {{opened, "IMP", 1, time.Time{}, opened}, {opened, "AMB", 2, time.Time{}, cancelled}, {closed, "AMB", 3, noon, nothing}},
	} {
		var told domain.StayTold
		for i, f := range story {
			s := domain.Stay{EncounterID: "e", PatientID: "p", Version: f.version, Class: f.class, End: f.end}
			got := s.News(f.event, told)
			if got != f.want {
				t.Errorf("%s, %d: %q, want %q", name, i, got, f.want)
			}
			told = s.Told(got, told)
		}
	}
}
