package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
)

func row(action string, from, to referralv1.State_Code, version int32) *referralv1.HistoryRow {
	return &referralv1.HistoryRow{
		Kind: "TRANSITION", Action: action, From: from, To: to, Version: version, Actor: &commonv1.Actor{AccountId: "doctor", OrganizationId: "township"},
	}
}

func mark(action string, detail map[string]string) *referralv1.HistoryRow {
	return &referralv1.HistoryRow{Kind: "MARK", Action: action, Detail: detail, Actor: &commonv1.Actor{AccountId: "doctor", OrganizationId: "township"}}
}

func entry(event, account string) *notificationv1.Notification {
	return &notificationv1.Notification{FactId: event, Event: event, AccountId: account, ReferralId: "r1"}
}

// tell adds entries of an event for accounts.
func tell(w *check.World, event string, accounts ...string) {
	for _, account := range accounts {
		w.Entries = append(w.Entries, entry(event, account))
	}
}

// conclude takes the referral of [accepted] on to its end at the county, where the patient is found to be one who could go down.
func conclude(w *check.World) {
	r := &w.Referrals[0]
	r.History = append(r.History, row("arrive", referralv1.State_ACCEPTED, referralv1.State_ARRIVED, 4),
		row("conclude", referralv1.State_ARRIVED, referralv1.State_CONCLUDED, 5))
	r.State, r.Version = referralv1.State_CONCLUDED, 5
	tell(w, "arrived", "doctor")
	tell(w, "concluded", "doctor")
	tell(w, "candidate_found", "specialist")
	w.Candidates = []*referralv1.Candidate{{Id: "c1", State: "OPEN", ReferralId: "r1", OrganizationId: "hospital", DepartmentCode: "03", Origin: "CONCLUDED"}}
}

// sendBack concludes, sends the patient home, and has the centre decline: the candidate is on its list for the second time.
func sendBack(w *check.World) {
	conclude(w)
	found := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	w.Candidates[0].FoundTime = timestamppb.New(found)
	rows := []*referralv1.HistoryRow{
		row("create", referralv1.State_UNSPECIFIED, referralv1.State_DRAFT, 1),
		row("submit", referralv1.State_DRAFT, referralv1.State_SUBMITTED, 2),
		row("decline", referralv1.State_SUBMITTED, referralv1.State_DECLINED, 3),
	}
	for i, r := range rows {
		r.Time = timestamppb.New(found.Add(time.Duration(i+1) * time.Hour))
		r.Actor = &commonv1.Actor{AccountId: "specialist", OrganizationId: "hospital"}
	}
	w.Referrals = append(w.Referrals, check.Referral{
		Referral: &referralv1.Referral{
			Id: "r2", Number: "2", Version: 3, State: referralv1.State_DECLINED, Direction: commonv1.Direction_DOWN, Kind: commonv1.Kind_CHRONIC,
			Originator: &commonv1.Party{OrganizationId: "hospital", DepartmentCode: "03"}, Receiver: &commonv1.Party{OrganizationId: "township"},
			ReplyTo: "r1", LinkKind: "ANSWERS",
		},
		History: rows,
	})
	w.Entries = append(w.Entries,
		&notificationv1.Notification{FactId: "again", Event: "candidate_found", AccountId: "specialist", ReferralId: "r1"},
		&notificationv1.Notification{FactId: "down", Event: "submitted", AccountId: "doctor", ReferralId: "r2"},
		&notificationv1.Notification{FactId: "down", Event: "submitted", AccountId: "colleague", ReferralId: "r2"},
		&notificationv1.Notification{FactId: "no", Event: "declined", AccountId: "specialist", ReferralId: "r2"},
	)
}

// redirect sends the referral of [accepted] to another hospital before it is accepted.
func redirect(w *check.World) {
	r := &w.Referrals[0]
	gone := row("redirect", referralv1.State_SUBMITTED, referralv1.State_SUBMITTED, 3)
	gone.Detail = map[string]string{"fromOrganizationId": "hospital", "fromDepartmentCode": "03"}
	last := r.History[3]
	last.Version = 4
	r.History = append(r.History[:3], gone, last)
	r.Version, r.Receiver = 4, &commonv1.Party{OrganizationId: "hospital2", DepartmentCode: "03"}
	tell(w, "redirected", "doctor", "desk2")
}

// accepted is a county with one referral that was created, submitted and accepted with a slot.
func accepted() check.World {
	action := func(name string, to referralv1.State_Code, from ...referralv1.State_Code) *referralv1.Action {
		return &referralv1.Action{
			Name: name, From: from, To: to,
			Directions: []commonv1.Direction_Code{commonv1.Direction_UP, commonv1.Direction_DOWN},
			Kinds:      []commonv1.Kind_Code{commonv1.Kind_OUTPATIENT, commonv1.Kind_CHRONIC},
		}
	}
	return check.World{
		Lifecycle: []*referralv1.Action{
			action("create", referralv1.State_DRAFT),
			action("submit", referralv1.State_SUBMITTED, referralv1.State_DRAFT),
			action("redirect", referralv1.State_SUBMITTED, referralv1.State_SUBMITTED),
			action("decline", referralv1.State_DECLINED, referralv1.State_SUBMITTED),
			action("accept", referralv1.State_ACCEPTED, referralv1.State_SUBMITTED),
			action("arrive", referralv1.State_ARRIVED, referralv1.State_ACCEPTED),
			action("conclude", referralv1.State_CONCLUDED, referralv1.State_ARRIVED),
		},
		Referrals: []check.Referral{{
			Referral: &referralv1.Referral{
				Id: "r1", Number: "1", Version: 3, State: referralv1.State_ACCEPTED, BookingId: "b1",
				Direction: commonv1.Direction_UP, Kind: commonv1.Kind_OUTPATIENT, Urgency: commonv1.Urgency_ROUTINE,
				Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "hospital", DepartmentCode: "03"},
			},
			History: []*referralv1.HistoryRow{
				row("create", referralv1.State_UNSPECIFIED, referralv1.State_DRAFT, 1),
				row("submit", referralv1.State_DRAFT, referralv1.State_SUBMITTED, 2),
				{Kind: "MARK", Action: "seen"},
				row("accept", referralv1.State_SUBMITTED, referralv1.State_ACCEPTED, 3),
			},
		}},
		Bookings: []*schedulingv1.Booking{{Id: "b1", HoldId: "h1", ReferralId: "r1", SlotId: "s1", State: schedulingv1.BookingState_LIVE}},
		Entries:  []*notificationv1.Notification{entry("submitted", "desk"), entry("accepted", "doctor")},
		Accounts: []*directoryv1.Account{
			{Id: "desk", OrganizationId: "hospital", Roles: []commonv1.Role_Code{commonv1.Role_INTAKE_DESK}},
			{Id: "doctor", OrganizationId: "township", Roles: []commonv1.Role_Code{commonv1.Role_TOWNSHIP_DOCTOR}},
			{Id: "colleague", OrganizationId: "township", Roles: []commonv1.Role_Code{commonv1.Role_TOWNSHIP_DOCTOR}},
			{Id: "desk2", OrganizationId: "hospital2", Roles: []commonv1.Role_Code{commonv1.Role_INTAKE_DESK}},
			{Id: "specialist", OrganizationId: "hospital", DepartmentCode: "03", Roles: []commonv1.Role_Code{commonv1.Role_SPECIALIST}},
		},
	}
}

func TestACountyInWhichAllIsWellHasNoProblems(t *testing.T) {
	t.Parallel()
	for name, live := range map[string]func(*check.World){
		"accepted":                     func(*check.World) {},
		"concluded, with a candidate":  conclude,
		"redirected to other people":   redirect,
		"sent down and declined":       sendBack,
		"candidates that nobody reads": func(w *check.World) { conclude(w); w.Candidates = nil },
		"marked": func(w *check.World) {
			w.Referrals[0].History = append(w.Referrals[0].History, mark("message", nil), mark("depart", nil))
			tell(w, "message_posted", "desk", "specialist")
			tell(w, "departed", "desk")
		},
		"late, with those who must hear of it": func(w *check.World) {
			w.Referrals[0].History = append(w.Referrals[0].History, mark("deadline_passed", map[string]string{"step": "REPLY", "level": "1"}))
			tell(w, "deadline_passed", "specialist")
		},
		"late, but done before the news came": func(w *check.World) {
			w.Referrals[0].History = append(w.Referrals[0].History, mark("deadline_passed", map[string]string{"step": "REPLY", "level": "1"}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := accepted()
			live(&w)
			if problems := w.Problems(); len(problems) > 0 {
				t.Error(problems)
			}
		})
	}
}

func TestEachBrokenPromiseIsFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(*check.World)
		want  string
	}{
		"a version is missing":   {func(w *check.World) { w.Referrals[0].History[1].Version = 3 }, "has version 3"},
		"a row leads elsewhere":  {func(w *check.World) { w.Referrals[0].History[1].To = referralv1.State_RETURNED }, "the table has no submit"},
		"a row is lost":          {func(w *check.World) { w.Referrals[0].History = w.Referrals[0].History[:2] }, "its history ends SUBMITTED"},
		"a row of another kind":  {func(w *check.World) { w.Referrals[0].Kind = commonv1.Kind_ADVICE }, "r1 (UP ADVICE): the table has no submit"},
		"a mark takes a version": {func(w *check.World) { w.Referrals[0].History[2].Version = 3 }, "the mark seen"},
		"a link leads one way": {func(w *check.World) {
			conclude(w)
			w.Referrals[0].BounceBackOf = "r2"
			w.Referrals = append(w.Referrals, check.Referral{Referral: &referralv1.Referral{Id: "r2"}})
		}, "referral r1 is a bounce-back of r2, which does not say so"},
		"a stay has two candidates": {func(w *check.World) {
			conclude(w)
			w.Candidates = append(w.Candidates, &referralv1.Candidate{Id: "c2", State: "DISMISSED", ReferralId: "r1"})
		}, "the stay of referral r1 has the candidates c1 and c2"},
		"a candidate is closed for nothing": {func(w *check.World) { conclude(w); w.Candidates[0].State = "CLOSED" }, "candidate c1 is CLOSED"},
		"a candidate is kept from the department": {func(w *check.World) {
			conclude(w)
			w.Entries = w.Entries[:len(w.Entries)-1]
		}, `account specialist has 0 entries "candidate_found", 1 are due`},
		"a candidate comes back unheard": {func(w *check.World) {
			sendBack(w)
			w.Entries = slices.DeleteFunc(w.Entries, func(e *notificationv1.Notification) bool { return e.GetFactId() == "again" })
		}, `has 1 entries "candidate_found", 2 are due`},
		"a candidate is told too often": {func(w *check.World) {
			conclude(w)
			w.Candidates = nil
			w.Entries = append(w.Entries, &notificationv1.Notification{FactId: "f", Event: "candidate_found", AccountId: "specialist", ReferralId: "r1"})
		}, `has 2 entries "candidate_found", 0 to 1 are due`},
		"a message is kept from the other side": {func(w *check.World) {
			w.Referrals[0].History = append(w.Referrals[0].History, mark("message", nil))
			tell(w, "message_posted", "desk")
		}, `account specialist has 0 entries "message_posted", 1 are due`},
		"who gave it away is told of the rest": {func(w *check.World) {
			redirect(w)
			tell(w, "acknowledged", "desk")
		}, `account desk has an entry "acknowledged" without a cause`},
		"a limit alarms whom it does not concern": {func(w *check.World) {
			w.Referrals[0].History = append(w.Referrals[0].History, mark("deadline_passed", map[string]string{"step": "REPLY", "level": "1"}))
			tell(w, "deadline_passed", "colleague")
		}, `account colleague has an entry "deadline_passed" without a cause`},
		"a figure is wrong": {func(w *check.World) {
			w.Figures = []*referralv1.StatisticDifference{{Counter: "submitted", Day: "2026-03-02", Stored: 2, Recomputed: 1}}
		}, "figure submitted of 2026-03-02 for [] is 2, history gives 1"},
		"a booking is gone":       {func(w *check.World) { w.Bookings = nil }, "is not live"},
		"a promise is empty":      {func(w *check.World) { w.Referrals[0].BookingId = "" }, "without a booking"},
		"a booking is unknown":    {func(w *check.World) { w.Referrals = nil; w.Entries = nil }, "is named by 0 referrals"},
		"a booking is another's":  {func(w *check.World) { w.Bookings[0].ReferralId = "r2" }, "belongs to r2"},
		"a booking never settles": {func(w *check.World) { w.Bookings[0].State = schedulingv1.BookingState_UNSETTLED }, "is UNSETTLED although"},
		"a slot is given twice": {func(w *check.World) {
			w.Holds = append(w.Holds, &schedulingv1.Hold{Id: "h2", SlotId: "s1", State: schedulingv1.HoldState_HELD})
		}, "slot s1 is taken by hold h2 and by booking b1"},
		"a hold is forgotten": {func(w *check.World) {
			w.Holds = append(w.Holds, &schedulingv1.Hold{Id: "h2", BedId: "x", ReferralId: "r1", State: schedulingv1.HoldState_ATTACHED})
		}, "which does not have it"},
		"a fact is lost": {func(w *check.World) { w.Entries = w.Entries[:1] }, `account doctor has 0 entries "accepted", 1 are due`},
		"a fact comes twice": {func(w *check.World) {
			w.Entries = append(w.Entries, w.Entries[0])
		}, "was entered twice"},
		"a stranger is told": {func(w *check.World) {
			w.Entries = append(w.Entries, &notificationv1.Notification{FactId: "f", Event: "accepted", AccountId: "colleague", ReferralId: "r1"})
		}, "without a cause"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := accepted()
			test.spoil(&w)
			if problems := strings.Join(w.Problems(), "\n"); !strings.Contains(problems, test.want) {
				t.Errorf("problems are %q, want one with %q", problems, test.want)
			}
		})
	}
}
