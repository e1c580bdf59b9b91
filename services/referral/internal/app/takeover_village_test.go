package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestAVillageDoctorSeesWhomAnEarlierReleaseSent(t *testing.T) {
	t.Parallel()
	sent := func(now time.Time) []old {
		all := lives(now)
		for i := range all {
			all[i].village = "clinic"
		}
		elsewhere := all[0]
		elsewhere.kind, elsewhere.village = domain.KindOutpatient, ""
		return append(all, elsewhere)
	}
	upgraded(t, sent, func(t *testing.T, h house) {
		for range 2 {
			h.takeOver(t)
		}
		village := authn.Identity{Subject: "village-doctor", Organization: "clinic", County: county, Roles: []string{"VILLAGE_DOCTOR"}}
		away, _, err := h.ListVillage(t.Context(), village, "AWAY", "", 10)
		if err != nil || len(away) != 2 {
			t.Fatalf("%d are away, %v", len(away), err)
		}
		for _, v := range away {
			if v.ID != (old{}).id(0) && v.ID != (old{}).id(3) {
				t.Errorf("%s is shown", v.ID)
			}
		}
	})
}
