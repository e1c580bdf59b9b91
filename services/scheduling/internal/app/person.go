package app

import "context"

// PatientLink is that two patients are one person, or not any more.
type PatientLink struct {
	Consumer, FactID, County string
	// Merged leads to Survivor while Holds.
	Merged, Survivor string
	// Version of the merged patient: the newest counts, in whatever order the facts come.
	Version int32
	Holds   bool
}

// OnPerson takes a fact about two records of a person into account, once. No hold or booking changes: each goes to whoever is the same
// person as the one for whom it was taken, and not any more when the records are apart again. What is attached or booked stays with its
// referral.
func (a *App) OnPerson(ctx context.Context, l PatientLink) error {
	cmd := Command{Caller: Caller{County: l.County, AccountID: Self}, Consumer: l.Consumer, FactID: l.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) error { return u.LinkPatients(ctx, l) })
}
