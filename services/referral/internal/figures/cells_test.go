package figures_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

var zone = time.FixedZone("CST", 8*3600)

// at is an instant of March 2026 in the county.
func at(day, hour int) time.Time { return time.Date(2026, time.March, day, hour, 0, 0, 0, zone).UTC() }

func sent() domain.Snapshot {
	return domain.Snapshot{
		ID: "r1", County: "450321", Number: "4503212600001234", State: domain.StateSubmitted, Direction: domain.Up, Kind: domain.KindInpatient,
		Urgency: domain.UrgencyUrgent, AccountID: "doctor-1",
		Patient:    domain.Patient{Name: "秦秘密", Phone: "13800000000"},
		PatientID:  "patient-1",
		Originator: domain.Party{OrganizationID: "township", DepartmentCode: "02"}, Receiver: domain.Party{OrganizationID: "hospital", DepartmentCode: "0304"},
		Diagnoses:  []domain.Diagnosis{{Code: "I63.9"}},
		SubmitTime: at(1, 23), FirstDue: at(2, 1),
	}
}

// days are the counters with the days on which they count: "submitted 2026-03-01".
func days(cells []stats.Cell) (out []string) {
	for _, c := range cells {
		out = append(out, c.Counter+" "+string(c.Day))
	}
	slices.Sort(out)
	return out
}

func has(t *testing.T, s domain.Snapshot, yes []string, no ...string) {
	t.Helper()
	got := days(figures.Cells(s, zone))
	for _, want := range yes {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing among %q", want, got)
		}
	}
	for _, c := range figures.Cells(s, zone) {
		if slices.Contains(no, c.Counter) {
			t.Errorf("%s counts on %s", c.Counter, c.Day)
		}
	}
}

func TestWhatWasNeverSentContributesNothing(t *testing.T) {
	t.Parallel()
	if cells := figures.Cells(domain.Snapshot{County: "450321", State: domain.StateCancelled, CreateTime: at(1, 1)}, zone); len(cells) > 0 {
		t.Errorf("a draft contributes %v", cells)
	}
}

func TestDimensionsAreIdsAndCodesByWhatOrganisationsAre(t *testing.T) {
	t.Parallel()
	s := sent()
	up := figures.Cells(s, zone)[0].Dimensions
	want := map[string]string{
		"centre": "township", "hospital": "hospital", "department": "0304", "doctor": "doctor-1", "condition": "I63", "direction": "UP",
		"kind": "INPATIENT", "urgency": "URGENT", "origin": "REGULAR",
	}
	if !maps.Equal(up, want) {
		t.Errorf("up: %v", up)
	}
	s.Direction, s.Kind, s.Originator, s.Receiver = domain.Down, domain.KindChronic, s.Receiver, s.Originator
	if down := figures.Cells(s, zone)[0].Dimensions; down["centre"] != "township" || down["hospital"] != "hospital" || down["department"] != "0304" {
		t.Errorf("down: %v", down)
	}
	s.Direction, s.Kind, s.ReasonCode = domain.Out, domain.KindExternal, "NO_BED"
	out := figures.Cells(s, zone)
	if len(out) != 1 || out[0].Counter != "left" || out[0].Dimensions["hospital"] != "hospital" || out[0].Dimensions["reason"] != "NO_BED" {
		t.Errorf("out: %v", out)
	}
}

func TestACaseCountsOnTheLocalDayOfItsDenominatorsEvent(t *testing.T) {
	t.Parallel()
	s := sent()
	s.State, s.AnswerTime, s.FirstAnswer, s.AcceptTime = domain.StateConcluded, at(2, 3), domain.ActionAccept, at(2, 3)
	s.ArriveTime, s.AdmitTime, s.ConcludeTime, s.Outcome = at(3, 9), at(3, 10), at(20, 9), "IMPROVED"
	has(t, s, []string{
		"submitted 2026-03-01", "answered 2026-03-01", "answered_late 2026-03-01", "accepted 2026-03-01", "travelled 2026-03-01",
		"taken_in 2026-03-01", "time_to_answer 2026-03-01", "time_to_arrival 2026-03-01", "arrived 2026-03-03", "time_to_reply 2026-03-03",
		"ended 2026-03-20", "ended_fit 2026-03-20", "discharges 2026-03-20",
	}, "answered_in_time", "closed_loop", "sent_down", "came_back", "discharges_sent_down", "cancelled", "no_show")

	s.DownReferral = "d1"
	has(t, s, []string{"closed_loop 2026-03-03", "sent_down 2026-03-20", "discharges_sent_down 2026-03-20"}, "came_back", "outpatients_sent_down")
	s.DownArrived, s.AdmitTime = at(22, 9), time.Time{}
	has(t, s, []string{"came_back 2026-03-20", "time_to_return 2026-03-20", "outpatients_sent_down 2026-03-20"}, "discharges", "discharges_sent_down")
	s.Outcome = "DIED"
	has(t, s, []string{"ended 2026-03-20"}, "ended_fit")
}

func TestAHandOverCountsAsCompleteFromEightyOn(t *testing.T) {
	t.Parallel()
	s := sent()
	has(t, s, nil, "handover_judged", "handover_complete", "handover_score")
	s.Completeness = domain.Completeness{Judged: true}
	has(t, s, []string{"handover_judged 2026-03-01"}, "handover_score")
	s.Completeness = domain.Completeness{Judged: true, Score: 79}
	if i := slices.IndexFunc(figures.Cells(s, zone), func(c stats.Cell) bool { return c.Counter == "handover_score" && c.N == 79 }); i < 0 {
		t.Error("the score is no part of the mean")
	}
	has(t, s, []string{"handover_judged 2026-03-01"}, "handover_complete")
	s.Completeness.Score = 80
	has(t, s, []string{"handover_judged 2026-03-01", "handover_complete 2026-03-01"})
}

func TestAnAdviceIsAnsweredAndNobodyTravels(t *testing.T) {
	t.Parallel()
	s := sent()
	s.Kind, s.State, s.AnswerTime, s.FirstAnswer, s.ConcludeTime = domain.KindAdvice, domain.StateConcluded, at(2, 0), domain.ActionAnswer, at(2, 0)
	has(t, s, []string{"submitted 2026-03-01", "answered_in_time 2026-03-01"}, "travelling", "travelled", "ended", "discharges", "arrived")
}

func TestCancelledAndDeclinedCarryTheirReasonAndNoShowsStayKnown(t *testing.T) {
	t.Parallel()
	s := sent()
	s.State, s.ReasonCode = domain.StateCancelled, "PATIENT_IMPROVED"
	has(t, s, []string{"cancelled 2026-03-01", "cancelled_early 2026-03-01", "travelling 2026-03-01"})
	for _, c := range figures.Cells(s, zone) {
		if reason := c.Dimensions["reason"]; (reason != "") != (c.Counter == "cancelled") {
			t.Errorf("%s has the reason %q", c.Counter, reason)
		}
	}
	s.AnswerTime, s.FirstAnswer, s.AcceptTime, s.NoShowTime = at(2, 0), domain.ActionAccept, at(2, 0), at(5, 0)
	has(t, s, []string{"cancelled 2026-03-01", "no_show 2026-03-01", "accepted 2026-03-01"}, "cancelled_early")
}

func TestARecordOfAnArrivalCountsApartAndWasNeverSent(t *testing.T) {
	t.Parallel()
	s := sent()
	s.Retrospective, s.State, s.ArriveTime, s.Verdict = true, domain.StateArrived, at(1, 1), domain.VerdictTooLate
	has(t, s, []string{"arrived 2026-03-01", "assessed 2026-03-01", "assessed_too_late 2026-03-01"}, "submitted", "travelled", "time_to_arrival")
	for _, c := range figures.Cells(s, zone) {
		if c.Dimensions["origin"] != "RETROSPECTIVE" {
			t.Errorf("%s counts among the regular ones", c.Counter)
		}
	}
}

func followed() domain.Snapshot {
	s := sent()
	s.Direction, s.Kind, s.State, s.Originator, s.Receiver = domain.Down, domain.KindRehabilitation, domain.StateFollowUp, s.Receiver, s.Originator
	s.ArriveTime, s.FollowUpTime = at(3, 9), at(4, 9)
	s.Plan.Visits = []domain.PlannedVisit{
		{Number: 1, Due: "2026-03-10", Done: true, DoneTime: at(10, 18)},
		{Number: 2, Due: "2026-03-15", Done: true, DoneTime: at(16, 1)},
		{Number: 3, Due: "2026-03-20"},
		{Number: 4, Due: "2026-04-20"},
		{Number: 5, Done: true, DoneTime: at(12, 9)},
	}
	return s
}

func TestVisitsCountOnTheirDueDaysUntilTheFollowUpEnds(t *testing.T) {
	t.Parallel()
	s := followed()
	due := func(s domain.Snapshot, counter string) (out []string) {
		for _, c := range figures.Cells(s, zone) {
			if c.Counter == counter {
				out = append(out, string(c.Day))
			}
		}
		return out
	}
	for counter, want := range map[string][]string{
		"visits_due":  {"2026-03-10", "2026-03-15", "2026-03-20", "2026-04-20"},
		"visits_done": {"2026-03-10", "2026-03-15"},
		"visits_kept": {"2026-03-10"},
	} {
		if got := due(s, counter); !slices.Equal(got, want) {
			t.Errorf("%s on %q, want %q", counter, got, want)
		}
	}
	has(t, s, []string{"follow_up_begun 2026-03-03", "closed_loop 2026-03-03", "time_to_first_contact 2026-03-03"})

	s.State, s.CloseTime = domain.StateClosed, at(25, 9)
	if got := due(s, "visits_due"); !slices.Equal(got, []string{"2026-03-10", "2026-03-15", "2026-03-20"}) {
		t.Errorf("after the end: %q", got)
	}
	s = followed()
	s.Plan.Visits[1].Findings.Result = domain.ResultDied
	if got := due(s, "visits_due"); !slices.Equal(got, []string{"2026-03-10", "2026-03-15"}) {
		t.Errorf("after the death: %q", got)
	}
	s = followed()
	s.State, s.FollowUpTime = domain.StateArrived, time.Time{}
	if got := due(s, "visits_due"); got != nil {
		t.Errorf("of a plan that is only proposed: %q", got)
	}
}

func TestABounceBackCountsOnTheDownReferralWhileThatStands(t *testing.T) {
	t.Parallel()
	s := followed()
	s.BouncedBy = "r2"
	has(t, s, []string{"bounced 2026-03-01"})
	s.State = domain.StateCancelled
	has(t, s, nil, "bounced")
	s = sent()
	s.BounceBackOf = "d1"
	has(t, s, nil, "bounced")
}

func TestACandidateCountsOnTheDayOnWhichItWasFound(t *testing.T) {
	t.Parallel()
	c := domain.CandidateSnapshot{State: domain.CandidateOpen, FoundTime: at(7, 23), Match: domain.Match{Stay: domain.Stay{
		County: "450321", OrganizationID: "hospital", DepartmentCode: "0304", CentreID: "township", Diagnoses: []domain.Diagnosis{{Code: "I63.9"}},
	}}}
	counters := func() []string { return days(figures.CandidateCells(c, zone)) }
	if got := counters(); !slices.Equal(got, []string{"candidates_found 2026-03-07", "candidates_open 2026-03-07"}) {
		t.Errorf("open: %q", got)
	}
	c.State = domain.CandidateClosed
	if got := counters(); !slices.Equal(got, []string{"candidates_found 2026-03-07", "candidates_sent 2026-03-07"}) {
		t.Errorf("sent: %q", got)
	}
	c.State, c.ReasonCode = domain.CandidateDismissed, "DIED"
	if got := counters(); !slices.Equal(got, []string{"candidates_dismissed 2026-03-07", "candidates_found 2026-03-07"}) {
		t.Errorf("dismissed: %q", got)
	}
}
