package app_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// halves compares the second part of March with the first.
func halves(measure string, by ...string) app.ContributionQuery {
	q := app.ContributionQuery{FigureQuery: march(admin(), measure), BeforeFrom: "2026-03-01", BeforeTo: "2026-03-10"}
	q.From, q.GroupBy = "2026-03-10", by
	return q
}

func TestContributionsSayWhoMovedAMeasure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		refuse := func(n, declined int) {
			t.Helper()
			for i := range n {
				v := h.make(t, family(), creation(id.New()))
				if i < declined {
					h.step(t, desk(), v, domain.ActionDecline, domain.Carry{Reason: "NO_BED"})
				} else {
					h.accept(t, desk(), v)
				}
			}
		}
		refuse(4, 1)
		h.clock.Advance(15 * 24 * time.Hour)
		refuse(2, 2)
		h.step(t, desk(), h.make(t, doctor(), creation(id.New())), domain.ActionDecline, domain.Carry{Reason: "NO_BED"})
		q := halves("IND-REJ", "centre")
		q.BeforeFrom, q.BeforeTo, q.From, q.To = "2026-03-01", "2026-04-01", "2026-04-01", "2026-05-01"
		got, err := h.Contributions(t.Context(), q)
		if err != nil || !got.Known || got.Change != 75 || got.Before.Value != 25 || got.Now.Value != 100 || got.Now.Denominator != 3 || len(got.Parts) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		sum := 0.0
		for _, p := range got.Parts {
			sum += p.By
		}
		if math.Abs(sum-got.Change) > 1e-9 || math.Abs(got.Parts[0].By) < math.Abs(got.Parts[1].By) {
			t.Errorf("%+v add up to %v", got.Parts, sum)
		}
		i := slices.IndexFunc(got.Parts, func(c app.Contribution) bool { return c.Now.Key[0] == township })
		if i < 0 || got.Parts[i].Before.Denominator != 0 || got.Parts[i].Now.Numerator != 1 {
			t.Errorf("one that is new: %+v", got.Parts)
		}
		q.Measures = []string{"UP-N"}
		if got, err := h.Contributions(t.Context(), q); err != nil || got.Change != -1 || !got.Known || got.Parts[0].By != -2 {
			t.Errorf("a count: %+v, %v", got, err)
		}
		q.Measures, q.BeforeFrom, q.BeforeTo = []string{"IND-REJ"}, "2025-01-01", "2025-02-01"
		if got, err := h.Contributions(t.Context(), q); err != nil || got.Known || got.Change != 0 {
			t.Errorf("nothing to compare with: %+v, %v", got, err)
		}
	})
}

func TestWhatDoesNotAddUpHasNoContributions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for want, change := range map[string]func(*app.ContributionQuery){
			"measure FIELD_COMBINATION": func(q *app.ContributionQuery) { q.Measures = []string{"TIME-ANSWER"} },
			"groupBy FIELD_COMBINATION": func(q *app.ContributionQuery) { q.GroupBy = []string{"month"} },
			"beforeTo FIELD_INVALID":    func(q *app.ContributionQuery) { q.BeforeTo = "2026-02-31" },
			"measure FIELD_REQUIRED":    func(q *app.ContributionQuery) { q.Measures = nil },
		} {
			q := halves("IND-REJ", "centre")
			change(&q)
			_, err := h.Contributions(t.Context(), q)
			expectFields(t, err, want)
		}
		q := halves("IND-REJ", "centre")
		q.Caller, q.OrganizationID = desk(), second
		_, err := h.Contributions(t.Context(), q)
		expectReason(t, err, errs.ReasonRole)
	})
}

func TestACaseNamesItsDownReferralAndHowItStandsInEveryShare(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := there(t, h)
		got, err := h.CaseCourse(t.Context(), admin(), up.ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Links) != 1 || got.Links[0].Relation != app.LinkSentDown || got.Links[0].Referral.Number == "" || got.Links[0].Referral.SubmitTime.IsZero() {
			t.Errorf("linked with %+v", got.Links)
		}
		stands := map[string]figures.Ground{}
		for _, s := range got.Standings {
			stands[s.Measure] = s.Ground
		}
		for measure, want := range map[string]figures.Ground{
			"IND-DN-B": {Place: figures.Counted, Above: 1, Fact: figures.CameBack}, "IND-ACK": {Place: figures.Counted, Above: 1, Fact: figures.AnsweredInTime},
			"IND-REJ": {Place: figures.Missed, Fact: figures.Stands}, "IND-CLS": {Place: figures.Counted, Above: 1, Fact: figures.DownSent},
		} {
			if stands[measure] != want {
				t.Errorf("%s: %+v, want %+v", measure, stands[measure], want)
			}
		}
		if _, counts := stands["BOUNCE"]; counts {
			t.Error("an up-referral stands among those sent down")
		}
		down, err := h.CaseCourse(t.Context(), admin(), got.Links[0].Referral.ID)
		if err != nil || len(down.Links) != 3 || down.Links[0].Relation != app.LinkAnswers || down.Links[0].Referral.ID != up.ID {
			t.Errorf("the down-referral is linked with %+v, %v", down.Links, err)
		}
		left := h.conclude(t, admitted(t, h), "IMPROVED")
		never, err := h.CaseCourse(t.Context(), admin(), left.ID)
		if err != nil || !slices.Contains(never.Standings, figures.Stand{Measure: "IND-DN-B", Ground: figures.Ground{Place: figures.Missed, Fact: figures.DownNever}}) {
			t.Errorf("one that was never sent down: %+v, %v", never.Standings, err)
		}
		in := back(left.PatientID)
		in.Draft.ReplyTo = left.ID
		h.do(t, specialist(), h.make(t, specialist(), in), domain.ActionCancel)
		undone, err := h.CaseCourse(t.Context(), admin(), left.ID)
		if err != nil || len(undone.Links) != 1 || undone.Links[0].Referral.State != domain.StateCancelled ||
			!slices.Contains(undone.Standings, figures.Stand{Measure: "IND-DN-B", Ground: figures.Ground{Place: figures.Missed, Fact: figures.DownWithdrawn}}) {
			t.Errorf("one whose down-referral was taken back: %+v, %+v, %v", undone.Links, undone.Standings, err)
		}
		waiting, err := h.CaseCourse(t.Context(), admin(), h.make(t, doctor(), creation(id.New())).ID)
		if err != nil || !slices.Contains(waiting.Standings, figures.Stand{Measure: "IND-ACK", Ground: figures.Ground{Place: figures.Excluded, Fact: figures.AnswerAhead}}) {
			t.Errorf("one that waits: %+v, %v", waiting.Standings, err)
		}
	})
}

// Who is no side of a linked referral could not open it: such a one is told that there is one, and neither its number nor what became of it.
func TestALinkedReferralOfOthersHasNoNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.conclude(t, admitted(t, h), "IMPROVED")
		in := back(up.PatientID) // to another centre than the one that sent the patient up
		in.Draft.ReplyTo, in.Draft.Receiver.OrganizationID = up.ID, township
		if down := h.make(t, specialist(), in); down.Side(family().Organization) != "" {
			t.Fatal("the sender is a side of the down-referral")
		}
		for name, c := range map[string]struct {
			by    authn.Identity
			named bool
		}{"the sender": {family(), false}, "the hospital": {specialist(), true}, "an administrator": {admin(), true}} {
			got, err := h.CaseCourse(t.Context(), c.by, up.ID)
			if err != nil || len(got.Links) != 1 || got.Links[0].Relation != app.LinkSentDown || (got.Links[0].Referral.Number != "") != c.named {
				t.Errorf("%s: %+v, %v", name, got.Links, err)
				continue
			}
			if !c.named && (got.Links[0].Referral.ID != "" || got.Links[0].Referral.State != "") {
				t.Errorf("%s: %+v", name, got.Links[0])
			}
		}
	})
}
