package domain_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// model is all that the design says a referral is, beside what is written in it.
type model struct {
	direction domain.Direction
	kind      domain.Kind
	state     domain.State
	version   int32
	// arrived and admitted are when; from is the state that an undone arrival goes back to.
	arrived, admitted time.Time
	from              domain.State
	concluded, sent   bool
	assessed          bool
	owesConsent       bool
	corrections       int
}

// life is a referral, the model beside it, and all that was done with it.
type life struct {
	*rapid.T
	cal  domain.Calendar
	at   time.Time
	r    *domain.Referral
	m    model
	done []func(*domain.Referral) error
}

// Whatever is tried in whatever order, by whomever: the referral does what the model says, a refusal changes nothing, and the same life
// lived again, read from the store before every step, ends in the same referral.
func TestARandomLifeIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	cal := calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		l := &life{T: t, cal: cal, at: now}
		l.begin()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			l.at = l.at.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
			before := l.r.Snapshot()
			var refused *domain.Refusal
			var err error
			if rapid.IntRange(0, 3).Draw(t, "mark") == 0 {
				err = l.mark()
			} else {
				err = l.transition()
			}
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			if got := l.r.Snapshot(); err != nil && !reflect.DeepEqual(got, before) {
				t.Fatal("a refusal changed the referral")
			}
			l.compare()
		}
		l.again()
	})
}

func (l *life) begin() {
	p := rapid.SampledFrom(pairs()).Draw(l.T, "kind")
	d := draft(p.k)
	c := domain.Command{Action: domain.ActionCreate, Side: domain.Originator, By: doctor(), At: l.at, Carry: domain.Carry{Draft: &d}}
	l.m = model{direction: p.d, kind: p.k, version: 1, state: domain.StateDraft}
	switch {
	case p.d == domain.Out:
		c.Action, l.m.state, l.m.sent = domain.ActionRecordOut, domain.StateClosed, true
		c.Carry.Destination, c.Carry.Number, c.Carry.Reason, c.Carry.Arrival = "桂林", "4503212600001234", "NO_BED", l.at
		d.Urgency, d.Receiver = "", domain.Party{}
	case appliesTo("UP:OUTPATIENT,INPATIENT,EMERGENCY,EXAM")(p.d, p.k) && rapid.Bool().Draw(l.T, "came without"):
		c.Action, c.Side, l.m.state, l.m.sent, l.m.arrived = domain.ActionRecordArrival, domain.Receiver, domain.StateArrived, true, l.at
		c.Carry.Number, c.Carry.Reason, c.Carry.Arrival = "4503212600001234", "SELF", l.at
		d.Form, d.Consent, d.ExamItems = domain.Form{}, domain.Consent{}, nil
	case p.k == domain.KindEmergency && rapid.Bool().Draw(l.T, "consent later"):
		d.Consent, l.m.owesConsent = domain.Consent{DeferredReason: "昏迷"}, true
	}
	l.r = domain.New("r1", "450321")
	if err := l.do(func(r *domain.Referral) error { return r.Decide(c, l.cal) }); err != nil {
		l.Fatalf("%s: %v", c.Action, err)
	}
	l.compare()
}

// do tries something; what succeeded is kept to be done again.
func (l *life) do(what func(*domain.Referral) error) error {
	err := what(l.r)
	if err == nil {
		l.done = append(l.done, what)
	}
	return err
}

func (l *life) side() domain.Side {
	return rapid.SampledFrom([]domain.Side{domain.Originator, domain.Receiver, domain.System}).Draw(l.T, "side")
}

// bare are the actions that carry nothing, or what the referral has already.
func bare() []domain.Action {
	return []domain.Action{domain.ActionSubmit, domain.ActionResubmit, domain.ActionArrive, domain.ActionNoShow, domain.ActionAcknowledge}
}

func (l *life) transition() error {
	action, side := rapid.SampledFrom(actions()).Draw(l.T, "action"), l.side()
	// Half of the time something that the table has, so that lives get long.
	if able := l.able(); len(able) > 0 && rapid.Bool().Draw(l.T, "able") {
		one := rapid.SampledFrom(able).Draw(l.T, "row")
		action, side = one.action, one.side
	}
	c := command(l.r, action, side)
	c.At = l.at
	c.Carry.Expected = domain.Window{From: l.at.Add(time.Hour), To: l.at.Add(2 * time.Hour)}
	if c.Side == domain.Receiver && action == domain.ActionBeginFollowUp && rapid.Bool().Draw(l.T, "own plan") {
		plan := visits("2027-03-25")
		c.Carry.Plan = &plan
	}
	same := false
	if action == domain.ActionEdit {
		// What says what stands already is no edit.
		stands := l.r.Snapshot().OriginatorPhone
		same = rapid.Bool().Draw(l.T, "says the same")
		d := domain.Draft{OriginatorPhone: stands}
		if !same {
			d.OriginatorPhone = fmt.Sprint("0773-882", len(l.done))
		}
		c.Carry.Fields, c.Carry.Draft = []string{"originator_phone"}, &d
	}
	empty := rapid.IntRange(0, 9).Draw(l.T, "carries nothing") == 0
	if empty {
		c.Carry = domain.Carry{Number: c.Carry.Number}
	}
	if rapid.IntRange(0, 9).Draw(l.T, "other version") == 0 {
		c.Version = rapid.SampledFrom([]int32{0, l.m.version - 1, l.m.version + 1}).Draw(l.T, "version")
	}
	want, to := l.expect(c, empty)
	offered := slices.ContainsFunc(l.r.Actions(c.Side, l.at), func(row domain.Row) bool { return row.Action == action })
	if c.Version == l.m.version && offered == (want == domain.NotAvailable) {
		l.Fatalf("%s by %s in %s is offered: %v", action, c.Side, l.m.state, offered)
	}
	err := l.do(func(r *domain.Referral) error { return r.Decide(c, l.cal) })
	l.check(string(c.Action), c.Side, want, err)
	if err == nil && !same {
		l.m.take(action, to, l.at)
	}
	return err
}

type doer struct {
	action domain.Action
	side   domain.Side
}

// able is who can do what now.
func (l *life) able() (out []doer) {
	s := domain.Snapshot{Direction: l.m.direction, Kind: l.m.kind, State: l.m.state, ArrivedFrom: l.m.from}
	for _, action := range actions() {
		for _, side := range []domain.Side{domain.Originator, domain.Receiver, domain.System} {
			if _, ok := expected(s, action, side); ok && action != domain.ActionCancel {
				out = append(out, doer{action, side})
			}
		}
	}
	return out
}

// expect is which check refuses, 0 for none, and the state after it.
func (l *life) expect(c domain.Command, empty bool) (domain.Why, domain.State) {
	s := domain.Snapshot{Direction: l.m.direction, Kind: l.m.kind, State: l.m.state, ArrivedFrom: l.m.from}
	to, ok := expected(s, c.Action, c.Side)
	switch late := 24 * time.Hour; {
	case c.Version == 0:
		return domain.NoVersion, ""
	case c.Version != l.m.version:
		return domain.Stale, ""
	case !ok, c.Action == domain.ActionUndoArrive && (l.m.assessed || l.at.Sub(l.m.arrived) > late), c.Action == domain.ActionUndoAdmit && l.at.Sub(l.m.admitted) > late:
		return domain.NotAvailable, ""
	case empty && !slices.Contains(bare(), c.Action):
		return domain.Content, ""
	}
	return 0, to
}

func (l *life) check(what string, side domain.Side, want domain.Why, err error) {
	var refused *domain.Refusal
	if got := errors.As(err, &refused); got != (want != 0) || got && refused.Why != want {
		l.Fatalf("%s by %s in %s of %s %s: got %v, want %d", what, side, l.m.state, l.m.direction, l.m.kind, err, want)
	}
}

func (m *model) take(a domain.Action, to domain.State, at time.Time) {
	switch a {
	case domain.ActionSubmit:
		m.sent = true
	case domain.ActionArrive:
		m.from, m.arrived = m.state, at
	case domain.ActionUndoArrive:
		m.from, m.arrived = "", time.Time{}
	case domain.ActionAdmit:
		m.admitted = at
	case domain.ActionConclude, domain.ActionAnswer:
		m.concluded = true
	}
	m.state, m.version = to, m.version+1
}

// compare holds the referral against the model.
func (l *life) compare() {
	s := l.r.Snapshot()
	if s.State != l.m.state || s.Version != l.m.version || s.Corrections != l.m.corrections || (s.Number != "") != l.m.sent {
		l.Fatalf("%s at %d, corrected %d times; the model %+v", s.State, s.Version, s.Corrections, l.m)
	}
	open := []domain.State{
		domain.StateSubmitted, domain.StateReturned, domain.StateAccepted, domain.StateNoShow, domain.StateArrived, domain.StateAdmitted,
	}
	if (s.Guard() != "") != (slices.Contains(open, l.m.state) && l.m.kind != domain.KindAdvice) {
		l.Fatalf("guard %q in %s", s.Guard(), l.m.state)
	}
	if l.m.state == domain.StateAccepted && s.Booking.ID == "" && !s.WalkIn {
		l.Fatal("ACCEPTED without a booking and without a walk-in window")
	}
	over := []domain.State{domain.StateDeclined, domain.StateCancelled, domain.StateClosed}
	if slices.Contains(over, l.m.state) != !s.CloseTime.IsZero() || !s.DueTime.IsZero() && !slices.Contains(domain.Waiting(), l.m.state) {
		l.Fatalf("in %s closed at %v, due %v", l.m.state, s.CloseTime, s.DueTime)
	}
	for _, side := range []domain.Side{domain.Originator, domain.Receiver, domain.System} {
		for _, m := range l.r.MarksFor(side) {
			if !l.m.mayMark(m.Action, side) {
				l.Fatalf("%s may %s in %s", side, m.Action, l.m.state)
			}
		}
	}
}

// again lives the same life once more, each step on the referral as it was stored, and reads the history beside it.
func (l *life) again() {
	s := domain.New("r1", "450321").Snapshot()
	state, version := domain.StateNone, int32(0)
	for i, step := range l.done {
		r := domain.Restore(s)
		if s.Version == 0 {
			r = domain.New("r1", "450321")
		}
		if err := step(r); err != nil {
			l.Fatalf("step %d: %v", i, err)
		}
		if len(r.Changes()) == 0 {
			continue // an edit that said what stood
		}
		change := r.Changes()[len(r.Changes())-1]
		if !change.Mark {
			version++
		}
		if change.From != state || change.After.Version != version || change.Mark && change.After.State != state {
			l.Fatalf("%s from %s at %d follows %s at %d", change.Action, change.From, change.After.Version, state, version)
		}
		s, state = r.Snapshot(), change.After.State
	}
	if want := l.r.Snapshot(); !reflect.DeepEqual(s, want) {
		l.Fatalf("lived again it is another: %s", differs(s, want))
	}
}

// differs names the fields in which two referrals differ.
func differs(a, b domain.Snapshot) string {
	var names []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return fmt.Sprint(strings.Join(names, ", "))
}
