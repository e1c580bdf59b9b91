package app_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Whoever asked for more is told what was changed since, over as many changes as it took; asking again begins anew.
func TestAReferralThatIsSentAgainSaysWhatWasSupplemented(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, desk(), submitted(t, h, "hold-1"), domain.ActionReturn)
		edit := func(d domain.Draft, fields ...string) {
			t.Helper()
			var err error
			if v, err = h.Edit(t.Context(), by(doctor()), app.Edition{ID: v.ID, Version: v.Version, Draft: d, Fields: fields}); err != nil {
				t.Fatal(err)
			}
		}
		form := v.Form
		form.PresentIllness = "右侧肢体无力两小时，既往房颤"
		edit(domain.Draft{Form: form, Transport: v.Transport}, "form", "transport")
		edit(domain.Draft{Form: form, TransferNote: "行走不便"}, "form", "transfer_note")
		v = h.do(t, doctor(), v, domain.ActionResubmit)
		want := []string{"form.presentIllness", "transferNote"}
		if got := h.now(t, desk(), v.ID); !slices.Equal(got.Supplemented, want) || got.ReasonCode == "" {
			t.Errorf("supplemented %q after %q", got.Supplemented, got.ReasonCode)
		}
		v = h.do(t, desk(), v, domain.ActionReturn)
		if v.Supplemented != nil {
			t.Errorf("asked again: %q", v.Supplemented)
		}
	})
}
