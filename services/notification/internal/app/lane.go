package app

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// lane is the worker of one channel.
type lane struct {
	s       *Sender
	name    string
	adapter channel.Adapter // nil: not configured
	// whole is the one provider of the channel; "" where each address may have its own.
	whole string
	wake  chan struct{}
	// slots are taken by calls under way; one that hangs holds up no other.
	slots  chan struct{}
	flying sync.WaitGroup

	mu       sync.Mutex
	breakers map[string]*breaker
}

// breaker of one provider.
type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[struct{}]
	mu    sync.Mutex
	until time.Time // rests at least so long
	busy  int       // calls under way
}

func newLane(s *Sender, name string) *lane {
	l := &lane{s: s, name: name, adapter: s.Adapters[name], wake: make(chan struct{}, 1), slots: make(chan struct{}, s.cfg.Parallel), breakers: map[string]*breaker{}}
	if l.adapter != nil {
		l.whole = l.adapter.Provider(channel.Address{})
	}
	return l
}

// maxBreakers bounds what is remembered of providers that addresses name.
const maxBreakers = 1000

// breaker of a provider; made when it is first met.
func (l *lane) breaker(provider string) *breaker {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.breakers[provider]; ok {
		return b
	}
	if len(l.breakers) >= maxBreakers {
		clear(l.breakers)
	}
	b := &breaker{}
	b.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: l.name, MaxRequests: 1, Timeout: l.s.cfg.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int(c.ConsecutiveFailures) >= l.s.cfg.Trip },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			l.s.Logger.Warn("a provider of messages changed its state", slog.String("channel", l.name), slog.String("state", from.String()+" to "+to.String()))
			if to == gobreaker.StateOpen {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.until = l.s.Clock.Now().Add(l.s.cfg.Rest)
			}
		},
	})
	l.breakers[provider] = b
	return b
}

// rests until; zero if it works.
func (b *breaker) rests() time.Time {
	if b.State() != gobreaker.StateOpen {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until
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

const (
	// skipAtOnce is how many are set aside together where the channel is not configured.
	skipAtOnce = 100
)

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

// round sends a handful; more tells whether it is worth asking again at once.
func (l *lane) round(ctx context.Context) (more bool, err error) {
	due, err := l.s.Deliveries.Due(ctx, l.name)
	if err != nil || !due {
		return false, err
	}
	limit := skipAtOnce
	if l.adapter != nil {
		taken := l.take(ctx)
		limit = min(taken, l.permits(ctx, taken))
		l.free(taken - limit)
		if limit == 0 {
			return false, nil
		}
	}
	lease := id.New()
	claimed, err := l.s.Deliveries.Claim(ctx, Claim{Channel: l.name, Lease: lease, Until: l.s.Clock.Now().Add(l.s.cfg.Lease), Limit: limit, With: l.together() - 1})
	switch {
	case l.adapter == nil && err == nil && len(claimed) > 0:
		return true, l.s.Deliveries.SetAside(ctx, lease, skipped(claimed, domain.NotConfigured))
	case l.adapter == nil:
		return false, err
	case err != nil || len(claimed) == 0:
		l.free(limit)
		return false, err
	}
	// What was claimed is brought to its end: the provider may be called already.
	flying, err := l.handle(context.WithoutCancel(ctx), lease, claimed)
	l.free(limit - flying)
	return err == nil, err
}

// take waits for a slot and takes those that are free besides; 0 when ctx ends.
func (l *lane) take(ctx context.Context) (n int) {
	select {
	case <-ctx.Done():
		return 0
	case l.slots <- struct{}{}:
	}
	for n = 1; n < cap(l.slots); n++ {
		select {
		case l.slots <- struct{}{}:
		default:
			return n
		}
	}
	return n
}

func (l *lane) free(n int) {
	for range n {
		<-l.slots
	}
}

// permits is how many messages may go now, most at most.
func (l *lane) permits(ctx context.Context, most int) int {
	if l.whole != "" {
		switch l.breaker(l.whole).State() {
		case gobreaker.StateOpen:
			return 0
		case gobreaker.StateHalfOpen:
			most = min(most, 1)
		}
	}
	rate := l.s.cfg.Rate[l.name]
	if rate <= 0 {
		return most
	}
	for n := range most {
		// While the cache is away, the provider's own limit is met instead.
		if ok, _, err := l.s.Limiter.Allow(ctx, "delivery:"+l.name, rate, time.Minute); err == nil && !ok {
			return n
		}
	}
	return most
}

func skipped(all []domain.Delivery, reason string) []Aside {
	out := make([]Aside, len(all))
	for i, d := range all {
		out[i] = Aside{County: d.County, ID: d.ID, State: domain.StateSkipped, Reason: reason}
	}
	return out
}

// parcel is what goes in one call: one delivery, or several of one recipient that may go together.
type parcel struct {
	parts []composed
	done  func(error) // tells the breaker
}

// handle composes, holds back what may not go, writes the attempts and begins the calls; it answers how many are under way.
func (l *lane) handle(ctx context.Context, lease string, claimed []domain.Delivery) (flying int, err error) {
	var parcels []*parcel
	var aside []Aside
	digests := map[[6]string]*parcel{}
	for _, d := range claimed {
		c, not := l.s.compose(ctx, d)
		switch {
		case not != nil:
			aside = append(aside, *not)
		case d.Digest && digests[d.Recipient()] != nil && len(digests[d.Recipient()].parts) < l.together():
			p := digests[d.Recipient()]
			p.parts = append(p.parts, c)
		default:
			p := &parcel{parts: []composed{c}}
			if d.Digest {
				digests[d.Recipient()] = p
			}
			parcels = append(parcels, p)
		}
	}
	free := parcels[:0]
	for _, p := range parcels {
		if wait := l.hold(ctx, p); wait > 0 {
			aside = append(aside, p.later(l.s.Clock.Now().Add(wait))...)
			continue
		}
		free = append(free, p)
	}
	if len(aside) > 0 {
		if err := l.s.Deliveries.SetAside(ctx, lease, aside); err != nil {
			release(free)
			return 0, err
		}
	}
	return l.send(ctx, lease, free)
}

// release gives back what the breaker allowed and was not used.
func release(parcels []*parcel) {
	for _, p := range parcels {
		p.done(nil)
	}
}

func (p *parcel) later(due time.Time) []Aside {
	out := make([]Aside, len(p.parts))
	for i, c := range p.parts {
		out[i] = Aside{County: c.d.County, ID: c.d.ID, State: domain.StatePending, Reason: c.d.Reason, Due: due}
	}
	return out
}

// hold tells how long a parcel has to wait, since its address has had enough or its provider rests; 0: it may go.
func (l *lane) hold(ctx context.Context, p *parcel) time.Duration {
	first := p.parts[0]
	b := l.breaker(l.adapter.Provider(first.to))
	if l.whole == "" && !b.enter(max(1, l.s.cfg.Parallel/2)) {
		return time.Second // half of the slots are for the other providers
	}
	done, err := b.Allow()
	if err != nil {
		b.leave(l.whole)
		if until := b.rests(); !until.IsZero() {
			return max(until.Sub(l.s.Clock.Now()), time.Second)
		}
		return time.Second
	}
	p.done = func(err error) {
		b.leave(l.whole)
		done(err)
	}
	if rate := l.s.cfg.PerGroup[l.name]; rate > 0 {
		key := strings.Join([]string{"delivery", l.name, first.d.County, first.d.OrganizationID, first.d.DepartmentCode, first.d.AccountID}, ":")
		if ok, wait, err := l.s.Limiter.Allow(ctx, key, rate, time.Minute); err == nil && !ok {
			p.done(nil)
			return wait
		}
	}
	return 0
}

// enter counts a call of a provider that is one of several, unless it has so many.
func (b *breaker) enter(most int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy >= most {
		return false
	}
	b.busy++
	return true
}

func (b *breaker) leave(whole string) {
	if whole != "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy--
}

// send writes the attempts of all, then begins a call for each; it answers how many.
func (l *lane) send(ctx context.Context, lease string, parcels []*parcel) (flying int, err error) {
	b := Begin{Lease: lease, Until: l.s.Clock.Now().Add(l.s.cfg.Lease)}
	for _, p := range parcels {
		for i := range p.parts {
			c := &p.parts[i]
			if len(p.parts) == 1 {
				l.s.link(c)
			}
			b.Tries = append(b.Tries, Try{County: c.d.County, ID: c.d.ID, AddressMasked: c.masked, Link: c.kept})
		}
	}
	if len(b.Tries) == 0 {
		return 0, nil
	}
	begun, err := l.s.Deliveries.Begin(ctx, b)
	if err != nil {
		release(parcels)
		return 0, err
	}
	now := map[string]domain.Delivery{}
	for _, d := range begun {
		now[d.County+d.ID] = d
	}
	for _, p := range parcels {
		if p.keep(now); len(p.parts) == 0 {
			p.done(nil)
			continue
		}
		flying++
		l.flying.Go(func() {
			defer l.free(1)
			l.deliver(ctx, lease, p)
		})
	}
	return flying, nil
}

// keep leaves what was begun, as it is now.
func (p *parcel) keep(now map[string]domain.Delivery) {
	kept := p.parts[:0]
	for _, c := range p.parts {
		if d, ok := now[c.d.County+c.d.ID]; ok {
			c.d = d
			kept = append(kept, c)
		}
	}
	p.parts = kept
}

// state is that of the worst of the channel's providers.
func (l *lane) state() (breaker string, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	breaker = "CLOSED"
	for _, b := range l.breakers {
		switch b.State() {
		case gobreaker.StateOpen:
			if rests := b.rests(); breaker != "OPEN" || rests.After(until) {
				breaker, until = "OPEN", rests
			}
		case gobreaker.StateHalfOpen:
			if breaker == "CLOSED" {
				breaker = "HALF_OPEN"
			}
		}
	}
	return breaker, until
}
