package app_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// shelf is what the centre of the tests lists.
func shelf() []domain.FormularyItem {
	item := func(name, atc string, inStock, orderable bool) domain.FormularyItem {
		return domain.FormularyItem{
			County: county, ID: id.FromFact(name), OrganizationID: centre, Version: 1, Name: name, ATC: atc, InStock: inStock, Orderable: orderable,
		}
	}
	return []domain.FormularyItem{
		item("苯磺酸氨氯地平片", "C08CA01", true, false), item("阿司匹林肠溶片", "B01AC06", false, true), item("氯吡格雷片", "B01AC04", false, false),
	}
}

func stocked(t *testing.T, h house) {
	t.Helper()
	h.peers.medicines = shelf()
	h.peers.capabilities = []app.Capabilities{{County: county, OrganizationID: centre, Version: 1, Codes: []string{"REHABILITATION"}}}
	if err := h.RefreshFormularies(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func availabilities(ms []domain.Medicine) (out []domain.Availability) {
	for _, m := range ms {
		out = append(out, m.Availability)
	}
	return out
}

func TestMedicinesAreCheckedAgainstTheCentresList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		stocked(t, h)
		asked := []domain.Medicine{{Name: "苯磺酸氨氯地平片", Days: 30}, {Name: "硝苯地平片"}, {Name: "阿司匹林肠溶片"}, {Name: "利伐沙班片"}}
		got, err := h.CheckMedicines(t.Context(), county, centre, asked)
		if err != nil || !got.Known || !slices.Equal(got.Capabilities, []string{"REHABILITATION"}) {
			t.Fatalf("known %v, %q, %v", got.Known, got.Capabilities, err)
		}
		var found []domain.Availability
		for _, c := range got.Checks {
			found = append(found, c.Availability)
		}
		want := []domain.Availability{domain.InStock, domain.MedicineMissed, domain.Orderable, domain.MedicineMissed}
		if !slices.Equal(found, want) {
			t.Errorf("got %q", found)
		}
		if got, err = h.CheckMedicines(t.Context(), county, township, asked[:1]); err != nil || got.Known || got.Checks[0].Availability != domain.NotKnown {
			t.Errorf("of a centre without a list: %v", err)
		}
		_, err = h.CheckMedicines(t.Context(), county, centre, []domain.Medicine{{Name: "x"}, {}})
		if got := fieldNames(refused(t, err, errs.ReasonFieldRequired)); !slices.Equal(got, []string{"medicines[1].name FIELD_REQUIRED"}) {
			t.Errorf("fields %q", got)
		}
	})
}

// A name that the centre's list writes otherwise is confirmed before a patient goes down with it, or decided about.
func TestADownReferralIsNotSentWithANameThatNobodyConfirmed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		stocked(t, h)
		in := back(id.New())
		in.Draft.Medicines = []domain.Medicine{{Name: "氨氯地平片", Dosage: "qd"}}
		checked, err := h.CheckMedicines(t.Context(), county, centre, in.Draft.Medicines)
		if err != nil || !slices.Equal(checked.Checks[0].Named, []domain.NamedMedicine{{Name: "苯磺酸氨氯地平片", Availability: domain.InStock}}) {
			t.Fatalf("the list's name is not proposed: %v", err)
		}
		_, err = h.Create(t.Context(), by(specialist()), in)
		if got := fieldNames(refused(t, err, errs.ReasonFieldUnknown)); !slices.Equal(got, []string{"medicines[0].name FIELD_UNKNOWN"}) {
			t.Errorf("fields %q", got)
		}
		in.Draft.Medicines[0].Decision = "COUNTY_DISPENSES"
		v, err := h.Create(t.Context(), by(specialist()), in)
		if err != nil || v.Medicines[0].Availability != domain.Unconfirmed {
			t.Errorf("decided otherwise: %q, %v", availabilities(v.Medicines), err)
		}
	})
}

// What the centre lacks asks for a decision, and what the sender says of its stock does not count.
func TestADownReferralIsNotSentWithoutADecisionAboutWhatIsMissing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		stocked(t, h)
		in := back(id.New())
		in.Draft.Medicines = []domain.Medicine{{Name: "苯磺酸氨氯地平片", Dosage: "qd"}, {Name: "氯吡格雷片", Dosage: "qd", Availability: domain.InStock}}
		_, err := h.Create(t.Context(), by(specialist()), in)
		if got := fieldNames(refused(t, err, errs.ReasonFieldRequired)); !slices.Equal(got, []string{"medicines[1].decision FIELD_REQUIRED"}) {
			t.Errorf("fields %q", got)
		}
		in.Submit = false
		draft, err := h.Create(t.Context(), by(specialist()), in)
		if err != nil || !slices.Equal(availabilities(draft.Medicines), []domain.Availability{domain.InStock, domain.MedicineMissed}) {
			t.Fatalf("the draft has %q, %v", availabilities(draft.Medicines), err)
		}
		_, err = h.Submit(t.Context(), by(specialist()), app.Submission{ID: draft.ID, Version: draft.Version})
		expectReason(t, err, errs.ReasonFieldRequired)

		decided := []domain.Medicine{{Name: "氯吡格雷片", Dosage: "qd", Availability: domain.InStock, Decision: "COUNTY_DISPENSES"}}
		draft, err = h.Edit(t.Context(), by(specialist()), app.Edition{
			ID: draft.ID, Version: draft.Version, Draft: domain.Draft{Medicines: decided}, Fields: []string{"medicines"},
		})
		if err != nil || draft.Medicines[0].Availability != domain.MedicineMissed {
			t.Fatalf("edited: %q, %v", availabilities(draft.Medicines), err)
		}
		// The medicine came in before the referral is sent.
		item := shelf()[2]
		item.Version, item.InStock = 2, true
		if err := h.ports.Formularies.PutFormulary(t.Context(), "fact-1", []domain.FormularyItem{item}); err != nil {
			t.Fatal(err)
		}
		sent, err := h.Submit(t.Context(), by(specialist()), app.Submission{ID: draft.ID, Version: draft.Version})
		if err != nil || sent.Medicines[0].Availability != domain.InStock || sent.Medicines[0].Decision != "COUNTY_DISPENSES" {
			t.Errorf("sent with %q, %v", availabilities(sent.Medicines), err)
		}
	})
}

func TestACentreWithoutAListAsksForNoDecision(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := back(id.New())
		in.Draft.Medicines = []domain.Medicine{{Name: "氯吡格雷片", Dosage: "qd", Availability: domain.MedicineMissed}}
		v, err := h.Create(t.Context(), by(specialist()), in)
		if err != nil || v.Medicines[0].Availability != domain.NotKnown {
			t.Errorf("sent with %q, %v", availabilities(v.Medicines), err)
		}
	})
}

// The list of the former centre says nothing of the next: who gives on looks it up anew, who sends again decides about what is missing.
func TestAReferralThatIsGivenOnKnowsWhatTheNextCentreHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		stocked(t, h)
		in := back(id.New())
		in.Draft.Receiver.OrganizationID = township
		in.Draft.Medicines = []domain.Medicine{{Name: "苯磺酸氨氯地平片", Dosage: "qd"}, {Name: "氯吡格雷片", Dosage: "qd"}}
		v := h.make(t, specialist(), in)
		v, err := h.Redirect(t.Context(), by(doctor()), app.Step{ID: v.ID, Version: v.Version, Carry: domain.Carry{
			Reason: "NEARER", Receiver: domain.Party{OrganizationID: centre},
		}})
		if err != nil || v.Medicines[1].Decision != "" ||
			!slices.Equal(availabilities(v.Medicines), []domain.Availability{domain.InStock, domain.MedicineMissed}) {
			t.Fatalf("given on with %q, %v", availabilities(v.Medicines), err)
		}
		v = h.do(t, family(), v, domain.ActionReturn)
		item := shelf()[0]
		item.Version, item.InStock = 2, false
		if err := h.ports.Formularies.PutFormulary(t.Context(), "fact-1", []domain.FormularyItem{item}); err != nil {
			t.Fatal(err)
		}
		_, err = h.Resubmit(t.Context(), by(specialist()), app.Step{ID: v.ID, Version: v.Version})
		expectFields(t, err, "medicines[0].decision FIELD_REQUIRED", "medicines[1].decision FIELD_REQUIRED")
		decided := []domain.Medicine{{Name: "苯磺酸氨氯地平片", Dosage: "qd", Decision: "PATIENT_BUYS"}, {Name: "氯吡格雷片", Dosage: "qd", Decision: "COUNTY_DISPENSES"}}
		v, err = h.Edit(t.Context(), by(specialist()), app.Edition{
			ID: v.ID, Version: v.Version, Draft: domain.Draft{Medicines: decided}, Fields: []string{"medicines"},
		})
		if err != nil {
			t.Fatal(err)
		}
		v, err = h.Resubmit(t.Context(), by(specialist()), app.Step{ID: v.ID, Version: v.Version})
		if err != nil || !slices.Equal(availabilities(v.Medicines), []domain.Availability{domain.MedicineMissed, domain.MedicineMissed}) {
			t.Errorf("sent again with %q, %v", availabilities(v.Medicines), err)
		}
	})
}
