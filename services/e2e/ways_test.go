//go:build e2e

package e2e_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func TestEveryOtherWayOfAReferral(t *testing.T) {
	everywhere(t, func(t *testing.T, s *harness.System) {
		c := signInAll(t, s)
		c.examined(t)
		c.advised(t)
		c.cameWithoutAReferral(t)
		c.leftTheCounty(t)
		c.redirected(t)
		c.missedTheDay(t)
		c.consentedLater(t)
		c.sentDownAndDeclined(t)
		c.completed(t)
		c.rests(t, s, settleTime)
		s.Stop(t)
		s.CheckAudit(t, true)
	})
}

// marked tells whether a timeline has a mark.
func marked(t *testing.T, p *harness.Person, r *referralv1.Referral, action string) *referralv1.HistoryRow {
	t.Helper()
	history := get[referralv1.ListHistoryResponse](t, p, "/referrals/"+r.GetId()+"/history").GetHistory()
	i := slices.IndexFunc(history, func(row *referralv1.HistoryRow) bool { return row.GetAction() == action })
	if i < 0 {
		t.Fatalf("the timeline of %s has no %s", r.GetNumber(), action)
	}
	return history[i]
}

// examined: a test alone; what was found is the reply, and a slip in it is corrected beside what stood there.
func (c cast) examined(t *testing.T) {
	request := c.upward(c.patient(t, "莫检查"), "32")
	request.Kind, request.Urgency = commonv1.Kind_EXAM, commonv1.Urgency_ROUTINE
	_, err := harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals", request)
	if e := refused(t, err, http.StatusBadRequest, ""); len(e.Fields) != 1 || e.Fields["examItems"] == "" {
		t.Fatalf("an examination of nothing is refused for %v", e.Fields)
	}
	request.RequestId, request.ExamItems = id.New(), []*commonv1.Coding{{Code: "CT-HEAD", Display: "头颅CT平扫"}}
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	r = acceptWalkIn(t, c.desk, r)
	r = plainly(t, c.desk, r, "arrive")
	admit := &referralv1.AdmitRequest{RequestId: id.New(), Version: r.GetVersion(), Ward: "病区", Bed: "1"}
	_, err = harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":admit", admit)
	refused(t, err, http.StatusPreconditionFailed, "ACTION_NOT_AVAILABLE")
	r = act(t, c.desk, r, "conclude", &referralv1.ConcludeRequest{
		RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "UNCHANGED", Reply: &referralv1.Reply{Findings: "未见出雪"},
	})
	correct := &referralv1.CorrectRequest{
		RequestId: id.New(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"reply.findings"}}, ReasonCode: "TYPING_ERROR",
		Referral: &referralv1.Referral{Reply: &referralv1.Reply{Findings: "未见出血"}},
	}
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals/"+r.GetId()+":correct", correct)
	refused(t, err, http.StatusBadRequest, "")
	act(t, c.desk, r, "correct", correct)
	seen := read(t, c.township, r.GetId())
	list := get[referralv1.ListCorrectionsResponse](t, c.township, "/referrals/"+r.GetId()+"/corrections").GetCorrections()
	if seen.GetReply().GetFindings() != "未见出血" || seen.GetCorrections() != 1 || seen.GetVersion() != r.GetVersion() || len(list) != 1 ||
		list[0].GetFields()[0].GetBefore() != "未见出雪" || list[0].GetFields()[0].GetAfter() != "未见出血" || list[0].GetReasonCode() != "TYPING_ERROR" {
		t.Errorf("after the correction: %v, corrections %v", seen.GetReply(), list)
	}
	plainly(t, c.township, seen, "acknowledge")
}

// advised: a question, its answer, and a referral with the same text.
func (c cast) advised(t *testing.T) {
	request := c.upward(c.patient(t, "莫会诊"), cardiology)
	request.Kind, request.Urgency = commonv1.Kind_ADVICE, commonv1.Urgency_ROUTINE
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	accept := &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), WalkIn: walkIn()}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":accept", accept)
	refused(t, err, http.StatusPreconditionFailed, "ACTION_NOT_AVAILABLE")
	r = act(t, c.specialist, r, "answer", &referralv1.AnswerRequest{RequestId: id.New(), Version: r.GetVersion(), Answer: "建议完善冠脉CT，可门诊就诊"})
	if r.GetState() != referralv1.State_CONCLUDED || r.GetReply().GetAnswer() != "建议完善冠脉CT，可门诊就诊" {
		t.Errorf("answered: state %s, answer %q", r.GetState(), r.GetReply().GetAnswer())
	}
	convert := &referralv1.ConvertRequest{RequestId: id.New(), Kind: commonv1.Kind_OUTPATIENT}
	draft := act(t, c.township, r, "convert", convert)
	again := act(t, c.township, r, "convert", convert)
	if draft.GetState() != referralv1.State_DRAFT || draft.GetKind() != commonv1.Kind_OUTPATIENT || draft.GetReplyTo() != r.GetId() || draft.GetLinkKind() != "CONVERTED" ||
		draft.GetForm().GetPresentIllness() != request.GetForm().GetPresentIllness() || again.GetId() != draft.GetId() {
		t.Errorf("converted: %v", draft)
	}
	sent := act(t, c.township, draft, "submit", &referralv1.SubmitRequest{RequestId: id.New(), Version: draft.GetVersion()})
	links := get[referralv1.ListLinksResponse](t, c.desk, "/referrals/"+r.GetId()+"/links").GetLinks()
	if len(links) != 1 || links[0].GetKind() != "CONVERTED_TO" || links[0].GetReferralId() != sent.GetId() {
		t.Errorf("the question's links are %v", links)
	}
}

// cameWithoutAReferral: the desk notes it afterwards, and it is the township's from then on.
func (c cast) cameWithoutAReferral(t *testing.T) {
	patient, err := register(t.Context(), c.desk, "莫自来", id.New())
	must(t, err)
	arrival := &referralv1.RecordArrivalRequest{
		RequestId: id.New(), PatientId: patient.GetId(), Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_URGENT,
		Originator: &commonv1.Party{OrganizationId: c.centre}, DepartmentCode: neurology, ReasonCode: "PHONE",
		Diagnoses: []*commonv1.Coding{{Code: "I63.9", Display: "脑梗死"}}, ArriveTime: timestamppb.New(time.Now().Add(-3 * time.Hour)),
	}
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals:recordArrival", arrival)
	refused(t, err, http.StatusForbidden, "ROLE")
	r := post[referralv1.Referral](t, c.desk, "/referrals:recordArrival", arrival)
	if r.GetState() != referralv1.State_ARRIVED || !r.GetRetrospective() || r.GetNumber() == "" || r.GetArriveTime().GetSeconds() != arrival.GetArriveTime().GetSeconds() {
		t.Errorf("recorded: state %s, retrospective %v, arrived %v", r.GetState(), r.GetRetrospective(), r.GetArriveTime())
	}
	eventually(t, "news of the arrival", func() bool { return maps.Equal(inbox(t, c.township, r.GetId()), map[string]int{"arrived": 1}) })
	r = act(t, c.desk, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: reply()})
	if r = plainly(t, c.township, read(t, c.township, r.GetId()), "acknowledge"); r.GetState() != referralv1.State_CLOSED {
		t.Errorf("the recorded arrival ends %s", r.GetState())
	}
}

func (c cast) leftTheCounty(t *testing.T) {
	out := &referralv1.RecordOutRequest{
		RequestId: id.New(), PatientId: c.patient(t, "莫外转"), ReasonCode: "BEYOND_COUNTY", Date: day(0),
		Diagnoses: []*commonv1.Coding{{Code: "I71.0", Display: "主动脉夹层"}},
	}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals:recordOut", out)
	if e := refused(t, err, http.StatusBadRequest, ""); len(e.Fields) != 1 || e.Fields["destination"] == "" {
		t.Fatalf("a way out to nowhere is refused for %v", e.Fields)
	}
	out.RequestId, out.Destination = id.New(), "桂林医学院附属医院"
	r := post[referralv1.Referral](t, c.township, "/referrals:recordOut", out)
	if r.GetState() != referralv1.State_CLOSED || r.GetDirection() != commonv1.Direction_OUT || r.GetDestination() != out.GetDestination() || r.GetVersion() != 1 {
		t.Errorf("recorded: state %s, direction %s, destination %q", r.GetState(), r.GetDirection(), r.GetDestination())
	}
}

// redirected: the number stays, the limit begins anew, and the history has both.
func (c cast) redirected(t *testing.T) {
	r := post[referralv1.Referral](t, c.township, "/referrals", c.upward(c.patient(t, "莫改派"), neurology))
	redirect := &referralv1.RedirectRequest{
		RequestId: id.New(), Version: r.GetVersion(), Receiver: &commonv1.Party{OrganizationId: c.hospital, DepartmentCode: neurology}, ReasonCode: "WRONG_DEPARTMENT",
	}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":redirect", redirect)
	if e := refused(t, err, http.StatusBadRequest, ""); e.Fields["receiver"] == "" {
		t.Errorf("a redirect to where it is is refused for %v", e.Fields)
	}
	redirect.RequestId, redirect.Receiver.DepartmentCode = id.New(), cardiology
	sent := act(t, c.desk, r, "redirect", redirect)
	if sent.GetNumber() != r.GetNumber() || sent.GetState() != referralv1.State_SUBMITTED || sent.GetReceiver().GetDepartmentCode() != cardiology ||
		!sent.GetDueTime().AsTime().After(r.GetDueTime().AsTime()) {
		t.Errorf("redirected: number %s, state %s, department %s, due %v after %v", sent.GetNumber(), sent.GetState(),
			sent.GetReceiver().GetDepartmentCode(), sent.GetDueTime().AsTime(), r.GetDueTime().AsTime())
	}
	for action, of := range map[string]*referralv1.Referral{"submit": r, "redirect": sent} {
		want := of.GetDueTime().AsTime().UTC().Format(time.RFC3339)
		if row := marked(t, c.township, r, action); row.GetDetail()["dueTime"] != want {
			t.Errorf("the history says of %s that the answer was due %q, want %s", action, row.GetDetail()["dueTime"], want)
		}
	}
	row := marked(t, c.township, r, "redirect")
	if row.GetReasonCode() != "WRONG_DEPARTMENT" || row.GetDetail()["fromDepartmentCode"] != neurology || row.GetDetail()["toDepartmentCode"] != cardiology {
		t.Errorf("the redirect stands in the history as %v", row)
	}
	eventually(t, "news of the redirect", func() bool { return maps.Equal(inbox(t, c.township, r.GetId()), map[string]int{"redirected": 1}) })
}

// missedTheDay: not there, another day, an arrival at the wrong desk taken back, and there after all.
func (c cast) missedTheDay(t *testing.T) {
	patient := c.patient(t, "莫爽约")
	request := c.upward(patient, neurology)
	request.HoldId = c.holdSlot(t, c.township, neurology, patient).GetId()
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	r = act(t, c.desk, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: request.GetHoldId()})
	r = plainly(t, c.desk, r, "noShow")
	if r.GetState() != referralv1.State_NO_SHOW || r.GetBookingId() != "" {
		t.Errorf("not there: state %s, booking %q", r.GetState(), r.GetBookingId())
	}
	r = act(t, c.desk, r, "rebook", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: c.holdSlot(t, c.desk, neurology, patient).GetId()})
	if r.GetState() != referralv1.State_ACCEPTED || r.GetBookingId() == "" {
		t.Errorf("rebooked: state %s, booking %q", r.GetState(), r.GetBookingId())
	}
	r = plainly(t, c.desk, r, "arrive")
	r = act(t, c.desk, r, "undoArrive", &referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "WRONG_PATIENT"})
	if r.GetState() != referralv1.State_ACCEPTED || r.GetArriveTime() != nil {
		t.Errorf("taken back: state %s, arrived %v", r.GetState(), r.GetArriveTime())
	}
	r = plainly(t, c.desk, r, "noShow")
	if r = plainly(t, c.desk, r, "arrive"); r.GetState() != referralv1.State_ARRIVED {
		t.Errorf("who comes late is %s", r.GetState())
	}
}

// consentedLater: an emergency went without; the consent comes afterwards, once.
func (c cast) consentedLater(t *testing.T) {
	request := c.upward(c.patient(t, "莫后补"), cardiology)
	request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	request.Consent = &referralv1.Consent{DeferredReason: "意识不清，家属未到"}
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	consent := &referralv1.RecordConsentRequest{RequestId: id.New(), Consent: &referralv1.Consent{GivenBy: "莫家属", Relation: "1", Method: "SIGNED"}}
	act(t, c.township, r, "recordConsent", consent)
	seen := read(t, c.desk, r.GetId())
	if seen.GetConsent().GetGivenBy() != "莫家属" || seen.GetConsent().GetDeferredReason() == "" || seen.GetConsent().GetAt() == nil || seen.GetVersion() != r.GetVersion() {
		t.Errorf("the desk sees the consent %v", seen.GetConsent())
	}
	consent.RequestId = id.New()
	_, err := harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals/"+r.GetId()+":recordConsent", consent)
	refused(t, err, http.StatusPreconditionFailed, "ACTION_NOT_AVAILABLE")
}
