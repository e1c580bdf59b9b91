package app_test

import (
	"testing"
	"time"

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

// inBed is a patient who was admitted from a slot to a bed of the board.
func (h house) inBed(t *testing.T) app.View {
	t.Helper()
	v, err := h.Accept(t.Context(), by(desk()), acceptance(submitted(t, h, "hold-1"), "hold-1"))
	if err != nil {
		t.Fatal(err)
	}
	v = h.arrive(t, desk(), v)
	h.peers.place = domain.Place{Bed: true}
	if v, err = h.Admit(t.Context(), by(desk()), admission(v, "hold-2")); err != nil {
		t.Fatal(err)
	}
	return v
}

// Nobody lies in the bed of an admission that never was; who came is still expected by the window, should the arrival be undone as well.
func TestAnAdmissionThatIsUndoneHasNoBed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, desk(), h.inBed(t), domain.ActionUndoAdmit)
		if v.Booking.ID != "" || v.Ward != "" || !v.WalkIn || v.Expected.From.IsZero() {
			t.Errorf("it still has the bed of booking %q, expected from %s", v.Booking.ID, v.Expected.From)
		}
		h.expectVerdict(t, "hold-2", v.ID, release)
		if v = h.do(t, desk(), v, domain.ActionUndoArrive); v.State != domain.StateAccepted || !v.WalkIn {
			t.Errorf("%s", v.State)
		}
	})
}

func TestADischargeGivesTheBedBackOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.inBed(t)
		e := encounter(v)
		e.End, e.Version = v.AdmitTime.Add(-time.Minute), 1
		h.closed(t, e)
		if v = h.now(t, desk(), v.ID); v.Booking.ID == "" {
			t.Fatal("the end of an earlier stay takes the bed away")
		}
		h.clock.Advance(days(2))
		e.End, e.Version = h.clock.Now(), 2
		for range 2 { // codes come after the discharge
			e.FactID, e.Version = id.New(), e.Version+1
			h.closed(t, e)
		}
		now := h.now(t, desk(), v.ID)
		if now.State != domain.StateAdmitted || now.Version != v.Version || now.Booking.ID != "" || h.told(t, "discharged") != 1 {
			t.Errorf("%s with the bed of booking %q, told %d times", now.State, now.Booking.ID, h.told(t, "discharged"))
		}
		h.conclude(t, now, "IMPROVED")
	})
}

func TestADischargeAfterTheReplySaysNothingOfTheBed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, h.inBed(t), "IMPROVED")
		e := encounter(v)
		e.End = h.clock.Now()
		h.closed(t, e)
		if n := h.told(t, "discharged"); n != 0 || h.now(t, desk(), v.ID).Booking.ID == "" {
			t.Errorf("told %d times", n)
		}
	})
}

// Who was taken to a bed in words, in place of what was booked, is expected by the window as well when all of it is undone.
func TestAnAdmissionInsteadOfTheBookingThatIsUndoneLeavesAWindow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v, err := h.Accept(t.Context(), by(desk()), acceptance(submitted(t, h, "hold-1"), "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		v = h.step(t, desk(), h.arrive(t, desk(), v), domain.ActionAdmit, domain.Carry{Ward: "神经内科一病区", Bed: "加3", Instead: true})
		v = h.do(t, desk(), h.do(t, desk(), v, domain.ActionUndoAdmit), domain.ActionUndoArrive)
		if v.State != domain.StateAccepted || !v.WalkIn || v.Booking.ID != "" || v.Expected.From.IsZero() {
			t.Errorf("%s with booking %q, by a window %v", v.State, v.Booking.ID, v.WalkIn)
		}
	})
}
