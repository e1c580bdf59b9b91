package check_test

import (
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/check"
)

// accepted is a county with one referral that was created, submitted and accepted with a slot.
func accepted() check.World {
	row := func(action string, from, to referralv1.State_Code, version int32) *referralv1.HistoryRow {
		return &referralv1.HistoryRow{Kind: "TRANSITION", Action: action, From: from, To: to, Version: version, Actor: &commonv1.Actor{AccountId: "doctor"}}
	}
	entry := func(event, account string) *notificationv1.Notification {
		return &notificationv1.Notification{FactId: event, Event: event, AccountId: account, ReferralId: "r1"}
	}
	return check.World{
		Lifecycle: []*referralv1.Action{
			{Name: "create", To: referralv1.State_DRAFT},
			{Name: "submit", From: []referralv1.State_Code{referralv1.State_DRAFT}, To: referralv1.State_SUBMITTED},
			{Name: "accept", From: []referralv1.State_Code{referralv1.State_SUBMITTED}, To: referralv1.State_ACCEPTED},
		},
		Referrals: []check.Referral{{
			Referral: &referralv1.Referral{
				Id: "r1", Version: 3, State: referralv1.State_ACCEPTED, BookingId: "b1",
				Originator: &commonv1.Party{OrganizationId: "township"}, Receiver: &commonv1.Party{OrganizationId: "hospital"},
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
		},
	}
}

func TestACountyInWhichAllIsWellHasNoProblems(t *testing.T) {
	t.Parallel()
	if problems := accepted().Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestEachBrokenPromiseIsFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(*check.World)
		want  string
	}{
		"a version is missing":    {func(w *check.World) { w.Referrals[0].History[1].Version = 3 }, "has version 3"},
		"a row leads elsewhere":   {func(w *check.World) { w.Referrals[0].History[1].To = referralv1.State_RETURNED }, "the table has no submit"},
		"a row is lost":           {func(w *check.World) { w.Referrals[0].History = w.Referrals[0].History[:2] }, "its history ends SUBMITTED"},
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
