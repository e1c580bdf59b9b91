package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// hung is scheduling, which takes calls and does not answer.
type hung struct {
	nobody
	asked chan struct{}
}

func (h hung) Booking(ctx context.Context, _, _ string) (app.Place, error) {
	select {
	case h.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return app.Place{}, errs.Unavailable("scheduling", ctx.Err())
}

// Invariant 10: what needs a peer that hangs waits for itself, and takes no hand from the rest.
func TestAPeerThatHangsDelaysOnlyWhatNeedsIt(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		asked := make(chan struct{}, 1)
		o.outside = hung{asked: asked}
		for range 12 {
			o.dispatch(domain.Dispatch{Urgency: "URGENT", BookingID: id.New(), DueTime: o.clk.Now().Add(-time.Hour)})
		}
		emergency := o.dispatch(domain.Dispatch{Urgency: "EMERGENCY", Template: "submitted", Event: "submitted"})
		routine := o.dispatch(domain.Dispatch{Urgency: "ROUTINE"})
		o.run(2)
		<-asked
		o.until("the emergency is sent", o.is(emergency, domain.StateSent))
		o.until("what does not need it is sent", o.is(routine, domain.StateSent))
		o.until("the others go without where and when", func() bool { return o.count("SELECT count(*) FROM delivery WHERE state = 'SENT'") == 14 })
	})
}

// Invariant 10: a provider that hangs has all usual hands; an emergency finds one.
func TestAnEmergencyFindsAHandWhileTheProviderHangs(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		under, goOn := make(chan struct{}, 10), make(chan struct{})
		o.mail.say(func(m channel.Message) error {
			if !m.Emergency {
				under <- struct{}{}
				<-goOn
			}
			return nil
		})
		for range 5 {
			o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		}
		stop := o.run(2)
		<-under
		<-under
		emergency := o.dispatch(domain.Dispatch{Urgency: "EMERGENCY", Template: "submitted", Event: "submitted"})
		o.until("the emergency is sent", o.is(emergency, domain.StateSent))
		if _, calls := o.mail.got(); calls != 3 {
			o.t.Errorf("%d calls, with two hands and one for emergencies", calls)
		}
		close(goOn)
		o.until("all are sent", func() bool { return o.count("SELECT count(*) FROM delivery WHERE state = 'SENT'") == 6 })
		stop()
	})
}

// A group's address that is not taken is tried as often as anything, rests by itself, and is shown; another group's messages go.
func TestAnAddressThatIsNotTakenIsTriedAndShown(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.address(app.Owner{County: county, OrganizationID: "centre"}, domain.WeComRobot, "another")
		o.robot.say(func(m channel.Message) error {
			if m.To.Value == "key" {
				return channel.Fail(channel.Setup, "93000")
			}
			return nil
		})
		wrong := o.dispatch(domain.Dispatch{Channel: domain.WeComRobot, OrganizationID: "hospital", Urgency: "URGENT"})
		o.run(1)
		o.until("it was tried", func() bool { return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'SETUP'") == 1 })
		if !o.is(wrong, domain.StatePending)() {
			o.t.Error("one answer killed it")
		}
		// A department without a group of its own goes by the organisation's: it is the same address.
		o.dispatch(domain.Dispatch{Channel: domain.WeComRobot, OrganizationID: "hospital", DepartmentCode: "0304", Urgency: "URGENT", DueTime: o.clk.Now().Add(24 * time.Hour)})
		for tries := 2; tries <= 3; tries++ {
			o.clk.Advance(time.Hour)
			o.until("it is tried again", func() bool {
				return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'SETUP'") == tries
			})
		}
		o.until("it is given up after its attempts", o.is(wrong, domain.StateDead))
		o.clk.Advance(24 * time.Hour)
		o.until("the department's is tried", func() bool { return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'SETUP'") == 4 })
		right := o.dispatch(domain.Dispatch{Channel: domain.WeComRobot, OrganizationID: "centre", Urgency: "URGENT"})
		o.until("the other group has it", o.is(right, domain.StateSent))
		d, err := o.store.Delivery(o.t.Context(), county, wrong)
		if err != nil || d.Reason != "SETUP 93000" || d.Again {
			o.t.Errorf("%+v, %v", d, err)
		}
		channels, err := app.NewOutgoing(o.store, o.ran, nil).Channels(o.t.Context(), county)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, c := range channels {
			want := 0
			if c.Channel == domain.WeComRobot {
				want = 1
			}
			if len(c.Faults) != want || c.Breaker != "CLOSED" || want == 1 && (c.Faults[0].OrganizationID != "hospital" || c.Faults[0].Reason != "SETUP 93000") {
				o.t.Errorf("%s is shown as %+v", c.Channel, c)
			}
		}
		if elsewhere, err := app.NewOutgoing(o.store, o.ran, nil).Channels(o.t.Context(), "450322"); err != nil || len(elsewhere[0].Faults) != 0 {
			o.t.Errorf("another county is shown %+v, %v", elsewhere, err)
		}
		out := app.NewOutgoing(o.store, o.ran, nil)
		_, err = out.SetAddress(o.t.Context(), app.Caller{County: county, AccountID: "admin"},
			app.Address{Owner: app.Owner{County: county, OrganizationID: "hospital"}, Channel: domain.WeComRobot, Value: "mended"})
		if err != nil {
			o.t.Fatal(err)
		}
		if channels, err = out.Channels(o.t.Context(), county); err != nil || len(channels[0].Faults) != 0 {
			o.t.Errorf("with another address it is shown as %+v, %v", channels[0], err)
		}
	})
}

// An account that is refused makes the whole channel rest, and says why.
func TestAnAccountThatIsRefusedMakesTheChannelRest(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.mail.say(func(channel.Message) error { return channel.FailWhole("535") })
		for range 5 {
			o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		}
		o.run(1)
		state := func() app.ChannelStatus {
			channels, err := app.NewOutgoing(o.store, o.ran, nil).Channels(o.t.Context(), county)
			if err != nil {
				o.t.Fatal(err)
			}
			for _, c := range channels {
				if c.Channel == domain.Email {
					return c
				}
			}
			return app.ChannelStatus{}
		}
		o.until("it rests", func() bool { return state().Breaker == "OPEN" })
		if c := state(); c.Fault != "SETUP 535" || len(c.Faults) != 0 {
			o.t.Errorf("%+v", c)
		}
		// After its rest one message is tried, not all.
		o.clk.Advance(time.Hour)
		o.until("one more is tried", func() bool { return o.count("SELECT count(*) FROM delivery_attempt") == 4 })
		o.until("it rests again", func() bool { return state().Breaker == "OPEN" })
		if n := o.count("SELECT count(*) FROM delivery_attempt"); n != 4 {
			o.t.Errorf("%d attempts", n)
		}
	})
}

// A channel's limit is used up by what was sent, not by what was looked for; and a tenth of it is there for emergencies.
func TestALimitCountsWhatIsSentAndKeepsAShareForEmergencies(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.rate = 10
		o.run(4)
		for range 9 {
			one := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
			o.until("each is sent as it comes", o.is(one, domain.StateSent))
		}
		waits := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		o.until("the tenth is put off", func() bool {
			d, err := o.store.Delivery(o.t.Context(), county, waits)
			if err != nil {
				o.t.Fatal(err)
			}
			return d.State == domain.StatePending && d.DueTime.After(o.clk.Now())
		})
		emergency := o.dispatch(domain.Dispatch{Urgency: "EMERGENCY", Template: "submitted", Event: "submitted"})
		o.until("the emergency is sent", o.is(emergency, domain.StateSent))
		o.clk.Advance(time.Minute)
		o.until("the tenth is sent in the next minute", o.is(waits, domain.StateSent))
		if n := o.count("SELECT count(*) FROM delivery_attempt"); n != 11 {
			o.t.Errorf("%d attempts", n)
		}
	})
}

// slow is scheduling that answers, after a time.
type slow struct {
	nobody
	takes time.Duration
}

func (s slow) Booking(ctx context.Context, _, _ string) (app.Place, error) {
	answer := time.NewTimer(s.takes)
	defer answer.Stop()
	select {
	case <-answer.C:
		return app.Place{Location: "room 5"}, nil
	case <-ctx.Done():
		return app.Place{}, errs.Unavailable("scheduling", ctx.Err())
	}
}

// A digest whose wording takes longer than it may goes in parts, each whole: neither a peer nor the provider has failed, and no outcome is unknown.
func TestADigestThatTakesLongToWordGoesInParts(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		// A parcel has 2 s and a question 1 s: an answer may be that much late on a machine that has other things to do.
		o.call, o.outside = 4*time.Second, slow{takes: 250 * time.Millisecond}
		for range 12 { // 3 s
			o.dispatch(domain.Dispatch{Urgency: "ROUTINE", Digest: true, BookingID: id.New()})
		}
		o.run(1)
		o.until("all are sent", func() bool { return o.count("SELECT count(*) FROM delivery WHERE state = 'SENT'") == 12 })
		got, calls := o.mail.got()
		if calls < 2 {
			o.t.Errorf("%d calls", calls)
		}
		for _, m := range got {
			if n := strings.Count(m.Text, "was answered"); m.Again || n == 0 {
				o.t.Errorf("%q", m.Text)
			}
		}
		if n := o.count("SELECT count(*) FROM delivery_attempt WHERE outcome <> 'SENT'"); n != 0 {
			o.t.Errorf("%d attempts failed", n)
		}
		channels, err := app.NewOutgoing(o.store, o.ran, nil).Channels(o.t.Context(), county)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, c := range channels {
			if c.Breaker != "CLOSED" {
				o.t.Errorf("%s rests", c.Channel)
			}
		}
	})
}
