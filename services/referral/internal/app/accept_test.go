package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

type noNumbers struct{}

func (noNumbers) ReserveNumbers(context.Context, string, int, int64) (int64, error) {
	return 0, errors.New("no numbers")
}

func sweep() app.Command {
	return app.Command{Caller: authn.Identity{Subject: "service:scheduling", Service: "scheduling", County: county}, Method: "/test/Settle"}
}

func (h house) settle(t *testing.T, hold, referral string) app.Verdict {
	t.Helper()
	v, err := h.Settle(t.Context(), sweep(), app.Attachment{HoldID: hold, ReferralID: referral})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var (
	release = app.Verdict{}
	keep    = app.Verdict{Keep: true}
	settled = app.Verdict{Keep: true, Settled: true}
)

func (h house) expectVerdict(t *testing.T, hold, referral string, want app.Verdict) {
	t.Helper()
	if got := h.settle(t, hold, referral); got != want {
		t.Errorf("the sweep is told %+v of %s, want %+v", got, hold, want)
	}
}

func TestAcceptConfirmsTheHoldAndNamesTheBooking(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		h.expectVerdict(t, "hold-1", v.ID, keep)
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil || v.State != domain.StateAccepted || v.Booking.ID != "booking of hold-1" || v.HoldID != "" || v.Expected.From.IsZero() {
			t.Fatalf("%s, booking %q, %v", v.State, v.Booking.ID, err)
		}
		h.expectVerdict(t, "hold-1", v.ID, settled)
		v = h.do(t, doctor(), v, domain.ActionCancel)
		h.expectVerdict(t, "hold-1", v.ID, release)
	})
}

// Invariant 7: returning is no final answer. The patient keeps the place, and is accepted with it later.
func TestAReturnedReferralKeepsItsHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v = h.do(t, desk(), v, domain.ActionReturn)
		h.expectVerdict(t, "hold-1", v.ID, keep)
		v = h.do(t, doctor(), v, domain.ActionResubmit)
		h.expectVerdict(t, "hold-1", v.ID, keep)
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, v.HoldID))
		if err != nil || v.Booking.HoldID != "hold-1" {
			t.Fatalf("booked %q, %v", v.Booking.HoldID, err)
		}

		v = h.do(t, desk(), submitted(t, h, "hold-2"), domain.ActionReturn)
		v = h.do(t, doctor(), v, domain.ActionCancel)
		h.expectVerdict(t, "hold-2", v.ID, release)
	})
}

func TestTheDesksOwnHoldReplacesTheAttachedOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-2"))
		if err != nil {
			t.Fatal(err)
		}
		h.expectVerdict(t, "hold-2", v.ID, settled)
		h.expectVerdict(t, "hold-1", v.ID, release)
	})
}

func TestAWalkInNeedsNoScheduling(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		h.peers.schedulingAway = errs.Unavailable("scheduling", nil)
		_, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		expectReason(t, err, errs.ReasonPeerAway)
		in := acceptance(v, "")
		in.WalkIn = &domain.Window{From: h.clock.Now().Add(time.Hour), To: h.clock.Now().Add(2 * time.Hour)}
		both := in
		both.HoldID = "hold-1"
		_, err = h.Accept(t.Context(), by(desk()), both)
		expectReason(t, err, errs.ReasonFieldCombination)
		v, err = h.Accept(t.Context(), by(desk()), in)
		if err != nil || !v.WalkIn || v.State != domain.StateAccepted {
			t.Fatalf("%s, %v", v.State, err)
		}
		h.expectVerdict(t, "hold-1", v.ID, release)
	})
}

// A time of another department, or on another device, is not what was asked for.
func TestAPlaceOfAnotherDepartmentOrDeviceIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		asks := func(kind domain.Kind, modality string) app.Creation {
			in := creation(id.New())
			in.Draft.Kind, in.Draft.Modality = kind, modality
			if kind == domain.KindExam {
				in.Draft.ExamItems = []domain.Diagnosis{{Display: "腹部彩超"}}
			}
			return in
		}
		own := creation("").Draft.Receiver.DepartmentCode
		for name, c := range map[string]struct {
			in    app.Creation
			place domain.Place
			right bool
		}{
			"its department":             {asks(domain.KindOutpatient, ""), domain.Place{DepartmentCode: own}, true},
			"another department":         {asks(domain.KindOutpatient, ""), domain.Place{DepartmentCode: "0899"}, false},
			"a device for a clinic":      {asks(domain.KindOutpatient, ""), domain.Place{DepartmentCode: own, Modality: "MR"}, false},
			"a lent bed":                 {asks(domain.KindInpatient, ""), domain.Place{DepartmentCode: "0899", Bed: true}, true},
			"the device, wherever":       {asks(domain.KindExam, "US"), domain.Place{DepartmentCode: "3205", Modality: "US"}, true},
			"another device":             {asks(domain.KindExam, "US"), domain.Place{DepartmentCode: own, Modality: "MR"}, false},
			"a clinic for a device":      {asks(domain.KindExam, "US"), domain.Place{DepartmentCode: own}, false},
			"a device that was not said": {asks(domain.KindExam, ""), domain.Place{DepartmentCode: "3205", Modality: "MR"}, true},
		} {
			h.peers.place = c.place
			v, err := h.Create(t.Context(), by(doctor()), c.in)
			if err != nil {
				t.Fatal(err)
			}
			_, accepted := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
			c.in.Draft.PatientID, c.in.HoldID = id.New(), "hold-2"
			delete(h.peers.attached, "hold-2")
			_, sent := h.Create(t.Context(), by(doctor()), c.in)
			for step, err := range map[string]error{"accept": accepted, "submit": sent} {
				if c.right && err != nil || !c.right && errs.ReasonOf(err) != errs.ReasonFieldCombination {
					t.Errorf("%s: %s: %v", name, step, err)
				}
			}
		}
	})
}

func TestAHoldThatIsGoneOrElsewhereIsNotAccepted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		_, err := h.Accept(t.Context(), by(desk()), acceptance(v, "gone"))
		expectReason(t, err, errs.ReasonHoldExpired)
		_, err = h.Accept(t.Context(), by(desk()), acceptance(v, "elsewhere"))
		expectReason(t, err, errs.ReasonFieldCombination)
		h.expectVerdict(t, "elsewhere", v.ID, release)
		_, err = h.Accept(t.Context(), by(desk()), acceptance(v, ""))
		expectReason(t, err, errs.ReasonFieldRequired)
		if _, err = h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1")); err != nil {
			t.Error(err)
		}
	})
}

// Scheduling has confirmed, and then the answer is lost or the process dies.
func TestAnAcceptThatBrokeOffIsRepeatedWithTheSameHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		h.peers.confirmed = func() error { return errs.Unavailable("scheduling", nil) }
		_, err := h.Accept(t.Context(), command(desk(), "r1", "a"), acceptance(v, "hold-1"))
		expectReason(t, err, errs.ReasonPeerAway)
		h.expectVerdict(t, "hold-1", v.ID, keep)
		h.peers.confirmed = nil
		accepted, err := h.Accept(t.Context(), command(desk(), "r1", "a"), acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Accept(t.Context(), command(desk(), "r1", "a"), acceptance(v, "hold-1"))
		if err != nil || again.Version != accepted.Version {
			t.Errorf("the same request again: version %d, %v", again.Version, err)
		}
	})
}

// The desk's own hold, not attached: the sweep came between the confirmation and the second transaction.
func TestWhatTheSweepReleasedCannotBeAccepted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		h.peers.confirmed = func() error {
			h.expectVerdict(t, "hold-1", v.ID, release)
			return nil
		}
		_, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		expectReason(t, err, errs.ReasonBookingLost)
		h.peers.confirmed = nil
		_, err = h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		expectReason(t, err, errs.ReasonBookingLost)
		got, err := h.Get(t.Context(), desk(), v.ID)
		if err != nil || got.State != domain.StateSubmitted || got.Version != v.Version {
			t.Errorf("%s at %d, %v", got.State, got.Version, err)
		}
		if _, err = h.Accept(t.Context(), by(desk()), acceptance(v, "hold-2")); err != nil {
			t.Errorf("another hold: %v", err)
		}
	})
}

func TestACancellationDuringAnAcceptWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		h.peers.confirmed = func() error {
			h.do(t, doctor(), v, domain.ActionCancel)
			return nil
		}
		_, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if e := refused(t, err, errs.ReasonStaleVersion); e.Meta["state"] != "CANCELLED" || e.Meta["version"] != "3" {
			t.Errorf("metadata %v", e.Meta)
		}
		h.expectVerdict(t, "hold-1", v.ID, release)
	})
}

func TestARebookedReferralHasTheNewBookingOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		v, err := h.Accept(t.Context(), by(desk()), acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		v = h.do(t, desk(), v, domain.ActionNoShow)
		h.expectVerdict(t, "hold-1", v.ID, release)
		in := acceptance(v, "hold-2")
		in.Action = domain.ActionRebook
		if v, err = h.Accept(t.Context(), by(desk()), in); err != nil || v.State != domain.StateAccepted {
			t.Fatalf("%s, %v", v.State, err)
		}
		h.expectVerdict(t, "hold-2", v.ID, settled)
	})
}

func TestAHoldOfASubmissionThatNeverCameIsReleased(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.expectVerdict(t, "hold-1", "no such referral", release)
	})
}

// late is asked for an answer just before the first of two equal requests commits its own.
type late struct {
	app.Referrals
	asked bool
}

func (l *late) Replay(ctx context.Context, cmd app.Command) (app.View, bool, error) {
	if !l.asked {
		l.asked = true
		return app.View{}, false, nil
	}
	return l.Referrals.Replay(ctx, cmd)
}

// Invariant 3.
func TestOfTwoEqualRequestsAtOnceTheSecondGetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "hold-1")
		cmd := command(desk(), "r1", "a")
		first, err := h.Accept(t.Context(), cmd, acceptance(v, "hold-1"))
		if err != nil {
			t.Fatal(err)
		}
		ports := h.ports
		ports.Referrals = &late{Referrals: ports.Referrals}
		again, err := app.New(ports).Accept(t.Context(), cmd, acceptance(v, "hold-1"))
		if err != nil || again.Version != first.Version {
			t.Errorf("version %d, %v", again.Version, err)
		}
		ports.Referrals = &late{Referrals: h.ports.Referrals}
		_, err = app.New(ports).Accept(t.Context(), command(desk(), "r2", "a"), acceptance(v, "hold-1"))
		expectReason(t, err, errs.ReasonStaleVersion)
	})
}
