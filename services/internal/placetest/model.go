package placetest

import (
	"fmt"
	"hash/maphash"
	"math/bits"

	"github.com/anishathalye/porcupine"
)

// Verb is what is asked of the slots of a group.
type Verb uint8

// The verbs. Relocate and Offer are the service's own.
const (
	Create   Verb = iota + 1 // a hold of Slot
	Attach                   // Hold to a referral
	Confirm                  // Hold becomes a booking
	Release                  // Hold, by who took it
	Free                     // Hold, by the referral; a booking only if Booking is set
	Move                     // Hold from slot From to Slot
	Block                    // Slots
	Unblock                  // Slots
	Open                     // a session with Slots
	Cancel                   // the session with Slots
	Leave                    // the fallback list; frees what was offered
	Look                     // which slots are free
	Relocate                 // Hold from From, in a cancelled session, to Slot
	Offer                    // Slot to one who waits: Hold, tied to the referral at once
)

// Outcome is what the asker was told.
type Outcome uint8

// The outcomes. A call of outcome Unknown may have had its effect at any time after it was made, also never within the history.
const (
	Unknown Outcome = iota
	Done
	Taken   // Create, Move: the slot is not to be had; Block: somebody has one
	Gone    // Attach, Confirm, Move: the hold takes no place any more, or none that is left
	Refused // Release: it is tied to a referral; Move: it is not; Block, Cancel: the session is cancelled
	Stale   // Move: the hold is not in From
)

// MaxSlots bounds the slots of a group over the whole history.
const MaxSlots = 32

// Slots of a group, one bit each.
type Slots uint32

// Has tells whether slot i is one of them.
func (s Slots) Has(i int) bool { return s&(1<<i) != 0 }

// In is a call. Hold of a Create is a name for the hold that may have come of it, until that is known.
type In struct {
	Group      int
	Verb       Verb
	Slot, From int
	Slots      Slots
	Hold       string
	Booking    bool
	// By is the name under which the service keeps what came of the call; the model does not look at it.
	By string
}

// Out is its answer.
type Out struct {
	Outcome Outcome
	Hold    string // Create: the hold; Leave: what had been offered, if anything
	Free    Slots  // Look
	Changed int    // Block, Unblock: how many slots changed
}

type shut uint8

const (
	absent shut = iota // not opened yet
	open
	blocked
	cancelled
)

// cell is a slot: the hold that has it, how far that has come, and whether it may be taken. A booking that lost its session keeps its cell in it.
type cell struct {
	hold  string
	phase Verb // Create, Attach or Confirm; 0: nobody has it
	shut  shut
}

func (c cell) free() bool { return c.phase == 0 && c.shut == open }

type cells [MaxSlots]cell

// find is where the hold is; -1: nowhere.
func (c *cells) find(hold string) int {
	for i := range c {
		if c[i].phase != 0 && c[i].hold == hold {
			return i
		}
	}
	return -1
}

func (c *cells) put(i int, hold string, phase Verb) { c[i].hold, c[i].phase = hold, phase }

func (c *cells) clear(i int) { c.put(i, "", 0) }

func (c *cells) move(from, to int) {
	hold, phase := c[from].hold, c[from].phase
	c.clear(from)
	c.put(to, hold, phase)
}

// count the slots of which something holds.
func (c *cells) count(s Slots, what func(cell) bool) (n int) {
	for i := range c {
		if s.Has(i) && what(c[i]) {
			n++
		}
	}
	return n
}

// Model of groups of slots, for calls of type In and answers of type Out.
func Model() porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Partition: partition,
		Init:      func() any { return cells{} },
		Step: func(state, input, output any) (bool, any) {
			c, _ := state.(cells)
			in, _ := input.(In)
			out, _ := output.(Out)
			ok := c.step(in, out)
			return ok, c
		},
		Hash: func(state any) uint64 {
			c, _ := state.(cells)
			return maphash.Comparable(seed, c)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	}
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	groups := map[int][]porcupine.Operation{}
	for _, op := range history {
		in, _ := op.Input.(In)
		groups[in.Group] = append(groups[in.Group], op)
	}
	var out [][]porcupine.Operation
	for _, ops := range groups {
		out = append(out, ops)
	}
	return out
}

// step tells whether the answer may be given now, and makes of the slots what they are after it.
func (c *cells) step(in In, out Out) bool {
	switch in.Verb {
	case Create:
		return c.create(in, out)
	case Attach, Confirm:
		return c.tie(in, out)
	case Release, Free, Leave:
		return c.give(in, out)
	case Move, Relocate:
		return c.relocate(in, out)
	case Offer:
		ok := c[in.Slot].free()
		c.put(in.Slot, in.Hold, Attach)
		return ok
	case Block, Unblock, Open, Cancel:
		return c.session(in, out)
	default:
		for i := range c {
			if c[i].free() != out.Free.Has(i) {
				return false
			}
		}
		return true
	}
}

func (c *cells) create(in In, out Out) bool {
	free := c[in.Slot].free()
	switch {
	case out.Outcome == Taken:
		return !free
	case free && out.Outcome == Done:
		c.put(in.Slot, out.Hold, Create)
	case free:
		c.put(in.Slot, in.Hold, Create)
	}
	return free || out.Outcome == Unknown
}

// tie ties a hold to a referral. No booking is made in a cancelled session.
func (c *cells) tie(in In, out Out) bool {
	at := c.find(in.Hold)
	may := at >= 0 && (in.Verb == Attach || c[at].phase == Confirm || c[at].shut != cancelled)
	switch {
	case out.Outcome == Gone:
		return !may
	case may && c[at].phase < in.Verb:
		c[at].phase = in.Verb
	}
	return may || out.Outcome == Unknown
}

// give gives a place back.
func (c *cells) give(in In, out Out) bool {
	hold := in.Hold
	if in.Verb == Leave {
		hold = out.Hold
	}
	at := c.find(hold)
	if at < 0 {
		return out.Outcome != Refused
	}
	phase := c[at].phase
	switch {
	case in.Verb == Release && phase != Create:
		return out.Outcome != Done
	case out.Outcome == Refused:
		return false
	case in.Verb == Release, phase == Attach, phase == Confirm && in.Booking:
		c.clear(at)
	}
	return true
}

func (c *cells) relocate(in In, out Out) bool {
	at, free := c.find(in.Hold), c[in.Slot].free()
	may := at >= 0 && at == in.From && c[at].phase != Create && free && (in.Verb == Move || c[at].shut == cancelled)
	switch out.Outcome {
	case Taken:
		return !free
	case Stale:
		return at != in.From
	case Gone:
		return at < 0
	case Refused:
		return at >= 0 && c[at].phase == Create
	}
	if may {
		c.move(at, in.Slot)
	}
	return may || out.Outcome == Unknown
}

// session changes several slots, all or none.
func (c *cells) session(in In, out Out) bool {
	held := c.count(in.Slots, func(x cell) bool { return x.phase != 0 && x.shut == open })
	over := c.count(in.Slots, func(x cell) bool { return x.shut == cancelled })
	from, to, may := open, cancelled, over == 0
	switch in.Verb {
	case Block:
		from, to, may = open, blocked, over == 0 && held == 0
	case Unblock:
		from, to, may = blocked, open, true
	case Open:
		from, to, may = absent, open, true
	}
	switch out.Outcome {
	case Taken:
		return held > 0
	case Refused:
		return over > 0
	case Unknown:
		if !may {
			return true
		}
	}
	if n := c.count(in.Slots, func(x cell) bool { return x.shut == from }); out.Outcome == Done && (in.Verb == Block || in.Verb == Unblock) && n != out.Changed {
		return false
	}
	for i := range c {
		if !in.Slots.Has(i) {
			continue
		}
		if c[i].shut == from || in.Verb == Cancel {
			c[i].shut = to
		}
		if in.Verb == Cancel && c[i].phase == Create {
			c.clear(i)
		}
	}
	return may
}

// Count of them.
func (s Slots) Count() int { return bits.OnesCount32(uint32(s)) }
