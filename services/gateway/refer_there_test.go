package gateway_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const needed = "please check, and tick the box"

// Who sends a patient to a hospital that has them already, or expects them, is asked first, keeps what was typed, and may send all the same.
func TestAPatientWhomTheHospitalHasIsAskedAboutBeforeSending(t *testing.T) {
	t.Parallel()
	referral := func(kind commonv1.Kind_Code, state referralv1.State_Code) *referralv1.ListReferralsResponse {
		one := sampleReferral(state)
		one.Kind, one.Direction = kind, commonv1.Direction_UP
		one.Receiver = &commonv1.Party{OrganizationId: hospitalID, DepartmentCode: "0304"}
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}}
	}
	stay := func(status, organization string) *patientrecordv1.Summary {
		return &patientrecordv1.Summary{
			Patient:          &patientrecordv1.Patient{Id: patientID, Name: "王某"},
			RecentEncounters: []*patientrecordv1.Encounter{{ClassCode: "IMP", Status: status, StartTime: in(-time.Hour), OrganizationId: organization}},
		}
	}
	nothing := &referralv1.ListReferralsResponse{}
	for name, c := range map[string]struct {
		list    *referralv1.ListReferralsResponse
		summary *patientrecordv1.Summary
		kind    string
		asked   bool
	}{
		"in the hospital":                       {nothing, stay("in-progress", hospitalID), "OUTPATIENT", true},
		"was in the hospital":                   {nothing, stay("finished", hospitalID), "OUTPATIENT", false},
		"in another":                            {nothing, stay("in-progress", townshipID), "OUTPATIENT", false},
		"a question only":                       {nothing, stay("in-progress", hospitalID), "ADVICE", false},
		"admitted by referral":                  {referral(commonv1.Kind_INPATIENT, referralv1.State_ADMITTED), nil, "OUTPATIENT", true},
		"expected":                              {referral(commonv1.Kind_EXAM, referralv1.State_ACCEPTED), nil, "OUTPATIENT", true},
		"was answered":                          {referral(commonv1.Kind_EXAM, referralv1.State_CONCLUDED), nil, "OUTPATIENT", false},
		"asked about only":                      {referral(commonv1.Kind_ADVICE, referralv1.State_SUBMITTED), nil, "OUTPATIENT", false},
		"the same kind: refused by the service": {referral(commonv1.Kind_OUTPATIENT, referralv1.State_SUBMITTED), nil, "OUTPATIENT", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.always(listMethod, c.list)
			if c.summary != nil {
				w.always(summaryMethod, c.summary)
			}
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
func TestWithoutTheRecordNothingIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(summaryMethod, errs.Unavailable("patientrecord", nil))
	w.refuse(listMethod, errs.Unavailable("referral", nil))
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
