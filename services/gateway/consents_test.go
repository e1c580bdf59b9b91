package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	recordConsentMethod   = patientrecordv1.ConsentService_RecordConsent_FullMethodName
	giveConsentMethod     = patientrecordv1.ConsentService_GiveConsent_FullMethodName
	withdrawConsentMethod = patientrecordv1.ConsentService_WithdrawConsent_FullMethodName
	getConsentMethod      = patientrecordv1.ConsentService_GetConsent_FullMethodName
	listConsentsMethod    = patientrecordv1.ConsentService_ListConsents_FullMethodName
	deferredMethod        = patientrecordv1.ConsentService_ListDeferredConsents_FullMethodName
	countDeferredMethod   = patientrecordv1.ConsentService_CountDeferredConsents_FullMethodName

	consentID    = "0192f0c1-0000-7000-8000-0000000000c5"
	consentsPage = "/patients/" + patientID + "/consents"
	consentPage  = consentsPage + "/" + consentID
)

func sampleConsent(state patientrecordv1.ConsentState_Code, scope patientrecordv1.ConsentScope_Code, actions ...string) *patientrecordv1.ConsentRecord {
	c := &patientrecordv1.ConsentRecord{
		Id: consentID, Version: 2, PatientId: patientID, Scope: scope, State: state, ReceiverOrganizationId: hospitalID, OrganizationId: townshipID, AccountName: "李医生",
		CreateTime: in(-30 * time.Hour), Actions: actions,
	}
	if scope == patientrecordv1.ConsentScope_REFERRAL {
		c.ReferralId = referralID
	}
	if state == patientrecordv1.ConsentState_DEFERRED {
		c.DeferredReason, c.DueTime, c.Overdue = markText, in(-6*time.Hour), true
		return c
	}
	c.Giving = &patientrecordv1.Giving{
		Name: markName, Relation: "2", OnBehalf: "UNABLE", Phone: markPhone, Method: "VERBAL_WITNESSED", Witness: "周护士", Time: in(-29 * time.Hour), TextVersion: "2026-1",
		AttachmentId: attachmentID, OrganizationId: townshipID, AccountName: "李医生", RecordTime: in(-29 * time.Hour), Until: in(999 * time.Hour),
	}
	if state == patientrecordv1.ConsentState_WITHDRAWN {
		c.Withdrawal = &patientrecordv1.Withdrawal{Name: markName, Relation: "0", Reason: markText, Time: in(-time.Hour), OrganizationId: townshipID, AccountName: "李医生"}
	}
	return c
}

// agreeing answers the methods of consents.
func agreeing() map[string]proto.Message {
	given := sampleConsent(patientrecordv1.ConsentState_GIVEN, patientrecordv1.ConsentScope_SENSITIVE, "WITHDRAW")
	late := sampleConsent(patientrecordv1.ConsentState_DEFERRED, patientrecordv1.ConsentScope_REFERRAL, "WITHDRAW")
	late.Patient = &patientrecordv1.Patient{Id: patientID, Name: "标＊＊"}
	return map[string]proto.Message{
		recordConsentMethod: given, giveConsentMethod: given, withdrawConsentMethod: given, getConsentMethod: given,
		listConsentsMethod: &patientrecordv1.ListConsentsResponse{Consents: []*patientrecordv1.ConsentRecord{
			given, late, sampleConsent(patientrecordv1.ConsentState_WITHDRAWN, patientrecordv1.ConsentScope_REFERRAL),
		}, NextPageToken: "next"},
		deferredMethod: &patientrecordv1.ListConsentsResponse{Consents: []*patientrecordv1.ConsentRecord{
			late, sampleConsent(patientrecordv1.ConsentState_DEFERRED, patientrecordv1.ConsentScope_SENSITIVE, "GIVE"),
		}, NextPageToken: "next"},
		countDeferredMethod: &patientrecordv1.DeferredConsentCount{},
	}
}

// visitConsents opens the pages of consents, of a copy and of the ledger, as they are and refused.
func (w *world) visitConsents(doctor *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	for _, path := range []string{consentsPage, consentPage, "/consents", copyPage} {
		see(doctor, path)
	}
	for _, state := range []patientrecordv1.ConsentState_Code{patientrecordv1.ConsentState_DEFERRED, patientrecordv1.ConsentState_WITHDRAWN, patientrecordv1.ConsentState_EXPIRED} {
		for _, scope := range []patientrecordv1.ConsentScope_Code{patientrecordv1.ConsentScope_REFERRAL, patientrecordv1.ConsentScope_SENSITIVE} {
			var actions []string
			if state == patientrecordv1.ConsentState_DEFERRED {
				actions = []string{"GIVE", "WITHDRAW"}
			}
			w.always(getConsentMethod, sampleConsent(state, scope, actions...))
			see(doctor, consentPage)
		}
	}
	w.always(getConsentMethod, agreeing()[getConsentMethod])
	look("record", doctor, doctor.post(consentsPage, form("giving.name", markName, "giving.time", "x", "do", "give")))
	w.refuse(withdrawConsentMethod, errs.Invalid(errs.Required("withdrawal.reason")))
	look("withdraw", doctor, doctor.post(consentPage, form("do", "withdraw", "withdrawal.name", markName, "version", "2")))
	w.always(listConsentsMethod, &patientrecordv1.ListConsentsResponse{})
	w.always(deferredMethod, &patientrecordv1.ListConsentsResponse{})
	see(doctor, consentsPage)
	see(doctor, "/consents")
	look("print", doctor, doctor.post(copyPage, with(typedStatement(), "form", "PRINT")))
	look("refused copy", doctor, doctor.post(copyPage, with(typedStatement(), "statement.from", "x")))
	auditor := w.auditor()
	auditor.language = doctor.language
	see(auditor, "/exports")
	see(auditor, "/exports?from=x&person="+townshipID)
	for method, out := range agreeing() {
		w.always(method, out)
	}
}

func TestAConsentIsListedRecordedAndPutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(countDeferredMethod, &patientrecordv1.DeferredConsentCount{Count: 2, Overdue: 1})
	b := w.browser("township")
	body := sound(t, "list", b.get(consentsPage))
	for _, want := range []string{`href="` + consentPage + `"`, "To come", "Withdrawn", `href="` + consentsPage + `?page=next"`, "Yangshuo County", `name="scope" value="SENSITIVE"`, "witness 周护士"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if !strings.Contains(body, `data-nav="consents" class="rest">Consents to come <span class="count">2</span>`) {
		t.Error("the rail does not say that consents are to come")
	}
	typed := form("requestId", "r1", "scope", "SENSITIVE", "receiverOrganizationId", hospitalID, "giving.name", " 曾小明 ", "giving.relation", "0", "giving.method", "SIGNED",
		"giving.time", "2026-02-28", "giving.until", "2026-12-31", "do", "give", "deferredReason", "不算")
	if got := b.post(consentsPage, typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != consentsPage {
		t.Fatal(got.Code, got.Body)
	}
	made := lastly[*patientrecordv1.RecordConsentRequest](t, w, recordConsentMethod)
	// Until the end of the last day, in the county's zone.
	if g := made.GetGiving(); g.GetName() != "曾小明" || !g.GetTime().AsTime().Equal(time.Date(2026, 2, 27, 16, 0, 0, 0, time.UTC)) ||
		!g.GetUntil().AsTime().Equal(time.Date(2026, 12, 31, 15, 59, 59, 0, time.UTC)) || made.GetDeferredReason() != "" || made.GetScope() != patientrecordv1.ConsentScope_SENSITIVE {
		t.Errorf("%v", made)
	}
	b.post(consentsPage, with(typed, "giving.time", "2026-03-02")) // today is now
	if made := lastly[*patientrecordv1.RecordConsentRequest](t, w, recordConsentMethod); made.GetGiving().GetTime() != nil {
		t.Errorf("%v", made.GetGiving().GetTime())
	}
	b.post(consentsPage, with(typed, "do", "defer"))
	if made := lastly[*patientrecordv1.RecordConsentRequest](t, w, recordConsentMethod); made.GetGiving() != nil || made.GetDeferredReason() != "不算" {
		t.Errorf("%v", made)
	}
	w.refuse(recordConsentMethod, errs.Invalid(errs.Bad("giving.relation", errs.ReasonFieldInvalid, "cause", "CHILD")))
	got := b.post(consentsPage, typed)
	if body := sound(t, "refused", got); got.Code != http.StatusBadRequest || !strings.Contains(body, "under 14") || !strings.Contains(body, `value=" 曾小明 "`) || !strings.Contains(body, `<details class="card" open>`) {
		t.Errorf("%d", got.Code)
	}
	w.refuse(recordConsentMethod, errs.Conflict(errs.ReasonConsentExists, "x"))
	if got := b.post(consentsPage, typed); got.Code != http.StatusConflict || !strings.Contains(sound(t, "twice", got), "need not be recorded twice") {
		t.Errorf("%d", got.Code)
	}
}

func TestAConsentIsWithdrawnAfterItWasSaidWhatThatMeans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := sound(t, "one", b.get(consentPage))
	if !strings.Contains(body, `data-confirm="From now on`) || !strings.Contains(body, "only in an emergency") || strings.Contains(body, ">Record the consent</button>") {
		t.Error("it is not said what a withdrawal does, or something is offered that cannot be")
	}
	typed := form("requestId", "r1", "version", "2", "do", "withdraw", "withdrawal.name", "曾小明", "withdrawal.relation", "0", "withdrawal.reason", " 不再同意 ")
	if got := b.post(consentPage, typed); got.Code != http.StatusSeeOther || got.Header().Get("Location") != consentsPage {
		t.Fatal(got.Code)
	}
	if made := lastly[*patientrecordv1.WithdrawConsentRequest](t, w, withdrawConsentMethod); made.GetVersion() != 2 || made.GetWithdrawal().GetReason() != "不再同意" || made.GetRequestId() != "r1" {
		t.Errorf("%v", made)
	}
	w.refuse(withdrawConsentMethod, errs.WrongState("withdraw_consent", "WITHDRAWN"))
	if got := b.post(consentPage, typed); got.Code != http.StatusPreconditionFailed || !strings.Contains(sound(t, "twice", got), "不再同意") {
		t.Errorf("what was typed is lost: %d", got.Code)
	}
	w.always(getConsentMethod, sampleConsent(patientrecordv1.ConsentState_DEFERRED, patientrecordv1.ConsentScope_REFERRAL, "WITHDRAW"))
	if body := sound(t, "deferred", b.get(consentPage)); !strings.Contains(body, `class="button primary" href="/referrals/`+referralID+`"`) || strings.Contains(body, `value="give"`) {
		t.Error("a referral's consent is asked for here, too")
	}
	w.always(getConsentMethod, sampleConsent(patientrecordv1.ConsentState_DEFERRED, patientrecordv1.ConsentScope_SENSITIVE, "GIVE", "WITHDRAW"))
	if body := sound(t, "give", b.get(consentPage)); !strings.Contains(body, `value="give">Record the consent`) {
		t.Error("it cannot be given")
	}
	if got := b.post(consentPage, form("requestId", "r2", "version", "2", "do", "give", "giving.name", "曾小明", "giving.relation", "0", "giving.method", "SIGNED")); got.Code != http.StatusSeeOther {
		t.Errorf("%d", got.Code)
	}
	if made := lastly[*patientrecordv1.GiveConsentRequest](t, w, giveConsentMethod); made.GetId() != consentID || made.GetGiving().GetMethod() != "SIGNED" {
		t.Errorf("%v", made)
	}
	w.always(getConsentMethod, sampleConsent(patientrecordv1.ConsentState_WITHDRAWN, patientrecordv1.ConsentScope_REFERRAL))
	if body := sound(t, "withdrawn", b.get(consentPage)); !strings.Contains(body, `name="referralId" value="`+referralID+`"`) {
		t.Error("the sender cannot have it signed anew")
	}
	if body := sound(t, "withdrawn", w.browser("desk").get(consentPage)); strings.Contains(body, `name="referralId"`) {
		t.Error("the receiver may sign anew")
	}
}

func TestConsentsToComeAreAListAndInTheRailWhileThereAreAny(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	body := sound(t, "deferred", b.get("/consents"))
	for _, want := range []string{`href="/referrals/` + referralID + `"`, `href="` + consentPage + `"`, "标＊＊", `href="/consents?page=next"`, `class="late"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	w.always(countDeferredMethod, &patientrecordv1.DeferredConsentCount{})
	if body := b.get("/inbox").Body.String(); strings.Contains(body, `data-nav="consents"`) {
		t.Error("the rail leads to an empty list")
	}
	w.refuse(countDeferredMethod, errs.Unavailable("patientrecord", nil))
	if got := b.get("/inbox"); got.Code != http.StatusOK {
		t.Errorf("without patient-record: %d", got.Code)
	}
	w.auditor().get("/audit")
	n := len(called[*patientrecordv1.CountDeferredConsentsRequest](w, countDeferredMethod))
	if w.auditor().get("/audit"); len(called[*patientrecordv1.CountDeferredConsentsRequest](w, countDeferredMethod)) != n {
		t.Error("somebody who sees no records is counted consents for")
	}
}
