package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func admission(v app.View, hold string) app.Admission {
	return app.Admission{Step: app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{Ward: "手写病区", Bed: "加1"}}, HoldID: hold}
}

// A bed that scheduling knows is the referral's one booking from the admission on, and gives the names; the place before it is not needed any more.
func TestAnAdmissionBooksItsBed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v, err := h.Accept(t.Context(), by(desk()), acceptance(submitted(t, h, "hold-1"), "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		v = h.arrive(t, desk(), v)
		_, err = h.Admit(t.Context(), by(desk()), admission(v, "hold-2"))
		expectReason(t, err, errs.ReasonFieldCombination) // a slot is no bed
		h.peers.place = domain.Place{Bed: true}
		_, err = h.Admit(t.Context(), by(desk()), admission(v, "hold of nobody"))
		expectReason(t, err, errs.ReasonHoldExpired)
		cmd := by(desk())
		cmd.RequestID = id.New()
		for range 2 { // a double click
			admitted, err := h.Admit(t.Context(), cmd, admission(v, "hold-2"))
			if err != nil || admitted.State != domain.StateAdmitted || admitted.Booking.ID != "booking of hold-2" || admitted.Ward != "心内一病区" || admitted.Bed != "12" {
				t.Fatalf("%s in %q %q, booking %q, %v", admitted.State, admitted.Ward, admitted.Bed, admitted.Booking.ID, err)
			}
		}
		h.expectVerdict(t, "hold-2", v.ID, settled)
		h.expectVerdict(t, "hold-1", v.ID, release)
	})
}

func TestABedThatNobodyRegisteredIsNamedInWords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.came(t, id.New())
		v, err := h.Admit(t.Context(), by(desk()), admission(v, ""))
		if err != nil || v.State != domain.StateAdmitted || v.Ward != "手写病区" || v.Bed != "加1" || v.Booking.ID != "" {
			t.Errorf("%s in %q %q, %v", v.State, v.Ward, v.Bed, err)
		}
		for instead, booked := range map[bool]string{false: "hold-1", true: ""} {
			v := submitted(t, h, "hold-1")
			if v, err = h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1")); err != nil {
				t.Fatal(err)
			}
			in := admission(h.arrive(t, desk(), v), "")
			in.Carry.Instead = instead
			if v, err = h.Admit(t.Context(), by(desk()), in); err != nil || v.Booking.HoldID != booked {
				t.Errorf("instead %v: the booking of %q stays, %v", instead, v.Booking.HoldID, err)
			}
		}
	})
}
