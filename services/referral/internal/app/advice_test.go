package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// question is an ADVICE.
func question(patient string) app.Creation {
	in := creation(patient)
	in.Draft.Kind = domain.KindAdvice
	return in
}

func TestAQuestionIsAnsweredInWritingAndNobodyTravels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.make(t, family(), question(patient()))
		again := h.make(t, family(), question(v.PatientID)) // no guard: one may ask twice
		for _, action := range []domain.Action{domain.ActionAccept, domain.ActionArrive, domain.ActionConclude} {
			_, err := h.Transition(t.Context(), by(desk()), app.Step{ID: v.ID, Version: v.Version, Action: action})
			expectReason(t, err, errs.ReasonActionNotAvailable)
		}
		_, err := h.Transition(t.Context(), by(specialist()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionAnswer})
		expectFields(t, err, "answer FIELD_REQUIRED")
		v = h.step(t, specialist(), v, domain.ActionAnswer, domain.Carry{Reply: domain.Reply{Answer: "继续抗血小板，两周后复查"}})
		if v.State != domain.StateConcluded || h.now(t, family(), v.ID).Reply.Answer != "继续抗血小板，两周后复查" || h.told(t, "answered") != 1 {
			t.Errorf("%s: %q", v.State, h.facts(t))
		}
		for _, who := range []app.View{v, again} {
			r, err := h.Relation(t.Context(), county, who.PatientID, hospital)
			if err != nil || r.Level != "PACKAGE" {
				t.Errorf("in %s the county sees %s, %v", who.State, r.Level, err)
			}
		}
		if v = h.do(t, family(), v, domain.ActionAcknowledge); v.State != domain.StateClosed {
			t.Errorf("now %s", v.State)
		}
		if r, err := h.Relation(t.Context(), county, v.PatientID, hospital); err != nil || r.Level != "PACKAGE" {
			t.Errorf("closed, the county sees %s, %v", r.Level, err)
		}
	})
}

func TestAConvertedQuestionKeepsItsTextAndIsLinked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := question(patient())
		in.Draft.OriginatorPhone = "0773-1"
		v := h.make(t, family(), in)
		v = h.step(t, specialist(), v, domain.ActionAnswer, domain.Carry{Reply: domain.Reply{Answer: "请上转"}})
		cmd := command(family(), "r1", "a")
		made, err := h.Convert(t.Context(), cmd, v.ID, domain.KindInpatient)
		if err != nil {
			t.Fatal(err)
		}
		if made.State != domain.StateDraft || made.Kind != domain.KindInpatient || made.ReplyTo != v.ID || made.LinkKind != domain.LinkConverted ||
			made.Form != v.Form || made.Consent != v.Consent || made.Receiver != v.Receiver || made.Diagnoses[0] != v.Diagnoses[0] ||
			made.OriginatorPhone != "0773-1" || made.Patient != v.Patient || made.Urgency != v.Urgency {
			t.Errorf("the draft is not as the question was: %s, %s", made.Kind, made.LinkKind)
		}
		if again, err := h.Convert(t.Context(), cmd, v.ID, domain.KindInpatient); err != nil || again.ID != made.ID {
			t.Errorf("the same request again: %s, %v", again.ID, err)
		}
		if got := h.now(t, family(), v.ID); got.Version != v.Version || got.State != v.State {
			t.Errorf("the question is %s at %d", got.State, got.Version)
		}
		// A draft concerns its originator alone.
		for who, want := range map[string]int{centre: 1, hospital: 0} {
			caller := family()
			if who == hospital {
				caller = specialist()
			}
			if links, err := h.Links(t.Context(), by(caller), v.ID); err != nil || len(links) != want {
				t.Errorf("%s sees %d links, %v", who, len(links), err)
			}
		}
		sent, err := h.Submit(t.Context(), by(family()), app.Submission{ID: made.ID, Version: made.Version})
		if err != nil || sent.State != domain.StateSubmitted {
			t.Fatalf("%s, %v", sent.State, err)
		}
		links, err := h.Links(t.Context(), by(specialist()), v.ID)
		if err != nil || len(links) != 1 || links[0].Kind != "CONVERTED_TO" || links[0].Referral.ID != made.ID {
			t.Errorf("links %+v, %v", links, err)
		}
	})
}

func TestAConversionFitsTheUrgencyToTheKindAndIsRefusedWhereNoneIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := question(patient())
		in.Draft.Urgency = domain.UrgencyEmergency
		urgent := h.make(t, family(), in)
		for kind, want := range map[domain.Kind]domain.Urgency{domain.KindOutpatient: "", domain.KindEmergency: domain.UrgencyEmergency} {
			if made, err := h.Convert(t.Context(), by(family()), urgent.ID, kind); err != nil || made.Urgency != want {
				t.Errorf("%s is %q, %v", kind, made.Urgency, err)
			}
		}
		routine := h.make(t, family(), question(patient()))
		if made, err := h.Convert(t.Context(), by(family()), routine.ID, domain.KindEmergency); err != nil || made.Urgency != domain.UrgencyEmergency {
			t.Errorf("an emergency is %q, %v", made.Urgency, err)
		}
		for kind, want := range map[domain.Kind]string{
			domain.KindAdvice: "kind FIELD_COMBINATION", domain.KindChronic: "kind FIELD_COMBINATION", "": "kind FIELD_REQUIRED",
		} {
			_, err := h.Convert(t.Context(), by(family()), urgent.ID, kind)
			expectFields(t, err, want)
		}
		_, err := h.Convert(t.Context(), by(specialist()), urgent.ID, domain.KindExam)
		expectReason(t, err, errs.ReasonRole)
		_, err = h.Convert(t.Context(), by(stranger()), urgent.ID, domain.KindExam)
		expectReason(t, err, errs.ReasonNotFound)
		other := h.make(t, family(), creation(patient()))
		_, err = h.Convert(t.Context(), by(family()), other.ID, domain.KindExam)
		expectReason(t, err, errs.ReasonActionNotAvailable)
		h.do(t, family(), urgent, domain.ActionCancel)
		_, err = h.Convert(t.Context(), by(family()), urgent.ID, domain.KindExam)
		expectReason(t, err, errs.ReasonActionNotAvailable)
	})
}
