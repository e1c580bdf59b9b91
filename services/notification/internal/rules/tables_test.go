package rules_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/rules"
)

// shipped is the table as it is shipped; the test of its own says that it can be read.
func shipped() domain.Table {
	table, _ := rules.New(nil)
	return table
}

// up is of a referral that was sent before, from a centre to a department of the hospital.
func up(event string) domain.Fact {
	return domain.Fact{
		ID: "f", Event: event, ReferralID: "r", Direction: domain.Up, Urgency: "ROUTINE", PreviousState: "SUBMITTED",
		OriginatorAccountID: "writer", OriginatorOrganizationID: "centre",
		ReceiverOrganizationID: "hospital", ReceiverDepartmentCode: "0304", ActorOrganizationID: "hospital",
		Candidate: domain.Candidate{ID: "c", OrganizationID: "hospital", DepartmentCode: "05"},
		GlassID:   "g", HomeOrganizationID: "centre",
	}
}

// down is the same the other way.
func down(event string) domain.Fact {
	f := up(event)
	f.Direction, f.FamilyDoctor = domain.Down, "family"
	f.OriginatorOrganizationID, f.OriginatorDepartmentCode = "hospital", "0304"
	f.ReceiverOrganizationID, f.ReceiverDepartmentCode = "centre", ""
	f.ActorOrganizationID = "centre"
	return f
}

// by is the fact as somebody of the organisation caused it.
func by(f domain.Fact, organization string) domain.Fact {
	f.ActorOrganizationID = organization
	return f
}

// late is the fact of a limit that passed.
func late(f domain.Fact, step string, level int32) domain.Fact {
	f.Event, f.Deadline = domain.DeadlinePassed, domain.Deadline{Step: step, Level: level}
	return f
}

// who prints recipients shortly: the account, or else the roles, at the organisation and department.
func who(f domain.Fact) []string {
	var out []string
	for _, r := range shipped().Recipients(f) {
		s := strings.Join(r.Roles, "+")
		if r.AccountID != "" {
			s = r.AccountID + " or " + s
		}
		if s += " at " + r.OrganizationID; r.Anywhere {
			s = strings.Join(r.Roles, "+") + " anywhere"
		}
		if r.DepartmentCode != "" {
			s += "/" + r.DepartmentCode
		}
		out = append(out, s)
	}
	return out
}

// People of the two sides, as who prints them.
const (
	desk          = "INTAKE_DESK at hospital"
	department    = "SPECIALIST+DEPARTMENT_HEAD at hospital/0304"
	specialists   = "SPECIALIST at hospital/0304"
	chief         = "DEPARTMENT_HEAD at hospital/0304"
	candidates    = "SPECIALIST+DEPARTMENT_HEAD at hospital/05"
	centre        = "TOWNSHIP_DOCTOR+CENTRE_HEAD at centre"
	doctors       = "TOWNSHIP_DOCTOR at centre"
	centreHead    = "CENTRE_HEAD at centre"
	familyDoctor  = "family or TOWNSHIP_DOCTOR at centre"
	upWriter      = "writer or TOWNSHIP_DOCTOR at centre"
	downWriter    = "writer or SPECIALIST+DEPARTMENT_HEAD at hospital/0304"
	administrator = "COUNTY_ADMIN anywhere"
	auditors      = "AUDITOR anywhere"
)

// Invariant 1. Whoever is told of a fact, up and down; a fact that is not here reaches nobody.
func TestTheRulesSayWhoIsTold(t *testing.T) {
	t.Parallel()
	type told struct{ up, down []string }
	table := map[string]told{
		"submitted":         {[]string{desk}, []string{centre}},
		"resubmitted":       {[]string{desk}, []string{centre}},
		"redirected":        {[]string{desk, upWriter}, []string{centre, downWriter}},
		"cancelled":         {[]string{desk}, []string{centre}},
		"departed":          {[]string{desk}, []string{centre}},
		"acknowledged":      {[]string{desk}, []string{centre}},
		"consent_recorded":  {[]string{desk}, []string{centre}},
		"bounce_back_found": {[]string{upWriter, chief}, []string{downWriter, centreHead}},
		"person_merged":     {[]string{desk, upWriter}, []string{centre, downWriter}},
		"candidate_found":   {[]string{candidates}, []string{candidates}},
		// Whoever of the home centre did it itself is not told of it.
		domain.GlassBroken:   {[]string{centre, auditors}, []string{auditors}},
		domain.VisitDeclared: {[]string{centre}, nil},
		// Whoever took the withdrawal down knows it.
		domain.ConsentWithdrawn: {[]string{"INTAKE_DESK+TOWNSHIP_DOCTOR+CENTRE_HEAD at centre"}, []string{"INTAKE_DESK+TOWNSHIP_DOCTOR+CENTRE_HEAD at hospital"}},
		// A centre's own wards are no news to it.
		domain.EncounterOpened:    {[]string{centre}, nil},
		domain.EncounterClosed:    {[]string{centre}, nil},
		domain.EncounterCancelled: {[]string{centre}, nil},
		domain.BookingMoved:       {[]string{desk, upWriter}, []string{centre, downWriter}},
		domain.SessionCancelled:   {[]string{desk, upWriter}, []string{centre, downWriter}},
		domain.WaitlistOffered:    {[]string{desk, upWriter}, []string{centre, downWriter}},
		domain.WaitlistEnded:      {[]string{desk, upWriter}, []string{centre, downWriter}},
		domain.AlarmRang:          {[]string{desk, department}, []string{centre}},
		domain.CallDue:            {[]string{upWriter}, []string{downWriter}},
		domain.Reminder:           {},
	}
	for _, event := range []string{
		"accepted", "rebooked", "returned", "declined", "answered", "arrived", "admitted", "no_show", "concluded", "follow_up_begun", "escalated",
		"completed", "message_posted", "corrected", "assessed",
	} {
		table[event] = told{[]string{upWriter}, []string{downWriter}}
	}
	for _, event := range []string{
		"created", "edited", "seen", "arrival_undone", "admission_undone", "visit_recorded", "plan_revised", "recorded_out", "candidate_dismissed",
		"candidate_rested", "candidate_resumed",
		"deadline_passed", "unheard_of",
	} {
		table[event] = told{}
	}
	for _, r := range shipped().Rules {
		if _, ok := table[r.Event]; !ok {
			t.Errorf("nobody said who is told of %s", r.Event)
		}
	}
	for event, want := range table {
		if got := who(up(event)); !slices.Equal(got, want.up) {
			t.Errorf("up, %s tells %q, want %q", event, got, want.up)
		}
		if got := who(down(event)); !slices.Equal(got, want.down) {
			t.Errorf("down, %s tells %q, want %q", event, got, want.down)
		}
		if slices.Contains([]string{domain.GlassBroken, domain.VisitDeclared, domain.ConsentWithdrawn, domain.EncounterOpened, domain.EncounterClosed, domain.EncounterCancelled,
			domain.BookingMoved, domain.SessionCancelled, domain.WaitlistOffered, domain.WaitlistEnded, domain.AlarmRang, domain.CallDue}, event) {
			continue // not of a referral
		}
		if want.up != nil && !slices.Contains(shipped().Events(), event) {
			t.Errorf("%s is not read", event)
		}
	}
}

// Invariant 1. Who is told when a limit has passed: on the first rung, the second, the third and from there on.
func TestTheLaddersSayWhoIsToldThatALimitPassed(t *testing.T) {
	t.Parallel()
	type ladder [3]string
	for step, want := range map[string]struct{ up, down ladder }{
		"ANSWER":              {ladder{desk, chief, administrator}, ladder{doctors, centreHead, administrator}},
		"MISSING_INFORMATION": {ladder{upWriter, centreHead, administrator}, ladder{downWriter, chief, administrator}},
		"ARRIVAL":             {},
		"REPLY":               {ladder{specialists, chief, administrator}, ladder{doctors, centreHead, administrator}},
		"FIRST_CONTACT":       {down: ladder{familyDoctor, centreHead, administrator}},
		"VISIT":               {down: ladder{familyDoctor, centreHead, administrator}},
		"ACKNOWLEDGE":         {},
		"CONSENT":             {ladder{upWriter, centreHead}, ladder{downWriter, chief}},
		"DOWN_DECISION":       {up: ladder{specialists, chief, administrator}},
		"NORM_CHECK":          {ladder{upWriter, centreHead}, ladder{familyDoctor, centreHead}},
		"STAY":                {up: ladder{specialists}},
		"UNHEARD_OF":          {},
	} {
		for level := range int32(7) {
			rung := func(l ladder) []string {
				if level == 0 || l[min(level, 3)-1] == "" {
					return nil
				}
				return []string{l[min(level, 3)-1]}
			}
			onlyDown, onlyUp := want.up == ladder{} && want.down != ladder{}, want.down == ladder{} && want.up != ladder{}
			if got := who(late(up(""), step, level)); !onlyDown && !slices.Equal(got, rung(want.up)) {
				t.Errorf("up, %s %d tells %q, want %q", step, level, got, rung(want.up))
			}
			if got := who(late(down(""), step, level)); !onlyUp && !slices.Equal(got, rung(want.down)) {
				t.Errorf("down, %s %d tells %q, want %q", step, level, got, rung(want.down))
			}
		}
	}
}

func TestMessagesAndCorrectionsReachTheOtherSide(t *testing.T) {
	t.Parallel()
	for _, event := range []string{"message_posted", "corrected"} {
		for name, c := range map[string]struct {
			fact domain.Fact
			want []string
		}{
			"up, from the centre":     {by(up(event), "centre"), []string{desk, department}},
			"up, from the hospital":   {by(up(event), "hospital"), []string{upWriter}},
			"up, from one before":     {by(up(event), "first hospital"), []string{upWriter}},
			"down, from the hospital": {by(down(event), "hospital"), []string{doctors}},
			"down, from the centre":   {by(down(event), "centre"), []string{downWriter}},
		} {
			if got := who(c.fact); !slices.Equal(got, c.want) {
				t.Errorf("%s %s: %q, want %q", event, name, got, c.want)
			}
		}
	}
}

func TestAnEmergencyAlsoReachesTheDepartment(t *testing.T) {
	t.Parallel()
	f := up("submitted")
	f.Urgency = "EMERGENCY"
	if got := who(f); !slices.Equal(got, []string{desk, department}) {
		t.Errorf("%q", got)
	}
}

func TestWithoutADepartmentTheDeskStandsInForIt(t *testing.T) {
	t.Parallel()
	emergency := up("submitted")
	emergency.Urgency = "EMERGENCY"
	for i, f := range []domain.Fact{emergency, late(up(""), "ANSWER", 2), late(up(""), "REPLY", 1)} {
		f.ReceiverDepartmentCode = ""
		if got := who(f); !slices.Equal(got, []string{desk}) {
			t.Errorf("%d: %q", i, got)
		}
	}
	f := down("accepted")
	f.OriginatorDepartmentCode = ""
	if got := who(f); !slices.Equal(got, []string{"writer or " + desk}) {
		t.Errorf("down: %q", got)
	}
}

func TestAWithdrawalOfWhatIsSensitiveReachesTheHomesHeadAndWhoeverHoldsARelation(t *testing.T) {
	fact := domain.Fact{
		Event: domain.ConsentWithdrawn, PatientID: "p", ActorOrganizationID: "hospital", HomeOrganizationID: "home", HolderOrganizationIDs: []string{"home", "hospital", "other"},
	}
	var told []string
	for _, r := range shipped().Recipients(fact) {
		told = append(told, strings.Join(r.Roles, "+")+" at "+r.OrganizationID)
	}
	if want := []string{"CENTRE_HEAD at home", "INTAKE_DESK+TOWNSHIP_DOCTOR+CENTRE_HEAD at other"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	fact.ActorOrganizationID = "home"
	if got := shipped().Recipients(fact); len(got) != 2 || got[0].OrganizationID != "hospital" || got[1].OrganizationID != "other" {
		t.Errorf("by the home centre: %v", got)
	}
}

func TestACancelledDraftReachesNobody(t *testing.T) {
	t.Parallel()
	f := up("cancelled")
	f.PreviousState = "DRAFT"
	if got := who(f); got != nil {
		t.Error(got)
	}
}

// Whatever was told of a step is over with the first fact that answers it; edited answers nothing, it is on the way there.
func TestAnAnswerEndsWhatItAnswers(t *testing.T) {
	t.Parallel()
	steps := []string{
		"ANSWER", "MISSING_INFORMATION", "ARRIVAL", "REPLY", "FIRST_CONTACT", "VISIT", "ACKNOWLEDGE", "CONSENT", "DOWN_DECISION", "NORM_CHECK", "STAY",
	}
	main := steps[:7]
	want := map[string][]string{
		"edited": nil, "seen": nil, "departed": nil, "message_posted": nil, "deadline_passed": nil, "submitted": nil,
		"consent_recorded": {"CONSENT"}, "candidate_dismissed": {"DOWN_DECISION", "STAY"}, "candidate_rested": {"DOWN_DECISION", "STAY"}, "candidate_resumed": nil,
		"declined": append(main[:7:7], "CONSENT", "NORM_CHECK"), "cancelled": append(main[:7:7], "CONSENT", "NORM_CHECK"),
		"concluded": append(main[:7:7], "STAY"), "arrival_undone": append(main[:7:7], "STAY"), "admission_undone": append(main[:7:7], "STAY"),
	}
	for _, event := range []string{"follow_up_begun", "visit_recorded", "escalated", "completed"} {
		want[event] = append(main[:7:7], "NORM_CHECK")
	}
	for _, event := range []string{
		"returned", "resubmitted", "redirected", "accepted", "rebooked", "answered", "arrived", "no_show", "admitted", "acknowledged", "plan_revised",
	} {
		want[event] = main
	}
	for event, ended := range want {
		referral, waits := domain.Ends(up(event))
		if len(waits) > 0 && referral != "r" {
			t.Errorf("%s ends a wait of %q", event, referral)
		}
		for _, step := range steps {
			if got := slices.Contains(waits, domain.WaitOf(step)); got != slices.Contains(ended, step) {
				t.Errorf("%s ends %s: %v", event, step, got)
			}
		}
		if len(waits) > 0 && !slices.Contains(shipped().Events(), event) {
			t.Errorf("%s is not read", event)
		}
	}
}

func TestADownReferralThatAnswersIsTheDecision(t *testing.T) {
	t.Parallel()
	f := down("submitted")
	f.ReplyTo = "up"
	if referral, waits := domain.Ends(f); referral != "up" || !slices.Equal(waits, []domain.Wait{"DOWN_DECISION", "STAY"}) {
		t.Errorf("%v of %q", waits, referral)
	}
	f.Direction = domain.Up
	if _, waits := domain.Ends(f); len(waits) != 0 {
		t.Errorf("an up-referral that follows another: %v", waits)
	}
}

func TestAnEntryIsAcknowledgedOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC)
	e, err := domain.NewEntry("450321", "e", "a", up("accepted"), now)
	if err != nil || e.Data().Version() != 1 {
		t.Fatal(err)
	}
	e.Acknowledge(now.Add(time.Minute))
	e.Acknowledge(now.Add(time.Hour))
	if got := e.Data(); !got.AcknowledgeTime.Equal(now.Add(time.Minute)) || got.Version() != 2 {
		t.Errorf("acknowledged at %s, version %d", got.AcknowledgeTime, got.Version())
	}
}

func TestAnEntryHasAPersonAndIsAboutAReferralOrACandidate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC)
	for i, c := range []struct {
		account, referral, candidate string
		want                         error
	}{
		{"a", "r", "", nil}, {"a", "", "c", nil}, {"a", "", "", domain.ErrIncomplete}, {"", "r", "", domain.ErrIncomplete},
	} {
		f := up("candidate_found")
		f.ReferralID, f.Candidate.ID, f.GlassID = c.referral, c.candidate, ""
		if _, err := domain.NewEntry("450321", "e"+strconv.Itoa(i), c.account, f, now); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
