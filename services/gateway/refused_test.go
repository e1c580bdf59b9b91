package gateway_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// away lets every method whose name begins so ("referral.v1", "directory.v1.DirectoryService/List") answer that its service is away.
func (w *world) away(pkg string) {
	w.mu.Lock()
	var methods []string
	for method := range w.answers {
		if strings.HasPrefix(method, "/tongzhen."+pkg) {
			methods = append(methods, method)
		}
	}
	w.mu.Unlock()
	for _, method := range methods {
		w.refuse(method, errs.Unavailable(pkg, nil))
	}
}

// typed is a form with something in it that must never be lost.
type typedForm struct {
	path, method, session string
	values                url.Values
	// kept are what must stand in the answer besides what was typed.
	kept []string
}

const typedWords = "写了很久的内容"

func typedForms() map[string]typedForm {
	note := form("requestId", "r1", "entry.text", "病程", "entry.words", typedWords, "date", "2026-03-01", "hour", "08:00", "under", "referral:"+referralID)
	change := form("requestId", "r1", "kind", "note", "version", "3", "entry.text", "病程", "entry.words", typedWords, "date", "2026-03-01", "hour", "08:00", "reasonCode", "WRONG_VALUE")
	order := form("requestId", "r1", "setting", "INPATIENT", "referral", referralID, "decision.HBA1C", "REPEAT", "reasonCode.HBA1C", "RT6", "reasonText.HBA1C", typedWords, "explained.HBA1C", "1")
	order["item"] = []string{"CBC", "HBA1C"}
	return map[string]typedForm{
		"a note":        {recordPage + "/new/note", recordEntriesMethod, "township", note, []string{`value="referral:` + referralID + `" selected`}},
		"an amendment":  {entryPage + "/amend", amendMethod, "township", change, []string{`name="version" value="3"`, `name="kind" value="note"`}},
		"a correction":  {entryPage + "/correct", correctMethod, "township", change, []string{`value="WRONG_VALUE" selected`}},
		"a withdrawal":  {entryPage + "/withdraw", withdrawMethod, "township", with(change, "note", typedWords), nil},
		"a merge":       {"/matches/" + matchID, decideMethod, "township", form("requestId", "r1", "version", "3", "decision", "MERGE", "survivorId", patientID, "reason", typedWords), []string{`value="` + patientID + `"`}},
		"two people":    {"/matches/" + matchID, decideMethod, "township", form("requestId", "r1", "version", "3", "decision", "DIFFERENT", "reason", typedWords), []string{`name="decision" value="DIFFERENT"`}},
		"an identity":   {"/patients/" + patientID + "/identity", updatePatientMethod, "township", form("requestId", "r1", "version", "1", "name", typedWords, "was.name", markName, "phone", "13800138000"), []string{`value="13800138000"`}},
		"an unmerging":  {"/patients/" + patientID + "/merges/" + mergeID, unmergeMethod, "township", form("requestId", "r1", "reason", typedWords), nil},
		"an order":      {ordersPage, orderMethod, "township", order, []string{`value="CBC" checked`, `value="HBA1C" checked`}},
		"an item":       {itemsPage + "/HBA1C", itemMethod, "admin", form("requestId", "r1", "version", "2", "name", "x", "note", typedWords, "outpatientDays", "1", "inpatientDays", "1", "emergencyDays", "1"), nil},
		"a document":    {attachmentsPage + "/" + attachmentID, patientrecordv1.AttachmentService_CorrectAttachment_FullMethodName, "township", form("requestId", "r1", "version", "2", "kind", "ECG", "title", typedWords, "reason", "x", "referralId", referralID), []string{`value="` + referralID + `" selected`}},
		"a mistake":     {attachmentsPage + "/" + attachmentID, patientrecordv1.AttachmentService_MarkAttachmentEnteredInError_FullMethodName, "township", form("requestId", "r1", "version", "2", "mistaken", "1", "reason", typedWords), []string{`id="f-mistake"`}},
		"a break-glass": {"/access/" + patientID + "/glass", breakMethod, "township", form("requestId", "r1", "reason", "EMERGENCY", "note", typedWords), []string{`value="EMERGENCY" checked`}},
		"a visit":       {"/access/" + patientID + "/visit", declareMethod, "township", form("requestId", "r1", "identityNumber", typedWords), nil},
		"a purpose":     {"/access/" + patientID + "/purpose", purposeMethod, "township", form("requestId", "r1", "purpose", "FOLLOW_UP"), []string{`value="FOLLOW_UP" checked`}},
		"a review":      {"/reviews/" + glassID, reviewMethod, "auditor", form("requestId", "r1", "version", "2", "verdict", "ASKS", "note", typedWords), []string{`value="ASKS" checked`}},
	}
}

// refusing is a world in which every one of the forms can be shown.
func refusing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.recognising()
	w.auditor()
	w.admin()
	w.always(matchMethod, sampleMatch())
	w.always(mergesMethod, &patientrecordv1.ListMergesResponse{Merges: []*patientrecordv1.Merge{{Id: mergeID, Done: &patientrecordv1.Linking{Reason: "x"}}}})
	for _, f := range typedForms() {
		w.always(f.method, nil)
	}
	return w
}

var requestIDs = regexp.MustCompile(`name="requestId" value="([^"]*)"`)

// stands tells what is missing in the answer to a refused form.
func (f typedForm) stands(t *testing.T, body string) {
	t.Helper()
	if f.values.Get("purpose") == "" && !strings.Contains(body, typedWords) {
		t.Error("what was typed is lost")
	}
	for _, want := range f.kept {
		if !strings.Contains(body, want) {
			t.Errorf("%s is lost", want)
		}
	}
	if !strings.Contains(body, `action="`+f.path+`"`) {
		t.Error("it cannot be sent again")
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
}

func TestNoRefusalLosesWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := refusing(t)
	for name, f := range typedForms() {
		t.Run(name, func(t *testing.T) {
			for kind := errs.KindDenied; kind <= errs.KindInternal; kind++ {
				t.Run(kind.String(), func(t *testing.T) {
					w.refuse(f.method, errs.New(kind, "", "no", nil))
					got := w.browser(f.session).post(f.path, f.values)
					body := got.Body.String()
					f.stands(t, body)
					if got.Code < http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
						t.Errorf("%d: it does not say that it was refused", got.Code)
					}
					// What may have been carried out is repeated as the same request, what was not is another.
					same := kind == errs.KindUnavailable || kind == errs.KindInternal
					if strings.Contains(body, `name="requestId" value="r1"`) != same {
						t.Errorf("the request id: %v", requestIDs.FindAllString(body, -1))
					}
				})
			}
			t.Run("sent before", func(t *testing.T) {
				w.refuse(f.method, errs.Conflict(errs.ReasonRequestIDReused, "another body"))
				body := w.browser(f.session).post(f.path, f.values).Body.String()
				f.stands(t, body)
				if strings.Contains(body, `value="r1"`) || !strings.Contains(body, "first content was saved") {
					t.Error("it can never be sent, or does not say that the first one was saved")
				}
			})
		})
	}
}

// The forms that say themselves what can be mended on them, too: what was typed stays, the first one is said to be saved, and it can be sent as another.
func TestWhatWasSubmittedBeforeIsSaidOnTheForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, f := range map[string]typedForm{
		"up":      {"/refer/" + patientID, createMethod, "township", with(typedReferral(), "form.presentIllness", typedWords), nil},
		"down":    {"/down/" + patientID, createMethod, "desk", with(typedDown(), "form.treatment", typedWords), nil},
		"out":     {outPage, outMethod, "desk", with(typedOut(), "note", typedWords), nil},
		"arrival": {arrivalPage, arrivalMethod, "desk", with(typedArrival(), "note", typedWords), nil},
		"patient": {"/patients/new", registerMethod, "township", with(typedPatient(), "name", typedWords), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w.refuse(f.method, errs.Conflict(errs.ReasonRequestIDReused, "another body"))
			got := w.browser(f.session).post(f.path, f.values)
			body, sent := got.Body.String(), f.values.Get("requestId")
			if got.Code != http.StatusConflict || !strings.Contains(body, typedWords) || !strings.Contains(body, "first content was saved") {
				t.Errorf("%d: what was typed is lost, or it does not say that the first one was saved", got.Code)
			}
			if ids := requestIDs.FindStringSubmatch(body); len(ids) != 2 || ids[1] == "" || ids[1] == sent {
				t.Errorf("it can never be sent: %v", ids)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
		})
	}
}

func TestAnOutageLosesNothingThatWasTyped(t *testing.T) {
	t.Parallel()
	w := refusing(t)
	w.away("patientrecord")
	for name, f := range typedForms() {
		t.Run(name, func(t *testing.T) {
			got := w.browser(f.session).post(f.path, f.values)
			f.stands(t, got.Body.String())
			if got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), `name="requestId" value="r1"`) {
				t.Errorf("%d: a repetition would be another request", got.Code)
			}
		})
	}
	got := w.browser("township").post(ordersPage, form("requestId", "r1", "setting", "INPATIENT", "recognise", "HBA1C"))
	if !strings.Contains(got.Body.String(), `name="recognise" value="HBA1C"`) {
		t.Error("what was to be recognised is lost")
	}
	hidden := w.browser("township").post(ordersPage, typedForms()["an order"].values).Body.String()
	if !strings.Contains(hidden, `name="decision.HBA1C" value="REPEAT"`) || !strings.Contains(hidden, `name="explained.HBA1C" value="1"`) {
		t.Error("the decision is lost")
	}
}

func TestAStaleAmendmentCanBeSentUponThePresentVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	fresh := sampleEntry("NOTE", "final", "AMENDED", 4, "AMEND")
	fresh.Content = &patientrecordv1.ClinicalEntry{Resource: &patientrecordv1.ClinicalEntry_Note{Note: &patientrecordv1.Note{Title: "门诊记录", Text: "同事写的"}}}
	w.always(getEntryMethod, fresh)
	w.refuse(amendMethod, errs.Stale(4, "final"))
	got := b.post(entryPage+"/amend", form("requestId", "r1", "kind", "note", "version", "3", "entry.text", "门诊记录", "entry.words", typedWords))
	body := got.Body.String()
	for _, want := range []string{"同事写的", typedWords + "</textarea>", `name="version" value="4"`, "somebody else changed this", `data-refused="1"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there", want)
		}
	}
}

func TestDraftsOfLongTextsAreKeptAndGoWhenTheyWereSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(getEntryMethod, sampleEntry("NOTE", "final", "RECORDED", 2, "AMEND"))
	written, changed := "clinical:"+patientID+":note", "clinical:"+patientID+":note:"+entryID+":2"
	for path, draft := range map[string]string{recordPage + "/new/note": written, entryPage + "/amend": changed} {
		if body := b.get(path).Body.String(); !strings.Contains(body, `data-draft="`+draft+`"`) || strings.Contains(body, "data-refused") || !strings.Contains(body, "data-draft-note") {
			t.Errorf("%s: no draft", path)
		}
	}
	b.post(recordPage+"/new/note", form("requestId", "r1", "entry.text", "x", "entry.words", "y"))
	if body := b.get(recordPage).Body.String(); !strings.Contains(body, `data-draft-done="`+written+`"`) {
		t.Error("the draft of what was saved stays")
	}
	if body := b.get(recordPage).Body.String(); strings.Contains(body, "data-draft-done") {
		t.Error("a draft is thrown away twice")
	}
	b.post(entryPage+"/amend", form("requestId", "r1", "version", "2", "kind", "note", "entry.text", "x", "entry.words", "y"))
	if body := b.get(entryPage).Body.String(); !strings.Contains(body, `data-draft-done="`+changed+`"`) {
		t.Error("the draft of the amendment stays")
	}
	b.post("/access/"+patientID+"/glass", form("reason", "EMERGENCY", "note", "抢救需要过敏史", "requestId", "r1"))
	if body := b.get("/patients/" + patientID).Body.String(); !strings.Contains(body, `data-draft-done="glass:`+patientID+`"`) {
		t.Error("the draft of the break-glass stays")
	}
	w.refuse(patientMethod, errs.NotFound("patient"))
	body := b.get("/access/" + patientID + "/glass").Body.String()
	if !strings.Contains(body, `data-draft="glass:`+patientID+`"`) || strings.Count(body, "data-draft=") != 1 {
		t.Error("no draft of the break-glass, or one of an identity number")
	}
}
