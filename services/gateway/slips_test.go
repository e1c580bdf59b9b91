package gateway_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	slipMethod     = referralv1.HandoverService_GetSlip_FullMethodName
	verifyMethod   = referralv1.HandoverService_VerifySlip_FullMethodName
	judgeMethod    = referralv1.HandoverService_EvaluateCompleteness_FullMethodName
	judgedMethod   = referralv1.HandoverService_GetCompleteness_FullMethodName
	slipPage       = "/referrals/" + referralID + "/slip"
	verifyPage     = "/verify/450321-26-0000123-4?k=ABCD2345"
	slipKey        = "ABCD2345"
	completeOnForm = "/refer/" + patientID + "/completeness"
)

// handedOver answers what the slips and the package ask.
func handedOver() map[string]proto.Message {
	return map[string]proto.Message{
		slipMethod: &referralv1.Slip{
			ReferralId: referralID, Number: "450321-26-0000123-4", VerificationKey: slipKey, ValidFrom: in(-time.Hour), ValidUntil: in(14*24*time.Hour - 90*time.Minute),
			Doctor: &commonv1.Actor{Name: "莫医生"},
		},
		verifyMethod: &referralv1.Verification{
			Genuine: true, Number: "450321-26-0000123-4", Patient: "秦＊＊", ReceiverOrganization: "阳朔县人民医院", ReceiverDepartment: "神经内科",
			ValidUntil: in(14 * 24 * time.Hour),
		},
		judgeMethod: &referralv1.Completeness{Judged: true, Score: 65, Threshold: 80, Items: []*referralv1.CompletenessItem{
			{Code: "CONSENT", Name: "知情同意", NameEn: "Consent", Judged: "已取得才算", JudgedEn: "once given", Status: "MISSING", Field: "consent"},
			{Code: "TREATMENT", Name: "治疗经过", NameEn: "Treatment", Judged: "已填写", JudgedEn: "filled in", Status: "PRESENT", Field: "form.treatment"},
			{Code: "MEDICINES", Name: "目前用药", NameEn: "Medicines", Judged: "档案中有", JudgedEn: "in the record", Status: "UNKNOWN", Field: "form.treatment"},
		}},
		judgedMethod: &referralv1.Completeness{Judged: true, Score: 90, Threshold: 80, Items: []*referralv1.CompletenessItem{
			{Code: "PURPOSE", Name: "转诊目的、注意事项", NameEn: "Purpose and notes", Judged: "已填写", JudgedEn: "filled in", Status: "MISSING", Field: "transferNote"},
		}},
	}
}

var fieldCode = regexp.MustCompile(`data-field="([a-z_.]+)"`)

// printed are the codes of the fields in the order in which they are on paper.
func printed(body string) []string {
	var codes []string
	for _, m := range fieldCode.FindAllStringSubmatch(body, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

func only(codes []string, part string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return !strings.HasPrefix(c, part+".") })
}

// The list of the national forms: domain research, 1.1 to 1.3.
func TestTheSlipsHaveTheFieldsOfTheNationalFormsInTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	up := b.get(slipPage)
	codes := printed(up.Body.String())
	for part, want := range map[string]string{
		"stub": `patient_name sex age health_record_no home_address phone date to_org to_dept to_doctor referring_doctor_sign sign_date`,
		"out":  `addressee patient_name sex age initial_impression present_illness past_history treatment referring_doctor_sign referring_phone from_org date`,
	} {
		if got := strings.Join(only(codes, part), " "); got != part+"."+strings.Join(strings.Fields(want), " "+part+".") {
			t.Errorf("%s: %s", part, got)
		}
	}
	first := slices.IndexFunc(codes, func(c string) bool { return strings.HasPrefix(c, "county.") })
	if first < 0 || slices.ContainsFunc(codes[first:], func(c string) bool { return !strings.HasPrefix(c, "county.") }) {
		t.Errorf("the county's additions are no block of their own: %q", codes)
	}
	for _, want := range strings.Fields("number identity_no payment patient_kind transport consent validity seal_from counterfoil notices opinion") {
		if !slices.Contains(codes, "county."+want) {
			t.Errorf("county.%s is missing", want)
		}
	}
	w.always(getMethod, sampleDown(referralv1.State_SUBMITTED))
	codes = printed(w.browser("desk").get(slipPage).Body.String())
	for part, want := range map[string]string{
		"stub": `patient_name sex age medical_record_no home_address phone date to_org to_doctor referring_doctor_sign sign_date`,
		"back": `addressee patient_name diagnosis inpatient_no exam_results treatment_plan referring_doctor_sign referring_phone from_org date`,
	} {
		if got := strings.Join(only(codes, part), " "); got != part+"."+strings.Join(strings.Fields(want), " "+part+".") {
			t.Errorf("%s: %s", part, got)
		}
	}
}

// What came back with an up-referral prints as the national 回转单: from the hospital to the centre, under the referral's number.
func TestAReplyPrintsAsTheReturnSlip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reply := sampleReferral(referralv1.State_CONCLUDED)
	reply.ConcludeTime = in(0)
	reply.Reply = &referralv1.Reply{
		Diagnosis: "脑梗死恢复期", Findings: "头颅CT：左侧基底节区低密度灶", Treatment: "抗血小板", NextSteps: "每月复诊",
		Medications: []*referralv1.ReplyMedication{{Name: "阿司匹林", Specification: "100mg", Dosage: "每日一次"}},
	}
	w.always(getMethod, reply)
	for _, who := range []string{"township", "desk"} {
		body := w.browser(who).get(slipPage + "/reply").Body.String()
		codes := printed(body)
		if got := strings.Join(only(codes, "back"), " "); got != "back.addressee back.patient_name back.diagnosis back.inpatient_no back.exam_results back.treatment_plan back.referring_doctor_sign back.referring_phone back.from_org back.date" {
			t.Errorf("%s: %s", who, got)
		}
		for _, want := range []string{"双向转诊（回转）单", "编号 450321-26-0000123-4", "脑梗死恢复期", "左侧基底节区低密度灶", "抗血小板\n每月复诊", "阿司匹林 100mg 每日一次", "<svg", `data-field="back.from_org"><u>阳朔县人民医院`} {
			if !strings.Contains(body, strings.ReplaceAll(want, "\\n", "\n")) {
				t.Errorf("%s: without %s", who, want)
			}
		}
		if problems := htmlcheck.Page(body); len(problems) > 0 {
			t.Error(problems)
		}
	}
	if page := w.browser("township").get("/referrals/" + referralID).Body.String(); !strings.Contains(page, slipPage+"/reply") {
		t.Error("the page of the referral does not lead to it")
	}
	for name, change := range map[string]func(r *referralv1.Referral){
		"before the answer": func(r *referralv1.Referral) { r.Reply, r.ConcludeTime = nil, nil },
		"of a question":     func(r *referralv1.Referral) { r.Kind = commonv1.Kind_ADVICE },
		"of a way down":     func(r *referralv1.Referral) { r.Direction = commonv1.Direction_DOWN },
	} {
		other, _ := proto.Clone(reply).(*referralv1.Referral)
		change(other)
		w.always(getMethod, other)
		if got := w.browser("township").get(slipPage + "/reply"); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
}

func TestASlipIsInChineseWithNumberAndCodeAndADraftSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	b.language = "en"
	body := b.get(slipPage).Body.String()
	for _, want := range []string{
		"双向转诊（转出）单", "存　根", "450321-26-0000123-4", `<svg class="qr"`, "需转入贵单位，请予以接诊。", "患者须知", "副　联", "☑门诊", "☑患者自理", "☐医保",
		"2026年3月", markMasked, ">35岁<",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(body, "草稿") {
		t.Error("it is called a draft")
	}
	stub := b.get(slipPage + "/stub").Body.String()
	if codes := printed(stub); len(codes) != 12 || !strings.HasPrefix(codes[0], "stub.") {
		t.Errorf("the stub alone has %q", codes)
	}
	w.always(getMethod, sampleReferral(referralv1.State_DRAFT))
	w.always(slipMethod, &referralv1.Slip{ReferralId: referralID})
	if body := b.get(slipPage).Body.String(); !strings.Contains(body, `<p class="watermark">草稿</p>`) || strings.Contains(body, `class="qr"`) {
		t.Error("a draft does not say so, or can be verified")
	}
	w.refuse(getMethod, errs.NotFound("referral"))
	if got := b.get(slipPage); got.Code != http.StatusNotFound {
		t.Errorf("no relation: %d", got.Code)
	}
	if got := w.browser("").get(slipPage); got.Code != http.StatusSeeOther {
		t.Errorf("not signed in: %d", got.Code)
	}
}

func TestAnybodyMayVerifyASlipAndLearnsNothingMedical(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("")
	got := b.get(verifyPage)
	body := got.Body.String()
	if got.Code != http.StatusOK || !strings.Contains(body, "秦＊＊") || !strings.Contains(body, "神经内科") || got.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", got.Code, body)
	}
	asked := lastly[*referralv1.VerifySlipRequest](t, w, verifyMethod)
	if asked.GetNumber() != "450321-26-0000123-4" || asked.GetKey() != slipKey {
		t.Errorf("asked %v", asked)
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	if got := b.get("/api/v1" + verifyPage); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"receiverDepartment":"神经内科"`) {
		t.Errorf("as JSON: %d %s", got.Code, got.Body)
	}
	w.always(verifyMethod, &referralv1.Verification{})
	wrong, unknown := b.get("/verify/450321-26-0000123-4?k=WRONG"), b.get("/verify/nonsense?k="+slipKey)
	if wrong.Code != http.StatusNotFound || unknown.Code != wrong.Code {
		t.Errorf("%d and %d", wrong.Code, unknown.Code)
	}
	same := func(s, path string) string { return strings.ReplaceAll(s, path, "") }
	if same(wrong.Body.String(), "/verify/450321-26-0000123-4?k=WRONG") != same(unknown.Body.String(), "/verify/nonsense?k="+slipKey) {
		t.Error("a wrong key and an unknown number answer differently")
	}
}

func TestAnAddressMayVerifyTenTimesAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("")
	for i := range 10 {
		if got := b.get(verifyPage); got.Code != http.StatusOK {
			t.Fatalf("try %d: %d", i+1, got.Code)
		}
	}
	for _, path := range []string{verifyPage, "/api/v1" + verifyPage} {
		if got := b.get(path); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") == "" || strings.Contains(got.Body.String(), "秦") {
			t.Errorf("%s, one more: %d, Retry-After %q", path, got.Code, got.Header().Get("Retry-After"))
		}
	}
	w.clk.Advance(time.Minute)
	if got := b.get(verifyPage); got.Code != http.StatusOK {
		t.Errorf("a minute later: %d", got.Code)
	}
}

func TestWhatAHandOverLacksIsShownWithTheWayToItsFieldAndBlocksNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, c := w.browser("township"), w.browser("desk")
	b.language, c.language = "zh-CN", "zh-CN"
	body := b.get("/refer/" + patientID).Body.String()
	for _, want := range []string{`id="f-complete"`, `href="#f-consent"`, "已取得才算", "还缺 ", "不补也能发送", "65"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	part := b.post(completeOnForm, with(typedReferral(), "form.treatment", "阿司匹林"), "X-Fragment", "1").Body.String()
	if strings.Contains(part, "<html") || !strings.Contains(part, `href="#f-consent"`) || strings.Contains(part, ">治疗经过<") {
		t.Errorf("the part alone: %s", part)
	}
	if asked := lastly[*referralv1.EvaluateCompletenessRequest](t, w, judgeMethod).GetReferral(); asked.GetForm().GetTreatment() != "阿司匹林" ||
		asked.GetDirection() != commonv1.Direction_UP || asked.GetPatientId() != patientID {
		t.Errorf("asked about %v", asked)
	}
	down := c.post("/down/"+patientID+"/completeness", typedDown(), "X-Fragment", "1").Body.String()
	if asked := lastly[*referralv1.EvaluateCompletenessRequest](t, w, judgeMethod).GetReferral(); !strings.Contains(down, "已取得才算") ||
		asked.GetDirection() != commonv1.Direction_DOWN || len(asked.GetMedicines()) != 2 || len(asked.GetPlan().GetVisits()) == 0 {
		t.Errorf("asked about %v", asked)
	}
	w.refuse(judgeMethod, errs.Unavailable("referral", context.DeadlineExceeded))
	if got := b.post("/refer/"+patientID, with(typedReferral(), "do", "send")); got.Code != http.StatusSeeOther {
		t.Errorf("without completeness the referral is not sent: %d", got.Code)
	}
	if got := b.get("/refer/" + patientID); got.Code != http.StatusOK {
		t.Errorf("without completeness the form is not shown: %d", got.Code)
	}
}

func TestAReferralsPageShowsItsPackageByVersionAndTheWayToTheSlip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(patientrecordv1.PatientRecordService_GetPackage_FullMethodName, &patientrecordv1.Package{
		ReferralId: referralID, PatientId: patientID, Version: 2, AssembledTime: in(0), Items: []*patientrecordv1.PackageItem{{Kind: "PROBLEM", EntryId: "e", Version: 1}},
		Versions:    []*patientrecordv1.PackageVersion{{Version: 1, AssembledTime: in(-time.Hour)}, {Version: 2, AssembledTime: in(0)}},
		Attachments: []*patientrecordv1.PackageAttachment{{Attachment: sampleAttachment(), Version: 1}}, WithdrawnAttachments: 2,
	})
	b := w.browser("desk")
	b.language = "zh-CN"
	body := b.get("/referrals/" + referralID).Body.String()
	for _, want := range []string{`id="package"`, `href="` + slipPage + `"`, "打印转出单", "90", "转诊目的、注意事项", "?package=1#package",
		"/patients/" + patientID + "/attachments/" + attachmentID, "另有 2 个附件"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	b.get("/referrals/" + referralID + "?package=1")
	if asked := lastly[*patientrecordv1.GetPackageRequest](t, w, patientrecordv1.PatientRecordService_GetPackage_FullMethodName); asked.GetVersion() != 1 {
		t.Errorf("asked for version %d", asked.GetVersion())
	}
	answered := sampleReferral(referralv1.State_CONCLUDED)
	answered.ConcludeTime = in(0)
	w.always(getMethod, answered)
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, `id="back"`) {
		t.Error("what came back is not shown")
	}
	if asked := lastly[*patientrecordv1.GetPackageRequest](t, w, patientrecordv1.PatientRecordService_GetPackage_FullMethodName); !asked.GetReply() {
		t.Error("what came back is not asked for")
	}
	w.always(getMethod, sampleDown(referralv1.State_SUBMITTED))
	if body := b.get("/referrals/" + referralID).Body.String(); !strings.Contains(body, "打印回转单") {
		t.Error("the way back has no slip")
	}
}

// Whoever writes a referral sees which documents will go with it, and the way to add some.
func TestTheFormsShowWhichDocumentsWillTravel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for who, page := range map[string]string{"township": "/refer/" + patientID, "desk": "/down/" + patientID} {
		body := w.browser(who).get(page).Body.String()
		for _, want := range []string{`id="travels"`, "/patients/" + patientID + "/attachments/" + attachmentID, `href="/patients/` + patientID + `/attachments?back=` + url.QueryEscape(page) + `"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is missing", page, want)
			}
		}
		if asked := lastly[*patientrecordv1.ListAttachmentsRequest](t, w, patientrecordv1.AttachmentService_ListAttachments_FullMethodName); !asked.GetTravelling() {
			t.Errorf("%s asks for %v", page, asked)
		}
	}
	w.refuse(patientrecordv1.AttachmentService_ListAttachments_FullMethodName, errs.Unavailable("patientrecord", nil))
	if got := w.browser("township").get("/refer/" + patientID); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "/attachments") {
		t.Errorf("without documents the form is not shown: %d", got.Code)
	}
}

// visitSlips opens the printed slips of both ways and of a draft, and their verification.
func (w *world) visitSlips(stranger, doctor *browser, see func(*browser, string, ...string)) {
	for _, r := range []*referralv1.Referral{
		sampleReferral(referralv1.State_SUBMITTED), sampleReferral(referralv1.State_DRAFT), sampleDown(referralv1.State_ARRIVED),
	} {
		w.always(getMethod, r)
		see(doctor, slipPage)
		see(doctor, slipPage+"/stub")
	}
	answered := sampleReferral(referralv1.State_CONCLUDED)
	answered.ConcludeTime = in(0)
	w.always(getMethod, answered)
	see(doctor, slipPage+"/reply")
	w.always(getMethod, sampleReferral(referralv1.State_SUBMITTED))
	see(stranger, verifyPage)
	w.always(verifyMethod, &referralv1.Verification{Genuine: true, Expired: true, ValidUntil: in(-time.Hour)})
	see(stranger, verifyPage)
	w.always(verifyMethod, &referralv1.Verification{})
	see(stranger, verifyPage)
}

func TestTheDeskIsToldOfAllergiesThatWereWrittenAfterSubmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	const title = "Allergies recorded after this was sent"
	if strings.Contains(b.get("/referrals/"+referralID).Body.String(), title) {
		t.Error("told although there are none")
	}
	w.always(patientrecordv1.PatientRecordService_GetPackage_FullMethodName, &patientrecordv1.Package{
		ReferralId: referralID, PatientId: patientID, Summary: sampleSummary(),
		NewerAllergies: []*patientrecordv1.Allergy{{Text: "Iodine contrast", Criticality: "high"}},
	})
	body := b.get("/referrals/" + referralID).Body.String()
	if at := strings.Index(body, title); at < 0 || !strings.Contains(body[at:], "Iodine contrast") || at > strings.Index(body, `class="columns case"`) {
		t.Error("what the record says by now does not stand above the case")
	}
}

// The slip and the screen call an urgency by one word.
func TestASlipCallsTheUrgencyWhatTheScreenCallsIt(t *testing.T) {
	t.Parallel()
	catalogue, err := text.New()
	check(t, err)
	w := newWorld(t)
	for _, urgency := range []commonv1.Urgency_Code{commonv1.Urgency_EMERGENCY, commonv1.Urgency_URGENT, commonv1.Urgency_ROUTINE} {
		r := sampleReferral(referralv1.State_SUBMITTED)
		r.Urgency = urgency
		w.always(getMethod, r)
		body := w.browser("township").get("/referrals/" + referralID + "/slip").Body.String()
		if _, after, _ := strings.Cut(body, "紧急程度"); !strings.Contains(after[:min(200, len(after))], catalogue.T("zh-CN", "urgency."+urgency.String())) {
			t.Errorf("%s is called otherwise", urgency)
		}
	}
}
