package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/completeness"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func handover(t *testing.T) []domain.CompletenessItem {
	t.Helper()
	items, err := completeness.New()
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func gateway() authn.Identity { return authn.Identity{Subject: "service:gateway", Service: "gateway"} }

func TestTheCompletenessOfWhatIsHandedOverIsKeptWhenItIsSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		draft, err := h.EvaluateCompleteness(t.Context(), doctor(), in.Draft)
		if err != nil || !draft.Judged || draft.Complete() || !slices.Contains(draft.Missing(), "TREATMENT") {
			t.Fatalf("before it is sent: %+v, %v", draft, err)
		}
		v, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []authn.Identity{doctor(), desk()} {
			kept, err := h.JudgedCompleteness(t.Context(), who, v.ID)
			if err != nil || !kept.Judged || kept.Score != draft.Score || !slices.Equal(kept.Missing(), draft.Missing()) {
				t.Errorf("%s reads %+v, %v; want %+v", who.Name, kept, err, draft)
			}
		}
		_, err = h.JudgedCompleteness(t.Context(), authn.Identity{Subject: "x", Organization: "elsewhere", County: county}, v.ID)
		expectReason(t, err, errs.ReasonNotFound)

		returned := h.do(t, desk(), v, domain.ActionReturn)
		edited, err := h.Edit(t.Context(), by(doctor()), app.Edition{
			ID: v.ID, Version: returned.Version, Fields: []string{"form.treatment"},
			Draft: domain.Draft{Form: domain.Form{Treatment: "口服阿司匹林 100 mg，血压 150/90 mmHg，否认药物过敏"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Resubmit(t.Context(), by(doctor()), app.Step{ID: v.ID, Version: edited.Version})
		if err != nil {
			t.Fatal(err)
		}
		if c := again.Snapshot.Completeness; c.Score <= draft.Score || slices.Contains(c.Missing(), "TREATMENT") || slices.Contains(c.Missing(), "ALLERGY") {
			t.Errorf("after the resubmission: %+v", c)
		}
		h.mean(t, again.Snapshot)
	})
}

// mean holds the mean score against the only referral that was sent, and opens it into that case.
func (h house) mean(t *testing.T, sent domain.Snapshot) {
	t.Helper()
	q := march(admin(), "HANDOVER-MEAN")
	score := int64(sent.Completeness.Score)
	rows, err := h.Figures(t.Context(), q)
	if err != nil || len(rows) != 1 || rows[0].Numerator != score || rows[0].Denominator != 1 || rows[0].Value != float64(score) {
		t.Errorf("the mean score is %+v, %v; want %d", rows, err, score)
	}
	for _, part := range []app.CasePart{app.AboveLine, app.BelowLine} {
		cases, _, err := h.Cases(t.Context(), app.CaseQuery{FigureQuery: q, Part: part})
		if want := map[app.CasePart]int64{app.AboveLine: score, app.BelowLine: 1}[part]; err != nil || len(cases) != 1 || cases[0].Referral.ID != sent.ID || cases[0].Count != want {
			t.Errorf("the cases behind it: %+v, %v", cases, err)
		}
	}
}

func TestAnAllergyOnRecordCountsAsHandedOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		missing := func(record app.Record) bool {
			h.peers.record = record
			c, err := h.EvaluateCompleteness(t.Context(), doctor(), in.Draft)
			if err != nil || !c.Judged {
				t.Fatalf("%+v, %v", c, err)
			}
			return slices.Contains(c.Missing(), "ALLERGY")
		}
		if !missing(app.Record{}) || missing(app.Record{Allergies: true}) {
			t.Error("what the record says of allergies does not count")
		}
	})
}

func TestADraftWasNotJudgedAndHasNoKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation(id.New())
		in.Submit = false
		v, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := h.JudgedCompleteness(t.Context(), doctor(), v.ID); err != nil || c.Judged {
			t.Errorf("judged: %+v, %v", c, err)
		}
		if slip, err := h.Slip(t.Context(), doctor(), v.ID); err != nil || slip.Key != "" || !slip.Validity.To.IsZero() || slip.Doctor.Name != "莫医生" {
			t.Errorf("slip %q until %s, %v", slip.Key, slip.Validity.To, err)
		}
	})
}

func TestASlipIsGenuineByItsKeyAloneAndTellsNothingMedical(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		slip, err := h.Slip(t.Context(), desk(), v.ID)
		if err != nil || len(slip.Key) != 8 {
			t.Fatalf("key %q, %v", slip.Key, err)
		}
		got, err := h.VerifySlip(t.Context(), gateway(), v.Number.Printed(), strings.ToLower(slip.Key))
		if err != nil || !got.Genuine || got.Expired || !got.ValidUntil.Equal(slip.Validity.To) || got.Number != v.Number {
			t.Errorf("genuine: %+v, %v", got, err)
		}
		if got.Patient != domain.Surname(v.Patient.Name)+"＊＊" || strings.Contains(got.Patient, v.Patient.Name) {
			t.Errorf("the patient is %q", got.Patient)
		}
		// The patient's own message carries the same key.
		service := authn.Identity{Subject: "service:notification", Service: "notification", County: county}
		if number, key, err := h.SlipKey(t.Context(), service, v.ID); err != nil || number != v.Number || key != slip.Key {
			t.Errorf("%s %q, %v", number, key, err)
		}
		unknown, _ := domain.NewNumber(county, 2026, 999_999)
		for name, try := range map[string][2]string{
			"another key": {v.Number.Printed(), "AAAAAAAA"}, "no key": {v.Number.Printed(), ""}, "an unknown number": {unknown.Printed(), slip.Key},
			"no number": {"nonsense", slip.Key}, "a wrong check digit": {string(v.Number[:15]) + string('0'+(v.Number[15]-'0'+1)%10), slip.Key},
		} {
			if got, err := h.VerifySlip(t.Context(), gateway(), try[0], try[1]); err != nil || got != (app.Verification{}) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		h.do(t, doctor(), v, domain.ActionCancel)
		h.clock.Advance(time.Second)
		if got, err := h.VerifySlip(t.Context(), gateway(), v.Number.Printed(), slip.Key); err != nil || !got.Genuine || !got.Expired {
			t.Errorf("after it was taken back: %+v, %v", got, err)
		}
		_, err = h.Slip(t.Context(), authn.Identity{Subject: "x", Organization: "elsewhere", County: county}, v.ID)
		expectReason(t, err, errs.ReasonNotFound)
	})
}
