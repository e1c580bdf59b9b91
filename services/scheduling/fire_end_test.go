package scheduling_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// each reads rows of the database itself; scan answers an error to end it.
func (f *fire) each(query string, args []any, scan func(scan func(...any) error) error) {
	f.t.Helper()
	ctx := context.Background()
	err := f.own.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		f.t.Errorf("%s: %v", query, err)
	}
}

// living are the holds that take a place, of an account or with an id, or all.
func (f *fire) living(of string) (out []domain.HoldData) {
	f.each(`SELECT id, account_id, patient_id, state, coalesce(booking_id, ''), coalesce(referral_id, ''), slot_id, department_code FROM hold
		WHERE state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') AND ($1 = '' OR account_id = $1 OR id = $1) ORDER BY id`, []any{of}, func(scan func(...any) error) error {
		var d domain.HoldData
		err := scan(&d.ID, &d.AccountID, &d.PatientID, &d.State, &d.BookingID, &d.ReferralID, &d.Place.SlotID, &d.Place.DepartmentCode)
		out = append(out, d)
		return err
	})
	return out
}

// faults holds what is kept against the invariants: what each finds is a sentence.
func (f *fire) faults() (out []string) {
	for what, query := range map[string]string{
		"two live bookings in slot %s": `SELECT slot_id FROM hold WHERE state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') GROUP BY slot_id HAVING count(*) > 1`,
		"hold %s lives, and does not have its place": `SELECT h.id FROM hold h WHERE h.state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE')
			AND NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.county_code = h.county_code AND o.place_id = h.slot_id AND o.hold_id = h.id)`,
		"place %s is taken by a hold that does not live": `SELECT o.place_id FROM occupancy o LEFT JOIN hold h ON h.county_code = o.county_code AND h.id = o.hold_id
			AND h.state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') WHERE h.id IS NULL AND o.until_time IS NULL`,
		"two live bookings of referral %s": `SELECT referral_id FROM hold WHERE state IN ('UNSETTLED', 'LIVE') GROUP BY referral_id HAVING count(*) > 1`,
		"hold %s is in a cancelled session, and not displaced": `SELECT h.id FROM hold h JOIN slot sl ON sl.county_code = h.county_code AND sl.id = h.slot_id
			WHERE h.state IN ('HELD', 'ATTACHED', 'UNSETTLED', 'LIVE') AND sl.closed_by = 'CANCELLED' AND h.displaced_time IS NULL`,
		"hold %s is displaced, and its session takes place": `SELECT h.id FROM hold h JOIN slot sl ON sl.county_code = h.county_code AND sl.id = h.slot_id
			WHERE sl.closed_by <> 'CANCELLED' AND h.displaced_time IS NOT NULL`,
		"the displaced booking of hold %s is not on the list once": `SELECT h.id FROM hold h WHERE h.state IN ('ATTACHED', 'UNSETTLED', 'LIVE') AND h.displaced_time IS NOT NULL
			AND 1 <> (SELECT count(*) FROM waitlist_entry w WHERE w.county_code = h.county_code AND w.referral_id = h.referral_id AND w.state IN ('WAITING', 'OFFERED')
			AND w.displaced_booking_id IN (h.booking_id, h.id))`,
		"entry %s waits for a place that its booking has": `SELECT w.id FROM waitlist_entry w JOIN hold h ON h.county_code = w.county_code AND h.booking_id = w.displaced_booking_id
			WHERE w.state IN ('WAITING', 'OFFERED') AND (h.displaced_time IS NULL OR h.state NOT IN ('UNSETTLED', 'LIVE'))`,
		"entry %s was offered what is not there": `SELECT w.id FROM waitlist_entry w WHERE w.state = 'OFFERED' AND NOT EXISTS (SELECT 1 FROM hold h
			WHERE h.county_code = w.county_code AND h.id = w.hold_id AND h.referral_id = w.referral_id AND h.state IN ('ATTACHED', 'UNSETTLED', 'LIVE'))`,
		"an offer's hold %s outlives its entry": `SELECT h.id FROM waitlist_entry w JOIN hold h ON h.county_code = w.county_code AND h.id = w.hold_id
			WHERE w.state IN ('LEFT', 'ENDED') AND w.displaced_booking_id = '' AND h.state = 'ATTACHED'`,
	} {
		f.each(query, nil, func(scan func(...any) error) error {
			var found string
			err := scan(&found)
			out = append(out, fmt.Sprintf(what, found))
			return err
		})
	}
	return out
}

// calm is what is left when all were killed: one instance that does nothing by itself.
func (f *fire) calm() *life {
	f.stop()
	l := f.begin(false)
	for i := range f.instances {
		f.instances[i].Store(l)
	}
	return l
}

// work lets the instance do what is to be done, and holds what is kept against the invariants.
func (f *fire) work(l *life) {
	f.t.Helper()
	for range 3 {
		if err := l.work(); err != nil {
			f.t.Errorf("work: %v", err)
		}
	}
	for i, fault := range f.faults() {
		if i == 20 {
			break
		}
		f.t.Error(fault)
	}
}

// settle holds what is left against the invariants, lets everybody of a full department lose the place and get another, gives back what is left, and
// then takes each slot once more: none is lost.
func (f *fire) settle() {
	c := &client{fire: f, number: fireClients, random: rand.New(rand.NewPCG(1, 1))}
	l := f.calm()
	f.work(l)
	f.giveBack(c, l)
	f.displaceAll(c, l)
	f.giveBack(c, l)
	f.resolve()
	for _, g := range f.groups {
		c.lookAround(g)
		for n, over := range g.over {
			for i := range sessionSlots {
				want := placetest.Done
				if over {
					want = placetest.Taken
				}
				if out := c.take(g, n*sessionSlots+i, id.New(), id.New()); out.Outcome != want {
					f.t.Errorf("slot %d of %s is lost: %+v", i, g.department, out)
				}
			}
		}
		c.lookAround(g)
	}
}

// giveBack lets everybody leave.
func (f *fire) giveBack(c *client, l *life) {
	f.t.Helper()
	for range 50 {
		waiting := f.waiting()
		for entry, g := range waiting {
			c.leave(g, entry)
		}
		if len(waiting)+len(f.living("")) == 0 {
			return
		}
		c.recover("")
		f.work(l)
	}
	f.t.Errorf("%d holds and bookings cannot be given back", len(f.living("")))
}

// waiting are the entries of the list that a client may leave.
func (f *fire) waiting() map[string]*group {
	out := map[string]*group{}
	f.each("SELECT id, department_code FROM waitlist_entry WHERE state IN ('WAITING', 'OFFERED') AND displaced_booking_id = ''", nil, func(scan func(...any) error) error {
		var entry, department string
		err := scan(&entry, &department)
		out[entry] = f.of(department)
		return err
	})
	return out
}

// displaceAll cancels a session of a department that is full: all of it are displaced and on the list, once. When there is a session again, all have a
// place in it.
func (f *fire) displaceAll(c *client, l *life) {
	f.t.Helper()
	g := f.fill(c)
	if g == nil {
		return // each department had as many sessions as a history holds
	}
	f.work(l)
	c.end(g, slices.Index(g.over, false))
	f.work(l)
	if n := f.displaced(g); n != sessionSlots {
		f.t.Errorf("a session of a full department was cancelled, and %d of its bookings are displaced", n)
	}
	for f.displaced(g) > 0 && c.open(g) {
		f.work(l)
	}
	if n := f.displaced(g); n > 0 && len(g.sessions) < sessionsMost {
		f.t.Errorf("%d bookings have no place, and a session is free", n)
	}
}

// fill books all slots of a department that may have another session; nil if there is none.
func (f *fire) fill(c *client) *group {
	at := slices.IndexFunc(f.groups, func(g *group) bool { return len(g.sessions) < sessionsMost })
	if at < 0 {
		return nil
	}
	g := f.groups[at]
	for n, over := range g.over {
		for i := range sessionSlots {
			patient := id.New()
			if over {
				continue
			}
			out := c.take(g, n*sessionSlots+i, id.New(), patient)
			h := held{client: c, group: g, hold: out.Hold, tie: app.Tie{HoldID: out.Hold, ReferralID: id.New(), PatientID: patient}}
			h.confirm()
		}
	}
	return g
}

// displaced counts the bookings of a department that have lost their place.
func (f *fire) displaced(g *group) (n int) {
	f.each("SELECT count(*) FROM hold WHERE department_code = $1 AND displaced_time IS NOT NULL AND booking_id IS NOT NULL", []any{g.department},
		func(scan func(...any) error) error { return scan(&n) })
	return n
}
