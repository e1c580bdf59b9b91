package notification_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/channeltest"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/webhook"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// proofFacts is how many facts the proof tells: few unless TONGZHEN_PROOF_FACTS says more (100000 is the whole proof).
func proofFacts(t *testing.T) int {
	t.Helper()
	const few = 400
	if text := os.Getenv("TONGZHEN_PROOF_FACTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return few
}

// The provider is down half of the time, in turns: it refuses, breaks, or takes a message and does not say so, or has something on the way say 503. Two instances send; now and then one
// dies after a call and before it wrote what became of it. Each fact comes up to three times.
func TestNothingIsLostAndNothingGoesTwiceUnmarked(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			n := proofFacts(t)
			p := newProof(t, dbtest.OpenClock(t, engine, clock.System(), notification.Migrations()), n)
			stop := p.send(2)
			ids := p.tell(n)
			p.settle(len(ids))
			stop()
			p.check(ids)
		})
	}
}

type proof struct {
	t        *testing.T
	db       *sqldb.DB
	store    *store.Store
	book     *store.Book
	provider *channeltest.Simulator
	dies     int           // after so many outcomes
	call     time.Duration // a provider's time to answer
	died     atomic.Int64
	began    time.Time
}

func newProof(t *testing.T, db *sqldb.DB, facts int) *proof {
	t.Helper()
	const many = 2000
	phase, dies, call := 200*time.Millisecond, 150, 150*time.Millisecond
	if facts > many {
		phase, dies, call = 2*time.Second, many/2, time.Second/2
	}
	p := &proof{t: t, db: db, dies: dies, call: call, book: store.NewBook(db, crypt.TestRing()), provider: channeltest.Webhook(t)}
	p.store, p.began = store.New(db, crypt.TestRing(), events.Encode, store.Wakes{}), time.Now()
	p.provider.Decide(func() channeltest.Fault {
		if time.Since(p.began)/phase%2 == 0 {
			return channeltest.Works
		}
		down := []channeltest.Fault{
			channeltest.Busy, channeltest.BusyTaken, channeltest.Broken, channeltest.TimeoutAfter, channeltest.TimeoutBefore, channeltest.TooMany, channeltest.Missing,
		}
		return down[rand.IntN(len(down))]
	})
	_, err := p.book.SetAddress(t.Context(), app.Caller{County: county, AccountID: "admin"}, app.Address{
		Owner: app.Owner{County: county, OrganizationID: hospital}, Channel: domain.Webhook, Value: p.provider.URL + "/hook", Secret: channeltest.WebhookSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mortal is a store whose process dies now and then between a call and its outcome.
type mortal struct {
	*store.Store
	dies  int
	died  *atomic.Int64
	mu    sync.Mutex
	begun int
	dead  map[string]bool
}

var errDied = errors.New("the process died")

func (m *mortal) Finish(ctx context.Context, lease string, done []app.Done) error {
	m.mu.Lock()
	if m.begun++; m.begun%m.dies == 0 {
		m.dead[lease] = true
		m.died.Add(1)
	}
	dead := m.dead[lease]
	m.mu.Unlock()
	if dead {
		return errDied
	}
	return m.Store.Finish(ctx, lease, done)
}

// names is what a message asks of other services: nothing here.
type names struct{ app.Outside }

func (names) Names(context.Context, string) (app.Names, error) {
	return app.Names{}, errs.Unavailable("directory", nil)
}

// send runs instances until stop is called.
func (p *proof) send(instances int) (stop func()) {
	p.t.Helper()
	book, err := words.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range instances {
		s := app.NewSender(app.SenderConfig{
			Patience: map[string]domain.Patience{"": {Most: 1 << 20, First: 20 * time.Millisecond, Longest: 200 * time.Millisecond}},
			Call:     p.call, Lease: 3 * time.Second, Poll: 10 * time.Millisecond, Parallel: 16, Trip: 5, Rest: 60 * time.Millisecond, Zone: time.UTC,
		}, app.SenderDeps{
			Deliveries: &mortal{Store: p.store, dies: p.dies, died: &p.died, dead: map[string]bool{}}, Addresses: p.book, Links: p.book, Outside: names{},
			Adapters: map[string]channel.Adapter{domain.Webhook: webhook.New(egress.New(egress.Policy{Private: true}, net.DefaultResolver), clock.System())},
			Words:    book, Limiter: cache.Memory(clock.System()), Clock: clock.System(), Logger: slog.New(slog.DiscardHandler),
		})
		all.Go(func() {
			if err := s.Run(ctx); err != nil {
				p.t.Error(err)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// tell handles facts as a consumer does, each up to three times, and answers the ids of the deliveries.
func (p *proof) tell(n int) []string {
	p.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = id.New()
	}
	var all sync.WaitGroup
	const hands = 4
	for hand := range hands {
		all.Go(func() {
			for i := hand; i < n; i += hands {
				for range 1 + i%3 {
					if err := p.fact(ids[i], i); err != nil {
						p.t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	return ids
}

func (p *proof) fact(fact string, i int) error {
	cmd := app.Command{Caller: app.Caller{County: county, AccountID: app.Self}, Consumer: "proof", FactID: fact}
	urgency := []string{"ROUTINE", "URGENT", "EMERGENCY"}[i%3]
	return p.store.Change(p.t.Context(), cmd, func(u app.Unit) error {
		e, err := domain.NewEntry(county, id.FromFact("entry", fact, "desk"), "desk", domain.Fact{ID: fact, Event: "submitted", ReferralID: fact, Urgency: urgency}, u.Now())
		if err != nil {
			return err
		}
		u.Add(e)
		return u.Dispatch(domain.Dispatch{
			County: county, ID: fact, OrganizationID: hospital, Channel: domain.Webhook, Template: "submitted", Language: "zh-CN", FactID: fact, Event: "submitted",
			ReferralID: fact, ReferralNumber: number, Urgency: urgency, DueTime: u.Now(),
		})
	})
}

// settle waits until everything was sent.
func (p *proof) settle(n int) {
	p.t.Helper()
	tick := time.NewTicker(50*time.Millisecond + time.Duration(n)*50*time.Microsecond) // counting many takes its time
	defer tick.Stop()
	for end := time.Now().Add(time.Minute + time.Duration(n)*50*time.Millisecond); p.count("SELECT count(*) FROM delivery WHERE state <> 'SENT'") > 0; {
		if <-tick.C; time.Now().After(end) {
			p.t.Fatalf("%d of %d are not sent", p.count("SELECT count(*) FROM delivery WHERE state <> 'SENT'"), n)
		}
	}
}

func (p *proof) count(query string) (n int) {
	p.t.Helper()
	err := p.db.View(p.t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(p.t.Context(), query).Scan(&n) })
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *proof) check(ids []string) {
	p.t.Helper()
	n := len(ids)
	if entries, deliveries := p.count("SELECT count(*) FROM entry"), p.count("SELECT count(*) FROM delivery"); entries != n || deliveries != n {
		p.t.Errorf("%d entries and %d messages of %d facts", entries, deliveries, n)
	}
	unknown := p.unknown()
	got := map[string]int{}
	repeats := 0
	for _, m := range p.provider.Taken() {
		if got[m.ID]++; got[m.ID] == 1 {
			continue
		}
		repeats++
		if !strings.HasPrefix(m.Text, "【重发】") {
			p.t.Errorf("message %s came %d times, and says nothing of it", m.ID, got[m.ID])
		}
	}
	unsure := 0
	for _, one := range ids {
		if got[one] == 0 {
			p.t.Errorf("message %s is lost", one)
		}
		if got[one] > 1+unknown[one] {
			p.t.Errorf("message %s came %d times with %d attempts of unknown outcome", one, got[one], unknown[one])
		}
		unsure += unknown[one]
	}
	attempts := p.count("SELECT count(*) FROM delivery_attempt")
	if open := p.count("SELECT count(*) FROM delivery_attempt WHERE outcome = 'OPEN'"); open != 0 {
		p.t.Errorf("%d attempts are open", open)
	}
	if unsure == 0 || repeats == 0 || p.died.Load() == 0 {
		p.t.Errorf("%d attempts with an unknown outcome, %d repeats, %d deaths: nothing was put to the proof", unsure, repeats, p.died.Load())
	}
	p.t.Logf("%s: %d facts, %d attempts, %d of unknown outcome, %d deaths, %d repeats, all marked", time.Since(p.began).Round(time.Second), n, attempts, unsure, p.died.Load(), repeats)
}

// unknown counts attempts of unknown outcome by delivery.
func (p *proof) unknown() map[string]int {
	p.t.Helper()
	out := map[string]int{}
	err := p.db.Read(p.t.Context(), func(tx *sqldb.Tx) error {
		rows, err := tx.Query(p.t.Context(), "SELECT delivery_id, count(*) FROM delivery_attempt WHERE outcome = 'UNKNOWN' GROUP BY delivery_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var key string
			var n int
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			out[key] = n
		}
		return rows.Err()
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}
