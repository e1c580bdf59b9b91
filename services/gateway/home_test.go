package gateway_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/htmlcheck"
)

const notificationsMethod = notificationv1.NotificationService_ListNotifications_FullMethodName

// aDay prepares one referral of each sort that a township doctor's day can begin with.
func (w *world) aDay() {
	on(w, listMethod, func(_ context.Context, ask *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if ask.GetDeclinedLately() {
			return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{sampleReferral(referralv1.State_DECLINED)}}, nil
		}
		one := sampleReferral(ask.GetState()[0])
		if ask.GetView() == "inbox" {
			one = sampleDown(ask.GetState()[0])
		}
		if one.GetState() == referralv1.State_RETURNED {
			one.DueTime = in(-5 * time.Minute)
		}
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}}, nil
	})
	w.always(notificationsMethod, &notificationv1.ListNotificationsResponse{OpenCount: 12, Notifications: []*notificationv1.Notification{
		{Id: noticeID, Event: "accepted", ReferralId: referralID, FromOrganizationId: hospitalID, CreateTime: in(0)},
	}})
}

func TestADayBeginsWithWhatNeedsTheDoctorTheMostUrgentFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aDay()
	b := w.browser("township")
	if got := b.get("/").Header().Get("Location"); got != "/home" {
		t.Errorf("the day begins at %q", got)
	}
	body := b.get("/home").Body.String()
	for _, problem := range htmlcheck.Page(body) {
		t.Error(problem)
	}
	at := -1
	for _, name := range strings.Fields("returned back replies followups notices waiting drafts") {
		here := strings.Index(body, `data-fragment="/home" data-fragment-name="`+name+`"`)
		if here <= at {
			t.Errorf("%s is missing or does not come in its turn", name)
		}
		at = here
	}
	for what, words := range map[string]string{
		"the search, without a word in an address": `<form method="post" action="/patients/search"`, "why it came back": markText, "mended with one click": `href="/referrals/` + referralID + `/edit">Complete and resend`,
		"what is late": "1 overdue", "the medicines that the centre lacks": "lacks 1:</strong> 替格瑞洛", "what was decided about them": "county hospital", "taken over with one click": `action="/referrals/` + referralID + `/accept"`,
		"how the reply reads": "<strong>Improved", "overdue follow-ups": "3 days overdue", "all notices counted": `Unread messages <span class="n">12</span>`, "the first of the rail": `<a href="/home" aria-current="page" data-nav="home">`,
	} {
		if !strings.Contains(body, words) {
			t.Errorf("%s: %q is missing", what, words)
		}
	}
	if asked := len(called[*referralv1.ListReferralsRequest](w, listMethod)); asked != 6 {
		t.Errorf("the page asked %d times for referrals", asked)
	}
	if got := b.get("/home", "X-Fragment", "back").Body.String(); strings.Contains(got, "<html") || !strings.Contains(got, "替格瑞洛") || strings.Contains(got, "Unread messages") {
		t.Error("a part is not fetched alone")
	}
	if asked := len(called[*referralv1.ListReferralsRequest](w, listMethod)); asked != 7 {
		t.Error("a part that is fetched alone reads the others too")
	}
}

// A declined referral has ended, and still its sender is to find another way for the patient.
func TestWhatTheCountyDeclinedLatelyWaitsForItsSender(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	waits := true
	on(w, listMethod, func(_ context.Context, ask *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if !ask.GetDeclinedLately() || !waits {
			return &referralv1.ListReferralsResponse{}, nil
		}
		one := sampleReferral(referralv1.State_DECLINED)
		one.DueTime, one.ReasonCode = nil, "NO_BED"
		return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{one}}, nil
	})
	b := w.browser("township")
	shows(t, b.get("/home", "X-Fragment", "returned").Body.String(), `Declined</span> <strong>No bed</strong>`, `class="button" href="/referrals/`+referralID+`">Open`)
	shows(t, b.get("/referrals?tab=mine").Body.String(), `data-id="`+referralID+`"`)
	waits = false
	for _, page := range []string{"/home", "/referrals?tab=mine"} {
		if strings.Contains(b.get(page).Body.String(), `data-id="`+referralID+`"`) {
			t.Errorf("%s tells it for ever", page)
		}
	}
}

func TestTakingAPatientOverFromTheFirstPageComesBackToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.browser("township").post("/referrals/"+referralID+"/accept", form("version", "3", "requestId", "x", "choice", "days", "date", "2026-03-02", "until", "2026-03-09", "back", "/home"))
	asked := lastly[*referralv1.AcceptRequest](t, w, referralv1.ReferralService_Accept_FullMethodName)
	if got.Header().Get("Location") != "/home" || asked.GetVersion() != 3 || asked.GetWalkIn().GetTo() == nil {
		t.Errorf("%d to %q with %v", got.Code, got.Header().Get("Location"), asked)
	}
}

func TestAPartWhoseServiceIsAwaySaysSoByNameAndTheRestWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aDay()
	w.refuse(notificationsMethod, errs.Unavailable("notification", nil))
	got := w.browser("township").get("/home")
	body := got.Body.String()
	if got.Code != http.StatusOK || !strings.Contains(body, "the message service does not answer") || !strings.Contains(body, "Complete and resend") {
		t.Errorf("%d: without notices the page does not say so, or the rest is missing", got.Code)
	}
	w.refuse(listMethod, errs.Unavailable("referral", nil))
	w.refuse(followUpsMethod, errs.New(errs.KindDenied, errs.ReasonRole, "no", nil))
	body = w.browser("township").get("/home").Body.String()
	if n := strings.Count(body, "the referral service does not answer"); n != 5 {
		t.Errorf("%d parts say that their service is away", n)
	}
	if strings.Contains(body, "Nothing waits for you") {
		t.Error("what could not be read is said to be nothing")
	}
}

func TestWhenNothingWaitsTheFirstPageSaysHowToBegin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.always(listMethod, &referralv1.ListReferralsResponse{})
	w.always(followUpsMethod, &referralv1.ListFollowUpsResponse{})
	w.always(notificationsMethod, &notificationv1.ListNotificationsResponse{})
	body := w.browser("township").get("/home").Body.String()
	if !strings.Contains(body, "Nothing waits for you now") || !strings.Contains(body, "To refer somebody") || strings.Contains(body, `<div class="top">`) {
		t.Error("an empty day does not say what to do first, or shows empty parts")
	}
}

func TestAVillageDoctorAsksAndTakesNobodyOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aDay()
	body := w.as("village", commonv1.Role_VILLAGE_DOCTOR).get("/home").Body.String()
	if !strings.Contains(body, "Find a patient to ask about") || strings.Contains(body, "/accept") {
		t.Error("the village doctor is not asked for a question, or can take a patient over")
	}
}

func TestWhoReceivesAtTheCountyBeginsElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{"/": "/desk", "/home": "/desk"} {
		if got := w.browser("desk").get(path).Header().Get("Location"); got != want {
			t.Errorf("%s leads to %q", path, got)
		}
	}
	if body := w.browser("desk").get("/desk").Body.String(); strings.Contains(body, `data-nav="home"`) {
		t.Error("the county's rail has the township's first page")
	}
}

func TestAReferralIsListedWhereItIsLookedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for tab, want := range map[string]referralv1.State_Code{"mine": referralv1.State_RETURNED, "county": referralv1.State_SUBMITTED, "replied": referralv1.State_CONCLUDED} {
		w.browser("township").get("/referrals?tab=" + tab)
		asks := called[*referralv1.ListReferralsRequest](w, listMethod)
		if !slices.ContainsFunc(asks, func(one *referralv1.ListReferralsRequest) bool { return slices.Contains(one.GetState(), want) }) {
			t.Errorf("%s asks %v", tab, asks)
		}
	}
}

// All marks alike say nothing: the row of what is over names how it ended.
func TestARowOfAClosedReferralSaysSoInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	over := sampleReferral(referralv1.State_CLOSED)
	w.always(listMethod, &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{over}})
	body := w.browser("township").get("/referrals?tab=closed").Body.String()
	if _, after, _ := strings.Cut(body, `class="track line"`); !strings.Contains(after, `class="state CLOSED"`) {
		t.Error("only marks are shown")
	}
}

// On a telephone the plan is made in a form of its own, which the first page opens.
func TestTheFirstPageOpensTheFormOfThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on(w, listMethod, func(_ context.Context, ask *referralv1.ListReferralsRequest) (*referralv1.ListReferralsResponse, error) {
		if ask.GetView() == "inbox" {
			return &referralv1.ListReferralsResponse{Referrals: []*referralv1.Referral{sampleDown(referralv1.State_ARRIVED)}}, nil
		}
		return &referralv1.ListReferralsResponse{}, nil
	})
	w.always(getMethod, sampleDown(referralv1.State_ARRIVED))
	w.always(actionsMethod, actionsOf("begin_follow_up"))
	b := w.browser("township")
	shows(t, b.get("/home").Body.String(), `#begin"`)
	says(t, b, `<details id="begin"`, `href="#begin"`, `action="/referrals/`+referralID+`#begin"`)
}
