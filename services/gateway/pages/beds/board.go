package beds

import (
	"slices"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// closed is why a bed is out of service that is not on the board any more.
const closed = "CLOSED"

// manyBeds is from how many on the wards are folded.
const manyBeds = 60

// ward is a ward with its department's name.
type ward struct {
	*schedulingv1.BoardWard
	Department string
	// Shown are the beds that are in use and of the part that is looked at, Closed those that are not in use any more.
	Shown, Closed []*schedulingv1.BoardBed
	// Held, Taken and Out count beds beside those that are free.
	Held, Taken, Out int
	// Open tells that it is not folded.
	Open bool
}

// The parts of the board: what a filter shows of it.
const (
	partFree  = "free"
	partHeld  = "held"
	partTaken = "taken"
	partOut   = "out"
)

func partOf(state schedulingv1.BedState_Code) string {
	switch state {
	case schedulingv1.BedState_FREE:
		return partFree
	case schedulingv1.BedState_HELD, schedulingv1.BedState_BOOKED:
		return partHeld
	case schedulingv1.BedState_OCCUPIED:
		return partTaken
	default:
		return partOut
	}
}

// wardOn is a ward as the board shows it.
func wardOn(one *schedulingv1.BoardWard, department, part string) ward {
	w := ward{BoardWard: one, Department: department}
	for _, b := range one.GetBeds() {
		if b.GetOutReason() == closed && b.GetState() == schedulingv1.BedState_OUT_OF_SERVICE {
			w.Closed = append(w.Closed, b)
			continue
		}
		of := partOf(b.GetState())
		switch of {
		case partHeld:
			w.Held++
		case partTaken:
			w.Taken++
		case partOut:
			w.Out++
		}
		if part == "" || part == of {
			w.Shown = append(w.Shown, b)
		}
	}
	return w
}

// Gone tells that it is closed: no bed of it is in service, whatever else one is out for.
func (w ward) Gone() bool {
	return len(w.Closed) > 0 && !slices.ContainsFunc(w.GetBeds(), func(b *schedulingv1.BoardBed) bool { return b.GetOutReason() == "" })
}

// Empty tells that nobody lies in it or has a bed of it.
func (w ward) Empty() bool { return w.Held+w.Taken == 0 }

// Title is the ward's name, after its department's unless that stands in it.
func (w ward) Title() string {
	if strings.HasPrefix(w.GetName(), w.Department) {
		return w.GetName()
	}
	return w.Department + " " + w.GetName()
}

// SexOf a bed: its own, else the ward's.
func (w ward) SexOf(b *schedulingv1.BoardBed) string {
	if b.GetSex() != "" {
		return b.GetSex()
	}
	return w.GetSex()
}

// wards parts what is in use from what is not, and folds the wards where there are many beds: not the one of the open bed, not the one that was changed.
func (d *boardData) wards(all []*schedulingv1.BoardWard, open, at string) {
	beds := 0
	var inUse []ward
	for _, one := range all {
		w := wardOn(one, d.Place.DepartmentName(one.GetDepartmentCode()), d.Part)
		beds += len(w.GetBeds()) - len(w.Closed)
		w.Open = w.GetId() == at
		if i := slices.IndexFunc(w.GetBeds(), func(b *schedulingv1.BoardBed) bool { return b.GetId() == open }); i >= 0 {
			d.Bed, d.Ward, w.Open = w.GetBeds()[i], &w, true
		}
		if !w.Gone() {
			inUse = append(inUse, w)
		}
		switch {
		case w.Gone():
			d.Gone = append(d.Gone, w)
		case d.Part == "" || len(w.Shown) > 0:
			if w.GetId() == at {
				d.At = &w
			}
			d.Wards = append(d.Wards, w)
		}
	}
	for i := range d.Wards {
		d.Wards[i].Open = d.Wards[i].Open || d.Part != "" || beds <= manyBeds || len(d.Wards) == 1
	}
	d.Counts = countsOf(inUse)
}
