package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// grounds are the facts of the cases of a part, with how often each.
func (h house) grounds(t *testing.T, q app.FigureQuery, part app.CasePart) map[figures.Ground]int {
	t.Helper()
	cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: q, Part: part})
	if err != nil {
		t.Fatal(err)
	}
	out := map[figures.Ground]int{}
	for _, c := range cases {
		out[c.Ground]++
	}
	return out
}

func TestEveryCaseOfAShareSaysWhyItCountsOrNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.clock.Advance(100 * time.Hour)
		patient := id.New()
		h.closed(t, ended(h, patient))
		h.make(t, specialist(), back(patient))
		for way, times := range map[string]int{"1": 1, "3": 2, "5": 1} {
			for range times {
				stay := ended(h, id.New())
				stay.DischargeWay = way
				h.closed(t, stay)
			}
		}
		q := march(admin(), "IND-DN-A")
		below := h.grounds(t, q, app.BelowLine)
		for ground, want := range map[figures.Ground]int{
			{Place: figures.Counted, Above: 1, Fact: figures.DownSent}: 1, {Place: figures.Missed, Fact: figures.NoDown}: 1,
			{Place: figures.Missed, Fact: figures.LeftForCentre}: 2, {Place: figures.Missed, Fact: figures.Died}: 1,
		} {
			if below[ground] != want {
				t.Errorf("%+v: %d cases, want %d of %v", ground, below[ground], want, below)
			}
		}
		if missed := h.grounds(t, q, app.Missed); len(missed) != 3 || missed[figures.Ground{Place: figures.Missed, Fact: figures.LeftForCentre}] != 2 {
			t.Errorf("below the line only: %v", missed)
		}
	})
}

func TestWhatADenominatorLeavesOutIsListedWithItsReason(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.conclude(t, admitted(t, h), "DIED")
		h.conclude(t, admitted(t, h), "IMPROVED")
		q := march(admin(), "IND-DN-B")
		q.Denominator = "ENDED_FIT"
		if out := h.grounds(t, q, app.Excluded); len(out) != 1 || out[figures.Ground{Place: figures.Excluded, Fact: figures.Died}] != 1 {
			t.Errorf("left out: %v", out)
		}
		if in := h.grounds(t, q, app.BelowLine); len(in) != 1 || in[figures.Ground{Place: figures.Missed, Fact: figures.NoDown}] != 1 {
			t.Errorf("below the line: %v", in)
		}
		down := h.make(t, specialist(), back(id.New()))
		h.do(t, specialist(), down, domain.ActionCancel)
		if out := h.grounds(t, march(admin(), "BOUNCE"), app.Excluded); out[figures.Ground{Place: figures.Excluded, Fact: figures.IsCancelled}] != 1 {
			t.Errorf("taken back: %v", out)
		}
		// Of a share whose denominator leaves nothing out, and of a count, there is nothing to list.
		for code, part := range map[string]app.CasePart{"IND-DN-A": app.Excluded, "UP-N": app.Missed} {
			_, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: march(admin(), code), Part: part})
			expectReason(t, err, errs.ReasonFieldCombination)
		}
	})
}

func TestWhatIsOpenAtAPlaceIsCountedForWhoClosesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		there(t, h)
		h.do(t, family(), h.make(t, family(), creation(id.New())), domain.ActionCancel)
		before, err := h.OpenAt(t.Context(), admin(), app.WorkPlace{OrganizationID: hospital})
		if err != nil {
			t.Fatal(err)
		}
		h.make(t, family(), creation(id.New()))
		sent := creation(id.New())
		after, err := h.OpenAt(t.Context(), admin(), app.WorkPlace{OrganizationID: hospital, Department: sent.Draft.Receiver.DepartmentCode})
		if err != nil || after.Received != before.Received+1 || after.Sent > before.Sent {
			t.Errorf("%+v, then %+v, %v", before, after, err)
		}
		if other, err := h.OpenAt(t.Context(), admin(), app.WorkPlace{OrganizationID: hospital, Department: "99"}); err != nil || other != (app.OpenWork{}) {
			t.Errorf("another department: %+v, %v", other, err)
		}
		if from, err := h.OpenAt(t.Context(), admin(), app.WorkPlace{OrganizationID: centre}); err != nil || from.Sent == 0 {
			t.Errorf("the sender: %+v, %v", from, err)
		}
		_, err = h.OpenAt(t.Context(), family(), app.WorkPlace{OrganizationID: centre})
		expectReason(t, err, errs.ReasonRole)
	})
}

func TestWhatIsOpenInTheNameOfAnAccountIsCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		of := func(who authn.Identity) app.OpenWork {
			t.Helper()
			out, err := h.OpenAt(t.Context(), admin(), app.WorkPlace{OrganizationID: hospital, AccountID: who.Subject})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		before, theirs := of(family()), of(specialist())
		h.do(t, family(), h.make(t, family(), creation(id.New())), domain.ActionCancel)
		h.make(t, family(), creation(id.New()))
		named := creation(id.New())
		named.Draft.Receiver.PractitionerID = specialist().Subject
		h.make(t, family(), named)
		h.followed(t, id.New(), "2026-04-03")
		got, want := of(family()), before
		want.Sent, want.FollowedUp = want.Sent+2, want.FollowedUp+1
		if got != want {
			t.Errorf("who sends and follows up: %+v, want %+v", got, want)
		}
		want = theirs
		want.Sent, want.Received = want.Sent+1, want.Received+1
		if got := of(specialist()); got != want {
			t.Errorf("who is named as the receiver: %+v, want %+v", got, want)
		}
		keeper := authn.Identity{Subject: "keeper", County: county, Roles: []string{"SYSTEM_ADMIN"}}
		if _, err := h.OpenAt(t.Context(), keeper, app.WorkPlace{AccountID: family().Subject}); err != nil {
			t.Error(err)
		}
	})
}
