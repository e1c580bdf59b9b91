package rosters

import (
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
)

// gap is a span of the coming week in which nobody is on duty.
type gap struct{ Start, End *timestamppb.Timestamp }

// gaps of the coming seven days.
func (p *Pages) gaps(duties []*directoryv1.Duty) (out []gap) {
	free := p.Shell.Now()
	end := free.AddDate(0, 0, 7)
	sorted := slices.SortedFunc(slices.Values(duties), func(a, b *directoryv1.Duty) int { return a.GetStart().AsTime().Compare(b.GetStart().AsTime()) })
	for _, d := range sorted {
		if start := d.GetStart().AsTime(); start.After(free) {
			out = append(out, gap{timestamppb.New(free), d.GetStart()})
		}
		if until := d.GetEnd().AsTime(); until.After(free) {
			free = until
		}
	}
	if free.Before(end) {
		out = append(out, gap{timestamppb.New(free), timestamppb.New(end)})
	}
	return out
}

// double is a span in which somebody is on two lines.
type double struct {
	gap
	Name string
}

// doubles are the spans in which a person is on two lines at once: then the second line is the first again, and a ring goes on to nobody.
func doubles(duties []*directoryv1.Duty) (out []double) {
	for i, a := range duties {
		for _, b := range duties[:i] {
			start, end := a.GetStart(), a.GetEnd()
			if b.GetStart().AsTime().After(start.AsTime()) {
				start = b.GetStart()
			}
			if b.GetEnd().AsTime().Before(end.AsTime()) {
				end = b.GetEnd()
			}
			if a.GetAccountId() == b.GetAccountId() && a.GetLine() != b.GetLine() && start.AsTime().Before(end.AsTime()) {
				out = append(out, double{gap{start, end}, a.GetAccountName()})
			}
		}
	}
	return out
}
