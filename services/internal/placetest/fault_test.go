package placetest_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	. "github.com/tongzhen/tongzhen/services/internal/placetest"
)

// busy is what many clients, eight at a time, did to ten slots that are kept as they should be.
type busy struct {
	random *rand.Rand
	ops    []porcupine.Operation
	slots  [10]string // who has it
	booked map[string]bool
	next   int
}

func (b *busy) add(in In, out Out) {
	at := int64(10 * (len(b.ops) + 10))
	b.ops = append(b.ops, porcupine.Operation{ClientId: len(b.ops), Input: in, Output: out, Call: at - b.random.Int64N(40), Return: at + b.random.Int64N(40)})
}

// step does something that is possible, or is refused because it is not.
func (b *busy) step() {
	i, j := b.random.IntN(len(b.slots)), b.random.IntN(len(b.slots))
	hold := b.slots[i]
	switch {
	case hold == "":
		b.next++
		b.slots[i] = "hold " + strconv.Itoa(b.next)
		b.add(In{Verb: Create, Slot: i}, Out{Outcome: Done, Hold: b.slots[i]})
	case b.random.IntN(3) == 0:
		b.add(In{Verb: Create, Slot: i}, Out{Outcome: Taken})
	case !b.booked[hold]:
		b.booked[hold] = true
		b.add(In{Verb: Confirm, Hold: hold}, Out{Outcome: Done})
	case i != j && b.slots[j] == "":
		b.slots[i], b.slots[j] = "", hold
		b.add(In{Verb: Move, Hold: hold, From: i, Slot: j}, Out{Outcome: Done})
	case i != j && b.random.IntN(2) == 0:
		b.add(In{Verb: Move, Hold: hold, From: i, Slot: j}, Out{Outcome: Taken})
	case b.random.IntN(2) == 0:
		out := Out{Outcome: Done}
		for n, who := range b.slots {
			if who == "" {
				out.Free |= 1 << n
			}
		}
		b.add(In{Verb: Look}, out)
	default:
		b.slots[i] = ""
		b.add(In{Verb: Free, Hold: hold, Booking: true}, Out{Outcome: Done})
	}
}

func newBusy(seed uint64, steps int) *busy {
	b := &busy{random: rand.New(rand.NewPCG(seed, 1)), booked: map[string]bool{}}
	b.ops = append(b.ops, porcupine.Operation{Input: In{Verb: Open, Slots: 1<<len(b.slots) - 1}, Output: Out{Outcome: Done}, Call: 0, Return: 1})
	for range steps {
		b.step()
	}
	return b
}

// find is an operation in the middle of the history.
func (b *busy) find(what func(In, Out) bool) int {
	for i := len(b.ops) / 2; i < len(b.ops); i++ {
		in, _ := b.ops[i].Input.(In)
		out, _ := b.ops[i].Output.(Out)
		if what(in, out) {
			return i
		}
	}
	return -1
}

// One fault in the middle of a thousand calls at once, and the history is not accepted any more. Without it, it is.
func TestOneFaultInALongHistoryIsFound(t *testing.T) {
	t.Parallel()
	verb := func(v Verb, o Outcome) func(In, Out) bool {
		return func(in In, out Out) bool { return in.Verb == v && out.Outcome == o }
	}
	faults := map[string]func(b *busy){
		"a slot is given to two":                 func(b *busy) { b.ops[b.find(verb(Create, Taken))].Output = Out{Outcome: Done, Hold: "double"} },
		"a booking is moved to where another is": func(b *busy) { b.ops[b.find(verb(Move, Taken))].Output = Out{Outcome: Done} },
		"a booking is lost": func(b *busy) {
			i := b.find(verb(Free, Done)) // nobody gave it back
			b.ops = slices.Delete(b.ops, i, i+1)
		},
		"a place is not free after a booking left it": func(b *busy) {
			i := b.find(verb(Move, Done))
			b.ops = slices.Delete(b.ops, i, i+1)
		},
		"a slot that somebody has is seen free": func(b *busy) {
			i := b.find(verb(Look, Done))
			b.ops[i].Output = Out{Outcome: Done, Free: 1<<len(b.slots) - 1}
		},
	}
	for seed := range uint64(3) {
		if got := porcupine.CheckOperationsTimeout(Model(), newBusy(seed, 1000).ops, time.Minute); got != porcupine.Ok {
			t.Errorf("seed %d: a history without fault is %s", seed, got)
		}
		for name, inject := range faults {
			b := newBusy(seed, 1000)
			inject(b)
			if got := porcupine.CheckOperationsTimeout(Model(), b.ops, time.Minute); got != porcupine.Illegal {
				t.Errorf("seed %d, %s: %s", seed, name, got)
			}
		}
	}
}

// A call without an answer is left in if something came of it, or nobody knows; what another call under the same name did before is not its doing.
func TestWhatCameOfCallsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	clk := clock.NewFixed(time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC))
	r := NewRecord(clk)
	before := clk.Now()
	r.Seen(In{Verb: Open, Slots: 0b11}, clk.Now())
	clk.Advance(time.Second)
	r.Call(1, In{Verb: Create, Hold: "x", By: "x"})
	r.Call(2, In{Verb: Attach, Hold: "a", By: "came to nothing"})
	r.Call(3, In{Verb: Attach, Hold: "b", By: "done by another before"})
	r.Call(4, In{Verb: Create, Slot: 1, Hold: "y", By: "nobody knows"})
	clk.Advance(time.Second)
	late := r.Resolve(func(in In) (Trace, bool) {
		switch in.By {
		case "x":
			return Trace{Out: Out{Outcome: Done, Hold: "c"}, Since: clk.Now().Add(-time.Second / 2)}, true
		case "done by another before":
			return Trace{Out: Out{Outcome: Done}, Since: before}, true
		case "nobody knows":
			return Trace{}, true
		}
		return Trace{}, false
	})
	calls, done, open := r.Tally()
	if late != 2 || open != 1 || calls[Attach] != 0 || calls[Create] != 2 || done[Create] != 1 {
		t.Errorf("late %d, open %d, calls %v, done %v", late, open, calls, done)
	}
	if got := r.Check(t); got != porcupine.Ok {
		t.Error(got)
	}
	r.Returned(r.Call(5, In{Verb: Create, Hold: "z"}), clk.Now(), Out{Outcome: Done, Hold: "d"})
	if got := r.Check(t); got != porcupine.Illegal {
		t.Errorf("the place of a hold that came of a call without an answer is given again: %s", got)
	}
}
