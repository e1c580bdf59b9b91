package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Who sends an emergency is told what to do if nobody answers: whom to ring, and what the system does when; until somebody answers.
func TestWhoSendsAnEmergencyIsToldWhatToDoIfNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hospital := &directoryv1.Organization{Id: hospitalID, Name: "阳朔县人民医院", NameEn: "Yangshuo County People's Hospital", Phone: "0773-8820120"}
	w.always(directoryv1.DirectoryService_ListOrganizations_FullMethodName, &directoryv1.ListOrganizationsResponse{Organizations: []*directoryv1.Organization{hospital}})
	w.always(directoryv1.DirectoryService_ListDepartments_FullMethodName, &directoryv1.ListDepartmentsResponse{Departments: []*directoryv1.Department{
		{OrganizationId: hospitalID, Code: "0304", Name: "心血管内科", NameEn: "Cardiology", Phone: "0773-8820304"},
	}})
	w.always(countyMethod, &notificationv1.CountyRules{CallMinutes: 7})
	sample := sampleReferral(referralv1.State_SUBMITTED)
	sample.Kind, sample.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	w.always(createMethod, sample)
	w.always(getMethod, sample)
	b := w.browser("township")
	answer := b.post("/refer/"+patientID, with(typedReferral(), "kind", "EMERGENCY", "urgency", "EMERGENCY"))
	if answer.Code != http.StatusSeeOther {
		t.Fatal(answer.Code, answer.Body)
	}
	page, said := "/referrals/"+referralID, "There is no answer yet."
	shows(t, b.get(page).Body.String(), "rings at the receiver. What to do if nobody answers stands below", said, `href="tel:0773-8820120"`, `href="tel:0773-8820304"`, "Cardiology", "Telephone first:", `href="/calls"`,
		"acknowledged 7 minutes after", "the patient may set out")
	silent := func(who string, b *browser) {
		t.Helper()
		if strings.Contains(b.get(page, "X-Fragment", "head").Body.String(), said) {
			t.Errorf("%s is told", who)
		}
	}
	silent("the receiver", w.browser("desk"))
	sample.Kind = commonv1.Kind_ADVICE
	if strings.Contains(b.get(page).Body.String(), "the patient may set out") {
		t.Error("with a question nobody sets out")
	}
	sample.Urgency, sample.Kind = commonv1.Urgency_URGENT, commonv1.Kind_OUTPATIENT
	silent("who sent what is no emergency", b)
	sample.Urgency, sample.Kind, sample.State = commonv1.Urgency_EMERGENCY, commonv1.Kind_EMERGENCY, referralv1.State_ACCEPTED
	silent("who has an answer", b)
}

// Without numbers, and without the rules, what is said is still true.
func TestWithoutNumbersTheSenderIsToldToRingTheOneTheyKnow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse(countyMethod, errs.Unavailable("notification", nil))
	sample := sampleReferral(referralv1.State_SUBMITTED)
	sample.Kind, sample.Urgency = commonv1.Kind_EMERGENCY, commonv1.Urgency_EMERGENCY
	w.always(getMethod, sample)
	body := w.browser("township").get("/referrals/" + referralID).Body.String()
	shows(t, body, "The directory has no emergency telephone of", "or else 120", "the county administrator are told")
	if strings.Contains(body, "minutes after it was sent") {
		t.Error("a time is said that nobody knows")
	}
}
