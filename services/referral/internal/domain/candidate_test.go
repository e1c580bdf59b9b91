package domain_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func match() domain.Match {
	return domain.Match{
		Stay: domain.Stay{
			County: "450321", PatientID: "patient-1", OrganizationID: "hospital", DepartmentCode: "0304", ReferralID: "up",
			Start: now.AddDate(0, 0, -9), End: now, CentreID: "township", Diagnoses: []domain.Diagnosis{{Code: "I63.9"}},
		},
		Origin: domain.OriginConcluded, Reasons: []string{"DN-STR-01"}, Due: now.AddDate(0, 0, 3),
	}
}

func candidate(t *testing.T, m domain.Match) *domain.Candidate {
	t.Helper()
	c, err := domain.NewCandidate("c1", m, "", now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reloaded is the candidate as another transaction reads it.
func reloaded(c *domain.Candidate) *domain.Candidate { return domain.RestoreCandidate(c.Snapshot()) }

func happened(c *domain.Candidate) (out []domain.Action) {
	for _, change := range c.Changes() {
		out = append(out, change.Action)
	}
	return out
}

func expectCandidate(t *testing.T, c *domain.Candidate, state domain.CandidateState, did ...domain.Action) {
	t.Helper()
	if s := c.Snapshot(); s.State != state || !slices.Equal(happened(c), did) {
		t.Errorf("%s after %q, want %s after %q", s.State, happened(c), state, did)
	}
}

func TestACandidateNeedsAStayAndAReason(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*domain.Match){
		"patient":   func(m *domain.Match) { m.PatientID = "" },
		"hospital":  func(m *domain.Match) { m.OrganizationID = "" },
		"source":    func(m *domain.Match) { m.ReferralID = "" },
		"beginning": func(m *domain.Match) { m.Start = time.Time{} },
		"reason":    func(m *domain.Match) { m.Reasons = nil },
	} {
		m := match()
		spoil(&m)
		if _, err := domain.NewCandidate("c1", m, "", now); err == nil {
			t.Errorf("there is one without %s", name)
		}
	}
	c := candidate(t, match())
	expectCandidate(t, c, domain.CandidateOpen, domain.FindCandidate)
	if !c.Changes()[0].Opens() || c.Snapshot().Version != 1 {
		t.Error("a new candidate is not told")
	}
	answered, err := domain.NewCandidate("c2", match(), "down", now)
	if err != nil || answered.Snapshot().State != domain.CandidateClosed || answered.Changes()[0].Opens() {
		t.Errorf("one that went down already is on the list: %v", err)
	}
}

func TestOneStayIsRecognisedFromBothSources(t *testing.T) {
	t.Parallel()
	c := candidate(t, match()).Snapshot()
	encounter := match().Stay
	encounter.ReferralID, encounter.EncounterID = "", "e1"
	for name, x := range map[string]struct {
		change func(*domain.Stay)
		want   bool
	}{
		"the same time":                 {func(*domain.Stay) {}, true},
		"still there":                   {func(s *domain.Stay) { s.End = time.Time{} }, true},
		"admitted the evening after":    {func(s *domain.Stay) { s.Start, s.End = now.Add(20*time.Hour), now.AddDate(0, 0, 5) }, true},
		"an earlier stay":               {func(s *domain.Stay) { s.Start, s.End = now.AddDate(0, 0, -30), now.AddDate(0, 0, -20) }, false},
		"a later stay":                  {func(s *domain.Stay) { s.Start, s.End = now.AddDate(0, 0, 2), now.AddDate(0, 0, 5) }, false},
		"another hospital":              {func(s *domain.Stay) { s.OrganizationID = "other" }, false},
		"another patient":               {func(s *domain.Stay) { s.PatientID = "other" }, false},
		"another referral at that time": {func(s *domain.Stay) { s.ReferralID, s.EncounterID = "up-2", "" }, false},
		"the same referral, corrected":  {func(s *domain.Stay) { s.ReferralID, s.Start = "up", now.AddDate(0, 0, -40) }, true},
	} {
		stay := encounter
		x.change(&stay)
		if got := c.Covers(stay); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestMergingAddsWhatTheOtherSourceKnows(t *testing.T) {
	t.Parallel()
	first := match()
	first.ReferralID, first.EncounterID, first.CentreID, first.DepartmentCode, first.Origin = "", "e1", "home", "03", domain.OriginDischarged
	c := candidate(t, first)
	c = reloaded(c)
	second := match()
	second.FamilyDoctor, second.Reasons, second.Medicines = "doctor", []string{"DN-STR-01", "DN-GEN-05"}, []domain.Medicine{{Name: "阿司匹林"}}
	second.Diagnoses = append(second.Diagnoses, domain.Diagnosis{Code: "I10"})
	c.Merge(second, now)
	s := c.Snapshot()
	if s.ReferralID != "up" || s.EncounterID != "e1" || s.CentreID != "township" || s.FamilyDoctor != "doctor" || s.DepartmentCode != "0304" ||
		len(s.Reasons) != 2 || len(s.Diagnoses) != 2 || len(s.Medicines) != 1 || s.Origin != domain.OriginDischarged || s.Version != 2 {
		t.Errorf("merged: %+v", s.Match.Reasons)
	}
	expectCandidate(t, c, domain.CandidateOpen, domain.MergeCandidate)
	if c.Changes()[0].Opens() {
		t.Error("it is told twice")
	}
	c = reloaded(c)
	c.Merge(second, now)
	expectCandidate(t, c, domain.CandidateOpen)
}

func TestALongStayThatWasNotStableIsAskedAboutAgainAtItsEnd(t *testing.T) {
	t.Parallel()
	long := match()
	long.End, long.Origin, long.Reasons = time.Time{}, domain.OriginLengthOfStay, []string{"LOS-I63"}
	for reason, want := range map[string]domain.CandidateState{"STILL_UNSTABLE": domain.CandidateOpen, "LIVES_ELSEWHERE": domain.CandidateDismissed} {
		c := candidate(t, long)
		if err := c.Dismiss(domain.Dismissal{Version: 1, Reason: reason}, doctor(), now); err != nil {
			t.Fatal(err)
		}
		c = reloaded(c)
		c.Merge(match(), now)
		expectCandidate(t, c, want, domain.MergeCandidate)
		if s := c.Snapshot(); s.Origin != domain.OriginConcluded || c.Changes()[0].Opens() != (want == domain.CandidateOpen) {
			t.Errorf("%s: origin %s", reason, s.Origin)
		}
	}
}

func TestADismissalNeedsAVersionAndACodedReason(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		d    domain.Dismissal
		want domain.Why
	}{
		"no version":     {domain.Dismissal{Reason: "DIED"}, domain.NoVersion},
		"an old version": {domain.Dismissal{Version: 9, Reason: "DIED"}, domain.Stale},
		"no reason":      {domain.Dismissal{Version: 1}, domain.Content},
		"unknown reason": {domain.Dismissal{Version: 1, Reason: "BORED"}, domain.Content},
		"other, unsaid":  {domain.Dismissal{Version: 1, Reason: "OTHER"}, domain.Content},
	} {
		c := candidate(t, match())
		var refused *domain.Refusal
		if err := c.Dismiss(x.d, doctor(), now); !errors.As(err, &refused) || refused.Why != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := candidate(t, match())
	if err := c.Dismiss(domain.Dismissal{Version: 1, Reason: "OTHER", Note: "说明"}, doctor(), now); err != nil {
		t.Fatal(err)
	}
	if err := c.Dismiss(domain.Dismissal{Version: 1, Reason: "DIED"}, doctor(), now); err == nil {
		t.Error("it is dismissed twice")
	}
	if err := c.Refer("down", doctor(), now); err == nil {
		t.Error("a dismissed one is referred")
	}
}

func TestADownReferralClosesAndItsEndOpensAgain(t *testing.T) {
	t.Parallel()
	down := domain.Snapshot{ID: "down", Originator: domain.Party{OrganizationID: "hospital"}, SubmitTime: now}
	again := now.AddDate(0, 0, 9)
	c := candidate(t, match())
	if err := c.Refer("down", doctor(), now); err != nil {
		t.Fatal(err)
	}
	c = reloaded(c)
	c.TakenBack("another", again, doctor(), now)
	expectCandidate(t, c, domain.CandidateReferred)
	c.SentDown(down, doctor(), now)
	expectCandidate(t, c, domain.CandidateClosed, domain.CloseCandidate)
	c = reloaded(c)
	c.TakenBack("down", again, doctor(), now)
	expectCandidate(t, c, domain.CandidateOpen, domain.ReopenCandidate)
	if !c.Changes()[0].Opens() || c.Snapshot().DownReferral != "" || !c.Snapshot().Due.Equal(again) {
		t.Error("the department is not told that it is open again, or has no time to decide")
	}
	for name, other := range map[string]domain.Snapshot{
		"another hospital": {ID: "x", Originator: domain.Party{OrganizationID: "other"}, SubmitTime: now},
		"before the stay":  {ID: "x", Originator: down.Originator, SubmitTime: now.AddDate(0, 0, -20)},
	} {
		c := reloaded(candidate(t, match()))
		c.SentDown(other, doctor(), now)
		if c.Snapshot().State != domain.CandidateOpen {
			t.Errorf("closed by one of %s", name)
		}
	}
	dismissed := candidate(t, match())
	if err := dismissed.Dismiss(domain.Dismissal{Version: 1, Reason: "NO_MEDICINE"}, doctor(), now); err != nil {
		t.Fatal(err)
	}
	dismissed = reloaded(dismissed)
	dismissed.SentDown(down, doctor(), now)
	dismissed.TakenBack("", again, doctor(), now)
	expectCandidate(t, dismissed, domain.CandidateDismissed)
}

func TestFindingsAreWhatTheCountySaidAndNothingElse(t *testing.T) {
	t.Parallel()
	conclusion := func(outcome string, r domain.Reply) map[string]bool {
		return domain.Snapshot{Outcome: outcome, Reply: r}.Findings()
	}
	stable := map[string]bool{"condition_stable": true, "acute_treatment_finished": true, "acute_worsening_treated": true, "deficits_not_progressing": true}
	with := func(extra map[string]bool) map[string]bool {
		all := maps.Clone(stable)
		maps.Copy(all, extra)
		return all
	}
	whole := domain.Reply{Diagnosis: "脑梗死", NextSteps: "随访"}
	for name, x := range map[string]struct{ got, want map[string]bool }{
		"improved":           {conclusion("IMPROVED", domain.Reply{}), stable},
		"cured with a reply": {conclusion("CURED", whole), with(map[string]bool{"diagnosis_clear": true, "plan_fixed": true})},
		"unchanged":          {conclusion("UNCHANGED", whole), map[string]bool{"diagnosis_clear": true, "plan_fixed": true}},
		"worse":              {conclusion("WORSE", whole), map[string]bool{"condition_stable": false, "plan_fixed": true}},
		"on orders":          {domain.Discharge{Way: "1", Coded: true}.Findings(), with(map[string]bool{"diagnosis_clear": true, "plan_fixed": true})},
		"way not said":       {domain.Discharge{}.Findings(), with(map[string]bool{"plan_fixed": true})},
		"against advice":     {domain.Discharge{Way: "4", Coded: true}.Findings(), map[string]bool{}},
		"to a centre": {domain.Discharge{Way: "3", Coded: true}.Findings(), with(map[string]bool{
			"diagnosis_clear": true, "plan_fixed": true, "suitable_for_primary_care": true, "specialist_judges_return": true,
		})},
	} {
		if !maps.Equal(x.got, x.want) {
			t.Errorf("%s: %v", name, x.got)
		}
	}
}

func TestAgeIsInFullYears(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		born, today string
		want        int
	}{
		{"1956-03-18", "2026-03-18", 70},
		{"1956-03-19", "2026-03-18", 69},
		{"2026-03-18", "2026-03-18", 0},
		{"2026-03-19", "2026-03-18", -1},
		{"", "2026-03-18", -1},
		{"1956", "2026-03-18", -1},
	} {
		if got := domain.AgeOn(x.born, x.today); got != x.want {
			t.Errorf("born %s: %d", x.born, got)
		}
	}
}

func TestTheKindOfADraftFollowsTheCondition(t *testing.T) {
	t.Parallel()
	for want, conditions := range map[domain.Kind][]string{
		domain.KindPostoperative: {"STROKE", "POSTOPERATIVE"}, domain.KindPalliative: {"TUMOUR"}, domain.KindRehabilitation: {"STROKE", "HYPERTENSION"},
		domain.KindChronic: {"DIABETES"},
	} {
		if got := domain.DownKind(conditions); got != want {
			t.Errorf("%q: %s", conditions, got)
		}
	}
	if got := domain.DownKind(nil); got != domain.KindRehabilitation {
		t.Errorf("of nothing known: %s", got)
	}
}

func TestALongStayIsWatchedFromAdmissionToItsEnd(t *testing.T) {
	t.Parallel()
	r := domain.Restore(inState(domain.KindInpatient, domain.StateArrived))
	c := command(r, domain.ActionAdmit, domain.Receiver)
	c.Carry.StayDays = 10
	decided := func(c domain.Command) []domain.Deadline {
		t.Helper()
		if err := r.Decide(c, calendar(t)); err != nil {
			t.Fatal(err)
		}
		all := r.Changes()
		return all[len(all)-1].Aside
	}
	if got := decided(c); len(got) != 1 || got[0] != (domain.Deadline{Step: domain.StepStay, Due: now.AddDate(0, 0, 10)}) {
		t.Errorf("admitted: %v", got)
	}
	if got := decided(command(r, domain.ActionConclude, domain.Receiver)); len(got) != 1 || got[0] != (domain.Deadline{Step: domain.StepStay}) {
		t.Errorf("concluded: %v", got)
	}
}
