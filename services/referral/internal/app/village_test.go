package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// A village doctor is told who of the village is at the county and who comes back, whoever sends them, until that is over; nobody else is, and it stands in
// the audit.
func TestAVillageDoctorSeesWhoOfTheVillageIsAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.village = "clinic"
		village := authn.Identity{Subject: "village-doctor", Organization: "clinic", County: county, Roles: []string{"VILLAGE_DOCTOR"}}
		listed := func(who authn.Identity, where string) (out []app.View) {
			t.Helper()
			out, next, err := h.ListVillage(t.Context(), who, where, "", 10)
			if err != nil || next != "" {
				t.Fatal(next, err)
			}
			return out
		}
		asks := creation(patient())
		asks.Draft.Kind = domain.KindAdvice
		h.make(t, doctor(), asks)
		draft := creation(patient())
		draft.Submit = false
		h.make(t, doctor(), draft)
		up := h.make(t, doctor(), creation(patient()))
		down := h.make(t, specialist(), back(patient()))
		if away := listed(village, "AWAY"); len(away) != 1 || away[0].ID != up.ID || away[0].Patient.Name != "莫某" {
			t.Errorf("away are %d", len(away))
		}
		if back := listed(village, "BACK"); len(back) != 1 || back[0].ID != down.ID {
			t.Errorf("on the way back are %d", len(back))
		}
		if n := h.villageListed(t, up); n != 1 {
			t.Errorf("%d entries of the audit say that the village was shown the patient", n)
		}
		other := village
		other.Organization = "another"
		for _, who := range []authn.Identity{other, {Subject: "x", County: county, Roles: village.Roles}} {
			if got := listed(who, "AWAY"); len(got) != 0 {
				t.Errorf("%q is told of %d", who.Organization, len(got))
			}
		}
		h.step(t, doctor(), up, domain.ActionCancel, domain.Carry{Reason: "PATIENT_IMPROVED"})
		if away := listed(village, "AWAY"); len(away) != 0 {
			t.Errorf("after it was cancelled %d are away", len(away))
		}
		// The referral itself stays the two sides'.
		_, err := h.Get(t.Context(), village, down.ID)
		expectReason(t, err, errs.ReasonNotFound)
	})
}
