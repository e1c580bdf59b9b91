package gateway_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// visit opens every page in every condition that changes what is drawn, and hands each answer to look.
func visit(t *testing.T, w *world, language string, look func(what string, b *browser, answer *httptest.ResponseRecorder)) {
	t.Helper()
	stranger, doctor, clerk := w.browser(""), w.browser("township"), w.browser("desk")
	for _, b := range []*browser{stranger, doctor, clerk} {
		b.language = language
	}
	see := func(b *browser, path string, header ...string) {
		look(path, b, b.get(path, header...))
	}
	for _, path := range []string{"/sign-in", "/sign-in?back=/desk", "/no-such-page", "/api/docs", "/style-guide"} {
		see(stranger, path)
	}
	for _, path := range strings.Fields("/home /referrals /referrals?tab=mine /referrals?tab=county /referrals?tab=replied /referrals?tab=draft /referrals?tab=ended /patients /patients/new /inbox /inbox?show=all /no-such-page /api/docs /patients/" + patientID + " /refer/" + patientID + " " + attachmentsPage + " " + attachmentsPage + "/" + attachmentID + " " + attachmentsPage + "/" + attachmentID + "?size=full") {
		see(doctor, path)
	}
	for _, path := range strings.Fields("/desk /desk?tab=returned /desk?tab=expected /desk?tab=inside /desk?tab=ended /desk/arrivals /inbox") {
		see(clerk, path)
	}
	look("sign in", stranger, stranger.post("/sign-in", form("account", "x", "password", "y", "back", "/")))
	w.visitActions(clerk, doctor, see)
	w.visitLives(clerk, doctor, see, look)
	w.visitForms(doctor, see, look)
	w.visitWriting(doctor, clerk, see, look)
	w.visitRecord(doctor, see, look)
	w.visitWorkplaces(doctor, clerk, see, look)
	w.visitSlips(stranger, doctor, see)
	w.visitLinks(stranger, see)
	w.visitConsents(doctor, see, look)
	w.visitCapacity(doctor, clerk, see, look)
	w.visitDuty(clerk, see, look)
	w.visitAccounts(clerk, see, look)
	w.visitSettingsOfPlaces(language, see, look)
	found := clerk.post("/desk/find", form("number", "450321-26-0000123-4"))
	look("find", clerk, found)
	w.refuse(referralv1.ReferralService_FindReferral_FullMethodName, errs.NotFound("referral"))
	look("find nothing", clerk, clerk.post("/desk/find", form("number", "450321-26-9")))
	w.visitEmpty(doctor, clerk, see)
	w.visitFailures(doctor, see)
}

// visitActions opens a referral in each state with everything offered, and with nothing.
func (w *world) visitActions(clerk, doctor *browser, see func(*browser, string, ...string)) {
	for _, kind := range []commonv1.Kind_Code{commonv1.Kind_OUTPATIENT, commonv1.Kind_INPATIENT, commonv1.Kind_EMERGENCY} {
		for code, name := range referralv1.State_Code_name {
			state := referralv1.State_Code(code)
			if name == "UNSPECIFIED" {
				continue
			}
			r := sampleReferral(state)
			r.Kind = kind
			if kind == commonv1.Kind_INPATIENT {
				r.BookingId = bookingID
			}
			if kind == commonv1.Kind_EMERGENCY {
				r.HoldId, r.Consent = holdID, &referralv1.Consent{DeferredReason: markText}
			}
			w.always(getMethod, r)
			w.always(actionsMethod, actionsOf(append(postedActions, "submit", "resubmit")...))
			see(clerk, "/referrals/"+referralID)
			for _, part := range []string{"head", "timeline", "actions"} {
				see(clerk, "/referrals/"+referralID, "X-Fragment", part)
			}
			w.always(actionsMethod, actionsOf())
			see(doctor, "/referrals/"+referralID)
		}
	}
	bare := &referralv1.Referral{Id: referralID, State: referralv1.State_DRAFT, PatientId: patientID}
	w.always(getMethod, bare)
	see(doctor, "/referrals/"+referralID)
}

func (w *world) visitForms(doctor *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	for _, state := range []referralv1.State_Code{referralv1.State_DRAFT, referralv1.State_RETURNED} {
		w.always(getMethod, sampleReferral(state))
		see(doctor, "/referrals/"+referralID+"/edit")
		look("edit", doctor, doctor.post("/referrals/"+referralID+"/edit", with(typedReferral(), "version", "3", "do", "slots")))
	}
	for _, kind := range []string{"OUTPATIENT", "INPATIENT", "EMERGENCY"} {
		see(doctor, "/refer/slots?kind="+kind+"&organization="+hospitalID+"&department=0304", "X-Fragment", "1")
		look("refer", doctor, doctor.post("/refer/"+patientID, with(typedReferral(), "kind", kind, "bed", "1", "do", "slots")))
		look("refer", doctor, doctor.post("/refer/"+patientID, with(typedReferral(), "kind", kind, "do", "send")))
		see(doctor, "/referrals/"+referralID)
	}
	see(doctor, "/refer/slots?kind=OUTPATIENT&organization=&department=", "X-Fragment", "1")
	search := doctor.post("/patients/search", form("query", markName))
	look("search", doctor, search)
	see(doctor, search.Header().Get("Location"))
	look("search", doctor, doctor.post("/patients/search", form("query", markNumber)))
	look("register", doctor, doctor.post("/patients/new", with(typedPatient(), "identityNumber", markNumber)))
	see(doctor, "/patients/"+patientID)
	w.refuse(registerMethod, errs.Conflict(errs.ReasonAlreadyRegistered, "x").With("patientId", patientID))
	look("register", doctor, doctor.post("/patients/new", with(typedPatient(), "identityNumber", markNumber)))
	w.refuse(registerMethod, errs.New(errs.KindInternal, errs.ReasonInternal, markText, nil))
	look("register", doctor, doctor.post("/patients/new", with(typedPatient(), "identityNumber", markNumber)))
}

// visitWriting opens the forms on which referrals are written, as they are and as they were refused.
func (w *world) visitWriting(doctor, clerk *browser, see func(*browser, string, ...string), look func(string, *browser, *httptest.ResponseRecorder)) {
	for _, kind := range []string{"EXAM", "ADVICE"} {
		look("refer", doctor, doctor.post("/refer/"+patientID, with(typedReferral(), "kind", kind, "do", "kind")))
	}
	look("criteria", doctor, doctor.post(criteriaPart, with(typedReferral(), "form.presentIllness", markText, "value.egfr", "none"), "X-Fragment", "1"))
	look("criteria", doctor, doctor.post(criteriaPart, form(), "X-Fragment", "1"))
	w.concluded()
	see(clerk, answersUp)
	see(clerk, "/down/"+patientID)
	see(clerk, "/down/"+patientID+"?draft="+downID)
	for _, part := range []string{"criteria", "medicines", "plan", "nothing"} {
		look(part, clerk, clerk.post("/down/"+patientID+"/"+part+"?reply_to="+referralID, typedDown(), "X-Fragment", "1"))
		look("down", clerk, clerk.post(answersUp, with(typedDown(), "do", part)))
	}
	look("down", clerk, clerk.post(answersUp, with(typedDown(), "form.diagnosis", markText)))
	w.refuse(createMethod, errs.New(errs.KindInternal, errs.ReasonInternal, markText, nil))
	look("down", clerk, clerk.post(answersUp, with(typedDown(), "form.diagnosis", markText)))
	w.refuse(templatesMethod, errs.Unavailable("referral", nil))
	w.refuse(evaluateMethod, errs.Unavailable("referral", nil))
	w.always(medicinesMethod, &referralv1.CheckMedicinesResponse{})
	see(clerk, answersUp)
	for _, path := range []string{"/record/arrival", "/record/out", arrivalPage, outPage} {
		see(clerk, path)
	}
	see(doctor, outPage)
	look("arrival", clerk, clerk.post(arrivalPage, with(typedArrival(), "note", markText)))
	look("out", clerk, clerk.post(outPage, with(typedOut(), "note", markText)))
	look("search", clerk, clerk.post("/patients/search", form("query", markName)))
	for method, out := range writing() {
		w.always(method, out)
	}
	w.always(createMethod, sampleReferral(referralv1.State_SUBMITTED))
}

func (w *world) visitEmpty(doctor, clerk *browser, see func(*browser, string, ...string)) {
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	w.always(notificationv1.NotificationService_ListNotifications_FullMethodName, &notificationv1.ListNotificationsResponse{})
	w.always(patientrecordv1.PatientRecordService_SearchPatients_FullMethodName, &patientrecordv1.SearchPatientsResponse{})
	w.always(patientrecordv1.PatientRecordService_GetSummary_FullMethodName, &patientrecordv1.Summary{Patient: &patientrecordv1.Patient{Id: patientID, NoDocumentReason: "NEWBORN"}})
	for _, path := range strings.Fields("/home /referrals /referrals?tab=mine /referrals?tab=county /referrals?tab=replied /referrals?tab=draft /referrals?tab=ended /inbox /patients/" + patientID) {
		see(doctor, path)
	}
	for _, path := range strings.Fields("/desk /desk?tab=returned /desk?tab=expected /desk?tab=inside /desk?tab=ended /desk/arrivals") {
		see(clerk, path)
	}
	see(doctor, doctor.post("/patients/search", form("query", markName)).Header().Get("Location"))
}

func (w *world) visitFailures(doctor *browser, see func(*browser, string, ...string)) {
	for kind := errs.KindInvalid; kind <= errs.KindInternal; kind++ {
		w.refuse(listMethod, errs.New(kind, "", markText, nil))
		see(doctor, "/referrals")
	}
	w.refuse(listMethod, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid)))
	see(doctor, "/referrals?page=nonsense")
	w.refuse(directoryv1.DirectoryService_ListOrganizations_FullMethodName, errs.Unavailable("directory", nil))
	w.refuse(notificationv1.NotificationService_ListNotifications_FullMethodName, errs.Unavailable("notification", nil))
	w.clk.Advance(2 * time.Minute)
	see(doctor, "/referrals")
	see(doctor, "/inbox")
}

func TestEveryPageIsSoundInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"zh-CN", "en"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, pages, told := newWorld(t), 0, map[string]bool{}
			visit(t, w, language, func(what string, _ *browser, answer *httptest.ResponseRecorder) {
				body := answer.Body.String()
				if !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/html") || answer.Code == 303 {
					return
				}
				pages++
				found := htmlcheck.Fragment(body)
				if strings.HasPrefix(body, "<!doctype") {
					found = htmlcheck.Page(body)
					if !strings.Contains(body, `<html lang="`+language+`"`) {
						found = append(found, "it is in the wrong language")
					}
				}
				for _, problem := range found {
					if !told[problem] {
						told[problem] = true
						t.Errorf("%s (%d): %s", what, answer.Code, problem)
					}
				}
				if strings.Contains(body, "ZgotmplZ") {
					t.Errorf("%s: a value was refused by its context", what)
				}
			})
			if pages < 200 {
				t.Errorf("only %d pages were seen", pages)
			}
		})
	}
}

// addresses are what a page tells the browser to open, send to or fetch.
var addresses = regexp.MustCompile(`(?:href|src|action|data-fragment|data-load|data-post|data-draft|data-draft-done|data-picker|name="back" value)="([^"]*)"`)

func TestNoPatientDataLeavesByAddressCookieOrLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shown := false
	visit(t, w, "zh-CN", func(what string, b *browser, answer *httptest.ResponseRecorder) {
		overt := b.overt.String()
		for _, found := range addresses.FindAllStringSubmatch(answer.Body.String(), -1) {
			// Opening a telephone number asks no server.
			if !strings.HasPrefix(found[1], "tel:") {
				overt += found[1] + "\n"
			}
		}
		if decoded, err := url.QueryUnescape(overt); err == nil {
			overt += decoded
		}
		b.overt.Reset()
		for _, mark := range marks() {
			shown = shown || strings.Contains(answer.Body.String(), mark)
			if strings.Contains(overt, mark) {
				t.Errorf("%s: %s in an address or cookie", what, mark)
			}
		}
	})
	for _, mark := range marks() {
		if strings.Contains(w.log.String(), mark) {
			t.Errorf("%s in the log", mark)
		}
	}
	if !shown || w.log.String() == "" {
		t.Error("nothing marked was shown, or nothing logged: this test proves nothing")
	}
}

func TestAFormBeginsInItsFirstField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := "/patients/" + patientID + "/record/new/"
	for page, name := range map[string]string{
		"/refer/" + patientID: "kind", "/down/" + patientID: "kind", record + "values": "value.sbp", record + "problem": "", record + "allergy": "entry.text",
		record + "medication": "entry.text", record + "result": "item", record + "note": "entry.text", record + "encounter": "class",
		record + "procedure": "entry.text", record + "immunization": "entry.text", record + "report": "entry.text",
	} {
		who := "township"
		if strings.HasPrefix(page, "/down/") {
			who = "desk"
		}
		body := w.browser(who).get(page).Body.String()
		focused := regexp.MustCompile(`<(input|select)[^>]* autofocus[^>]*>`).FindAllString(body, -1)
		if len(focused) != 1 || name != "" && !strings.Contains(focused[0], `name="`+name+`"`) {
			t.Errorf("%s begins in %q", page, focused)
		}
	}
	w.refuse(createMethod, errs.Invalid(errs.Required("form.presentIllness")))
	if body := w.browser("township").post("/refer/"+patientID, typedReferral()).Body.String(); strings.Contains(body, " autofocus") {
		t.Error("a refused form takes the eye from what was wrong")
	}
}
