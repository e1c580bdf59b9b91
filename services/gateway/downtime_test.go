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
