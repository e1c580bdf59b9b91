package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

func sampleVillage() *referralv1.ListVillageResponse {
	return &referralv1.ListVillageResponse{Patients: []*referralv1.VillagePatient{
		{PatientId: patientID, Patient: &referralv1.PatientSummary{Name: markName, Sex: commonv1.Sex_MALE, BirthDate: "1950-01-01"}, State: referralv1.State_ARRIVED, Since: in(-time.Hour)},
		{PatientId: patientID, Patient: &referralv1.PatientSummary{Name: markName}, State: referralv1.State_ACCEPTED, ExpectedFrom: in(time.Hour), ReferralId: referralID},
	}}
}

func TestAVillageDoctorSeesWhoIsAwayWhoComesBackAndWhoIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as("village", commonv1.Role_VILLAGE_DOCTOR)
	got := b.get("/village")
	body := got.Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	for _, words := range []string{"Seen at the county now", "Accepted by the county", `href="/patients/` + patientID + `"`, `href="/referrals/` + referralID + `"`, "overdue", `aria-current="page" data-nav="village"`} {
		if !strings.Contains(body, words) {
			t.Errorf("%q is missing", words)
		}
	}
	for _, diagnosis := range sampleVisit().GetDiagnoses() {
		if strings.Contains(body, diagnosis.GetDisplay()) || strings.Contains(body, diagnosis.GetCode()) {
			t.Errorf("the page tells of %s", diagnosis.GetDisplay())
		}
	}
	// A part that is away leaves the others.
	w.refuse(villageMethod, errs.Unavailable("referral", nil))
	if got := b.get("/village"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "cannot be read now") || !strings.Contains(got.Body.String(), "overdue") {
		t.Errorf("without the list: %d", got.Code)
	}
	if got := w.browser("township").get("/village"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/home" {
		t.Errorf("another doctor: %d %s", got.Code, got.Header().Get("Location"))
	}
}

func TestAVillageDoctorFindsTheResidentsOfTheVillageAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as("village", commonv1.Role_VILLAGE_DOCTOR)
	w.always(patientrecordv1.PatientRecordService_SearchPatients_FullMethodName, &patientrecordv1.SearchPatientsResponse{
		Patients: []*patientrecordv1.Patient{{Id: patientID, Name: "莫某", Village: "竹桥村"}}, NextPageToken: "next",
	})
	for _, typed := range []string{" mo ", ""} {
		words := strings.TrimSpace(typed)
		sent := b.post("/village/search", url.Values{"query": {typed}})
		there := sent.Header().Get("Location")
		if sent.Code != http.StatusSeeOther || !strings.HasPrefix(there, "/village/") {
			t.Fatalf("%d %s", sent.Code, there)
		}
		page, _, _ := strings.Cut(there, "#")
		body := b.get(page).Body.String()
		asked := lastly[*patientrecordv1.SearchPatientsRequest](t, w, patientrecordv1.PatientRecordService_SearchPatients_FullMethodName)
		if asked.GetQuery() != words || !asked.GetVillage() {
			t.Errorf("asked %v", asked)
		}
		if !strings.Contains(body, "莫某") || !strings.Contains(body, "Not all are shown") || !strings.Contains(body, `href="/refer/`+patientID+`"`) {
			t.Errorf("of %q: what was found is not shown", typed)
		}
	}
}
