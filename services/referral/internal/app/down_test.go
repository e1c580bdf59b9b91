package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// answering is a down-referral that answers an up-referral.
func answering(up app.View) app.Creation {
	in := back(up.PatientID)
	in.Draft.ReplyTo = up.ID
	return in
}

func TestADownReferralAnswersOnlyAPatientWhoCameUp(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		came := h.came(t, patient())
		waiting := h.make(t, family(), green(patient()))
		try := func(spoil func(*domain.Draft)) error {
			in := answering(came)
			spoil(&in.Draft)
			_, err := h.Create(t.Context(), by(specialist()), in)
			return err
		}
		expectFields(t, try(func(d *domain.Draft) { d.ReplyTo = "no such referral" }), "replyTo FIELD_UNKNOWN")
		expectFields(t, try(func(d *domain.Draft) { d.PatientID = patient() }), "replyTo FIELD_COMBINATION")
		expectFields(t, try(func(d *domain.Draft) { d.ReplyTo, d.PatientID = waiting.ID, waiting.PatientID }), "replyTo FIELD_COMBINATION")

		// Another hospital was never asked: that there is such a referral is not its business.
		elsewhere := specialist()
		elsewhere.Organization = second
		_, err := h.Create(t.Context(), by(elsewhere), answering(came))
		expectFields(t, err, "replyTo FIELD_UNKNOWN")
		// The sender of the up-referral answers nothing, and sends nobody down.
		_, err = h.Create(t.Context(), by(family()), answering(came))
		expectReason(t, err, errs.ReasonRole)
		up := creation(came.PatientID)
		up.Draft.ReplyTo = came.ID
		_, err = h.Create(t.Context(), by(family()), up)
		expectFields(t, err, "replyTo FIELD_COMBINATION")
	})
}

func TestAnUpReferralKnowsTheDownReferralThatAnswersIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.came(t, patient())
		in := answering(up)
		in.Submit = false
		draft := h.make(t, specialist(), in)
		if draft.LinkKind != domain.LinkAnswers || h.now(t, family(), up.ID).DownReferral != "" {
			t.Error("a draft answers already, or is not linked")
		}
		h.clock.Advance(time.Minute)
		down, err := h.Submit(t.Context(), by(specialist()), app.Submission{ID: draft.ID, Version: draft.Version})
		if err != nil {
			t.Fatal(err)
		}
		if got := h.now(t, family(), up.ID); got.DownReferral != down.ID || !got.DownArrived.IsZero() || got.Version != up.Version {
			t.Errorf("sent: %s at %d", got.DownReferral, got.Version)
		}
		down = h.arrive(t, family(), h.accept(t, family(), down))
		if got := h.now(t, desk(), up.ID); got.DownReferral != down.ID || !got.DownArrived.Equal(h.clock.Now()) {
			t.Errorf("arrived: %s at %v", got.DownReferral, got.DownArrived)
		}
		h.do(t, family(), down, domain.ActionUndoArrive)
		if got := h.now(t, desk(), up.ID); got.DownReferral != down.ID || !got.DownArrived.IsZero() {
			t.Errorf("arrival undone: %s at %v", got.DownReferral, got.DownArrived)
		}
		for _, who := range []string{down.ID, up.ID} {
			links, err := h.Links(t.Context(), by(family()), who)
			want := map[string]string{down.ID: "ANSWERS", up.ID: "ANSWERED_BY"}[who]
			if err != nil || len(links) != 1 || links[0].Kind != want || !links[0].Readable {
				t.Errorf("links %+v, %v; want %s", links, err, want)
			}
		}
	})
}

func TestAnUpReferralForgetsADownReferralThatCameToNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.came(t, patient())
		first := h.make(t, specialist(), answering(up))
		h.do(t, family(), first, domain.ActionDecline)
		if got := h.now(t, desk(), up.ID); got.DownReferral != "" {
			t.Errorf("declined, and still answered by %s", got.DownReferral)
		}
		next := h.make(t, specialist(), answering(up))
		if got := h.now(t, desk(), up.ID); got.DownReferral != next.ID {
			t.Errorf("answered by %q", got.DownReferral)
		}
		h.do(t, specialist(), next, domain.ActionCancel)
		if got := h.now(t, desk(), up.ID); got.DownReferral != "" {
			t.Errorf("cancelled, and still answered by %s", got.DownReferral)
		}
	})
}

// expectAnswer holds an up-referral against the down-referral that is to answer it ("" for none) and when that patient came.
func (h house) expectAnswer(t *testing.T, up app.View, down string, arrived time.Time) {
	t.Helper()
	if got := h.now(t, desk(), up.ID); got.DownReferral != down || !got.DownArrived.Equal(arrived) {
		t.Errorf("answered by %q, arrived %v; want %q, %v", got.DownReferral, got.DownArrived, down, arrived)
	}
}

// another is a second case of a patient: a down-referral of another kind.
func another(up app.View) app.Creation {
	in := answering(up)
	in.Draft.Kind = domain.KindChronic
	return in
}

func TestAReturnThatWasMadeCountsWhateverIsSentAfterIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.came(t, patient())
		first := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), answering(up))))
		came := h.clock.Now()
		h.clock.Advance(time.Hour)
		second := h.make(t, specialist(), another(up))
		h.expectAnswer(t, up, first.ID, came)
		second = h.do(t, specialist(), second, domain.ActionCancel)
		h.expectAnswer(t, up, first.ID, came)
		if second.State != domain.StateCancelled {
			t.Errorf("the second is %s", second.State)
		}
		third := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), another(up))))
		h.expectAnswer(t, up, first.ID, came)

		// The first was noted by mistake: the patient came with the third.
		h.do(t, family(), first, domain.ActionUndoArrive)
		h.expectAnswer(t, up, third.ID, third.ArriveTime)
		h.do(t, family(), third, domain.ActionUndoArrive)
		h.expectAnswer(t, up, third.ID, time.Time{})
	})
}

func TestWhenADownReferralIsTakenBackAnotherThatStandsAnswers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, end := range []domain.Action{domain.ActionDecline, domain.ActionCancel} {
			up := h.came(t, patient())
			first := h.make(t, specialist(), answering(up))
			h.clock.Advance(time.Minute)
			draft := another(up)
			draft.Draft.Kind, draft.Submit = domain.KindPalliative, false
			h.make(t, specialist(), draft)
			second := h.make(t, specialist(), another(up))
			h.expectAnswer(t, up, second.ID, time.Time{})
			who := map[domain.Action]func() authn.Identity{domain.ActionDecline: family, domain.ActionCancel: specialist}[end]
			h.do(t, who(), second, end)
			h.expectAnswer(t, up, first.ID, time.Time{})
			h.do(t, who(), first, end)
			h.expectAnswer(t, up, "", time.Time{})
		}
	})
}

// A draft may lie for days: who was noted as arrived by mistake did not come, and is not sent back.
func TestNobodyIsSentBackWhoseArrivalWasUndone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.came(t, patient())
		in := answering(up)
		in.Submit = false
		draft := h.make(t, specialist(), in)
		submit := func() error {
			_, err := h.Submit(t.Context(), by(specialist()), app.Submission{ID: draft.ID, Version: draft.Version})
			return err
		}
		up = h.do(t, desk(), up, domain.ActionUndoArrive)
		expectFields(t, submit(), "replyTo FIELD_COMBINATION")
		up = h.do(t, family(), up, domain.ActionCancel)
		expectFields(t, submit(), "replyTo FIELD_COMBINATION")
		h.expectAnswer(t, up, "", time.Time{})
		if got := h.now(t, specialist(), draft.ID); got.State != domain.StateDraft || got.Number != "" {
			t.Errorf("the draft is %s", got.State)
		}
	})
}

func TestAnArrivalThatIsAnsweredOrJudgedIsNotTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		undo := func(v app.View) error {
			_, err := h.Transition(t.Context(), by(desk()), app.Step{
				ID: v.ID, Version: v.Version, Action: domain.ActionUndoArrive, Carry: domain.Carry{Reason: "OTHER", Note: "说明"},
			})
			return err
		}
		up := h.came(t, patient())
		down := h.make(t, specialist(), answering(up))
		expectReason(t, undo(up), errs.ReasonActionNotAvailable)
		h.do(t, specialist(), down, domain.ActionCancel)
		if err := undo(up); err != nil {
			t.Errorf("nothing stands on it any more: %v", err)
		}
		judged := h.came(t, patient())
		in := domain.MarkCommand{Action: domain.MarkAssess, Verdict: domain.VerdictNecessary}
		if _, err := h.Mark(t.Context(), by(desk()), judged.ID, in); err != nil {
			t.Fatal(err)
		}
		expectReason(t, undo(judged), errs.ReasonActionNotAvailable)
	})
}

// Two kinds at once are two cases; the later one answers, and what becomes of the earlier one does not matter any more.
func TestTheLatestDownReferralAnswers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		up := h.came(t, patient())
		first := h.make(t, specialist(), answering(up))
		second := h.make(t, specialist(), another(up))
		h.do(t, family(), first, domain.ActionDecline)
		if got := h.now(t, desk(), up.ID); got.DownReferral != second.ID {
			t.Errorf("answered by %q", got.DownReferral)
		}
	})
}

// Who came down and was not contacted yet is on the township's list of what is due; who came up has no clock of the desk's.
func TestTheFirstContactIsDueOnTheList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), back(patient()))))
		list, _, err := h.List(t.Context(), app.Filter{Query: app.Query{Caller: family(), Inbox: true, ByDue: true}})
		if err != nil || len(list) != 1 || list[0].ID != down.ID || !list[0].DueTime.Equal(h.clock.Now().Add(days(7))) {
			t.Errorf("%d are due, %v", len(list), err)
		}
		if up := h.came(t, patient()); !up.DueTime.IsZero() {
			t.Errorf("due %v", up.DueTime)
		}
	})
}
