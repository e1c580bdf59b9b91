package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// becomes is what the directory says of a person from now on.
func (f *fixture) becomes(a domain.Account) {
	f.t.Helper()
	a.County, a.Version = county, 2
	if err := f.OnAccount(f.t.Context(), "notification-account", id.New(), a); err != nil {
		f.t.Fatal(err)
	}
}

// Invariant 20.
func TestWhatWaitsDoesNotReachWhoIsNoRecipientAnyMore(t *testing.T) {
	desk := domain.Recipient{OrganizationID: "hospital", DepartmentCode: "0304", Roles: []string{"INTAKE_DESK"}}
	byRole, onDuty := []domain.Meant{{Recipient: desk}}, []domain.Meant{{Recipient: desk, OnDuty: true}}
	named := []domain.Meant{{Recipient: domain.Recipient{AccountID: "desk", OrganizationID: "hospital", Roles: []string{"SPECIALIST"}}}}
	whole := domain.Account{ID: "desk", OrganizationID: "hospital", DepartmentCode: "0304", Roles: []string{"BED_MANAGER", "INTAKE_DESK"}}
	eachOutbound(t, func(o *outbound) {
		o.handle(o.fact("submitted")) // the accounts are read
		for name, c := range map[string]struct {
			meant  []domain.Meant
			change func(*domain.Account)
			state  string
		}{
			"another name":                  {byRole, func(a *domain.Account) { a.Name = "another" }, domain.StateSent},
			"disabled":                      {byRole, func(a *domain.Account) { a.Disabled = true }, domain.StateCancelled},
			"disabled, of an older row":     {nil, func(a *domain.Account) { a.Disabled = true }, domain.StateCancelled},
			"moved, of an older row":        {nil, func(a *domain.Account) { a.OrganizationID = "centre" }, domain.StateSent},
			"moved":                         {byRole, func(a *domain.Account) { a.OrganizationID = "centre" }, domain.StateCancelled},
			"another department":            {byRole, func(a *domain.Account) { a.DepartmentCode = "02" }, domain.StateCancelled},
			"without the role":              {byRole, func(a *domain.Account) { a.Roles = []string{"BED_MANAGER"} }, domain.StateCancelled},
			"on duty, without the role":     {onDuty, func(a *domain.Account) { a.Roles = nil }, domain.StateSent},
			"on duty, moved":                {onDuty, func(a *domain.Account) { a.OrganizationID = "centre" }, domain.StateCancelled},
			"named, without the role":       {named, func(a *domain.Account) { a.Roles = nil }, domain.StateSent},
			"named, moved":                  {named, func(a *domain.Account) { a.OrganizationID = "centre" }, domain.StateCancelled},
			"by one of two, without a role": {slices.Concat(byRole, named), func(a *domain.Account) { a.Roles = nil }, domain.StateSent},
			"anywhere in the county, moved": {[]domain.Meant{{Recipient: domain.Recipient{Roles: []string{"INTAKE_DESK"}, Anywhere: true}}}, func(a *domain.Account) { a.OrganizationID = "centre" }, domain.StateSent},
		} {
			d := o.dispatch(domain.Dispatch{Urgency: "URGENT", Meant: c.meant})
			now := whole
			now.Roles = slices.Clone(whole.Roles)
			c.change(&now)
			o.becomes(now)
			stop := o.run(1)
			o.until(name, o.is(d, c.state))
			stop()
			got, err := o.store.Delivery(o.t.Context(), county, d)
			if gone := c.state == domain.StateCancelled; err != nil || gone != (got.Reason == domain.Gone) || gone != (len(got.Attempts) == 0) {
				o.t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

// Invariant 20: what was given up and is sent again by command goes to nobody who is gone.
func TestWhatIsReplayedDoesNotReachWhoIsGone(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.handle(o.fact("submitted"))
		o.mail.say(func(channel.Message) error { return channel.Fail(channel.Refused, "550") })
		d := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		stop := o.run(1)
		o.until("it is given up", o.is(d, domain.StateDead))
		stop()
		o.becomes(domain.Account{ID: "desk", OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}, Disabled: true})
		if ok, err := o.store.Replay(o.t.Context(), app.Caller{County: county, AccountID: "admin"}, d); err != nil || !ok {
			o.t.Fatal(ok, err)
		}
		o.run(1)
		o.until("it is withdrawn", o.is(d, domain.StateCancelled))
		if _, calls := o.mail.got(); calls != 1 {
			o.t.Errorf("%d calls", calls)
		}
	})
}

// Invariant 20: an emergency goes on to who is on duty where the recipient was, or to all who hold the role; to each once, on their channels.
func TestAnEmergencyGoesOnToWhoIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		roster bool
		want   []string
	}{
		"somebody is on duty": {true, []string{"centre head", "doctor"}},
		"nobody is planned":   {false, []string{"colleague", "doctor"}},
	} {
		t.Run(name, func(t *testing.T) {
			eachOutbound(t, func(o *outbound) {
				if c.roster {
					o.roster("centre", "", "centre head", "colleague")
				}
				for _, account := range []string{"doctor", "colleague", "centre head"} {
					o.address(app.Owner{County: county, AccountID: account}, domain.SMS, account)
				}
				fact := o.emergency("accepted")
				o.handle(fact)
				o.becomes(domain.Account{ID: "doctor", OrganizationID: "centre", Roles: []string{"TOWNSHIP_DOCTOR"}, Disabled: true})
				o.run(1)
				o.until("somebody else has it", func() bool {
					return o.count("SELECT count(*) FROM delivery WHERE channel = 'SMS' AND state = 'SENT'") == 1
				})
				o.wantTold(fact, c.want...)
				got, calls := o.texts.got()
				if calls != 1 || got[0].To.Value != c.want[0] || !got[0].Emergency {
					o.t.Errorf("%d calls, %+v", calls, got)
				}
				if n := o.count("SELECT count(*) FROM delivery WHERE reason = $1", domain.Gone); n != 1 {
					o.t.Errorf("%d are withdrawn", n)
				}
				// Another message to the same person that waited tells nobody twice.
				d := o.dispatch(domain.Dispatch{
					Urgency: "EMERGENCY", AccountID: "doctor", Channel: domain.Email, EntryID: o.entryOf("doctor").ID,
					Meant: []domain.Meant{{Recipient: domain.Recipient{AccountID: "doctor", OrganizationID: "centre", Roles: []string{"TOWNSHIP_DOCTOR"}}}},
				})
				o.until("it is withdrawn too", o.is(d, domain.StateCancelled))
			})
		})
	}
}

// Invariant 20: an alarm at whom nobody is any more rings again at once, at who is on duty then.
func TestAnAlarmRingsOnAtWhoIsThere(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.directory.add("second desk", "hospital", "INTAKE_DESK")
		o.roster("hospital", "DESK", "desk", "second desk")
		o.address(app.Owner{County: county, AccountID: "desk"}, domain.SMS, "desk")
		o.address(app.Owner{County: county, AccountID: "second desk"}, domain.SMS, "second desk")
		o.handle(o.emergency("submitted"))
		o.becomes(domain.Account{ID: "desk", OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}, Disabled: true})
		o.run(1)
		o.until("its message is withdrawn", func() bool {
			return o.count("SELECT count(*) FROM delivery WHERE channel = 'SMS' AND reason = $1", domain.Gone) == 1
		})
		o.later(time.Second)
		if got := o.ringing("second desk"); got != 2 {
			o.t.Errorf("it rings %d times at who stands in", got)
		}
		o.until("they have it outside the house, too", func() bool { got, _ := o.texts.got(); return len(got) == 1 && got[0].To.Value == "second desk" })
		o.later(time.Second)
		if got := o.rung(); got != 2 {
			o.t.Errorf("%d rings within two seconds", got)
		}
	})
}
