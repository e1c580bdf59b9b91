package scheduling_test

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
)

// watcher reads what the service leaves in each transaction, soon after its commit: facts, which tell what it did for its own account, and the audit
// trail, which tells that a call was carried out.
type watcher struct {
	*fire
	latest time.Time
	known  map[string]bool // facts and entries
	traces map[string]placetest.Trace

	mu sync.Mutex
	by map[string]bool // accounts of clients who move: theirs is in the history by its call; false: who cancel sessions, of whom only that is
}

func newWatcher(f *fire) *watcher {
	return &watcher{fire: f, known: map[string]bool{}, by: map[string]bool{}, traces: map[string]placetest.Trace{}, latest: clock.System().Now()}
}

// note that an account moves a booking, or cancels a session.
func (w *watcher) note(account string, moves bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.by[account] = moves
}

func (w *watcher) follow(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(w.latest.Add(-3 * time.Second))
		}
	}
}

// look reads what is new of the transactions that began since then. What committed much later than it began is read at the end.
func (w *watcher) look(since time.Time) {
	now := clock.System().Now()
	facts, entries := w.facts(since), w.entries(since)
	seen := clock.System().Now()
	for _, fact := range facts {
		w.hear(fact)
	}
	for _, e := range entries {
		for _, name := range []string{e.account, e.object} {
			t := w.traces[name+" "+e.action]
			if t.Out.Changed == 0 {
				t = placetest.Trace{Since: e.time, Until: seen}
			}
			t.Out.Changed++
			w.traces[name+" "+e.action] = t
		}
	}
	w.latest = now
}

func (w *watcher) facts(since time.Time) (out []placeFact) {
	w.each(`SELECT fact_id, type, payload FROM outbox WHERE published_time IS NULL AND occur_time >= $1
		AND type IN ('tongzhen.scheduling.v1.BookingMoved', 'tongzhen.scheduling.v1.BookingReleased', 'tongzhen.scheduling.v1.WaitlistOffered')`, []any{since},
		func(scan func(...any) error) error {
			var fact, kind string
			var payload []byte
			if err := scan(&fact, &kind, &payload); err != nil || w.known[fact] {
				return err
			}
			w.known[fact] = true
			var m placeFact = &schedulingv1.BookingMoved{}
			switch kind {
			case "tongzhen.scheduling.v1.BookingReleased":
				m = &schedulingv1.BookingReleased{}
			case "tongzhen.scheduling.v1.WaitlistOffered":
				m = &schedulingv1.WaitlistOffered{}
			}
			out = append(out, m)
			return proto.Unmarshal(payload, m)
		})
	return out
}

// placeFact is what the facts of a place have in common.
type placeFact interface {
	proto.Message
	GetMeta() *commonv1.FactMeta
	GetCapacity() *schedulingv1.CapacityFact
}

// entry of the audit trail.
type entry struct {
	account, action, object string
	time                    time.Time
}

func (w *watcher) entries(since time.Time) (out []entry) {
	w.each("SELECT id, account_id, action, object_id, entry_time FROM audit_entry WHERE county_code = $1 AND entry_time >= $2", []any{county, since},
		func(scan func(...any) error) error {
			var id string
			var e entry
			if err := scan(&id, &e.account, &e.action, &e.object, &e.time); err != nil || w.known[id] {
				return err
			}
			w.known[id] = true
			out = append(out, e)
			return nil
		})
	return out
}

// hear notes what no call of a client stands for.
func (w *watcher) hear(fact placeFact) {
	w.mu.Lock()
	moves, named := w.by[fact.GetMeta().GetActor().GetAccountId()]
	w.mu.Unlock()
	g, place := w.of(fact.GetCapacity().GetDepartmentCode()), fact.GetCapacity()
	in := placetest.In{Group: g.number, Hold: place.GetHoldId(), Slot: g.index(place.GetSlotId())}
	switch m := fact.(type) {
	case *schedulingv1.BookingMoved:
		in.Verb, in.From = placetest.Relocate, g.index(m.GetOldSlotId())
	case *schedulingv1.BookingReleased:
		in.Verb = placetest.Free // what had been offered in a session that was cancelled
		if !named {
			return
		}
	case *schedulingv1.WaitlistOffered:
		in.Verb = placetest.Offer
	}
	if !moves {
		w.record.Seen(in, fact.GetMeta().GetOccurTime().AsTime())
	}
}

// resolve finds out, at rest, what came of each call: each that had an effect is in the audit trail, by the name of its account or by what it changed.
func (f *fire) resolve() {
	f.facts.look(time.Time{})
	holds, left, facts := map[string]string{}, map[string]string{}, map[string]bool{}
	pairs := func(query string, into map[string]string) {
		f.each(query, nil, func(scan func(...any) error) error {
			var key, value string
			err := scan(&key, &value)
			into[key] = value
			return err
		})
	}
	pairs("SELECT account_id, id FROM hold", holds)
	pairs("SELECT id, hold_id FROM waitlist_entry WHERE state = 'LEFT'", left)
	f.each("SELECT fact_id FROM inbox WHERE consumer = 'fire'", nil, func(scan func(...any) error) error {
		var fact string
		err := scan(&fact)
		facts[fact] = true
		return err
	})
	actions := map[placetest.Verb]string{placetest.Create: "hold.take", placetest.Attach: "hold.attach", placetest.Confirm: "hold.confirm",
		placetest.Release: "hold.release", placetest.Move: "hold.move", placetest.Block: "slot.block", placetest.Unblock: "slot.unblock",
		placetest.Cancel: "session.cancel", placetest.Leave: "waitlist.leave", placetest.Free: "hold.free"}
	late := f.record.Resolve(func(in placetest.In) (trace placetest.Trace, came bool) {
		name := in.By
		if in.Verb == placetest.Free {
			name = in.Hold
		}
		trace, came = f.facts.traces[name+" "+actions[in.Verb]]
		trace.Out.Outcome = placetest.Done
		switch in.Verb {
		case placetest.Create:
			trace.Out.Hold, came = holds[in.By]
		case placetest.Leave:
			trace.Out.Hold, came = left[in.By]
		case placetest.Free:
			came = facts[in.By]
		}
		return trace, came
	})
	f.t.Logf("%d calls that nobody answered had their effect", late)
}
