//go:build e2e

package e2e_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// isFollowedUp: the township takes the patient, makes a plan and keeps two visits of it, the second of which finds him worse.
func (l *life) isFollowedUp(t *testing.T) {
	t.Helper()
	r := acceptWalkIn(t, l.township, l.down)
	r = plainly(t, l.township, r, "arrive")
	l.noVisits(t)
	templates := get[referralv1.ListFollowUpTemplatesResponse](t, l.township, "/follow-up-templates?referralId="+r.GetId()).GetTemplates()
	if templates[0].GetCode() != "CHD" {
		t.Errorf("the first template is %s", templates[0].GetCode())
	}
	begin := &referralv1.BeginFollowUpRequest{RequestId: id.New(), Version: r.GetVersion()}
	_, err := harness.Call[referralv1.Referral](t.Context(), l.township, http.MethodPost, "/referrals/"+r.GetId()+":beginFollowUp", begin)
	if e := refused(t, err, http.StatusBadRequest, ""); e.Fields["plan.condition"] == "" || e.Fields["plan.visits"] == "" {
		t.Errorf("a follow-up without a plan is refused for %v", e.Fields)
	}
	begin.Plan, begin.RequestId = templates[0].GetPlan(), id.New()
	begin.Plan.Visits = begin.GetPlan().GetVisits()[:3]
	begin.Plan.Visits[0].Due, begin.Plan.Visits[1].Due = day(0), day(7)
	r = act(t, l.township, r, "beginFollowUp", begin)
	if r.GetFamilyDoctor() != l.township.Account.GetId() {
		t.Errorf("who begins the follow-up is to see to it, not %q", r.GetFamilyDoctor())
	}
	l.hasVisit(t, 1, "today")
	r = l.visit(t, r, 1, "STABLE")
	l.hasVisit(t, 2, "all")
	if now := l.open(t, "today", "PLAN"); len(now) != 0 {
		t.Errorf("after the visit there are still due today: %v", now)
	}
	l.down = l.visit(t, r, 2, "WORSE")
	l.hasVisit(t, 3, "all")
	done := l.open(t, "done", "PLAN")
	if len(done) != 2 || done[0].GetVisit() != 2 || done[0].GetFindings().GetResult() != "WORSE" || done[1].GetVisit() != 1 {
		t.Errorf("done are %v", done)
	}
}

func (l *life) visit(t *testing.T, r *referralv1.Referral, number int32, result string) *referralv1.Referral {
	t.Helper()
	r = act(t, l.township, r, "recordVisit", &referralv1.RecordVisitRequest{
		RequestId: id.New(), Version: r.GetVersion(), Visit: number, Findings: &referralv1.Findings{
			Result: result, MedicationTaking: "REGULAR", Note: "活动后胸闷",
			Values: []*referralv1.Measured{{Name: "sbp", Number: 138, Unit: "mm[Hg]"}, {Name: "dbp", Number: 84, Unit: "mm[Hg]"}},
		},
	})
	if v := r.GetPlan().GetVisits()[number-1]; r.GetState() != referralv1.State_FOLLOW_UP || !v.GetDone() || v.GetFindings().GetResult() != result ||
		v.GetDoneBy().GetAccountId() != l.township.Account.GetId() {
		t.Errorf("after visit %d the state is %s and the visit %v", number, r.GetState(), v)
	}
	return r
}

// hasVisit: of the plan the next visit is on the list, and only that one is waited for.
func (l *life) hasVisit(t *testing.T, number int32, due string) {
	t.Helper()
	list := l.open(t, due, "PLAN")
	if len(list) == 0 || list[0].GetVisit() != number || list[0].GetReferralId() != l.down.GetId() || list[0].GetState() != "OPEN" ||
		list[0].GetFamilyDoctor() != l.township.Account.GetId() || list[0].GetPatient().GetName() == "" {
		t.Errorf("the list of %q is %v, want visit %d first", due, list, number)
	}
}

func (l *life) noVisits(t *testing.T) {
	t.Helper()
	if list := l.open(t, "all", "PLAN"); len(list) != 0 {
		t.Errorf("planned visits without a plan: %v", list)
	}
}

// getsWorse: one form closes the follow-up and sends the patient up again, both or neither.
func (l *life) getsWorse(t *testing.T) {
	t.Helper()
	escalate := &referralv1.EscalateRequest{RequestId: id.New(), Version: l.down.GetVersion(), Referral: l.heart()}
	escalate.Referral.RequestId, escalate.Referral.PatientId, escalate.Referral.Submit = "", "", false
	escalate.Referral.Form.PresentIllness = ""
	_, err := harness.Call[referralv1.Referral](t.Context(), l.township, http.MethodPost, "/referrals/"+l.down.GetId()+":escalate", escalate)
	if e := refused(t, err, http.StatusBadRequest, ""); len(e.Fields) != 1 || e.Fields["referral.form.presentIllness"] == "" {
		t.Errorf("an incomplete referral up is refused for %v", e.Fields)
	}
	if r := read(t, l.township, l.down.GetId()); r.GetVersion() != l.down.GetVersion() || r.GetState() != referralv1.State_FOLLOW_UP {
		t.Errorf("after the refusal the follow-up is %s at version %d", r.GetState(), r.GetVersion())
	}
	escalate.RequestId, escalate.Referral.Form.PresentIllness = id.New(), "出院两周后胸闷加重，休息不缓解"
	l.down = act(t, l.township, l.down, "escalate", escalate)
	if l.down.GetState() != referralv1.State_CLOSED || l.down.GetEscalatedTo() == "" {
		t.Fatalf("escalated: state %s, to %q", l.down.GetState(), l.down.GetEscalatedTo())
	}
	l.again = read(t, l.township, l.down.GetEscalatedTo())
	if l.again.GetState() != referralv1.State_SUBMITTED || l.again.GetReplyTo() != l.down.GetId() || l.again.GetLinkKind() != "WORSENED" ||
		l.again.GetPatientId() != l.patient || l.again.GetDirection() != commonv1.Direction_UP {
		t.Errorf("the new referral is %v", l.again)
	}
	l.noVisits(t)
	l.hasChecks(t, 2)
	check := post[referralv1.FollowUp](t, l.township, "/follow-ups/"+l.open(t, "all", "NORM")[0].GetId()+":record",
		&referralv1.RecordCheckRequest{RequestId: id.New(), Result: "WENT"})
	if check.GetState() != "DONE" || check.GetResult() != "WENT" {
		t.Errorf("the check that was made is %s with %q", check.GetState(), check.GetResult())
	}
	l.hasChecks(t, 1)
}

// bouncesBack: back at the county within two weeks with the same condition.
func (l *life) bouncesBack(t *testing.T) {
	t.Helper()
	r := acceptWalkIn(t, l.desk, l.again)
	if r.GetBounceBackOf() != "" {
		t.Error("a patient who is expected has bounced back already")
	}
	l.again = plainly(t, l.desk, r, "arrive")
	l.down = read(t, l.township, l.down.GetId())
	if l.again.GetBounceBackOf() != l.down.GetId() || l.down.GetBouncedBy() != l.again.GetId() {
		t.Errorf("the new referral bounces off %q, the old one is bounced by %q", l.again.GetBounceBackOf(), l.down.GetBouncedBy())
	}
	for r, want := range map[*referralv1.Referral]map[string]string{
		l.up:    {"ANSWERED_BY": l.down.GetId()},
		l.down:  {"ANSWERS": l.up.GetId(), "ESCALATED_TO": l.again.GetId(), "BOUNCED_BY": l.again.GetId()},
		l.again: {"WORSENED": l.down.GetId(), "BOUNCE_BACK_OF": l.down.GetId()},
	} {
		for _, p := range []*harness.Person{l.township, l.desk} {
			got := map[string]string{}
			for _, link := range get[referralv1.ListLinksResponse](t, p, "/referrals/"+r.GetId()+"/links").GetLinks() {
				got[link.GetKind()] = link.GetReferralId()
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s sees the links %v, want %v", p.Account.GetLogin(), got, want)
			}
		}
	}
}

// checkTimelines: what happened to the down-referral, in order; and that the table which the pages draw from has it all.
func (l *life) checkTimelines(t *testing.T) {
	t.Helper()
	const draft, submitted, accepted = referralv1.State_DRAFT, referralv1.State_SUBMITTED, referralv1.State_ACCEPTED
	const arrived, followUp, closed = referralv1.State_ARRIVED, referralv1.State_FOLLOW_UP, referralv1.State_CLOSED
	history := checkTimeline(t, l.township, l.down.GetId(),
		step{"create", referralv1.State_UNSPECIFIED, draft, l.specialist},
		step{"edit", draft, draft, l.specialist},
		step{"submit", draft, submitted, l.specialist},
		step{"accept", submitted, accepted, l.township},
		step{"arrive", accepted, arrived, l.township},
		step{"begin_follow_up", arrived, followUp, l.township},
		step{"record_visit", followUp, followUp, l.township},
		step{"record_visit", followUp, followUp, l.township},
		step{"escalate", followUp, closed, l.township},
	)
	if last := history[len(history)-1]; last.GetAction() != "bounced_by" || last.GetKind() != "MARK" || last.GetDetail()["referralId"] != l.again.GetId() {
		t.Errorf("the timeline ends with %v", last)
	}
	var names []string
	for _, a := range get[referralv1.Lifecycle](t, l.township, "/lifecycle").GetActions() {
		names = append(names, a.GetName())
	}
	for _, name := range []string{
		"create", "edit", "submit", "accept", "return", "resubmit", "redirect", "decline", "answer", "cancel", "arrive", "record_arrival",
		"undo_arrive", "no_show", "rebook", "admit", "undo_admit", "conclude", "acknowledge", "begin_follow_up", "record_visit", "escalate",
		"complete", "record_out",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("the life cycle has no %s", name)
		}
	}
}

// checkNews: who was told what, once.
func (l *life) checkNews(t *testing.T) {
	t.Helper()
	for _, want := range []struct {
		person   *harness.Person
		referral *referralv1.Referral
		told     map[string]int
	}{
		{l.township, l.up, map[string]int{"accepted": 1, "arrived": 1, "admitted": 1, "message_posted": 1, "concluded": 1, "assessed": 1}},
		{l.desk, l.up, map[string]int{"submitted": 1, "departed": 1, "message_posted": 1}},
		{l.specialist, l.up, map[string]int{"message_posted": 1, "candidate_found": 1}},
		{l.township, l.down, map[string]int{"submitted": 1}},
		{l.specialist, l.down, map[string]int{"accepted": 1, "arrived": 1, "follow_up_begun": 1, "escalated": 1}},
		{l.township, l.again, map[string]int{"accepted": 1, "arrived": 1, "bounce_back_found": 1}},
		{l.head, l.again, map[string]int{"bounce_back_found": 1}},
		{l.township2, l.up, map[string]int{}},
	} {
		got := map[string]int{}
		told := func() bool { got = inbox(t, want.person, want.referral.GetId()); return maps.Equal(got, want.told) }
		eventually(t, "news for "+want.person.Account.GetLogin()+" of the referral "+want.referral.GetNumber(), told)
	}
}
