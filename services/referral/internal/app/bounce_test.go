package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// expectBounce holds both referrals against what they are to say of each other; up is "" for none.
func (h house) expectBounce(t *testing.T, down, up app.View, bounced bool) {
	t.Helper()
	of, by := "", ""
	if bounced {
		of, by = down.ID, up.ID
	}
	if got := h.now(t, desk(), up.ID); got.BounceBackOf != of {
		t.Errorf("the up-referral is a bounce-back of %q, want %q", got.BounceBackOf, of)
	}
	if got := h.now(t, family(), down.ID); got.BouncedBy != by {
		t.Errorf("the down-referral bounced by %q, want %q", got.BouncedBy, by)
	}
}

func TestWhoIsBackWithinFourteenDaysForTheSameConditionIsABounceBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for name, c := range map[string]struct {
			after   time.Duration
			code    string
			bounced bool
		}{
			"on the fourteenth day":        {days(14), "I63.0", true},
			"on the fifteenth":             {days(14) + time.Second, "I63.0", false},
			"for another condition":        {days(2), "J44.1", false},
			"for a neighbouring category":  {days(2), "I64", false},
			"the same with another fourth": {days(2), "I63.9", true},
			"within the hour":              {time.Minute, "I63.9", true},
		} {
			down, before := h.make(t, specialist(), back(patient())), h.told(t, "bounce_back_found")
			h.clock.Advance(c.after)
			in := green(down.PatientID)
			in.Draft.Diagnoses = []domain.Diagnosis{{Code: c.code}, {Code: "I63.9"}}
			up := h.arrive(t, desk(), h.make(t, family(), in))
			h.expectBounce(t, down, up, c.bounced)
			if told := h.told(t, "bounce_back_found") - before; (told == 1) != c.bounced || told > 1 {
				t.Errorf("%s: told %d times", name, told)
			}
			if on := slices.Contains(h.timeline(t, family(), up.ID), "bounce_back"); on != c.bounced {
				t.Errorf("%s: the timeline says so: %v", name, on)
			}
		}
	})
}

func TestABounceBackIsTakenBackWithTheArrivalAndADownReferralBouncesOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.make(t, specialist(), back(patient()))
		h.clock.Advance(days(3))
		first := h.arrive(t, desk(), h.make(t, family(), green(down.PatientID)))
		h.expectBounce(t, down, first, true)

		routine := h.arrive(t, desk(), h.accept(t, desk(), h.make(t, family(), creation(down.PatientID))))
		if got := h.now(t, desk(), routine.ID); got.BounceBackOf != "" || h.now(t, family(), down.ID).BouncedBy != first.ID {
			t.Errorf("it bounced a second time: %q", got.BounceBackOf)
		}
		first = h.do(t, desk(), first, domain.ActionUndoArrive)
		h.expectBounce(t, down, first, false)
		first = h.arrive(t, desk(), first)
		h.expectBounce(t, down, first, true)
	})
}

func TestADownReferralThatCameToNothingBouncesNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.make(t, specialist(), back(patient()))
		h.do(t, family(), down, domain.ActionDecline)
		h.expectBounce(t, down, h.came(t, down.PatientID), false)
	})
}

// What counts is when the patient came, not when somebody wrote it down.
func TestAnArrivalRecordedLaterIsABounceBackByItsOwnDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, c := range []struct {
			sent, came int // days before the recording
			bounced    bool
		}{
			{16, 3, true},  // came within fourteen days, recorded after them
			{16, 1, false}, // came after them
			{2, 3, false},  // came before being sent down
		} {
			down := h.make(t, specialist(), back(patient()))
			h.clock.Advance(days(c.sent))
			in := recording(down.PatientID)
			in.At = h.clock.Now().Add(-days(c.came))
			up, err := h.Record(t.Context(), by(desk()), in)
			if err != nil {
				t.Fatal(err)
			}
			h.expectBounce(t, down, up, c.bounced)
		}
		// One that was sent after the arrival does not hide the one before it.
		first := h.make(t, specialist(), back(patient()))
		h.clock.Advance(days(6))
		h.do(t, family(), h.make(t, specialist(), palliative(first.PatientID)), domain.ActionReturn)
		h.clock.Advance(days(1))
		in := recording(first.PatientID)
		in.At = h.clock.Now().Add(-days(2))
		up, err := h.Record(t.Context(), by(desk()), in)
		if err != nil {
			t.Fatal(err)
		}
		h.expectBounce(t, first, up, true)
	})
}

func palliative(patient string) app.Creation {
	in := back(patient)
	in.Draft.Kind = domain.KindPalliative
	return in
}

// A patient who got worse in follow-up comes back by a linked referral: both ways of belonging together are shown, to both sides.
func TestAWorsenedPatientIsLinkedAndABounceBackAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.followed(t, patient(), "2026-03-20")
		h.clock.Advance(days(1))
		down = h.escalate(t, down)
		up := h.arrive(t, desk(), h.now(t, desk(), down.Escalated))
		h.expectBounce(t, down, up, true)
		for _, c := range []struct {
			of   string
			want []string
		}{{up.ID, []string{"WORSENED", "BOUNCE_BACK_OF"}}, {down.ID, []string{"BOUNCED_BY", "ESCALATED_TO"}}} {
			links, err := h.Links(t.Context(), by(desk()), c.of)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range links {
				got = append(got, l.Kind)
			}
			expectList(t, "links", got, c.want)
		}
	})
}
