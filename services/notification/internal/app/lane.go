package app

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// lane is the worker of one channel. It claims what is due and gives each message, or digest, to a hand of its own, which asks, words and sends: whatever
// hangs on the way holds up that hand only, and some hands are for emergencies alone.
type lane struct {
	s       *Sender
	name    string
	adapter channel.Adapter // nil: not configured
	// whole is the one provider of the channel; "" where each address may have its own.
	whole   string
	wake    chan struct{}
	hands   slots
	permits permits
	flying  sync.WaitGroup

	mu       sync.Mutex
	breakers map[string]*breaker // of providers, and of groups by their address's owner; at most maxBreakers besides those of calls under way
	known    map[Owner]route     // where what is for a group goes, as far as it was seen
	inHand   map[string]int      // parcels by provider, where there are several
	rests    time.Time           // until then the channel's limit is used up for all but emergencies
	full     time.Time           // until then for these too
}

// hostsAtOnce is how many providers of a channel with several may hang at once before the others wait for a hand.
const hostsAtOnce = 16

func newLane(s *Sender, name string) *lane {
	l := &lane{
		s: s, name: name, adapter: s.Adapters[name], wake: make(chan struct{}, 1), permits: permits{limiter: s.Limiter, unused: map[string][]time.Time{}},
		breakers: map[string]*breaker{},
		known:    map[Owner]route{}, inHand: map[string]int{},
	}
	if l.adapter != nil {
		l.whole = l.adapter.Provider(channel.Address{})
	}
	l.hands.usual, l.hands.urgent = s.cfg.Parallel, l.most()
	if l.whole == "" {
		l.hands.usual = l.most() * hostsAtOnce
	}
	return l
}

// most is how many calls one of several providers may have under way, and how many hands are for emergencies alone.
func (l *lane) most() int { return max(1, l.s.cfg.Parallel/2) }

// poke makes the lane look again.
func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// maxBreakers bounds what is remembered of providers that addresses name.
const maxBreakers = 1000

// breaker under a key, of a provider or of the owner of a group's address; made when it is first met.
func (l *lane) breaker(key string, of Owner) *breaker {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.breakers[key]; ok {
		return b
	}
	for _, forgettable := range []func(*breaker) bool{(*breaker).idle, (*breaker).free} {
		if len(l.breakers) >= maxBreakers {
			maps.DeleteFunc(l.breakers, func(_ string, b *breaker) bool { return forgettable(b) })
		}
	}
	b := &breaker{clk: l.s.Clock, of: of, trip: l.s.cfg.Trip, rest: l.s.cfg.Rest, changed: func(from, to string) {
		l.s.Logger.Warn("a provider of messages changed its state", slog.String("channel", l.name), slog.String("state", from+" to "+to))
	}}
	l.breakers[key] = b
	return b
}

// groupKey is under which the breaker of a group's address is kept; "" for a person's: nothing that is wrong with that is a setting.
func groupKey(of Owner) string {
	if of.OrganizationID == "" {
		return ""
	}
	return strings.Join([]string{"group", of.County, of.OrganizationID, of.DepartmentCode}, ":")
}

// mended forgets what was wrong with an owner's address: there is another one.
func (l *lane) mended(of Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.breakers, groupKey(of))
}

// work sends until nothing is due or may go now. What is under way then goes on.
func (l *lane) work(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := l.round(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// skipAtOnce is how many are set aside together where the channel is not configured.
const skipAtOnce = 100

// together is the most messages in one digest: what the provider takes whole.
func (l *lane) together() int {
	const few, some, many = 4, 8, 20
	switch l.name {
	case domain.SMS:
		return few
	case domain.WeComApp, domain.WeComRobot:
		return some
	}
	return many
}

// round begins what is due and has a hand; more tells whether it is worth asking again at once.
func (l *lane) round(ctx context.Context) (more bool, err error) {
	c := Claim{Channel: l.name, Lease: id.New(), Until: l.s.Clock.Now().Add(l.s.cfg.Lease), Limit: skipAtOnce}
	if l.adapter != nil {
		c.With = l.together() - 1
		c.Limit, c.Urgent = l.room()
		c.Limit, c.Urgent, c.Except = l.spread(c.Limit, c.Urgent)
	}
	if c.Limit+c.Urgent == 0 {
		return false, nil // a hand that gets free pokes
	}
	due, err := l.s.Deliveries.Due(ctx, l.name, c.Limit == 0)
	if err != nil || !due {
		return false, err
	}
	claimed, err := l.s.Deliveries.Claim(ctx, c)
	if err != nil || len(claimed) == 0 {
		return false, err
	}
	if l.adapter == nil {
		return true, l.s.Deliveries.SetAside(ctx, c.Lease, skipped(claimed, domain.NotConfigured))
	}
	for _, ds := range l.parcels(claimed) {
		give, ok := l.hands.take(ds[0].Urgency == domain.UrgencyEmergency)
		if !ok {
			give = func() {} // a digest that did not fit into one: a call above the usual
		}
		s := l.sit(ds[0])
		l.flying.Go(func() {
			defer l.poke()
			defer give()
			defer s.rise()
			// What was claimed is brought to its end: the provider may be called already.
			l.carry(context.WithoutCancel(ctx), c.Lease, ds, s)
		})
	}
	return true, nil
}

// room is how many messages may go now, and how many emergencies besides.
func (l *lane) room() (usual, urgent int) {
	l.mu.Lock()
	rests, full := l.rests, l.full
	l.mu.Unlock()
	now := l.s.Clock.Now()
	// A limit is used up for a window at most, whatever the clock was set to.
	waits := func(until time.Time) bool { return now.Before(until) && until.Sub(now) <= limitWindow }
	if waits(full) {
		return 0, 0
	}
	if usual, urgent = l.hands.free(); waits(rests) {
		usual, urgent = 0, usual+urgent
	}
	if l.whole == "" {
		return usual, urgent
	}
	b := l.breaker(l.whole, Owner{})
	switch state, _, _ := b.state(); {
	case state == breakerOpen, b.probed():
		return 0, 0
	case state == breakerHalfOpen && usual > 0:
		return 1, 0
	case state == breakerHalfOpen:
		return 0, min(urgent, 1)
	}
	return usual, urgent
}

// parcels are what goes in one call each: one delivery, or several of one recipient that may go together.
func (l *lane) parcels(claimed []domain.Delivery) (out [][]domain.Delivery) {
	digests := map[[6]string]int{}
	for _, d := range claimed {
		at, open := digests[d.Recipient()]
		if d.Digest && open && len(out[at]) < l.together() {
			out[at] = append(out[at], d)
			continue
		}
		if d.Digest {
			digests[d.Recipient()] = len(out)
		}
		out = append(out, []domain.Delivery{d})
	}
	return out
}

func skipped(all []domain.Delivery, reason string) []Aside {
	out := make([]Aside, len(all))
	for i, d := range all {
		out[i] = Aside{County: d.County, ID: d.ID, State: domain.StateSkipped, Reason: reason}
	}
	return out
}

// state is that of the worst of the channel's providers, and why it rests.
func (l *lane) state() (worst string, until time.Time, fault string) {
	worst = breakerClosed
	for _, b := range l.some(func(of Owner) bool { return of == Owner{} }) {
		switch state, rests, why := b.state(); {
		case state == breakerOpen && (worst != breakerOpen || rests.After(until)):
			worst, until, fault = state, rests, why
		case state == breakerHalfOpen && worst == breakerClosed:
			worst, fault = state, why
		}
	}
	return worst, until, fault
}

// Fault is a group whose address the provider does not take: somebody has to mend it.
type Fault struct {
	OrganizationID, DepartmentCode string
	Reason                         string
	RestsUntil                     time.Time // zero: it is tried again
}

// faults are those of a county's groups.
func (l *lane) faults(county string) (out []Fault) {
	for _, b := range l.some(func(of Owner) bool { return of.County == county }) {
		if state, until, why := b.state(); state != breakerClosed {
			out = append(out, Fault{OrganizationID: b.of.OrganizationID, DepartmentCode: b.of.DepartmentCode, Reason: why, RestsUntil: until})
		}
	}
	return out
}

// some are the breakers of those who are wanted.
func (l *lane) some(want func(of Owner) bool) (out []*breaker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.breakers {
		if want(b.of) {
			out = append(out, b)
		}
	}
	return out
}
