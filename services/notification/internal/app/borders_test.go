package app_test

import (
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// A pause is a row: whoever starts anew keeps it, and neither loses the message nor sends it before its time.
func TestARestartDuringThePauseNeitherLosesNorHurriesAMessage(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.mail.say(func(channel.Message) error { return channel.Fail(channel.Away, "down") })
		d := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		stop := o.run(1)
		o.until("it was tried", func() bool { return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'AWAY'") == 1 })
		stop()
		o.mail.say(nil)
		stop = o.run(1)
		other := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		o.until("the new instance works", o.is(other, domain.StateSent))
		if !o.is(d, domain.StatePending)() {
			o.t.Error("it is sent before its time")
		}
		stop()
		o.clk.Advance(2 * time.Minute)
		o.run(1)
		o.until("it is sent in its time", o.is(d, domain.StateSent))
		if got, calls := o.mail.got(); calls != 3 || got[1].Again {
			o.t.Errorf("%d calls, %+v", calls, got)
		}
	})
}

// Each instance tries once after the rest; what either has tried the other does not lose, and nothing goes twice.
func TestTwoInstancesAfterARestTryOnceEach(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.mail.say(func(channel.Message) error { return channel.Fail(channel.Away, "down") })
		for range 12 {
			o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		}
		one, two := o.sender(2, o.outside), o.sender(2, o.outside)
		o.start(one)
		o.start(two)
		resting := func() bool {
			for _, s := range []*app.Sender{one, two} {
				channels, err := app.NewOutgoing(o.store, s, nil).Channels(o.t.Context(), county)
				if err != nil {
					o.t.Fatal(err)
				}
				for _, c := range channels {
					if c.Channel == domain.Email && c.Breaker != "OPEN" {
						return false
					}
				}
			}
			return o.count("SELECT count(*) FROM delivery WHERE state = 'PENDING'") == 12
		}
		o.until("both rest", resting)
		_, before := o.mail.got()
		o.clk.Advance(time.Hour)
		o.until("both rest again", func() bool { _, calls := o.mail.got(); return calls > before+1 && resting() })
		if _, after := o.mail.got(); after != before+2 {
			o.t.Errorf("%d calls after the rest", after-before)
		}
		o.mail.say(nil)
		o.clk.Advance(2 * time.Hour)
		o.until("all are sent", func() bool {
			o.clk.Advance(time.Second) // what met the one call that decides was put off by a moment
			return o.count("SELECT count(*) FROM delivery WHERE state = 'SENT'") == 12
		})
		sent := map[string]int{}
		got, _ := o.mail.got()
		for _, m := range got {
			if sent[m.ID]++; m.Again {
				o.t.Errorf("%s says that it is a repeat", m.ID)
			}
		}
		if len(got) != 12 || len(sent) != 12 {
			o.t.Errorf("%d went, %d of them different", len(got), len(sent))
		}
	})
}

// Two who send the same message again by command make one repeat.
func TestADeadMessageReplayedTwiceAtOnceGoesOnce(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.mail.say(func(channel.Message) error { return channel.Fail(channel.Refused, "550") })
		d := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		stop := o.run(1)
		o.until("it is given up", o.is(d, domain.StateDead))
		stop()
		o.mail.say(nil)
		var all sync.WaitGroup
		var mu sync.Mutex
		replayed := 0
		for range 4 {
			all.Go(func() {
				ok, err := o.store.Replay(o.t.Context(), app.Caller{County: county, AccountID: "admin"}, d)
				if err != nil {
					o.t.Error(err)
				}
				if mu.Lock(); ok {
					replayed++
				}
				mu.Unlock()
			})
		}
		all.Wait()
		o.run(2)
		o.until("it is sent", o.is(d, domain.StateSent))
		if ok, err := o.store.Replay(o.t.Context(), app.Caller{County: county, AccountID: "admin"}, d); err != nil || ok {
			o.t.Errorf("one that was sent is replayed: %v", err)
		}
		if got, calls := o.mail.got(); replayed != 1 || calls != 2 || !got[0].Again {
			o.t.Errorf("%d replayed, %d calls, %+v", replayed, calls, got)
		}
		if n := o.count("SELECT count(*) FROM audit_entry WHERE action = 'delivery.replay'"); n != 1 {
			o.t.Errorf("%d audit entries", n)
		}
	})
}

// Whoever taps the link twice, on two devices at once, acknowledges once; the alarm ends once.
func TestALinkThatIsTappedTwiceAcknowledgesOnce(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.address(app.Owner{County: county, AccountID: "desk"}, domain.SMS, "desk")
		o.handle(o.emergency("submitted"))
		o.run(1)
		o.until("the desk has its message", func() bool { got, _ := o.texts.got(); return len(got) == 1 })
		got, _ := o.texts.got()
		token := got[0].Link[len("https://t.example/k/"):]
		if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != 16 {
			o.t.Fatalf("%q", got[0].Link)
		}
		out := app.NewOutgoing(o.store, o.ran, o.StopByLink)
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				state, err := out.AcknowledgeByToken(o.t.Context(), token)
				if err != nil || state.Acknowledged.IsZero() {
					o.t.Errorf("%+v, %v", state, err)
				}
			})
		}
		all.Wait()
		for query, want := range map[string]int{
			"SELECT count(*) FROM audit_entry WHERE action = 'notification.acknowledge_link'":        1,
			"SELECT count(*) FROM audit_entry WHERE action = 'alarm.acknowledge'":                    1,
			"SELECT count(*) FROM outbox WHERE type = 'tongzhen.notification.v1.AlarmAcknowledged'":  1,
			"SELECT count(*) FROM entry WHERE account_id = 'desk' AND acknowledge_time IS NOT NULL":  1,
			"SELECT count(*) FROM delivery WHERE alarm_id <> '' AND state IN ('PENDING', 'SENDING')": 0,
			"SELECT count(*) FROM outbox WHERE type = 'tongzhen.notification.v1.EntryAcknowledged'":  1,
		} {
			o.until(query, func() bool { return o.count(query) == want })
		}
	})
}

// A clock that is set back silences no alarm, makes nobody rest for hours, and rings no more often than else.
func TestAClockThatIsSetBackSilencesNoAlarm(t *testing.T) {
	each(t, func(f *fixture) {
		f.handle(f.emergency("submitted"))
		f.later(time.Minute)
		f.later(-2 * time.Second) // clocks of two instances differ by as much
		if n := f.rung(); n != 2 {
			f.t.Fatalf("%d rings", n)
		}
		f.later(-8 * time.Hour)
		f.later(time.Second)
		if n := f.rung(); n != 3 {
			f.t.Errorf("%d rings after the clock was set back", n)
		}
		f.later(time.Minute)
		if n := f.rung(); n != 4 {
			f.t.Errorf("%d rings a minute later", n)
		}
	})
}

func TestAClockThatIsSetBackMakesNobodyRestForHours(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	b := app.NewBreaker(clk, 1, time.Minute)
	b.Enter()(app.Fails)
	if b.Enter() != nil {
		t.Fatal("it does not rest")
	}
	clk.Advance(-8 * time.Hour)
	if end := b.Enter(); end == nil {
		t.Error("it rests on")
	} else if end(app.Works); b.State() != "CLOSED" {
		t.Error(b.State())
	}
}
