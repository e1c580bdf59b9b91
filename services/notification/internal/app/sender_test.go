package app_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// provider is an adapter that answers what it is told.
type provider struct {
	mu     sync.Mutex
	taken  []channel.Message
	calls  int
	answer func(m channel.Message) error
}

func (p *provider) Send(_ context.Context, m channel.Message) (channel.Receipt, error) {
	p.mu.Lock()
	answer := p.answer
	p.calls++
	p.mu.Unlock()
	if answer != nil {
		if err := answer(m); err != nil {
			return channel.Receipt{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, m)
	return channel.Receipt{Code: "ok", MessageID: "m-" + strconv.Itoa(len(p.taken))}, nil
}

func (p *provider) Provider(channel.Address) string         { return "provider" }
func (p *provider) Check(channel.Address) []channel.Problem { return nil }
func (p *provider) say(answer func(m channel.Message) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) got() ([]channel.Message, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]channel.Message(nil), p.taken...), p.calls
}

// hosts is a provider of which each address is another one.
type hosts struct{ *provider }

func (hosts) Provider(to channel.Address) string { return to.Value }

// nobody answers nothing of the other services.
type nobody struct{ app.Outside }

func (nobody) Names(context.Context, string) (app.Names, error) {
	return app.Names{}, errs.Unavailable("directory", nil)
}

// outbound is a fixture with e-mail and a robot at providers of the test.
type outbound struct {
	*fixture
	store       *store.Store
	book        *store.Book
	mail, robot *provider
	hooks       *provider
	outside     app.Outside
	rate        int           // e-mails a minute; 0: any
	call        time.Duration // a sender's time for a call to a provider
	ran         *app.Sender   // the last that runs
	texts       *provider     // takes SMS
}

func eachOutbound(t *testing.T, test func(*outbound)) {
	t.Helper()
	each(t, func(f *fixture) {
		o := &outbound{fixture: f, store: store.New(f.db, crypt.TestRing(), events.Encode, store.Wakes{}), book: store.NewBook(f.db, crypt.TestRing()), mail: &provider{}, robot: &provider{}, hooks: &provider{}, texts: &provider{}, outside: nobody{}, call: time.Second}
		o.address(app.Owner{County: county, AccountID: "desk"}, domain.Email, "desk@hospital.example")
		o.address(app.Owner{County: county, AccountID: "doctor"}, domain.Email, "doctor@centre.example")
		o.address(app.Owner{County: county, OrganizationID: "hospital"}, domain.WeComRobot, "key")
		test(o)
	})
}

func (o *outbound) address(owner app.Owner, name, value string) {
	o.t.Helper()
	if _, err := o.book.SetAddress(o.t.Context(), app.Caller{County: county, AccountID: "admin"}, app.Address{Owner: owner, Channel: name, Value: value}); err != nil {
		o.t.Fatal(err)
	}
}

// sender is an instance that asks other services as outside answers.
func (o *outbound) sender(parallel int, outside app.Outside) *app.Sender {
	o.t.Helper()
	book, err := words.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return app.NewSender(app.SenderConfig{
		Patience: map[string]domain.Patience{"": {Most: 3, First: time.Minute, Longest: time.Hour}},
		Call:     o.call, Lease: time.Minute, Poll: 5 * time.Millisecond, Parallel: parallel, Rate: map[string]int{domain.Email: o.rate}, PerGroup: map[string]int{domain.WeComRobot: 2},
		Trip: 3, Rest: time.Hour, PublicURL: "https://t.example", LinkFor: time.Hour, Zone: time.UTC, Remind: domain.Hours{From: 8 * 60, To: 20 * 60},
	}, app.SenderDeps{
		Withdraw: o.Withdraw, Deliveries: o.store, Addresses: o.book, Links: o.book, Outside: outside, Words: book, Limiter: cache.Memory(o.clk), Clock: o.clk,
		Adapters: map[string]channel.Adapter{domain.Email: o.mail, domain.WeComRobot: o.robot, domain.Webhook: hosts{o.hooks}, domain.SMS: o.texts}, Logger: slog.New(slog.DiscardHandler),
	})
}

// run starts an instance that sends until the test ends, or until the answer is called.
func (o *outbound) run(parallel int) (stop func()) { return o.start(o.sender(parallel, o.outside)) }

func (o *outbound) start(s *app.Sender) (stop func()) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	o.ran = s
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				o.t.Error(err)
			}
		})
	}
	o.t.Cleanup(stop)
	return stop
}

func (o *outbound) dispatch(d domain.Dispatch) string {
	o.t.Helper()
	d.County, d.ID, d.FactID, d.ReferralID, d.ReferralNumber, d.Language = county, id.New(), id.New(), id.New(), "4503212600001234", "en"
	if d.Template == "" {
		d.Template, d.Event = "answered", "answered"
	}
	if d.Channel == "" {
		d.Channel, d.AccountID = domain.Email, "desk"
	}
	if d.DueTime.IsZero() {
		d.DueTime = o.clk.Now()
	}
	err := o.store.Change(o.t.Context(), app.Command{Caller: app.Caller{County: county, AccountID: app.Self}}, func(u app.Unit) error { return u.Dispatch(d) })
	if err != nil {
		o.t.Fatal(err)
	}
	return d.ID
}

// until waits for a condition of the database or the providers.
func (o *outbound) until(what string, holds func() bool) {
	o.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			o.t.Fatalf("never: %s", what)
		}
	}
}

func (o *outbound) is(deliveryID, state string) func() bool {
	return func() bool {
		d, err := o.store.Delivery(o.t.Context(), county, deliveryID)
		if err != nil {
			o.t.Fatal(err)
		}
		return d.State == state
	}
}

func TestEmergenciesGoBeforeWhatWasDueLonger(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		for range 4 {
			o.dispatch(domain.Dispatch{Urgency: "ROUTINE", DueTime: o.clk.Now().Add(-time.Hour)})
		}
		o.dispatch(domain.Dispatch{Urgency: "EMERGENCY", Template: "submitted", Event: "submitted"})
		o.run(1)
		o.until("all are sent", func() bool { got, _ := o.mail.got(); return len(got) == 5 })
		got, _ := o.mail.got()
		if !got[0].Emergency || !strings.Contains(got[0].Text, "emergency referral 450321-26-0000123-4") {
			o.t.Errorf("first went %q", got[0].Text)
		}
		// A provider that has the text itself gets words, no codes.
		if got[0].Values["urgency"] != "emergency" {
			o.t.Errorf("filled in is %v", got[0].Values)
		}
	})
}

func TestADigestGoesInOneCallAndEachMessageHasItsAttempt(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		var together []string
		for range 3 {
			together = append(together, o.dispatch(domain.Dispatch{Urgency: "ROUTINE", Digest: true}))
		}
		apart := o.dispatch(domain.Dispatch{Urgency: "ROUTINE", Digest: true, Channel: domain.Email, AccountID: "doctor"})
		later := o.dispatch(domain.Dispatch{Urgency: "ROUTINE", Digest: true, DueTime: o.clk.Now().Add(time.Hour)})
		o.run(1)
		for _, one := range append(together, apart) {
			o.until("all that is due is sent", o.is(one, domain.StateSent))
		}
		got, calls := o.mail.got()
		if calls != 2 || len(got) != 2 {
			o.t.Fatalf("%d calls", calls)
		}
		digest := got[0]
		if digest.To.Value != "desk@hospital.example" {
			digest = got[1]
		}
		if digest.Subject != "Tongzhen: 3 messages" || strings.Count(digest.Text, "was answered") != 3 {
			o.t.Errorf("%q %q", digest.Subject, digest.Text)
		}
		for _, one := range together {
			if d, err := o.store.Delivery(o.t.Context(), county, one); err != nil || len(d.Attempts) != 1 || d.Attempts[0].Outcome != domain.OutcomeTaken {
				o.t.Errorf("%+v, %v", d, err)
			}
		}
		if !o.is(later, domain.StatePending)() {
			o.t.Error("one that is not due went too")
		}
	})
}

func TestADeadProviderDelaysOnlyItselfAndRests(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.mail.say(func(channel.Message) error { return channel.Fail(channel.Away, "down") })
		for range 10 {
			o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		}
		robot := o.dispatch(domain.Dispatch{Channel: domain.WeComRobot, OrganizationID: "hospital", DepartmentCode: "0304", Urgency: "URGENT"})
		o.run(1)
		o.until("the robot has it", o.is(robot, domain.StateSent))
		o.until("the provider rests", func() bool { _, calls := o.mail.got(); return calls >= 3 })
		o.until("all wait", func() bool { return o.count("SELECT count(*) FROM delivery WHERE state = 'PENDING'") == 10 })
		if n := o.count("SELECT count(*) FROM delivery_attempt"); n != 4 {
			o.t.Errorf("%d attempts, three of them at a dead provider: want 4", n)
		}
	})
}

func TestAHostThatHangsHoldsUpNoOther(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		o.address(app.Owner{County: county, OrganizationID: "hospital"}, domain.Webhook, "hangs")
		o.address(app.Owner{County: county, OrganizationID: "centre"}, domain.Webhook, "works")
		goOn := make(chan struct{})
		o.hooks.say(func(m channel.Message) error {
			if m.To.Value == "hangs" {
				<-goOn
			}
			return nil
		})
		for range 8 {
			o.dispatch(domain.Dispatch{Channel: domain.Webhook, OrganizationID: "hospital", Urgency: "URGENT", DueTime: o.clk.Now().Add(-time.Hour)})
		}
		works := o.dispatch(domain.Dispatch{Channel: domain.Webhook, OrganizationID: "centre", Urgency: "URGENT"})
		stop := o.run(4)
		o.until("the other has it", o.is(works, domain.StateSent))
		// What the host has no hand for is left alone, not taken up and put off.
		if n := o.count("SELECT count(*) FROM delivery WHERE state = 'PENDING' AND due_time < $1", o.clk.Now().Add(-time.Minute)); n < 4 {
			o.t.Errorf("%d of 8 are as they were", n)
		}
		close(goOn)
		stop()
		if n := o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'OPEN'"); n != 0 {
			o.t.Errorf("%d attempts are left open by an orderly stop", n)
		}
	})
}

func TestARobotTakesSoManyAMinuteAndTheRestWaits(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		for range 5 {
			o.dispatch(domain.Dispatch{Channel: domain.WeComRobot, OrganizationID: "hospital", Urgency: "ROUTINE"})
		}
		o.run(4)
		o.until("the rest waits", func() bool {
			return o.count("SELECT count(*) FROM delivery WHERE state = 'PENDING' AND attempt_count = 0") == 3
		})
		o.clk.Advance(time.Minute)
		o.until("two more", func() bool { got, _ := o.robot.got(); return len(got) == 4 })
		if n := o.count("SELECT count(*) FROM delivery_attempt"); n != 4 {
			o.t.Errorf("%d attempts", n)
		}
	})
}

func TestAMessageIsGivenUpAfterItsAttemptsAndARepeatSaysSo(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		refuse := []error{channel.Fail(channel.Unknown, "no answer"), channel.Fail(channel.Refused, "550")}
		n := 0
		o.mail.say(func(channel.Message) error {
			n++
			return refuse[n-1]
		})
		d := o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		o.run(1)
		o.until("the first attempt ends", func() bool { return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'UNKNOWN'") == 1 })
		o.clk.Advance(time.Hour)
		o.until("it is given up", o.is(d, domain.StateDead))
		got, err := o.store.Delivery(o.t.Context(), county, d)
		if err != nil || len(got.Attempts) != 2 || got.Attempts[0].Again || !got.Attempts[1].Again || got.Reason != "REFUSED 550" {
			o.t.Errorf("%+v, %v", got, err)
		}
		if n := o.count("SELECT count(*) FROM outbox WHERE subject = $1", "notification.v1."+county+".delivery_failed"); n != 1 {
			o.t.Errorf("%d facts", n)
		}
	})
}

func TestWhatIsAcknowledgedWhileItIsUnderWayIsNotTriedAgain(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		entry := id.New()
		under, goOn := make(chan struct{}), make(chan struct{})
		o.mail.say(func(channel.Message) error {
			close(under)
			<-goOn
			return channel.Fail(channel.Away, "down")
		})
		d := o.dispatch(domain.Dispatch{EntryID: entry, Urgency: "URGENT"})
		o.run(1)
		<-under
		err := o.store.Change(o.t.Context(), app.Command{Caller: app.Caller{County: county, AccountID: "desk"}}, func(u app.Unit) error {
			u.CancelDeliveries(entry, "")
			return nil
		})
		if err != nil {
			o.t.Fatal(err)
		}
		close(goOn)
		o.until("it is cancelled", o.is(d, domain.StateCancelled))
	})
}

func TestWhatAnInstanceDiedOverIsTakenUpByAnotherAsARepeat(t *testing.T) {
	eachOutbound(t, func(o *outbound) {
		called, unsent := o.dispatch(domain.Dispatch{Urgency: "URGENT"}), o.dispatch(domain.Dispatch{Urgency: "URGENT"})
		lease := id.New()
		until := o.clk.Now().Add(time.Minute)
		claimed, err := o.store.Claim(o.t.Context(), app.Claim{Channel: domain.Email, Lease: lease, Until: until, Limit: 10})
		if err != nil || len(claimed) != 2 {
			o.t.Fatalf("%v, %v", claimed, err)
		}
		begun, _, err := o.store.Begin(o.t.Context(), app.Begin{Lease: lease, Until: until, Tries: []app.Try{{County: county, ID: called}}})
		if err != nil || len(begun) != 1 {
			o.t.Fatalf("%v, %v", begun, err)
		}
		o.clk.Advance(10 * time.Minute)
		o.run(1)
		o.until("what was not begun is sent", o.is(unsent, domain.StateSent))
		o.until("nobody knows of the other", func() bool { return o.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'UNKNOWN'") == 1 })
		o.clk.Advance(10 * time.Minute)
		o.until("the other is sent again", o.is(called, domain.StateSent))
		got, _ := o.mail.got()
		if len(got) != 2 || strings.HasPrefix(got[0].Text, "[sent again]") || !strings.HasPrefix(got[1].Text, "[sent again]") || !got[1].Again {
			o.t.Errorf("%q, %q", got[0].Text, got[1].Text)
		}
		// Who lost the lease changes nothing any more.
		if err := o.store.Finish(o.t.Context(), lease, []app.Done{{Delivery: begun[0], Ended: domain.Ended{Outcome: domain.OutcomeRefused}, Step: domain.Step{State: domain.StateDead}}}); err != nil {
			o.t.Fatal(err)
		}
		if !o.is(called, domain.StateSent)() {
			o.t.Error("a lost lease gave it up")
		}
	})
}
