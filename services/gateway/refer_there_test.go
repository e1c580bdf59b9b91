package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const underWayMethod = referralv1.ReferralService_ListUnderWay_FullMethodName

const needed = "please check, and tick the box"

// Who sends a patient to a hospital that has them already, or expects them, is asked first, keeps what was typed, and may send all the same.
func TestAPatientWhomTheHospitalHasIsAskedAboutBeforeSending(t *testing.T) {
	t.Parallel()
	under := func(admitted bool, hospital string, kinds ...commonv1.Kind_Code) *referralv1.ListUnderWayResponse {
		one := &referralv1.UnderWay{OrganizationId: hospital, AskedKinds: kinds}
		if admitted {
			one.AdmitTime = in(-time.Hour)
		} else {
			one.Referrals = []*referralv1.Referral{sampleReferral(referralv1.State_ACCEPTED)}
		}
		return &referralv1.ListUnderWayResponse{Hospitals: []*referralv1.UnderWay{one}}
	}
	for name, c := range map[string]struct {
		answer *referralv1.ListUnderWayResponse
		kind   string
		asked  bool
	}{
		"in the hospital": {under(true, hospitalID, commonv1.Kind_OUTPATIENT, commonv1.Kind_EXAM), "OUTPATIENT", true},
		"expected":        {under(false, hospitalID, commonv1.Kind_OUTPATIENT), "OUTPATIENT", true},
		"in another":      {under(true, townshipID, commonv1.Kind_OUTPATIENT), "OUTPATIENT", false},
		"another kind":    {under(true, hospitalID, commonv1.Kind_EXAM), "OUTPATIENT", false},
		"a question only": {under(true, hospitalID, commonv1.Kind_OUTPATIENT), "ADVICE", false},
		"nothing":         {&referralv1.ListUnderWayResponse{}, "OUTPATIENT", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.always(underWayMethod, c.answer)
			b := w.browser("township")
			typed := with(typedReferral(), "kind", c.kind, "anyway", "")
			got := b.post("/refer/"+patientID, typed)
			if !c.asked {
				if got.Code != http.StatusSeeOther {
					t.Errorf("%d %s", got.Code, got.Body)
				}
				return
			}
			body := got.Body.String()
			if got.Code != http.StatusBadRequest || strings.Count(body, needed) != 2 || !strings.Contains(body, `href="#f-anyway"`) {
				t.Errorf("%d %s", got.Code, body)
			}
			for _, problem := range htmlcheck.Page(body) {
				t.Error(problem)
			}
			keeps(t, body, typed, "requestId", "holdKey", "do")
			if got := b.post("/refer/"+patientID, with(typed, "anyway", townshipID)); got.Code != http.StatusBadRequest {
				t.Errorf("meant for another hospital: %d", got.Code)
			}
			if got := b.post("/refer/"+patientID, with(typed, "do", "draft")); got.Code != http.StatusSeeOther {
				t.Errorf("kept as a draft: %d", got.Code)
			}
			if got := b.post("/refer/"+patientID, with(typed, "anyway", hospitalID)); got.Code != http.StatusSeeOther {
				t.Errorf("meant: %d %s", got.Code, got.Body)
			}
		})
	}
}

// What cannot be asked stops nobody.
func TestWithoutAnAnswerNothingIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(underWayMethod, errs.Unavailable("referral", nil))
	if got := w.browser("township").post("/refer/"+patientID, with(typedReferral(), "anyway", "")); got.Code != http.StatusSeeOther {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// The telephones of each hospital stand beside the choice of an emergency; where none is known, what to do.
func TestTheFormOfAnEmergencyTellsWhomToTelephone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hospital := &directoryv1.Organization{Id: hospitalID, Name: "阳朔县人民医院", NameEn: "Yangshuo County People's Hospital", Type: directoryv1.OrganizationType_COUNTY_HOSPITAL, Phone: "0773-8820120"}
	w.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{hospital}})
	w.always(directoryv1.DirectoryService_ListDepartments_FullMethodName, &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{
		{OrganizationId: hospitalID, Code: "20", Name: "急诊医学科", NameEn: "Emergency", Phone: "0773-8820119"},
	}})
	body := w.browser("township").get("/refer/" + patientID).Body.String()
	shows(t, body, "Telephone first:", `href="tel:0773-8820119">Emergency 0773-8820119`, `href="tel:0773-8820120"`, `data-when="organization=`+hospitalID+`"`)
	if strings.Index(body, "0773-8820119") > strings.Index(body, "0773-8820120") {
		t.Error("the switchboard stands before the emergency department")
	}
	bare := newWorld(t)
	bare.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{
		{Id: hospitalID, NameEn: hospital.GetNameEn(), Type: hospital.GetType()},
	}})
	shows(t, bare.browser("township").get("/refer/"+patientID).Body.String(), "no emergency telephone of Yangshuo", "or else 120")
}
