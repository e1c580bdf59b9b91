package app

import "context"

// PatientLink is that two patients are one person, or not any more.
type PatientLink struct {
	County, FactID string
	// Merged leads to Survivor while Holds.
	Merged, Survivor string
	// Version of the merged patient: the newest counts, in whatever order the facts come.
	Version int32
	Holds   bool
}

// People keeps which patients are one person. Referrals, candidates and tasks of all of them are listed for each, every one gives a relation
// to all, and what one of them has open stands in the way of a second.
type People interface {
	// LinkPatients counts once for a fact; an older one than the last changes nothing.
	LinkPatients(ctx context.Context, l PatientLink) error
}
