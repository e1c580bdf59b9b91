package scheduling_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// What a client asks of a slot.
type verb uint8

const (
	create verb = iota + 1
	attach
	confirm
	release
	free // a fact of the referral says that it is over
	look
)

// What it is told.
type outcome uint8

const (
	unknown outcome = iota // the instance was killed before it answered
	done
	taken   // create: somebody has it
	gone    // attach, confirm: the hold takes no place any more
	refused // release: it is tied to a referral
	seen    // look: nobody has it
)

type asked struct {
	slot    int
	verb    verb
	hold    string // of create: a name for the hold that may have come of it, until it is known
	booking bool   // free: the fact names the booking, too
}

type told struct {
	outcome outcome
	hold    string
}

// The model is handed untyped values; they are the record's own.
func ask(v any) asked {
	in, _ := v.(asked)
	return in
}

func answer(v any) told {
	out, _ := v.(told)
	return out
}

// slotState is what the model knows of one slot: the hold that has it and how far that has come.
type slotState struct {
	hold  string
	phase verb // create, attach or confirm; 0: nobody has it
}

// slotModel is a slot: one hold has it at a time, from create until release or free. A call of unknown outcome may have had its effect at any time after
// it was made, also never within the history.
func slotModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			bySlot := map[int][]porcupine.Operation{}
			for _, op := range history {
				slot := ask(op.Input).slot
				bySlot[slot] = append(bySlot[slot], op)
			}
			var out [][]porcupine.Operation
			for _, ops := range bySlot {
				out = append(out, ops)
			}
			return out
		},
		Init: func() any { return slotState{} },
		Step: func(state, input, output any) (bool, any) {
			before, _ := state.(slotState)
			return step(before, ask(input), answer(output))
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	}
}

func step(s slotState, in asked, out told) (bool, slotState) {
	mine := s.hold == in.hold
	switch in.verb {
	case create:
		return stepCreate(s, in, out)
	case attach:
		if out.outcome == gone {
			return !mine, s
		}
		if mine && s.phase == create {
			s.phase = attach
		}
		return mine || out.outcome == unknown, s
	case confirm:
		if out.outcome == gone {
			return !mine, s
		}
		if mine {
			s.phase = confirm
		}
		return mine || out.outcome == unknown, s
	case release:
		if out.outcome == refused {
			return mine && s.phase != create, s
		}
		if mine && s.phase == create {
			return true, slotState{}
		}
		return !mine || out.outcome == unknown, s
	case free:
		if mine && (s.phase == attach || s.phase == confirm && in.booking) {
			return true, slotState{}
		}
		return true, s
	default:
		return (out.outcome == seen) == (s.hold == ""), s
	}
}

func stepCreate(s slotState, in asked, out told) (bool, slotState) {
	switch {
	case out.outcome == taken:
		return s.hold != "", s
	case out.outcome == done:
		return s.hold == "", slotState{hold: out.hold, phase: create}
	case s.hold == "":
		return true, slotState{hold: in.hold, phase: create}
	default:
		return true, s
	}
}

// record is the history of all clients. Safe for concurrent use.
type record struct {
	mu    sync.Mutex
	start time.Time
	ops   []porcupine.Operation
	// creates are the calls by the account that made them, each with one of its own.
	creates map[string]int
}

func newRecord() *record { return &record{start: time.Now(), creates: map[string]int{}} }

// call notes that a client asks, and answers the number of the call. Until it returns its outcome is unknown.
func (r *record) call(client int, in asked) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: in, Call: int64(time.Since(r.start)), Output: told{}, Return: math.MaxInt64})
	if in.verb == create {
		r.creates[in.hold] = len(r.ops) - 1
	}
	return len(r.ops) - 1
}

func (r *record) returned(call int, out told) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops[call].Output, r.ops[call].Return = out, int64(time.Since(r.start))
}

// learned notes that a hold came of the call of an account, and answers its slot.
func (r *record) learned(account, hold string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	op := &r.ops[r.creates[account]]
	if answer(op.Output).outcome == unknown {
		op.Output, op.Return = told{outcome: done, hold: hold}, int64(time.Since(r.start))
	}
	return ask(op.Input).slot
}

// drop takes a call out that had no effect and told nothing.
func (r *record) drop(call int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops[call].Return = -1
}

// resolve takes out the creates without an answer of which, now that all is at rest, no hold has come; holds are the others by account.
func (r *record) resolve(holds map[string]string) {
	for account, call := range r.creates {
		if hold, made := holds[account]; made {
			r.learned(account, hold)
		} else if answer(r.ops[call].Output).outcome == unknown {
			r.drop(call)
		}
	}
}

// judge holds the history against the model, and tells of a slot whose history it does not explain.
func (r *record) judge(t *testing.T) porcupine.CheckResult {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := slices.DeleteFunc(slices.Clone(r.ops), func(op porcupine.Operation) bool { return op.Return < 0 })
	for _, ops := range slotModel().Partition(calls) {
		if result := porcupine.CheckOperationsTimeout(slotModel(), ops, time.Minute); result != porcupine.Ok {
			for _, op := range ops {
				t.Logf("client %d, %d to %d: %s", op.ClientId, op.Call, op.Return, slotModel().DescribeOperation(op.Input, op.Output))
			}
			return result
		}
	}
	return porcupine.Ok
}

// The model itself: histories that there must not be are found, those that there may be pass.
func TestTheModelTellsWhatASlotMayDo(t *testing.T) {
	t.Parallel()
	type event struct {
		at, until int64
		in        asked
		out       told
	}
	const never = math.MaxInt64
	for name, c := range map[string]struct {
		events []event
		want   porcupine.CheckResult
	}{
		"given twice": {[]event{{1, 2, asked{verb: create}, told{done, "a"}}, {3, 4, asked{verb: create}, told{done, "b"}}}, porcupine.Illegal},
		"lost": {[]event{{1, 2, asked{verb: create}, told{done, "a"}}, {3, 4, asked{verb: release, hold: "a"}, told{outcome: done}},
			{5, 6, asked{verb: create}, told{outcome: taken}}}, porcupine.Illegal},
		"booked after it was freed": {[]event{{1, 2, asked{verb: create}, told{done, "a"}}, {3, 4, asked{verb: release, hold: "a"}, told{outcome: done}},
			{5, 6, asked{verb: confirm, hold: "a"}, told{outcome: done}}}, porcupine.Illegal},
		"seen free while somebody has it": {[]event{{1, 2, asked{verb: create}, told{done, "a"}}, {3, 4, asked{verb: look}, told{outcome: seen}}}, porcupine.Illegal},
		"one after the other": {[]event{{1, 2, asked{verb: create}, told{done, "a"}}, {3, 4, asked{verb: release, hold: "a"}, told{outcome: done}},
			{5, 6, asked{verb: create}, told{done, "b"}}}, porcupine.Ok},
		"at once": {[]event{{1, 9, asked{verb: create}, told{done, "a"}}, {2, 8, asked{verb: create}, told{outcome: taken}},
			{3, 9, asked{verb: release, hold: "a"}, told{outcome: done}}, {4, 9, asked{verb: create}, told{done, "b"}}}, porcupine.Ok},
		"taken by a call that never answered":     {[]event{{1, never, asked{verb: create, hold: "x"}, told{}}, {5, 6, asked{verb: create}, told{outcome: taken}}}, porcupine.Ok},
		"not taken by a call that never answered": {[]event{{1, never, asked{verb: create, hold: "x"}, told{}}, {5, 6, asked{verb: create}, told{done, "b"}}}, porcupine.Ok},
	} {
		var ops []porcupine.Operation
		for i, e := range c.events {
			ops = append(ops, porcupine.Operation{ClientId: i, Input: e.in, Output: e.out, Call: e.at, Return: e.until})
		}
		if got := porcupine.CheckOperationsTimeout(slotModel(), ops, time.Minute); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
