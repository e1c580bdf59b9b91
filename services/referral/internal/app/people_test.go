package app_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

// Both sides of each open referral are told that its patient was merged, once, and see it in the timeline; of an end of the merge, of
// referrals that are over, and of drafts nobody is told.
func TestAMergeIsToldToWhoHasAnOpenReferralOfThePatient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		merged, survivor := patient(), patient()
		open := h.make(t, specialist(), back(merged))
		h.make(t, specialist(), back(patient()))
		link := app.PatientLink{County: open.County, FactID: id.New(), Merged: merged, Survivor: survivor, Version: 2, Holds: true}
		for range 2 {
			if err := h.OnPerson(t.Context(), link); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.told(t, "person_merged"); n != 1 {
			t.Errorf("told %d times", n)
		}
		if !slices.Contains(h.timeline(t, specialist(), open.ID), "person_merged") {
			t.Error("the timeline does not say so")
		}
		link.FactID, link.Version, link.Holds = id.New(), 3, false
		if err := h.OnPerson(t.Context(), link); err != nil {
			t.Fatal(err)
		}
		if n := h.told(t, "person_merged"); n != 1 {
			t.Errorf("told %d times after the end of the merge", n)
		}
	})
}
