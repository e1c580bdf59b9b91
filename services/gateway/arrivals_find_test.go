package gateway_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// comes posts what was typed at the desk and answers where it leads, and the page there.
func comes(t *testing.T, b *browser, typed string) (at, body string) {
	t.Helper()
	got := b.post("/desk/find", form("number", typed))
	at = got.Header().Get("Location")
	if decoded, _ := url.QueryUnescape(at); got.Code != http.StatusSeeOther || !strings.HasPrefix(at, "/desk/arrivals?find=") || strings.Contains(decoded, typed) {
		t.Fatalf("%q leads to %d %s", typed, got.Code, at)
	}
	return at, b.get(at).Body.String()
}

// A patient who comes without the slip is found by name, its initials, or the end of a number, and no address names them.
func TestWhoComesIsFoundByNameAndByTheEndOfANumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	w.always(actionsMethod, actionsOf("arrive"))
	w.always(searchMethod, &patientrecordv1.SearchPatientsResponse{Patients: []*patientrecordv1.Patient{{Id: patientID, Name: markName}}})
	one, other := sampleReferral(referralv1.State_ACCEPTED), sampleReferral(referralv1.State_ARRIVED)
	other.Id, other.Number = secondID, "450321-26-0000124-2"
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}})
	arrive := `action="/referrals/` + referralID + `/arrive"`
	at, body := comes(t, b, markName)
	shows(t, body, arrive, `value="`+markName+`"`)
	inbox := func() *referralv1.ListReferralsRequest {
		t.Helper()
		for _, asked := range slices.Backward(called[*referralv1.ListReferralsRequest](w, listMethod)) {
			if len(asked.GetState()) == 6 {
				return asked
			}
		}
		t.Fatal("nobody was sought")
		return nil
	}
	if asked := inbox(); asked.GetView() != "inbox" || !slices.Equal(asked.GetPatientIds(), []string{patientID}) || asked.GetNumber() != "" {
		t.Errorf("asked %v", asked)
	}
	if _, body = comes(t, b, "0123-4"); inbox().GetNumber() != "01234" || len(inbox().GetPatientIds()) != 0 {
		t.Errorf("by the end of the number it asked %v", inbox())
	}
	shows(t, body, arrive)

	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one, other}})
	body = b.get(at).Body.String()
	shows(t, body, "Several were found", arrive, `href="/referrals/`+secondID+`"`)
	// People of one name are told apart by what is on their slips and cards.
	shows(t, body, `<span class="whole">`+other.GetNumber()+"</span>", other.GetPatient().GetMaskedIdentityNumber())
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	// Digits of no slip may be those of an identity card.
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	_, body = comes(t, b, "0026")
	if asked := inbox(); !slices.Equal(asked.GetPatientIds(), []string{patientID}) || asked.GetNumber() != "" {
		t.Errorf("by the end of the card's number it asked %v", asked)
	}
	shows(t, body, "Nobody was found", `value="0026"`)
	w.always(searchMethod, &patientrecordv1.SearchPatientsResponse{})
	before := len(called[*referralv1.ListReferralsRequest](w, listMethod))
	_, body = comes(t, b, "zzm")
	shows(t, body, "Nobody was found")
	for _, asked := range called[*referralv1.ListReferralsRequest](w, listMethod)[before:] {
		if len(asked.GetState()) == 6 {
			t.Error("where no patient has the name, everybody's referrals were asked for")
		}
	}
	shows(t, b.get("/desk/arrivals?find=gone").Body.String(), "This search is over")
	// While the record is away the page stands with what was typed.
	w.refuse(searchMethod, errs.Unavailable("patient-record", nil))
	_, body = comes(t, b, markName)
	shows(t, body, "Names cannot be searched for at the moment", `value="`+markName+`"`)
}

// Who is booked for a later day is clearly apart from who is expected today, and a check-in of them asks first: people of one name stand in one list.
func TestWhoIsExpectedOnALaterDayIsApartAndACheckInAsksFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("desk")
	w.always(actionsMethod, actionsOf("arrive"))
	w.always(searchMethod, &patientrecordv1.SearchPatientsResponse{Patients: []*patientrecordv1.Patient{{Id: patientID, Name: markName}}})
	today, tomorrow := sampleReferral(referralv1.State_ACCEPTED), sampleReferral(referralv1.State_ACCEPTED)
	today.ExpectedFrom, tomorrow.ExpectedFrom = in(0), in(24*time.Hour)
	tomorrow.Id, tomorrow.Number = secondID, "450321-26-0000124-2"
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow, today}})
	at, body := comes(t, b, markName)
	found := body[strings.Index(body, "Several were found"):strings.Index(body, "data-careful")]
	now, later, cut := strings.Cut(found, "Booked for a later day")
	day := tomorrow.GetExpectedFrom().AsTime().Format(time.DateOnly)
	if !cut || !strings.Contains(now, `<button class="primary">`) || strings.Contains(now, secondID) {
		t.Errorf("who is expected today is not first and alone: %s", now)
	}
	shows(t, later, "<summary>Here already?", "is booked for "+day+", not for today", `action="/referrals/`+secondID+`/arrive"`)
	if strings.Contains(later, `class="primary"`) || strings.Contains(later, referralID+"/arrive") {
		t.Errorf("who is expected tomorrow is checked in as quickly: %s", later)
	}
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	// One alone, as a scanned slip shows them, says it too; none of today says so.
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow}})
	body = b.get(at).Body.String()
	shows(t, body, "Booked for "+day+", not for today", "<summary>Here already?")
	if strings.Contains(body, `data-action="arrive"`) {
		t.Error("one of tomorrow is checked in with one tap")
	}
	other := sampleReferral(referralv1.State_ACCEPTED)
	other.Id, other.ExpectedFrom = thirdID, in(48*time.Hour)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow, other}})
	shows(t, b.get(at).Body.String(), "None of them is for today")
	// Who cannot be checked in is told why.
	tomorrow.State, tomorrow.ExpectedFrom = referralv1.State_SUBMITTED, nil
	w.always(actionsMethod, actionsOf("accept"))
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow}})
	shows(t, b.get(at).Body.String(), "is not accepted yet")
	tomorrow.Kind = commonv1.Kind_ADVICE
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow}})
	if body := b.get(at).Body.String(); strings.Contains(body, "is not accepted yet") || !strings.Contains(body, "cannot be checked in now") {
		t.Error("a question is to be accepted, so that its patient can be checked in")
	}
	tomorrow.Kind = commonv1.Kind_OUTPATIENT
	tomorrow.State, tomorrow.ArriveTime = referralv1.State_ARRIVED, in(-time.Hour)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow}})
	shows(t, b.get(at).Body.String(), "Checked in already:")
	tomorrow.State, tomorrow.ArriveTime, tomorrow.ExpectedFrom = referralv1.State_ACCEPTED, nil, in(24*time.Hour)
	w.always(actionsMethod, actionsOf("arrive"))
	// Who has set out is on the way, whatever day was booked.
	tomorrow.DepartTime = in(-time.Hour)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{tomorrow}})
	shows(t, b.get(at).Body.String(), `data-action="arrive"`)
}
