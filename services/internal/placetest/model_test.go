package placetest_test

import (
	"math"
	"testing"

	"github.com/anishathalye/porcupine"

	. "github.com/tongzhen/tongzhen/services/internal/placetest"
)

// event is a call from at to until.
type event struct {
	at, until int64
	in        In
	out       Out
}

const never = math.MaxInt64

// two opens slots 0 and 1, and 2 and 3 in a session of their own.
func two(more ...event) []event {
	return append([]event{
		{1, 1, In{Verb: Open, Slots: 0b0011}, Out{Outcome: Done}},
		{1, 1, In{Verb: Open, Slots: 0b1100}, Out{Outcome: Done}},
	}, more...)
}

// booked has a booking a in slot 0 besides.
func booked(more ...event) []event {
	return two(append([]event{
		{2, 3, In{Verb: Create}, Out{Outcome: Done, Hold: "a"}},
		{4, 5, In{Verb: Confirm, Hold: "a"}, Out{Outcome: Done}},
	}, more...)...)
}

// Histories that there must not be are found, those that there may be pass.
func TestTheModelTellsWhatSlotsMayDo(t *testing.T) {
	t.Parallel()
	done, taken, gone := Out{Outcome: Done}, Out{Outcome: Taken}, Out{Outcome: Gone}
	got := func(hold string) Out { return Out{Outcome: Done, Hold: hold} }
	for name, c := range map[string]struct {
		events []event
		want   porcupine.CheckResult
	}{
		"given twice":               {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Create}, got("b")}), porcupine.Illegal},
		"given twice at once":       {two(event{2, 9, In{Verb: Create}, got("a")}, event{2, 9, In{Verb: Create}, got("b")}), porcupine.Illegal},
		"lost":                      {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Release, Hold: "a"}, done}, event{6, 7, In{Verb: Create}, taken}), porcupine.Illegal},
		"booked after it was freed": {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Release, Hold: "a"}, done}, event{6, 7, In{Verb: Confirm, Hold: "a"}, done}), porcupine.Illegal},
		"a booking is lost":         {booked(event{6, 7, In{Verb: Create}, got("b")}), porcupine.Illegal},
		"a booking is seen no more": {booked(event{6, 7, In{Verb: Look}, Out{Outcome: Done, Free: 0b1111}}), porcupine.Illegal},
		"a booking ends for no reason": {booked(event{6, 7, In{Verb: Move, Hold: "a", Slot: 1}, gone}),
			porcupine.Illegal},
		"moved onto another": {booked(event{6, 7, In{Verb: Create, Slot: 1}, got("b")}, event{8, 9, In{Verb: Move, Hold: "a", Slot: 1}, done}), porcupine.Illegal},
		"moved, and the old place given to nobody": {booked(event{6, 7, In{Verb: Move, Hold: "a", Slot: 1}, done}, event{8, 9, In{Verb: Create}, taken}),
			porcupine.Illegal},
		"moved, and seen in both places": {booked(event{6, 9, In{Verb: Move, Hold: "a", Slot: 1}, done}, event{7, 8, In{Verb: Look}, Out{Outcome: Done, Free: 0b1100}}),
			porcupine.Illegal},
		"moved, and seen in neither place": {booked(event{6, 9, In{Verb: Move, Hold: "a", Slot: 1}, done}, event{7, 8, In{Verb: Look}, Out{Outcome: Done, Free: 0b1111}}),
			porcupine.Illegal},
		"moved twice to two places": {booked(event{6, 9, In{Verb: Move, Hold: "a", Slot: 1}, done}, event{6, 9, In{Verb: Move, Hold: "a", Slot: 2}, done}), porcupine.Illegal},
		"blocked though somebody has it": {booked(event{6, 7, In{Verb: Block, Slots: 0b0011}, Out{Outcome: Done, Changed: 2}}),
			porcupine.Illegal},
		"half of a block":              {two(event{2, 3, In{Verb: Block, Slots: 0b0011}, Out{Outcome: Done, Changed: 1}}), porcupine.Illegal},
		"given while it is blocked":    {two(event{2, 3, In{Verb: Block, Slots: 0b0001}, Out{Outcome: Done, Changed: 1}}, event{4, 5, In{Verb: Create}, got("a")}), porcupine.Illegal},
		"given in a cancelled session": {two(event{2, 3, In{Verb: Cancel, Slots: 0b0011}, done}, event{4, 5, In{Verb: Create}, got("a")}), porcupine.Illegal},
		"a hold of a cancelled session booked": {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Cancel, Slots: 0b0011}, done},
			event{6, 7, In{Verb: Confirm, Hold: "a"}, done}), porcupine.Illegal},
		"cancelled, and the booking ends": {booked(event{6, 7, In{Verb: Cancel, Slots: 0b0011}, done}, event{8, 9, In{Verb: Relocate, Hold: "a", Slot: 2}, done},
			event{10, 11, In{Verb: Create, Slot: 2}, got("b")}), porcupine.Illegal},
		"given a place that somebody has": {booked(event{6, 7, In{Verb: Create, Slot: 2}, got("b")}, event{8, 9, In{Verb: Cancel, Slots: 0b0011}, done},
			event{10, 11, In{Verb: Relocate, Hold: "a", Slot: 2}, done}), porcupine.Illegal},
		"moved though its session takes place": {booked(event{6, 7, In{Verb: Relocate, Hold: "a", Slot: 2}, done}), porcupine.Illegal},
		"offered though somebody has it":       {booked(event{6, 7, In{Verb: Offer, Hold: "b"}, done}), porcupine.Illegal},
		"an offer to one who left is kept": {two(event{2, 3, In{Verb: Offer, Hold: "b"}, done}, event{4, 5, In{Verb: Leave}, got("b")},
			event{6, 7, In{Verb: Create}, taken}), porcupine.Illegal},

		"one after the other": {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Release, Hold: "a"}, done}, event{6, 7, In{Verb: Create}, got("b")}), porcupine.Ok},
		"at once": {two(event{2, 9, In{Verb: Create}, got("a")}, event{3, 8, In{Verb: Create}, taken}, event{4, 9, In{Verb: Release, Hold: "a"}, done},
			event{5, 9, In{Verb: Create}, got("b")}), porcupine.Ok},
		"taken by a call that never answered":     {two(event{2, never, In{Verb: Create, Hold: "x"}, Out{}}, event{5, 6, In{Verb: Create}, taken}), porcupine.Ok},
		"not taken by a call that never answered": {two(event{2, never, In{Verb: Create, Hold: "x"}, Out{}}, event{5, 6, In{Verb: Create}, got("b")}), porcupine.Ok},
		"moved by a call that never answered": {booked(event{6, never, In{Verb: Move, Hold: "a", Slot: 1}, Out{}}, event{8, 9, In{Verb: Create}, got("b")},
			event{10, 11, In{Verb: Create, Slot: 1}, taken}), porcupine.Ok},
		"not moved by a call that never answered": {booked(event{6, never, In{Verb: Move, Hold: "a", Slot: 1}, Out{}}, event{8, 9, In{Verb: Create}, taken},
			event{10, 11, In{Verb: Create, Slot: 1}, got("b")}), porcupine.Ok},
		"two change places with a third": {booked(event{6, 7, In{Verb: Create, Slot: 1}, got("b")}, event{8, 9, In{Verb: Confirm, Hold: "b"}, done},
			event{10, 20, In{Verb: Move, Hold: "a", Slot: 2}, done}, event{10, 20, In{Verb: Move, Hold: "b", From: 1, Slot: 0}, done},
			event{21, 22, In{Verb: Look}, Out{Outcome: Done, Free: 0b1010}}), porcupine.Ok},
		"cancelled, and the booking has another place": {booked(event{6, 9, In{Verb: Cancel, Slots: 0b0011}, done}, event{7, 8, In{Verb: Relocate, Hold: "a", Slot: 3}, done},
			event{10, 11, In{Verb: Create, Slot: 3}, taken}, event{10, 11, In{Verb: Move, Hold: "a", Slot: 2}, Out{Outcome: Stale}}), porcupine.Ok},
		"cancelled, and nobody's hold ends": {two(event{2, 3, In{Verb: Create}, got("a")}, event{4, 5, In{Verb: Cancel, Slots: 0b0011}, done},
			event{6, 7, In{Verb: Confirm, Hold: "a"}, gone}), porcupine.Ok},
		"blocked and given back": {two(event{2, 3, In{Verb: Block, Slots: 0b0011}, Out{Outcome: Done, Changed: 2}}, event{4, 5, In{Verb: Look}, Out{Outcome: Done, Free: 0b1100}},
			event{6, 7, In{Verb: Unblock, Slots: 0b0001}, Out{Outcome: Done, Changed: 1}}, event{8, 9, In{Verb: Create}, got("a")}), porcupine.Ok},
	} {
		var ops []porcupine.Operation
		for i, e := range c.events {
			ops = append(ops, porcupine.Operation{ClientId: i, Input: e.in, Output: e.out, Call: e.at, Return: e.until})
		}
		if got := porcupine.CheckOperationsTimeout(Model(), ops, 0); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
