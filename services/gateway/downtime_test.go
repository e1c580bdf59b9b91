package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const (
	blankNumber = "450321-26-0000200-7"
	allotMethod = referralv1.DowntimeService_AllotBlankForms_FullMethodName
	blanks      = referralv1.DowntimeService_ListBlankForms_FullMethodName
	voidMethod  = referralv1.DowntimeService_VoidBlankForm_FullMethodName
)

func blankForms() *referralv1.BlankForms {
	return &referralv1.BlankForms{Forms: []*referralv1.BlankForm{{
		Number: blankNumber, BatchId: "0199aaaa-0000-7000-8000-000000000001", Form: "EMERGENCY", OrganizationId: townshipID, State: referralv1.BlankForm_OUTSTANDING,
		PrintedBy: "周敏", PrintedByOrganization: townshipID, PrintTime: timestamppb.New(now), ValidUntil: timestamppb.New(now.AddDate(0, 0, 90)), VerificationKey: slipKey,
	}}}
}

func TestBlankFormsArePrintedListedAndTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(allotMethod, blankForms())
	w.always(blanks, blankForms())
	b := w.browser("desk")
	page := b.get("/downtime")
	if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), blankNumber) {
		t.Fatalf("%d %s", page.Code, page.Body)
	}
	for _, problem := range htmlcheck.Page(page.Body.String()) {
		t.Error(problem)
	}
	sent := b.post("/downtime", url.Values{"requestId": {"r1"}, "organizationId": {townshipID}, "form": {"EMERGENCY"}, "count": {"1"}})
	asked := lastly[*referralv1.AllotBlankFormsRequest](t, w, allotMethod)
	if sent.Code != http.StatusSeeOther || asked.GetCount() != 1 || asked.GetForm() != "EMERGENCY" || asked.GetOrganizationId() != townshipID {
		t.Errorf("%d, asked %v", sent.Code, asked)
	}
	sheet := b.get(sent.Header().Get("Location")).Body.String()
	for _, want := range []string{"双向转诊（转出）单（急诊）", blankNumber, `class="qr"`, "按本单编号补录"} {
		if !strings.Contains(sheet, want) {
			t.Errorf("the sheet lacks %s", want)
		}
	}
	for _, problem := range htmlcheck.Page(sheet) {
		t.Error(problem)
	}
	w.refuse(voidMethod, errs.Invalid(errs.Required("note")))
	if got := b.post("/downtime/void", url.Values{"number": {blankNumber}, "reasonCode": {"OTHER"}}); got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), `href="#f-note"`) {
		t.Errorf("a refusal: %d %s", got.Code, got.Body)
	}
}

func TestAReferralIsEnteredUnderItsBlankNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	form := typedReferral()
	form.Set("blankNumber", " "+blankNumber)
	form.Set("writtenTime", "2026-09-01T07:30")
	if got := b.post("/refer/"+patientID, form); got.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	made := lastly[*referralv1.CreateReferralRequest](t, w, createMethod)
	if made.GetBlankNumber() != blankNumber || !made.GetWrittenTime().AsTime().Equal(time.Date(2026, 8, 31, 23, 30, 0, 0, time.UTC)) {
		t.Errorf("entered as %s of %v", made.GetBlankNumber(), made.GetWrittenTime().AsTime())
	}
}

// A 回转单 that was filled in by hand is entered on the page for sending down, and what is wrong with its number is said there.
func TestADownReferralIsEnteredUnderItsBlankNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.concluded()
	w.always(createMethod, downAnswer(referralv1.State_SUBMITTED))
	b := w.browser("desk")
	if page := b.get("/down/" + patientID).Body.String(); !strings.Contains(page, `name="blankNumber"`) {
		t.Error("the number cannot be entered")
	}
	if page := b.get("/down/" + patientID + "?draft=" + downID).Body.String(); strings.Contains(page, `name="blankNumber"`) {
		t.Error("a draft is offered a number that it cannot take")
	}
	typed := with(typedDown(), "blankNumber", " "+blankNumber, "writtenTime", "2026-09-01T07:30")
	if got := b.post("/down/"+patientID, typed); got.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	made := lastly[*referralv1.CreateReferralRequest](t, w, createMethod)
	if made.GetBlankNumber() != blankNumber || !made.GetWrittenTime().AsTime().Equal(time.Date(2026, 8, 31, 23, 30, 0, 0, time.UTC)) {
		t.Errorf("entered as %s of %v", made.GetBlankNumber(), made.GetWrittenTime().AsTime())
	}
	for name, cause := range map[string]error{
		"used, or another kind": errs.Invalid(errs.Bad("blankNumber", errs.ReasonFieldCombination)), "another's": errs.Invalid(errs.Bad("blankNumber", errs.ReasonFieldUnknown)),
		"too early": errs.Invalid(errs.Bad("writtenTime", errs.ReasonFieldOutOfRange)),
	} {
		w.refuse(createMethod, cause)
		got := b.post("/down/"+patientID, typed)
		if body := got.Body.String(); got.Code != http.StatusBadRequest || !strings.Contains(body, `<details open><summary>Enter a referral written during downtime`) || !strings.Contains(body, `value=" `+blankNumber) {
			t.Errorf("%s: %d, what was typed is gone or out of sight", name, got.Code)
		}
	}
}

// Each kind of organisation is offered what it writes; the others are one step away.
func TestTheFormsThatAnOrganisationWritesStandFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(blanks, &referralv1.BlankForms{})
	b := w.browser("desk")
	offered := func(path string) string {
		body := sound(t, path, b.get(path))
		_, form, _ := strings.Cut(body, `id="f-form"`)
		first, rest, _ := strings.Cut(form, "<summary>")
		rest, _, _ = strings.Cut(rest, "</fieldset>")
		kinds := func(part string) (out string) {
			for _, form := range []string{"OUT", "EMERGENCY", "BACK"} {
				if strings.Contains(part, `name="form" value="`+form+`" checked`) {
					out += " *" + form
				} else if strings.Contains(part, `name="form" value="`+form+`"`) {
					out += " " + form
				}
			}
			return out
		}
		return kinds(first) + " |" + kinds(rest)
	}
	for path, want := range map[string]string{
		"/downtime": " *BACK | OUT EMERGENCY", "/downtime?organization=" + townshipID: " *OUT EMERGENCY | BACK", "/downtime?organization=none": " *BACK | OUT EMERGENCY",
	} {
		if got := offered(path); got != want {
			t.Errorf("%s offers%s, want%s", path, got, want)
		}
	}
	w.refuse(allotMethod, errs.Invalid(errs.Bad("count", errs.ReasonFieldOutOfRange)))
	again := b.post("/downtime", url.Values{"organizationId": {townshipID}, "form": {"BACK"}, "count": {"99"}}).Body.String()
	if !strings.Contains(again, `<option value="`+townshipID+`" selected>`) || !strings.Contains(again, `name="organizationId" value="`+townshipID) || !strings.Contains(again, "<details open><summary>Other kinds") || !strings.Contains(again, `value="BACK" checked`) {
		t.Errorf("what was chosen is gone, or out of sight:\n%s", again)
	}
}

// A list that is longer than a page leads on.
func TestAllBlankFormsAreReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := blankForms()
	first.NextPageToken = "next page"
	w.always(blanks, first)
	b := w.browser("desk")
	if page := b.get("/downtime?state=USED").Body.String(); !strings.Contains(page, `href="/downtime?state=USED&amp;page=next&#43;page"`) && !strings.Contains(page, `href="/downtime?state=USED&amp;page=next%20page"`) {
		t.Errorf("the way on is missing: %s", page)
	}
	b.get("/downtime?state=USED&page=next+page")
	if asked := lastly[*referralv1.ListBlankFormsRequest](t, w, blanks); asked.GetPageToken() != "next page" || asked.GetState() != referralv1.BlankForm_USED {
		t.Errorf("asked %v", asked)
	}
}
