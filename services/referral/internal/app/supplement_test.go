package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
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

// A form is stored before it is sent: when it is not sent and says what stood before, nobody learns of an edit. The same request is answered all the same.
func TestAFormThatChangesNothingIsNoEdit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.do(t, desk(), submitted(t, h, "hold-1"), domain.ActionReturn)
		edits := func() (n int) {
			rows, err := h.History(t.Context(), doctor(), v.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				if row.Action == domain.ActionEdit {
					n++
				}
			}
			return n
		}
		same := app.Edition{ID: v.ID, Version: v.Version, Fields: []string{"kind", "urgency", "receiver", "diagnoses", "form", "consent", "transport", "exam_items", "values"}, Draft: domain.Draft{
			Kind: v.Kind, Urgency: v.Urgency, Receiver: v.Receiver, Diagnoses: v.Diagnoses, Form: v.Form, Transport: v.Transport, ExamItems: []domain.Diagnosis{},
			Consent: domain.Consent{GivenBy: v.Consent.GivenBy, Relation: v.Consent.Relation, Method: v.Consent.Method},
		}}
		stood, err := h.Edit(t.Context(), command(doctor(), "r1", "a"), same)
		if err != nil || stood.Version != v.Version || !stood.UpdateTime.Equal(v.UpdateTime) || stood.HoldID != "hold-1" || edits() != 0 {
			t.Fatalf("version %d after %d, %d edits, %v", stood.Version, v.Version, edits(), err)
		}
		sent := h.do(t, doctor(), stood, domain.ActionResubmit)
		if again, err := h.Edit(t.Context(), command(doctor(), "r1", "a"), same); err != nil || again.Version != v.Version || sent.Supplemented != nil {
			t.Errorf("repeated after it was sent: version %d, %v; supplemented %q", again.Version, err, sent.Supplemented)
		}
		v = h.do(t, desk(), sent, domain.ActionReturn)
		same.Version, same.Draft.Form.PresentIllness = v.Version, "右侧肢体无力两小时"
		if changed, err := h.Edit(t.Context(), by(doctor()), same); err != nil || changed.Version != v.Version+1 || edits() != 1 {
			t.Errorf("version %d after %d, %d edits, %v", changed.Version, v.Version, edits(), err)
		}
	})
}

// Whom a referral is meant for and when a value was measured are written as well: nothing of it is lost as no edit.
func TestWhatDiffersInOneDetailIsAnEdit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		in.Submit = false
		difference, measured := 25.0, h.clock.Now().Add(-time.Hour)
		in.Draft.Values = []domain.ClinicalValue{{Name: "arm_sbp_difference", Number: &difference, Time: measured}}
		v := h.make(t, doctor(), in)
		if len(v.Values) != 1 {
			t.Fatalf("%d values", len(v.Values))
		}
		to := v.Receiver
		to.PractitionerID = "D1001"
		for _, e := range []app.Edition{
			{Fields: []string{"receiver"}, Draft: domain.Draft{Receiver: to}},
			{Fields: []string{"values"}, Draft: domain.Draft{Values: []domain.ClinicalValue{{Name: "arm_sbp_difference", Number: &difference, Time: measured.Add(-time.Hour)}}}},
		} {
			e.ID, e.Version = v.ID, v.Version
			now, err := h.Edit(t.Context(), by(doctor()), e)
			if err != nil || now.Version != v.Version+1 {
				t.Fatalf("%q: version %d after %d, %v", e.Fields, now.Version, v.Version, err)
			}
			v = now
		}
		if v = h.now(t, doctor(), v.ID); v.Receiver.PractitionerID != to.PractitionerID || !v.Values[0].Time.Equal(measured.Add(-time.Hour)) {
			t.Errorf("to %q, measured %s", v.Receiver.PractitionerID, v.Values[0].Time)
		}
	})
}
