package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// What the directory knows of a person is where messages go until they say otherwise; the county sees whom of those on duty nothing reaches.
func TestWhoIsOnDutyIsReachedByTheDirectorysTelephone(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		account := func(name string, version int32, phone string) {
			o.t.Helper()
			err := o.OnAccount(o.t.Context(), "accounts", id.New(), domain.Account{
				County: county, ID: name, Version: version, OrganizationID: "hospital", Name: "name of " + name, Roles: []string{"INTAKE_DESK"}, Phone: phone,
			})
			if err != nil {
				o.t.Fatal(err)
			}
		}
		account("first", 1, "13800138000")
		account("second", 1, "0773-8821234")
		o.roster("hospital", domain.DeskPost, "first", "second")
		out := app.NewOutgoing(o.store, o.sender(1, nobody{}), nil)
		unreached := func(organization string, want ...string) {
			o.t.Helper()
			r, err := out.OnDutyReach(o.t.Context(), county, organization)
			if err != nil || len(r.Unreached) != len(want) || len(want) > 0 && (r.Unreached[0].AccountID != want[0] || r.Unreached[0].Name == "") {
				o.t.Errorf("%+v, %v; want %v", r, err, want)
			}
			if on := map[bool]int{true: 0, false: 2}[organization == "elsewhere"]; r.OnDuty != on {
				o.t.Errorf("%d on duty, want %d", r.OnDuty, on)
			}
		}
		unreached("", "second")
		unreached("hospital", "second")
		unreached("elsewhere")

		o.handle(o.emergency("submitted"))
		o.start(o.sender(1, nobody{}))
		o.until("the telephone of the directory is written to", func() bool { got, _ := o.texts.got(); return len(got) == 1 })
		if got, _ := o.texts.got(); got[0].To.Value != "13800138000" {
			o.t.Errorf("it went to %q", got[0].To.Value)
		}
		// A mobile in the directory, or one that the person sets, and everybody is reached.
		account("second", 2, "13900139000")
		unreached("")
		account("second", 3, "")
		unreached("", "second")
		o.address(app.Owner{County: county, AccountID: "second"}, domain.SMS, "13700137000")
		unreached("")
		rules := domain.DefaultCountyRules()
		rules.Allowed, rules.AlwaysEmergency, rules.AlwaysUrgent = []string{domain.WeComApp}, nil, nil
		if err := o.SetCountyRules(o.t.Context(), o.caller("admin"), rules, id.New()); err != nil {
			o.t.Fatal(err)
		}
		if r, err := out.OnDutyReach(o.t.Context(), county, ""); err != nil || len(r.Unreached) != 2 {
			o.t.Errorf("without a channel that is allowed: %+v, %v", r, err)
		}
	})
}

// patients have a telephone and a booking that begins then.
type patients struct {
	nobody
	start time.Time
}

func (patients) Contact(context.Context, string, string, string) (phone, reason string, err error) {
	return "13800138000", "", nil
}

func (patients) Names(context.Context, string) (app.Names, error) { return app.Names{}, nil }

func (p patients) Booking(context.Context, string, string) (app.Place, error) {
	return app.Place{Start: p.start}, nil
}

func (patients) SlipKey(context.Context, string, string) (number, key string, err error) {
	return "450321-26-0000123-4", "", nil
}

// A provider that was away for a night wakes nobody, and reminds nobody of what has begun.
func TestAReminderWaitsForTheDayAndIsDroppedWhenTheAppointmentHasBegun(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		now := o.clk.Now().UTC()
		night := time.Date(now.Year(), now.Month(), now.Day()+1, 3, 0, 0, 0, time.UTC)
		o.clk.Advance(night.Sub(now))
		remind := func(channelOf string) string {
			return o.dispatch(domain.Dispatch{
				Channel: domain.SMS, PatientID: "patient", BookingID: "b", Template: "PATIENT_REMINDER", Event: domain.Reminder, Urgency: channelOf,
			})
		}
		first := remind("ROUTINE")
		stop := o.start(o.sender(1, patients{start: night.Add(6 * time.Hour)}))
		o.until("it waits for the day", func() bool {
			return o.count("SELECT count(*) FROM delivery WHERE id = $1 AND state = 'PENDING' AND reason = 'NIGHT' AND attempt_count = 0", first) == 1
		})
		o.clk.Advance(5*time.Hour - time.Second)
		if got, _ := o.texts.got(); len(got) != 0 {
			o.t.Errorf("at night went %q", got[0].Text)
		}
		o.clk.Advance(time.Second)
		o.until("it is sent in the morning", o.is(first, domain.StateSent))
		o.clk.Advance(time.Hour)
		late := remind("ROUTINE")
		o.until("what has begun is no news", o.is(late, domain.StateCancelled))
		stop()
	})
}
