//go:build e2e

package e2e_test

import (
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// everywhere runs a test on SQLite with everything in one process, and on PostgreSQL, NATS and Redis with each service in its
// own.
func everywhere(t *testing.T, test func(t *testing.T, s *harness.System)) {
	t.Run("together", func(t *testing.T) { test(t, harness.Together(t, binary, true)) })
	t.Run("separate", func(t *testing.T) { test(t, harness.Separate(t, binary)) })
}

func TestOneReferralGoesTheWholeWay(t *testing.T) {
	everywhere(t, func(t *testing.T, s *harness.System) {
		c := signInAll(t, s)
		patient := c.strokePatient(t, s)
		hold := c.holdSlot(t, c.township, neurology, patient)
		r := c.send(t, patient, hold)
		r = c.answer(t, r, hold)
		r = c.treat(t, r)
		c.checkTraces(t, r, hold)
		c.rests(t, s, settleTime)
		s.Stop(t)
		s.CheckAudit(t, true)
	})
}

// strokePatient is the synthetic one, or where that is not at hand one of the demo county.
func (c cast) strokePatient(t *testing.T, s *harness.System) string {
	t.Helper()
	if file := strokeFile(t); file != "" {
		return c.importStroke(t, s, file)
	}
	t.Log("without the shared test data (TONGZHEN_TEST_DATA) no record is imported")
	found := post[patientrecordv1.SearchPatientsResponse](t, c.township, "/patients:search", &patientrecordv1.SearchPatientsRequest{Query: "莫德昌"}).GetPatients()
	return found[0].GetId()
}

// importStroke brings the stroke patient in twice and answers the one patient that there is then.
func (c cast) importStroke(t *testing.T, s *harness.System, file string) string {
	t.Helper()
	code := organization(t, c.township).GetCode()
	results := 0
	var patient string
	for range 2 {
		_, err := s.Command(t.Context(), "import", "fhir", "--organization", code, file)
		must(t, err)
		found := post[patientrecordv1.SearchPatientsResponse](t, c.township, "/patients:search", &patientrecordv1.SearchPatientsRequest{Query: "Nolan"}).GetPatients()
		if len(found) != 1 || !strings.Contains(found[0].GetName(), "Reba") {
			t.Fatalf("%d patients are found by the name of the one who was imported", len(found))
		}
		if patient != "" && patient != found[0].GetId() {
			t.Error("the second import made another patient")
		}
		patient = found[0].GetId()
		n := len(get[patientrecordv1.ListResultsResponse](t, c.township, "/patients/"+patient+"/results?pageSize=200").GetResults())
		if results > 0 && n != results {
			t.Errorf("the second import changed the number of results from %d to %d", results, n)
		}
		results = n
	}
	summary := get[patientrecordv1.Summary](t, c.township, "/patients/"+patient+"/summary")
	stroke := false
	for _, p := range summary.GetProblems() {
		stroke = stroke || strings.Contains(p.GetText(), "Stroke")
	}
	if results == 0 || !stroke || len(summary.GetMedications()) == 0 {
		t.Errorf("the record has %d results, %d medicines, stroke among the problems: %v", results, len(summary.GetMedications()), stroke)
	}
	return patient
}

// strokeFile is the record of the synthetic patient who had a stroke; "" if it is not here.
func strokeFile(t *testing.T) string {
	t.Helper()
	data := harness.TestData()
	if data == "" {
		return ""
	}
	files, err := filepath.Glob(filepath.Join(data, "synthea-r4", "Reba_Nolan_*.json"))
	must(t, err)
	if len(files) != 1 {
		return ""
	}
	return files[0]
}

// send submits the referral with the hold, and asks for all that must be refused or change nothing.
func (c cast) send(t *testing.T, patient string, hold *schedulingv1.Hold) *referralv1.Referral {
	t.Helper()
	request := c.upward(patient, neurology)
	request.HoldId = hold.GetId()
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	if r.GetState() != referralv1.State_SUBMITTED || r.GetVersion() != 2 || r.GetNumber() == "" || r.GetHoldLost() || r.GetHoldId() != hold.GetId() {
		t.Errorf("submitted: state %s, version %d, number %q, hold %q, hold lost %v", r.GetState(), r.GetVersion(), r.GetNumber(), r.GetHoldId(), r.GetHoldLost())
	}
	again := post[referralv1.Referral](t, c.township, "/referrals", request)
	if !proto.Equal(again, r) {
		t.Errorf("the same request is answered differently:\n%v\n%v", r, again)
	}
	other := proto.CloneOf(request)
	other.Form.PresentIllness += "，加重"
	_, err := harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals", other)
	refused(t, err, http.StatusConflict, "REQUEST_ID_REUSED")
	second := proto.CloneOf(request)
	second.RequestId, second.HoldId = id.New(), ""
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, "/referrals", second)
	if e := refused(t, err, http.StatusConflict, "OPEN_REFERRAL_EXISTS"); e.Metadata["referralId"] != r.GetId() || e.Metadata["number"] != r.GetNumber() {
		t.Errorf("the refusal of a second referral names %v", e.Metadata)
	}
	_, err = harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals", second)
	refused(t, err, http.StatusForbidden, "ROLE")
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township2, http.MethodGet, "/referrals/"+r.GetId(), nil)
	refused(t, err, http.StatusNotFound, "")
	_, err = harness.Call[referralv1.ListHistoryResponse](t.Context(), c.township2, http.MethodGet, "/referrals/"+r.GetId()+"/history", nil)
	refused(t, err, http.StatusNotFound, "")
	return r
}

// answer is what the desk does: sees it, reads the record, accepts with the slot that is held.
func (c cast) answer(t *testing.T, r *referralv1.Referral, hold *schedulingv1.Hold) *referralv1.Referral {
	t.Helper()
	path := "/referrals/" + r.GetId()
	waiting := get[referralv1.ListReferralsResponse](t, c.desk, "/referrals?view=inbox&state=SUBMITTED&order=due").GetReferrals()
	if len(waiting) != 1 || waiting[0].GetId() != r.GetId() || !waiting[0].GetUnread() {
		t.Fatalf("the desk's list has %d referrals", len(waiting))
	}
	seen := act(t, c.desk, r, "markSeen", &referralv1.MarkSeenRequest{})
	if seen.GetUnread() || seen.GetVersion() != r.GetVersion() {
		t.Errorf("seen: unread %v, version %d", seen.GetUnread(), seen.GetVersion())
	}
	pack := get[patientrecordv1.Package](t, c.desk, path+"/package")
	if pack.GetPatientId() != r.GetPatientId() || len(pack.GetSummary().GetProblems()) == 0 {
		t.Errorf("the package is of patient %s with %d problems", pack.GetPatientId(), len(pack.GetSummary().GetProblems()))
	}
	accept := &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion() - 1, HoldId: hold.GetId(), Note: "带好病历"}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, path+":accept", accept)
	if e := refused(t, err, http.StatusConflict, "STALE_VERSION"); e.Metadata["version"] != "2" {
		t.Errorf("the stale version's refusal names version %q", e.Metadata["version"])
	}
	accept.Version = 0
	_, err = harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, path+":accept", accept)
	refused(t, err, http.StatusPreconditionRequired, "VERSION_REQUIRED")
	_, err = harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, path+":accept",
		&referralv1.AcceptRequest{RequestId: id.New(), HoldId: hold.GetId()}, "If-Match", `W/"1"`)
	refused(t, err, http.StatusPreconditionFailed, "STALE_VERSION")
	accept.Version = r.GetVersion()
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPost, path+":accept", accept)
	refused(t, err, http.StatusForbidden, "ROLE")
	_, err = harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, path+":arrive", &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
	refused(t, err, http.StatusPreconditionFailed, "ACTION_NOT_AVAILABLE")

	accept.RequestId = id.New()
	accepted := act(t, c.desk, r, "accept", accept)
	if accepted.GetState() != referralv1.State_ACCEPTED || accepted.GetBookingId() == "" || !proto.Equal(accepted.GetExpectedFrom(), hold.GetStart()) {
		t.Errorf("accepted: state %s, booking %q, expected %v, slot starts %v", accepted.GetState(), accepted.GetBookingId(), accepted.GetExpectedFrom(), hold.GetStart())
	}
	if again := act(t, c.desk, r, "accept", accept); !proto.Equal(again, accepted) {
		t.Error("the same acceptance is answered differently")
	}
	return accepted
}

// treat goes from arrival to the township's acknowledgement.
func (c cast) treat(t *testing.T, r *referralv1.Referral) *referralv1.Referral {
	t.Helper()
	found := post[referralv1.Referral](t, c.desk, "/referrals:find", &referralv1.FindReferralRequest{Number: strings.ReplaceAll(r.GetNumber(), "-", " ")})
	if found.GetId() != r.GetId() {
		t.Errorf("by its number %s another referral is found", r.GetNumber())
	}
	r = act(t, c.desk, found, "arrive", &referralv1.ActionRequest{RequestId: id.New(), Version: found.GetVersion()})
	r = act(t, c.specialist, r, "admit", &referralv1.AdmitRequest{RequestId: id.New(), Version: r.GetVersion(), Ward: "神经内科病区", Bed: "12"})
	_, err := harness.Call[referralv1.Referral](t.Context(), c.specialist, http.MethodPost, "/referrals/"+r.GetId()+":conclude",
		&referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), Reply: &referralv1.Reply{Diagnosis: "脑梗死"}})
	if e := refused(t, err, http.StatusBadRequest, ""); e.Fields["outcomeCode"] == "" || e.Fields["reply.treatment"] == "" || e.Fields["reply.nextSteps"] == "" {
		t.Errorf("an incomplete conclusion is refused for %v", e.Fields)
	}
	r = act(t, c.specialist, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: reply()})
	r = act(t, c.township, r, "acknowledge", &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
	if r.GetState() != referralv1.State_CLOSED || r.GetVersion() != 7 || r.GetReply().GetNextSteps() != reply().GetNextSteps() {
		t.Errorf("at the end: state %s, version %d, reply %v", r.GetState(), r.GetVersion(), r.GetReply())
	}
	return r
}

// checkTraces is what must be left behind: timeline, booking, inboxes.
func (c cast) checkTraces(t *testing.T, r *referralv1.Referral, hold *schedulingv1.Hold) {
	t.Helper()
	history := checkTimeline(t, c.township, r.GetId(),
		step{"create", referralv1.State_UNSPECIFIED, referralv1.State_DRAFT, c.township},
		step{"submit", referralv1.State_DRAFT, referralv1.State_SUBMITTED, c.township},
		step{"accept", referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, c.desk},
		step{"arrive", referralv1.State_ACCEPTED, referralv1.State_ARRIVED, c.desk},
		step{"admit", referralv1.State_ARRIVED, referralv1.State_ADMITTED, c.specialist},
		step{"conclude", referralv1.State_ADMITTED, referralv1.State_CONCLUDED, c.specialist},
		step{"acknowledge", referralv1.State_CONCLUDED, referralv1.State_CLOSED, c.township},
	)
	marks := 0
	for _, row := range history {
		if row.GetKind() == "MARK" && row.GetAction() == "seen" && row.GetActor().GetAccountId() == c.desk.Account.GetId() {
			marks++
		}
		if row.GetAction() == "accept" && row.GetNote() != "带好病历" {
			t.Errorf("the note of the acceptance is %q", row.GetNote())
		}
	}
	if marks != 1 {
		t.Errorf("the timeline has %d marks of the desk, want one", marks)
	}
	eventually(t, "settled booking", func() bool {
		b := get[schedulingv1.Booking](t, c.township, "/bookings/"+r.GetBookingId())
		return b.GetState() == schedulingv1.BookingState_LIVE && b.GetReferralId() == r.GetId() && b.GetHoldId() == hold.GetId() && b.GetSlotId() == hold.GetSlotId()
	})
	for _, who := range []struct {
		person *harness.Person
		told   map[string]int
	}{
		{c.township, map[string]int{"accepted": 1, "arrived": 1, "admitted": 1, "concluded": 1}},
		{c.desk, map[string]int{"submitted": 1, "acknowledged": 1}},
		{c.specialist, map[string]int{}}, {c.township2, map[string]int{}},
	} {
		eventually(t, "inbox of "+who.person.Account.GetLogin(), func() bool { return maps.Equal(inbox(t, who.person, r.GetId()), who.told) })
	}
	c.checkInbox(t, r.GetId())
}

// checkInbox: an entry stays until it is acknowledged, by the person whose it is.
func (c cast) checkInbox(t *testing.T, referralID string) {
	t.Helper()
	before := get[notificationv1.ListNotificationsResponse](t, c.township, "/notifications")
	first := before.GetNotifications()[0]
	_, err := harness.Call[notificationv1.Notification](t.Context(), c.desk, http.MethodPost, "/notifications/"+first.GetId()+":acknowledge", &notificationv1.AcknowledgeRequest{})
	refused(t, err, http.StatusNotFound, "")
	done := post[notificationv1.Notification](t, c.township, "/notifications/"+first.GetId()+":acknowledge", &notificationv1.AcknowledgeRequest{})
	after := get[notificationv1.ListNotificationsResponse](t, c.township, "/notifications")
	if done.GetState() != notificationv1.NotificationState_ACKNOWLEDGED || after.GetOpenCount() != before.GetOpenCount()-1 || first.GetReferralId() != referralID {
		t.Errorf("acknowledged: state %s, open %d before and %d after", done.GetState(), before.GetOpenCount(), after.GetOpenCount())
	}
}

func TestTheCountyAnswersInEveryWay(t *testing.T) {
	everywhere(t, func(t *testing.T, s *harness.System) {
		c := signInAll(t, s)
		c.returnedAndSentAgain(t)
		c.declined(t)
		c.cancelled(t)
		c.emergencyArrivesUnanswered(t)
		c.rests(t, s, settleTime)
		s.Stop(t)
		s.CheckAudit(t, true)
	})
}

func (c cast) patient(t *testing.T, name string) string {
	t.Helper()
	p, err := register(t.Context(), c.township, name, id.New())
	must(t, err)
	return p.GetId()
}

func (c cast) returnedAndSentAgain(t *testing.T) {
	patient := c.patient(t, "莫退补")
	request := c.upward(patient, neurology)
	request.Kind = commonv1.Kind_INPATIENT
	hold := post[schedulingv1.Hold](t, c.township, "/holds", &schedulingv1.CreateHoldRequest{
		RequestId: id.New(), PatientId: patient, Bed: &schedulingv1.BedRequest{OrganizationId: c.hospital, DepartmentCode: neurology},
	})
	request.HoldId = hold.GetId()
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":return",
		&referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "NO_BED"})
	if e := refused(t, err, http.StatusBadRequest, ""); e.Fields["reasonCode"] == "" {
		t.Errorf("a reason of another action is refused for %v", e.Fields)
	}
	r = act(t, c.desk, r, "return", &referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "MISSING_RESULTS", Note: "请补头颅CT"})
	r, err = harness.Call[referralv1.Referral](t.Context(), c.township, http.MethodPatch, "/referrals/"+r.GetId(), &referralv1.EditReferralRequest{
		RequestId: id.New(), Version: r.GetVersion(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"form.treatment"}},
		Referral: &referralv1.CreateReferralRequest{PatientId: patient, Direction: request.GetDirection(), Kind: request.GetKind(), Form: &referralv1.Form{Treatment: "头颅CT未见出血"}},
	})
	must(t, err)
	if r.GetForm().GetTreatment() != "头颅CT未见出血" || r.GetForm().GetPresentIllness() != request.GetForm().GetPresentIllness() {
		t.Errorf("after the edit the form is %v", r.GetForm())
	}
	r = act(t, c.township, r, "resubmit", &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
	// A question is no answer: the patient did not lose the bed to it.
	if h := get[schedulingv1.Hold](t, c.desk, "/holds/"+hold.GetId()); h.GetState() != schedulingv1.HoldState_ATTACHED || r.GetHoldId() != hold.GetId() {
		t.Errorf("sent again, the referral holds %q, and the hold is %s", r.GetHoldId(), h.GetState())
	}
	r = act(t, c.desk, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: hold.GetId()})
	checkTimeline(t, c.desk, r.GetId(),
		step{"create", referralv1.State_UNSPECIFIED, referralv1.State_DRAFT, c.township},
		step{"submit", referralv1.State_DRAFT, referralv1.State_SUBMITTED, c.township},
		step{"return", referralv1.State_SUBMITTED, referralv1.State_RETURNED, c.desk},
		step{"edit", referralv1.State_RETURNED, referralv1.State_RETURNED, c.township},
		step{"resubmit", referralv1.State_RETURNED, referralv1.State_SUBMITTED, c.township},
		step{"accept", referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, c.desk},
	)
}

func (c cast) declined(t *testing.T) {
	patient := c.patient(t, "莫谢绝")
	request := c.upward(patient, neurology)
	hold := c.holdSlot(t, c.township, neurology, patient)
	request.HoldId = hold.GetId()
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	decline := &referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "OTHER"}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":decline", decline)
	if e := refused(t, err, http.StatusBadRequest, ""); e.Fields["note"] == "" {
		t.Errorf("OTHER without a note is refused for %v", e.Fields)
	}
	decline.Note, decline.RequestId = "请先行CT检查", id.New()
	r = act(t, c.desk, r, "decline", decline)
	if r.GetState() != referralv1.State_DECLINED || r.GetReasonCode() != "OTHER" || r.GetHoldId() != "" {
		t.Errorf("declined: state %s, reason %s, hold %q", r.GetState(), r.GetReasonCode(), r.GetHoldId())
	}
	eventually(t, "news of the refusal", func() bool { return maps.Equal(inbox(t, c.township, r.GetId()), map[string]int{"declined": 1}) })
	eventually(t, "freed slot", func() bool {
		return get[schedulingv1.Hold](t, c.township, "/holds/"+hold.GetId()).GetState() == schedulingv1.HoldState_RELEASED
	})
	again := c.upward(patient, neurology)
	if r := post[referralv1.Referral](t, c.township, "/referrals", again); r.GetState() != referralv1.State_SUBMITTED {
		t.Errorf("after a refusal the patient can be sent again, but the referral is %s", r.GetState())
	}
}

func (c cast) cancelled(t *testing.T) {
	patient := c.patient(t, "莫取消")
	request := c.upward(patient, neurology)
	request.HoldId = c.holdSlot(t, c.township, neurology, patient).GetId()
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	r = act(t, c.desk, r, "accept", &referralv1.AcceptRequest{RequestId: id.New(), Version: r.GetVersion(), HoldId: request.GetHoldId()})
	booking := r.GetBookingId()
	cancel := &referralv1.ReasonRequest{RequestId: id.New(), Version: r.GetVersion(), ReasonCode: "PATIENT_IMPROVED"}
	_, err := harness.Call[referralv1.Referral](t.Context(), c.desk, http.MethodPost, "/referrals/"+r.GetId()+":cancel", cancel)
	refused(t, err, http.StatusForbidden, "ROLE")
	_, err = harness.Call[referralv1.Referral](t.Context(), c.township2, http.MethodPost, "/referrals/"+r.GetId()+":cancel", cancel)
	refused(t, err, http.StatusNotFound, "")
	r = act(t, c.township, r, "cancel", cancel)
	eventually(t, "freed booking", func() bool {
		return get[schedulingv1.Booking](t, c.township, "/bookings/"+booking).GetState() == schedulingv1.BookingState_RELEASED
	})
	eventually(t, "news of the cancellation", func() bool {
		return maps.Equal(inbox(t, c.desk, r.GetId()), map[string]int{"submitted": 1, "cancelled": 1})
	})
}

func (c cast) emergencyArrivesUnanswered(t *testing.T) {
	request := c.upward(c.patient(t, "莫急诊"), "0304")
	request.Kind, request.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	request.Consent = &referralv1.Consent{DeferredReason: "抢救中"}
	r := post[referralv1.Referral](t, c.township, "/referrals", request)
	eventually(t, "alarm of the department", func() bool {
		return maps.Equal(inbox(t, c.specialist, r.GetId()), map[string]int{"submitted": 1})
	})
	r = act(t, c.desk, r, "arrive", &referralv1.ActionRequest{RequestId: id.New(), Version: r.GetVersion()})
	r = act(t, c.specialist, r, "conclude", &referralv1.ConcludeRequest{RequestId: id.New(), Version: r.GetVersion(), OutcomeCode: "IMPROVED", Reply: reply()})
	if r.GetState() != referralv1.State_CONCLUDED {
		t.Errorf("an emergency that arrived unanswered ends %s", r.GetState())
	}
}
