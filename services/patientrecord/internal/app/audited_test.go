package app_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// The auditor has no relation to anybody, and still must be able to ask who looked at a person.
func TestTheAuditorLearnsUnderWhichIdsThePersonIsKnownAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.register(township, zeng)
		for _, query := range []string{zeng.Name, "zxm", zeng.IdentityNumber} {
			list, more, err := w.index().FindAudited(t.Context(), auditor, query)
			if err != nil || more || len(list) != 1 || list[0].Shown.ID != p.ID {
				t.Fatalf("%d found, %v", len(list), err)
			}
			d := list[0].Shown.Details
			if d.Name != domain.MaskName(zeng.Name) || d.IdentityNumber == zeng.IdentityNumber || d.Phone != "" || d.Address != "" || list[0].Shown.Home != township.Organization {
				t.Error("shows more than tells one person from another, or no home")
			}
		}
		if n := w.looks("patient.find_audited", p.ID); n != 3 {
			t.Errorf("%d of 3 looks are in the audit", n)
		}
		list, _, err := w.index().FindAudited(t.Context(), auditor, "王大锤")
		if err != nil || len(list) != 0 || w.looks("patient.find_audited", "") != 1 {
			t.Errorf("nobody of the name: %d, %v", len(list), err)
		}
		_, _, err = w.index().FindAudited(t.Context(), auditor, " ")
		w.reason(err, errs.ReasonFieldRequired)
	})
}

func TestTheAuditorIsLedToTheRecordsFromBeforeAMerge(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		w.decide(m, stays.ID)
		list, _, err := w.index().FindAudited(t.Context(), auditor, zeng.IdentityNumber)
		if err != nil || len(list) != 1 || list[0].Shown.ID != stays.ID || !slices.Equal(list[0].Merged, []string{goes.ID}) {
			t.Errorf("%d found, %v", len(list), err)
		}
	})
}

func TestLooksOfAnAuditorAreLimitedLikeThoseByNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.register(township, zeng)
		for range app.LookupsPerMinute {
			if _, _, err := w.index().FindAudited(t.Context(), auditor, zeng.Name); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := w.index().FindAudited(t.Context(), auditor, zeng.Name)
		w.reason(err, errs.ReasonRateLimited)
	})
}
