//go:build e2e

package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// cardiology is the department of the specialist and the head.
const cardiology = "0304"

// life is one patient who goes up, comes down, gets worse and goes up again.
type life struct {
	cast
	patient         string
	up, down, again *referralv1.Referral
}

func TestAPatientComesDownGetsWorseAndGoesUpAgain(t *testing.T) {
	everywhere(t, func(t *testing.T, s *harness.System) {
		l := life{cast: signInAll(t, s)}
		l.patient = l.cast.patient(t, "莫来回")
		l.goesUp(t)
		draft := l.isFound(t)
		l.isSentDown(t, draft)
		l.isFollowedUp(t)
		l.getsWorse(t)
		l.bouncesBack(t)
		l.checkTimelines(t)
		l.checkNews(t)
		l.rests(t, s, settleTime)
		l.checkFigures(t)
		l.checkCases(t)
		_, err := s.Command(t.Context(), "admin", "statistics", "check", "--county", harness.County)
		must(t, err)
		s.Stop(t)
		s.CheckAudit(t, true)
	})
}

// read is a referral as it is now.
func read(t *testing.T, p *harness.Person, referralID string) *referralv1.Referral {
	t.Helper()
	return get[referralv1.Referral](t, p, "/referrals/"+referralID)
}

// plainly carries out what needs a version alone.
func plainly(t *testing.T, p *harness.Person, r *referralv1.Referral, action string) *referralv1.Referral {
	t.Helper()
	return act(t, p, r, action, &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
}

func acceptWalkIn(t *testing.T, p *harness.Person, r *referralv1.Referral) *referralv1.Referral {
	t.Helper()
	return act(t, p, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), WalkIn: walkIn()})
}

// day is a local day of the county, so many days from today.
func day(days int) string {
	return time.Now().In(time.FixedZone("Asia/Shanghai", 8*60*60)).AddDate(0, 0, days).Format(time.DateOnly)
}

// heart is an up-referral with coronary heart disease and hypertension.
func (l *life) heart() *referralv1.CreateReferralRequest {
	r := l.upward(l.patient, cardiology)
	r.Kind = commonv1.Kind_INPATIENT
	r.Diagnoses = []*commonv1.Coding{{Code: "I25.1", Display: "动脉硬化性心脏病"}, {Code: "I10", Display: "特发性(原发性)高血压"}}
	r.Form = &referralv1.Form{InitialImpression: "冠心病 心绞痛", PresentIllness: "反复胸闷三天，活动后加重", PastHistory: "高血压病", Treatment: "已服阿司匹林"}
	return r
}

// discharge is what the county gives the patient: the centre has one, can replace one, can order one and lacks one.
func discharge() []*referralv1.ReplyMedication {
	return []*referralv1.ReplyMedication{
		{Name: "阿司匹林肠溶片", Specification: "100mg", Dosage: "每日1次，每次1片"},
		{Name: "琥珀酸美托洛尔缓释片", Specification: "47.5mg", Dosage: "每日1次，每次1片"},
		{Name: "沙库巴曲缬沙坦钠片", Specification: "100mg", Dosage: "每日2次，每次半片"},
		{Name: "盐酸伊伐布雷定片", Specification: "5mg", Dosage: "每日2次，每次1片"},
	}
}

// lacking is the place of the medicine that the centre does not have.
const lacking = 3

func availabilities(medicines []*referralv1.DischargeMedicine) []string {
	var out []string
	for _, m := range medicines {
		out = append(out, m.GetAvailability())
	}
	return out
}

// goesUp: sent, accepted, on the way, arrived, admitted, talked about, concluded, judged.
func (l *life) goesUp(t *testing.T) {
	t.Helper()
	r := post[referralv1.Referral](t, l.township, "/referrals", l.heart())
	l.hasChecks(t, 1)
	r = acceptWalkIn(t, l.desk, r)
	expected := timestamppb.New(time.Now().Add(2 * time.Hour))
	r = act(t, l.township, r, "depart", &referralv1.DepartRequest{RequestId: id.New(), Transport: "AMBULANCE", ExpectedArrival: expected})
	if seen := read(t, l.desk, r.GetId()); seen.GetTransport() != "AMBULANCE" || seen.GetDepartTime() == nil || seen.GetExpectedArrival().GetSeconds() != expected.GetSeconds() {
		t.Errorf("the desk sees the patient come by %q since %v", seen.GetTransport(), seen.GetDepartTime())
	}
	r = plainly(t, l.desk, r, "arrive")
	r = act(t, l.specialist, r, "admit", &referralv1.AdmitRequest{RequestId: id.New(), Version: r.GetVersion(), Ward: "心内科病区", Bed: "7"})
	post[referralv1.Message](t, l.specialist, "/referrals/"+r.GetId()+"/messages", &referralv1.PostMessageRequest{RequestId: id.New(), Text: "院外用药请补充"})
	post[referralv1.Message](t, l.township, "/referrals/"+r.GetId()+"/messages", &referralv1.PostMessageRequest{RequestId: id.New(), Text: "平时服氨氯地平"})
	thread := get[referralv1.ListMessagesResponse](t, l.township, "/referrals/"+r.GetId()+"/messages").GetMessages()
	if len(thread) != 2 || thread[0].GetAuthor().GetName() != l.specialist.Account.GetName() || thread[1].GetText() != "平时服氨氯地平" {
		t.Errorf("the thread is %v", thread)
	}
	answer := reply()
	answer.Diagnosis, answer.Findings, answer.Medications = "冠状动脉粥样硬化性心脏病", "冠脉造影：前降支狭窄 70%", discharge()
	r = act(t, l.specialist, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: answer})
	act(t, l.head, r, "assess", &referralv1.AssessRequest{RequestId: id.New(), Verdict: "NECESSARY", Note: "指征明确"})
	l.up = read(t, l.township, r.GetId())
	if l.up.GetState() != referralv1.State_CONCLUDED || l.up.GetVerdict() != "NECESSARY" || l.up.GetVerdictNote() != "指征明确" {
		t.Errorf("the township sees state %s and verdict %q", l.up.GetState(), l.up.GetVerdict())
	}
}

// candidate is the only one that a person sees in a state.
func (l *life) candidate(t *testing.T, state string) *referralv1.Candidate {
	t.Helper()
	list := get[referralv1.ListCandidatesResponse](t, l.specialist, "/candidates?state="+state).GetCandidates()
	if len(list) != 1 {
		t.Fatalf("%d candidates are %q, want one", len(list), state)
	}
	return list[0]
}

// stocked waits until the centre's list of medicines, which comes as facts, is known where the candidate is; it answers what the list says of the discharge.
func (l *life) stocked(t *testing.T) []string {
	t.Helper()
	want := []string{"IN_STOCK", "SUBSTITUTE", "ORDERABLE", "MISSING"}
	eventually(t, "formulary of the centre", func() bool {
		return slices.Equal(availabilities(l.candidate(t, "OPEN").GetMedicines()), want)
	})
	return want
}

// isFound: the department has the patient on its list, with all that it needs, and one click makes the draft.
func (l *life) isFound(t *testing.T) *referralv1.Referral {
	t.Helper()
	want := l.stocked(t)
	c := l.candidate(t, "OPEN")
	matched := slices.ContainsFunc(c.GetReasons(), func(r *referralv1.CandidateReason) bool { return r.GetCode() == "DN-CHD-01" && r.GetText() != "" })
	if c.GetReferralId() != l.up.GetId() || c.GetPatientId() != l.patient || c.GetCentreId() != l.centre || c.GetFamilyDoctor() != l.township.Account.GetId() ||
		c.GetOrigin() != "CONCLUDED" || !matched || c.GetDueTime() == nil {
		t.Errorf("the candidate is %v", c)
	}
	_, err := harness.Call[referralv1.ListCandidatesResponse](t.Context(), l.township, http.MethodGet, "/candidates", nil)
	refused(t, err, http.StatusForbidden, "ROLE")
	draft := post[referralv1.Referral](t, l.specialist, "/candidates/"+c.GetId()+":refer", &referralv1.ReferCandidateRequest{RequestId: id.New()})
	again := post[referralv1.Referral](t, l.head, "/candidates/"+c.GetId()+":refer", &referralv1.ReferCandidateRequest{RequestId: id.New()})
	if draft.GetState() != referralv1.State_DRAFT || draft.GetDirection() != commonv1.Direction_DOWN || draft.GetKind() != commonv1.Kind_CHRONIC ||
		draft.GetReplyTo() != l.up.GetId() || draft.GetLinkKind() != "ANSWERS" || draft.GetReceiver().GetOrganizationId() != l.centre ||
		draft.GetForm().GetNextPlan() != reply().GetNextSteps() || !slices.Equal(availabilities(draft.GetMedicines()), want) {
		t.Errorf("the draft is %v", draft)
	}
	if again.GetId() != draft.GetId() || l.candidate(t, "").GetState() != "REFERRED" {
		t.Error("the second click made a second draft, or the candidate is not noted as referred")
	}
	return draft
}

// isSentDown: not before it is decided what becomes of the medicine that the centre lacks.
func (l *life) isSentDown(t *testing.T, draft *referralv1.Referral) {
	t.Helper()
	path := "/referrals/" + draft.GetId()
	submit := &referralv1.SubmitRequest{
		RequestId: id.New(), Version: draft.GetVersion(), Consent: &referralv1.Consent{GivenBy: "莫来回", Relation: "0", Method: "SIGNED"},
	}
	_, err := harness.Call[referralv1.Referral](t.Context(), l.specialist, http.MethodPost, path+":submit", submit)
	if e := refused(t, err, http.StatusBadRequest, ""); len(e.Fields) != 1 || e.Fields["medicines[3].decision"] == "" {
		t.Errorf("what is undecided is refused for %v", e.Fields)
	}
	l.checksMedicines(t, draft.GetMedicines())
	medicines := draft.GetMedicines()
	medicines[lacking].Decision, medicines[lacking].DecisionNote = "COUNTY_DISPENSES", "带药 28 天"
	draft, err = harness.Call[referralv1.Referral](t.Context(), l.specialist, http.MethodPatch, path, &referralv1.EditReferralRequest{
		RequestId: id.New(), Version: draft.GetVersion(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"medicines", "form.rehabilitation_advice"}},
		Referral: &referralv1.CreateReferralRequest{
			PatientId: l.patient, Direction: draft.GetDirection(), Kind: draft.GetKind(), Medicines: medicines,
			Form: &referralv1.Form{RehabilitationAdvice: "每日步行 30 分钟，避免劳累"},
		},
	})
	must(t, err)
	_, err = harness.Call[referralv1.Referral](t.Context(), l.township, http.MethodGet, path, nil)
	refused(t, err, http.StatusNotFound, "")
	submit.RequestId, submit.Version = id.New(), draft.GetVersion()
	l.down = act(t, l.specialist, draft, "submit", submit)
	if m := l.down.GetMedicines()[lacking]; l.down.GetState() != referralv1.State_SUBMITTED || m.GetAvailability() != "MISSING" || m.GetDecision() != "COUNTY_DISPENSES" {
		t.Errorf("sent down: state %s, the missing medicine %v", l.down.GetState(), m)
	}
	if c := l.candidate(t, "CLOSED"); c.GetDownReferralId() != l.down.GetId() {
		t.Errorf("the candidate was closed by %q", c.GetDownReferralId())
	}
	if open := get[referralv1.ListCandidatesResponse](t, l.specialist, "/candidates").GetCandidates(); len(open) != 0 {
		t.Errorf("%d candidates are still on the list", len(open))
	}
	if up := read(t, l.township, l.up.GetId()); up.GetDownReferral() != l.down.GetId() {
		t.Errorf("the up-referral is answered by %q", up.GetDownReferral())
	}
}

// checksMedicines: what the centre has instead and can do, and how long a prescription may be.
func (l *life) checksMedicines(t *testing.T, medicines []*referralv1.DischargeMedicine) {
	t.Helper()
	request := &referralv1.CheckMedicinesRequest{OrganizationId: l.centre}
	for i, m := range medicines {
		asked := proto.CloneOf(m)
		asked.Days = []int32{28, 29, 85, 0}[i]
		request.Medicines = append(request.Medicines, asked)
	}
	answer := post[referralv1.CheckMedicinesResponse](t, l.specialist, "/medicines:check", request)
	var limits []string
	for _, c := range answer.GetChecks() {
		limits = append(limits, strings.Join(c.GetLongPrescription(), "+"))
	}
	if !answer.GetFormularyKnown() || !slices.Contains(answer.GetCapabilities(), "REHABILITATION") || len(answer.GetChecks()[1].GetSubstitutes()) == 0 ||
		!slices.Equal(limits, []string{"", "OVER_4_WEEKS", "OVER_12_WEEKS", ""}) {
		t.Errorf("the centre's list: known %v, can %v, limits %q, substitutes %v", answer.GetFormularyKnown(), answer.GetCapabilities(), limits,
			answer.GetChecks()[1].GetSubstitutes())
	}
}

// open are the planned visits that are still due at a centre, and the checks that a norm asks for.
func (l *life) open(t *testing.T, due, source string) []*referralv1.FollowUp {
	t.Helper()
	list := get[referralv1.ListFollowUpsResponse](t, l.township, "/follow-ups?due="+due+"&patientId="+l.patient).GetFollowUps()
	return slices.DeleteFunc(list, func(f *referralv1.FollowUp) bool { return f.GetSource() != source })
}

// hasChecks: the norm asks for a check of every hypertensive who was referred, within two weeks.
func (l *life) hasChecks(t *testing.T, n int) {
	t.Helper()
	checks := l.open(t, "all", "NORM")
	if len(checks) != n || checks[n-1].GetCode() != "HYPERTENSION_REFERRAL_CHECK" || checks[n-1].GetDue() != day(14) {
		t.Errorf("the norm's checks are %v, want %d", checks, n)
	}
}
