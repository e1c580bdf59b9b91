package gateway_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const workList = "/follow-ups?tab=overdue&who=mine"

// visitedToday is a world in which the first planned visit was made an hour ago, and the second is due some day; worse is what speaks for sending
// the patient up again.
func visitedToday(t *testing.T, next string, worse ...string) *world {
	t.Helper()
	w := newWorld(t)
	r := sampleDown(referralv1.State_FOLLOW_UP)
	r.Id, r.WorseReasons = downID, worse
	r.GetPlan().GetVisits()[0].DoneTime = in(-time.Hour)
	r.GetPlan().GetVisits()[1].Due = next
	w.always(getMethod, r)
	w.always(actionsMethod, actionsOf("record_visit", "escalate"))
	return w
}

// other is another patient who is to be seen today.
func other() *referralv1.FollowUp {
	f := sampleVisit()
	f.ReferralId, f.Patient = bookingID, proto.CloneOf(f.GetPatient())
	f.Patient.Name = "莫大山"
	return f
}

func TestWhoHasRecordedAVisitIsLedToTheNextPatient(t *testing.T) {
	t.Parallel()
	w := visitedToday(t, "2026-04-05")
	theirs := other()
	theirs.ReferralId, theirs.Theirs = referralID, true
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{sampleVisit(), theirs, other()}})
	at := "/referrals/" + downID + "?list=" + url.QueryEscape(workList)
	body := sound(t, "recorded", w.browser("township").get(at))
	list := html.EscapeString(workList)
	for what, words := range map[string]string{
		"what was recorded": "Recorded today:", "whom to see": "<strong>莫大山</strong>", "by phone": `class="button" href="tel:` + markPhone + `"`,
		"one tap to the next form": `class="button primary" href="/referrals/` + bookingID + `?list=` + url.QueryEscape(workList) + `#visit"`,
		"one tap to the list":      `<a class="button" href="` + list + `">Back to the follow-up list`, "on top as well": `<a href="` + list + `">`,
		"the form waits": `<details><summary>Record the next visit early</summary><form id="visit"`, "worse goes up": "/referrals/" + downID + "/escalate",
		"a refresh stays on the list": `data-fragment="` + html.EscapeString(at) + `" data-fragment-name="actions"`, "and so does a form": `name="list" value="` + list + `"`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %s is missing", what, words)
		}
	}
	if asked := lastly[*referralv1.ListFollowUpsRequest](t, w, followUpsMethod); asked.GetDue() != "overdue" || asked.GetFamilyDoctor() != "me" {
		t.Errorf("the next one is looked for on %v", asked)
	}
}

// Who has found something bad reads it, and can act on it, before anything leads on to the next patient.
func TestWhatAVisitFoundSpeaksBeforeTheNextPatient(t *testing.T) {
	t.Parallel()
	w := visitedToday(t, "2026-04-05", "RESULT_WORSE", "BP_VERY_HIGH")
	for _, next := range [][]*referralv1.FollowUp{{other()}, nil} {
		w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: next})
		body := sound(t, "worse", w.browser("township").get("/referrals/"+downID))
		_, panel, _ := strings.Cut(body, `id="actions"`)
		up, after := strings.Index(panel, `class="button primary" href="/referrals/`+downID+`/escalate"`), strings.Index(panel, "Recorded today:")
		if up < 0 || up > after {
			t.Errorf("%d patients behind: sending up again stands at %d, what leads on at %d", len(next), up, after)
		}
		_, led, _ := strings.Cut(panel, `class="after"`)
		if led, _, _ = strings.Cut(led, "</div>"); strings.Contains(led, "primary") {
			t.Errorf("%d patients behind: what leads on is the main button", len(next))
		}
		if n := strings.Count(panel, "/escalate"); n != 1 {
			t.Errorf("it is offered %d times", n)
		}
	}
}

func TestAVisitThatIsDueTodayTooIsStillAskedFor(t *testing.T) {
	t.Parallel()
	body := sound(t, "two", visitedToday(t, "2026-03-02").browser("township").get("/referrals/"+downID))
	if !strings.Contains(body, "Recorded today:") || strings.Contains(body, "Record the next visit early") || !strings.Contains(body, `<form id="visit"`) {
		t.Error("what is due is put away")
	}
}

func TestTheEndOfTheListAndAListThatCannotBeReadAreSaid(t *testing.T) {
	t.Parallel()
	w := visitedToday(t, "2026-04-05")
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{FollowUps: []*referralv1.FollowUp{sampleVisit()}})
	b := w.browser("township")
	if body := b.get("/referrals/" + downID).Body.String(); !strings.Contains(body, "Nobody else on the list") || !strings.Contains(body, `class="button primary" href="/follow-ups?tab=today"`) {
		t.Error("the end of the list leads nowhere")
	}
	w.refuse(followUpsMethod, errs.Unavailable("referral", nil))
	if body := b.get("/referrals/" + downID).Body.String(); !strings.Contains(body, "what you recorded is saved") {
		t.Error("a list that cannot be read is not said")
	}
}

func TestAVisitComesBackToItsListAndFreesItsOwnDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(getMethod, sampleDown(referralv1.State_FOLLOW_UP))
	b := w.browser("township")
	got := b.post("/referrals/"+downID+"/record_visit", with(sent("record_visit"), "list", workList, "plan.number.0", "2"))
	if want := "/referrals/" + downID + "?list=" + url.QueryEscape(workList); got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
		t.Fatal(got.Code, got.Header())
	}
	if body := b.get("/referrals/" + downID).Body.String(); !strings.Contains(body, `data-draft-done="record_visit:`+downID+`:2"`) {
		t.Error("the browser keeps what was sent")
	}
	w.always(referralv1.ReferralService_Complete_FullMethodName, sampleDown(referralv1.State_CLOSED))
	if got := b.post("/referrals/"+downID+"/complete", with(sent("complete"), "list", workList)); got.Header().Get("Location") != workList {
		t.Errorf("the last visit leads to %s", got.Header().Get("Location"))
	}
	for _, elsewhere := range []string{"https://elsewhere.example/follow-ups", "//elsewhere.example", "/settings", "/follow-ups\x00"} {
		got := b.post("/referrals/"+downID+"/record_visit", with(sent("record_visit"), "list", elsewhere))
		if at := got.Header().Get("Location"); at != "/referrals/"+downID {
			t.Errorf("%q leads to %s", elsewhere, at)
		}
	}
}

// On a phone the bar has room for five: four pages of daily work and the messages.
func TestTheBarOfAPhoneHasWhatIsUsedDaily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	item := regexp.MustCompile(`<a href="[^"]*"(?: aria-current="page")? data-nav="(\w+)"([^>]*)>`)
	for who, want := range map[string]string{"township": "home patients followups", "desk": "desk candidates arrivals"} {
		at := map[string]string{"township": "/home", "desk": "/desk"}[who]
		var hand []string
		for _, found := range item.FindAllStringSubmatch(w.browser(who).get(at).Body.String(), -1) {
			if !strings.Contains(found[2], `class="rest"`) {
				hand = append(hand, found[1])
			}
		}
		if len(hand) != 5 || hand[4] != "inbox" {
			t.Errorf("%s has %v at hand", who, hand)
		}
		for _, name := range strings.Fields(want) {
			if !strings.Contains(" "+strings.Join(hand, " ")+" ", " "+name+" ") {
				t.Errorf("%s has %v at hand, without %s", who, hand, name)
			}
		}
	}
}
