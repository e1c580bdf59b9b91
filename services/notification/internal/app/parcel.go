package app

import (
	"context"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// parcel is what goes in one call: one delivery, or several of one recipient that may go together.
type parcel struct {
	parts []composed
	// done tells provider and group how it ended; zero: it was not sent.
	done func(domain.Ended)
}

// carry words a parcel, holds it back if it may not go, writes its attempts and makes the call. What cannot be written is logged: the lease runs out, and
// it is taken up again.
func (l *lane) carry(ctx context.Context, lease string, ds []domain.Delivery, s *seat) {
	p, aside := l.pack(ctx, ds)
	if len(p.parts) > 0 {
		if wait := l.hold(ctx, p, s); wait > 0 {
			aside = append(aside, p.later(l.s.Clock.Now().Add(wait))...)
			p.parts = nil
		}
	}
	if len(aside) > 0 {
		if err := l.s.Deliveries.SetAside(ctx, lease, aside); err != nil {
			l.s.Logger.ErrorContext(ctx, "messages could not be set aside", slog.String("channel", l.name), slog.Any("error", err))
		}
	}
	if len(p.parts) == 0 {
		return
	}
	if err := l.begin(ctx, lease, p); err != nil {
		l.s.Logger.ErrorContext(ctx, "an attempt could not be begun", slog.String("channel", l.name), slog.Any("error", err))
	}
	if len(p.parts) == 0 {
		p.done(domain.Ended{})
		return
	}
	l.deliver(ctx, lease, p)
}

const (
	// packShare of the time of a call is for wording a parcel: an orderly stop waits for both.
	packShare = 2
	// peerShare of it is the time of one question to another service, so that a parcel has time for more than one.
	peerShare = 4
)

// pack words what it can in its time. What that is over for, while others of the parcel were worded, waits for nobody, and goes with the next parcel.
func (l *lane) pack(ctx context.Context, ds []domain.Delivery) (p *parcel, aside []Aside) {
	ctx, stop := context.WithTimeout(ctx, l.s.cfg.Call/packShare)
	defer stop()
	p = &parcel{}
	for i, d := range ds {
		c, not := composed{}, (*Aside)(nil)
		if ctx.Err() == nil {
			c, not = l.s.compose(ctx, d)
		}
		switch {
		case i > 0 && ctx.Err() != nil:
			aside = append(aside, Aside{County: d.County, ID: d.ID, State: domain.StatePending, Reason: d.Reason, Due: d.DueTime})
		case not != nil:
			aside = append(aside, *not)
		default:
			p.parts = append(p.parts, c)
		}
	}
	return p, aside
}

func (p *parcel) later(due time.Time) []Aside {
	out := make([]Aside, len(p.parts))
	for i, c := range p.parts {
		out[i] = Aside{County: c.d.County, ID: c.d.ID, State: domain.StatePending, Reason: c.d.Reason, Due: due}
	}
	return out
}

// hold tells how long a parcel has to wait, since its provider or its group's address rests, or has had enough; 0: it may go, and done must be called.
func (l *lane) hold(ctx context.Context, p *parcel, s *seat) (wait time.Duration) {
	first := p.parts[0]
	most := 0
	if l.whole == "" {
		most = l.most()
	}
	at := l.adapter.Provider(first.to)
	s.learn(route{at, groupKey(first.of)})
	provider, wait := l.breaker(at, Owner{}).enter(most)
	if provider == nil {
		return wait
	}
	group := exit(func(verdict, string) {})
	if key := groupKey(first.of); key != "" {
		if group, wait = l.breaker(key, first.of).enter(0); group == nil {
			provider(silent, "")
			return wait
		}
	}
	key, rate := l.limit(first)
	if wait := l.permits.take(ctx, key, rate, l.s.Clock.Now()); wait > 0 {
		provider(silent, "")
		group(silent, "")
		l.pause(first.d, wait)
		return wait
	}
	p.done = func(e domain.Ended) {
		if e.Outcome == "" {
			l.permits.keep(key, rate, l.s.Clock.Now())
		}
		provider(providerVerdict(e), e.Reason())
		group(groupVerdict(e), e.Reason())
	}
	return 0
}

// limit is what counts a message: the channel's own limit, else that of each address. A tenth of it is left to emergencies.
func (l *lane) limit(c composed) (key string, aMinute int) {
	const share = 10
	key, aMinute = "delivery:"+l.name, l.s.cfg.Rate[l.name]
	if aMinute <= 0 {
		key, aMinute = strings.Join([]string{"delivery", l.name, c.of.County, c.of.OrganizationID, c.of.DepartmentCode, c.of.AccountID}, ":"), l.s.cfg.PerGroup[l.name]
	}
	if c.d.Urgency != domain.UrgencyEmergency {
		aMinute -= aMinute / share
	}
	return key, aMinute
}

// pause leaves the channel alone while its own limit is used up for such a message; that of an address is its own affair.
func (l *lane) pause(d domain.Delivery, wait time.Duration) {
	if l.s.cfg.Rate[l.name] <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.s.Clock.Now().Add(wait)
	if l.rests = until; d.Urgency == domain.UrgencyEmergency {
		l.full = until
	}
}

// providerVerdict: whoever answers works, unless it refuses the whole account.
func providerVerdict(e domain.Ended) verdict {
	switch {
	case e.Outcome == "":
		return silent
	case e.Outcome == domain.OutcomeAway, e.Outcome == domain.OutcomeUnknown, e.Outcome == domain.OutcomeSetup && e.Whole:
		return fails
	}
	return works
}

// groupVerdict: only the provider's answer tells of a group's address.
func groupVerdict(e domain.Ended) verdict {
	switch {
	case e.Outcome == domain.OutcomeSetup && !e.Whole:
		return fails
	case e.Outcome == domain.OutcomeTaken, e.Outcome == domain.OutcomeRefused:
		return works
	}
	return silent
}

// begin writes the attempts and leaves in the parcel what was begun, as it is now.
func (l *lane) begin(ctx context.Context, lease string, p *parcel) error {
	b := Begin{Lease: lease, Until: l.s.Clock.Now().Add(l.s.cfg.Lease)}
	for i := range p.parts {
		c := &p.parts[i]
		if len(p.parts) == 1 {
			l.s.link(c)
		}
		b.Tries = append(b.Tries, Try{County: c.d.County, ID: c.d.ID, AddressMasked: c.masked, Link: c.kept})
	}
	begun, gone, err := l.s.Deliveries.Begin(ctx, b)
	for _, d := range gone {
		if err := l.s.Withdraw(ctx, lease, d); err != nil {
			// The lease runs out, and it is looked at again.
			l.s.Logger.ErrorContext(ctx, "a message whose recipient is gone could not be withdrawn", slog.String("id", d.ID), slog.Any("error", err))
		}
	}
	now := map[string]domain.Delivery{}
	for _, d := range begun {
		now[d.County+d.ID] = d
	}
	kept := p.parts[:0]
	for _, c := range p.parts {
		if d, ok := now[c.d.County+c.d.ID]; ok && err == nil {
			d.Language = c.d.Language // that of the text, where the provider holds it
			c.d = d
			kept = append(kept, c)
		}
	}
	p.parts = kept
	return err
}

// deliver makes the one call of a parcel and writes what became of it.
func (l *lane) deliver(ctx context.Context, lease string, p *parcel) {
	s := l.s
	m, err := s.message(p)
	var receipt channel.Receipt
	if err != nil {
		err = channel.Fail(channel.Refused, domain.NoText)
	} else {
		call, cancel := context.WithTimeout(ctx, s.cfg.Call)
		receipt, err = l.adapter.Send(call, m)
		cancel()
	}
	ended := outcome(receipt, err)
	p.done(ended)
	now := s.Clock.Now()
	done := make([]Done, len(p.parts))
	for i, c := range p.parts {
		done[i] = Done{Delivery: c.d, Ended: ended, Step: c.d.Next(ended, s.patience(c.d), now, mathrand.Float64())}
		s.Counted(ctx, l.name, ended.Outcome)
	}
	if err := s.finish(ctx, lease, done); err != nil {
		// The lease runs out, and the attempt counts as unknown.
		s.Logger.ErrorContext(ctx, "what became of a message could not be written", slog.String("id", p.parts[0].d.ID), slog.Any("error", err))
		return
	}
	if d := p.parts[0].d; d.Template == domain.TestTemplate && ended.Outcome == domain.OutcomeTaken {
		owner := Owner{County: d.County, AccountID: d.AccountID, OrganizationID: d.OrganizationID, DepartmentCode: d.DepartmentCode}
		if err := s.Addresses.Tested(ctx, owner, d.Channel, now); err != nil {
			s.Logger.WarnContext(ctx, "a test could not be noted", slog.String("id", d.ID), slog.Any("error", err))
		}
	}
}

// finish tries a few times: what is not written is sent again.
func (s *Sender) finish(ctx context.Context, lease string, done []Done) (err error) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for _, wait := range []time.Duration{0, 100 * time.Millisecond, time.Second} {
		pause.Reset(wait)
		<-pause.C
		if err = s.Deliveries.Finish(ctx, lease, done); err == nil {
			return nil
		}
	}
	return err
}

func outcome(r channel.Receipt, err error) domain.Ended {
	if err == nil {
		return domain.Ended{Outcome: domain.OutcomeTaken, ProviderCode: r.Code, ProviderMessageID: r.MessageID}
	}
	e := channel.ClassOf(err)
	return domain.Ended{Outcome: string(e.Class), ProviderCode: e.Code, After: e.After, Whole: e.Whole}
}
