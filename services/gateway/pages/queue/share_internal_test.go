package queue

import (
	"slices"
	"strings"
	"testing"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// inpatient may lie in the beds that are named.
func inpatient(beds string) *Capacity {
	c := &Capacity{inpatient: true, board: true, where: "o 0304"}
	for _, id := range strings.Fields(beds) {
		c.Suited = append(c.Suited, Suited{ID: id, Label: id})
	}
	c.Beds = int32(len(c.Suited))
	return c
}

func shared(found ...*Capacity) (out []string) {
	rows := make([]Row, len(found))
	share(rows, found)
	for _, r := range rows {
		switch {
		case r.Suggestion == nil:
			out = append(out, "short "+r.Short)
		case r.Suggestion.BedID != "":
			out = append(out, r.Suggestion.BedID)
		default:
			out = append(out, r.Suggestion.Choice)
		}
	}
	return out
}

func TestNoTwoWhoWaitAreToldTheSameBed(t *testing.T) {
	t.Parallel()
	held := inpatient("1 2")
	held.Hold = &schedulingv1.Hold{Id: "h", Ward: "w", Bed: "9"}
	unread := func() *Capacity { return &Capacity{inpatient: true, Beds: 2, where: "o 0304"} }
	clinic := func() *Capacity {
		return &Capacity{Slots: []*schedulingv1.Slot{{Id: "early"}, {Id: "late"}}}
	}
	for name, c := range map[string]struct {
		found []*Capacity
		want  []string
	}{
		"each a bed of its own, in the order of the queue": {[]*Capacity{inpatient("1 2 3"), inpatient("1 2 3"), inpatient("1 2 3")}, []string{"1", "2", "3"}},
		"too few": {[]*Capacity{inpatient("1"), inpatient("1"), inpatient("")}, []string{"1", "short bed", "short full"}},
		// The first may lie in either, the second in one of them alone.
		"a different one for who may lie elsewhere": {[]*Capacity{inpatient("1 2"), inpatient("1")}, []string{"2", "1"}},
		"over several":                 {[]*Capacity{inpatient("1 2"), inpatient("2 3"), inpatient("1")}, []string{"2", "3", "1"}},
		"what came with a bed":         {[]*Capacity{held, inpatient("1"), nil}, []string{"hold:h", "1", "short "}},
		"as many as there are":         {[]*Capacity{unread(), unread(), unread()}, []string{"bed:", "bed:", "short bed"}},
		"the most urgent the earliest": {[]*Capacity{clinic(), clinic(), clinic()}, []string{"slot:early", "slot:late", "short slot"}},
	} {
		if got := shared(c.found...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
