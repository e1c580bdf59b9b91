package placetest

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Record is the history of all clients. Safe for concurrent use. Its instants are those of the clock that the service has, too.
type Record struct {
	clk clock.Clock

	mu  sync.Mutex
	ops []porcupine.Operation
	// creates are the calls by the name of what may have come of each.
	creates map[string]int
}

// NewRecord is empty.
func NewRecord(clk clock.Clock) *Record { return &Record{clk: clk, creates: map[string]int{}} }

// Call notes that a client asks, and answers the number of the call. Until it returns its outcome is unknown.
func (r *Record) Call(client int, in In) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: in, Call: r.clk.Now().UnixMicro(), Output: Out{}, Return: math.MaxInt64})
	if in.Verb == Create {
		r.creates[in.Hold] = len(r.ops) - 1
	}
	return len(r.ops) - 1
}

// Returned notes the answer to the last of the attempts that the call was, begun then: one that changed nothing was found then, and not before.
func (r *Record) Returned(call int, attempt time.Time, out Out) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if out.Outcome != Done {
		r.ops[call].Call = max(r.ops[call].Call, attempt.UnixMicro())
	}
	r.returned(call, out)
}

func (r *Record) returned(call int, out Out) {
	op := &r.ops[call]
	op.Output, op.Return = out, max(op.Call, r.clk.Now().UnixMicro())
}

// Drop takes a call out that had no effect and told nothing.
func (r *Record) Drop(call int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops[call].Return = -1
}

// Seen notes what the service did for its own account, as a fact told: not before since, and before now.
func (r *Record) Seen(in In, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clk.Now().UnixMicro()
	r.ops = append(r.ops, porcupine.Operation{ClientId: -1, Input: in, Call: min(since.UnixMicro(), now), Output: Out{Outcome: Done}, Return: now})
}

// Learned notes that a hold came of the Create with the name.
func (r *Record) Learned(name, hold string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if call, ok := r.creates[name]; ok && outOf(r.ops[call]).Outcome == Unknown {
		r.returned(call, Out{Outcome: Done, Hold: hold})
	}
}

// Trace is what the service keeps of a call that had an effect. It committed between two instants: when its transaction began, and when somebody saw it.
type Trace struct {
	Out          Out
	Since, Until time.Time // zero: not known
}

// Resolve asks, when all is at rest, what is kept of each call. One without an answer of which nothing came is taken out, unless its trace says that
// nobody knows; one that had an effect had it when its trace says. It answers how many had no answer and are left in.
func (r *Record) Resolve(came func(In) (Trace, bool)) (late int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.ops {
		op := &r.ops[i]
		unknown := op.Return == math.MaxInt64
		if !unknown && outOf(*op).Outcome != Done {
			continue
		}
		trace, ok := came(inOf(*op))
		before := !trace.Since.IsZero() && trace.Since.UnixMicro() < op.Call // of a call before this one: what it asked for was so
		if unknown && (!ok || before) {
			op.Return = -1
			continue
		}
		if unknown {
			late++
			if trace.Out.Outcome == Unknown {
				continue
			}
			r.returned(i, trace.Out)
		}
		// What another call left under the same name lies outside.
		if since := trace.Since.UnixMicro(); ok && op.Call <= since && since <= op.Return {
			op.Call = since
			if until := trace.Until.UnixMicro(); !trace.Until.IsZero() && since <= until {
				op.Return = min(op.Return, until)
			}
		}
	}
	return late
}

// Tally counts the calls by verb, and those that were done; open are those without an answer.
func (r *Record) Tally() (calls, done map[Verb]int, open int) {
	calls, done = map[Verb]int{}, map[Verb]int{}
	for _, op := range r.history() {
		calls[inOf(op).Verb]++
		switch outOf(op).Outcome {
		case Done:
			done[inOf(op).Verb]++
		case Unknown:
			open++
		}
	}
	return calls, done, open
}

// history is a copy of what counts.
func (r *Record) history() []porcupine.Operation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.ops), func(op porcupine.Operation) bool { return op.Return < 0 })
}

// Bounds of the search for an order of the calls of one group: of the guesses, and of the last word.
const (
	guessTime = 2 * time.Second
	checkTime = 2 * time.Minute
)

// guesses are how long before its answer an effect is looked for first. An order of calls that are thought shorter is one of the calls as they were, and
// found sooner.
func guesses() []time.Duration { return []time.Duration{100 * time.Millisecond, 20 * time.Millisecond} }

// shortened lets what was done begin so long before its answer at most.
func shortened(ops []porcupine.Operation, span time.Duration) []porcupine.Operation {
	out := slices.Clone(ops)
	for i, op := range out {
		if op.ClientId >= 0 && op.Return != math.MaxInt64 && outOf(op).Outcome == Done {
			out[i].Call = max(op.Call, op.Return-span.Microseconds())
		}
	}
	return out
}

// Check holds the history against the model, group by group, and answers the first result that is not Ok. It logs the calls for which no order was
// found behind those for which one was.
func (r *Record) Check(t testing.TB) porcupine.CheckResult {
	t.Helper()
	model := Model()
	for _, ops := range partition(r.history()) {
		if slices.ContainsFunc(guesses(), func(span time.Duration) bool {
			return porcupine.CheckOperationsTimeout(model, shortened(ops, span), guessTime) == porcupine.Ok
		}) {
			continue
		}
		result, info := porcupine.CheckOperationsVerbose(model, ops, checkTime)
		if result == porcupine.Ok {
			continue
		}
		explain(t, model, ops, info)
		return result
	}
	return porcupine.Ok
}

// explain logs the end of the longest order that was found, and what might have come next.
func explain(t testing.TB, model porcupine.Model, ops []porcupine.Operation, info porcupine.LinearizationInfo) {
	t.Helper()
	var longest []int
	for _, group := range info.PartialLinearizations() {
		for _, order := range group {
			if len(order) > len(longest) {
				longest = order
			}
		}
	}
	ordered := map[int]bool{}
	for _, i := range longest {
		ordered[i] = true
	}
	limit := int64(math.MaxInt64)
	for i, op := range ops {
		if !ordered[i] {
			limit = min(limit, op.Return)
		}
	}
	tell := func(what string, op porcupine.Operation) {
		t.Logf("%s: client %d, %d to %d: %s", what, op.ClientId, op.Call, op.Return, model.DescribeOperation(op.Input, op.Output))
	}
	t.Logf("an order was found for %d of %d calls", len(longest), len(ops))
	for _, i := range longest[max(0, len(longest)-40):] {
		tell("explained", ops[i])
	}
	for i, op := range ops {
		if !ordered[i] && op.Call <= limit {
			tell("not explained", op)
		}
	}
}

// The history holds the record's own types.
func inOf(op porcupine.Operation) In {
	in, _ := op.Input.(In)
	return in
}

func outOf(op porcupine.Operation) Out {
	out, _ := op.Output.(Out)
	return out
}
