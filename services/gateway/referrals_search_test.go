package gateway_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

// sought posts a search and answers where it leads, and the page there.
func sought(t *testing.T, b *browser, pairs ...string) (at, body string) {
	t.Helper()
	got := b.post("/referral-searches", form(pairs...))
	if got.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	at = got.Header().Get("Location")
	return at, b.get(at).Body.String()
}

func TestTheSentReferralsAreSearchedByPatientSlipAndDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(searchMethod, &patientrecordv1.SearchPatientsResponse{Patients: []*patientrecordv1.Patient{{Id: patientID, Name: markName}}, NextPageToken: "next"})
	at, body := sought(t, b, "query", " "+markName+" ", "from", "2026-02-01", "to", "2026-02-28", "tab", "open")
	if decoded, _ := url.QueryUnescape(at); strings.Contains(decoded, markName) || !strings.HasPrefix(at, "/referrals?find=") {
		t.Errorf("it leads to %s", at)
	}
	asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod)
	if !slices.Equal(asked.GetPatientIds(), []string{patientID}) || asked.GetNumber() != "" || asked.GetSentFrom() != "2026-02-01" || asked.GetSentTo() != "2026-03-01" || len(asked.GetState()) != 0 || asked.GetView() != "outbox" {
		t.Errorf("asked %v", asked)
	}
	shows(t, body, `value="`+markName+`"`, `value="2026-02-28"`, "More patients have this name", "Clear", "&amp;to=2026-02-28\">Drafts")
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	_, _ = sought(t, b, "query", "0000１23-4")
	if asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod); asked.GetNumber() != "00001234" || len(asked.GetPatientIds()) != 0 {
		t.Errorf("by the slip it asked %v", asked)
	}
	// Days alone look at all states too; without a word or a day the tab stays.
	at, _ = sought(t, b, "from", "2026-02-01", "tab", "ended")
	if asked := lastly[*referralv1.ListReferralsRequest](t, w, listMethod); at != "/referrals?from=2026-02-01&tab=all" || asked.GetSentTo() != "" || len(asked.GetState()) != 0 {
		t.Errorf("%s asked %v", at, asked)
	}
	if at, _ := sought(t, b, "tab", "ended"); at != "/referrals?tab=ended" {
		t.Errorf("a search for nothing leads to %s", at)
	}
	one := sampleReferral(referralv1.State_SUBMITTED)
	one.SubmitTime = in(0)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}})
	shows(t, b.get("/referrals").Body.String(), "<small>sent on 2026-03-")
}

func TestASearchThatFindsNothingSaysHowToWidenIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser("township")
	w.always(searchMethod, &patientrecordv1.SearchPatientsResponse{})
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	_, body := sought(t, b, "query", markName)
	shows(t, body, "widen or clear the dates")
	w.mu.Lock()
	asked := len(w.calls[listMethod])
	w.mu.Unlock()
	if asked != 0 {
		t.Error("where no patient has the name, everybody's referrals were asked for")
	}
	shows(t, b.get("/referrals?tab=all&from=2026-02-31").Body.String(), "A date is wrong")
	shows(t, b.get("/referrals?tab=all&from=2026-02-03&to=2026-02-01").Body.String(), "A date is wrong")
	shows(t, b.get("/referrals?tab=all&find=gone").Body.String(), "This search is over", "Nothing was sent yet")
}

// The menu of a village doctor has only what a village has, and an empty list says where its patients stand.
func TestAVillageDoctorIsLedToTheVillage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	body := w.as("village", commonv1.Role_VILLAGE_DOCTOR).get("/referrals").Body.String()
	shows(t, body, `data-nav="village"`, `data-nav="referrals"`, "stand under My village", `class="button" href="/village"`)
	if strings.Contains(body, `data-nav="received"`) {
		t.Error("a village is sent nobody")
	}
	if !strings.Contains(w.browser("township").get("/referrals").Body.String(), `data-nav="received"`) {
		t.Error("a centre is sent patients")
	}
}
