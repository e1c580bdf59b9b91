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
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// family is a doctor of a centre that directory knows; patients go back there.
func family() authn.Identity {
	return authn.Identity{Subject: "0192f0c1-2b3c-7d4e-8f50-617283940a5b", Name: "黄医生", Organization: centre, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}}
}

func specialist() authn.Identity {
	return authn.Identity{Subject: "specialist-1", Name: "陆医生", Organization: hospital, Department: "0304", County: county, Roles: []string{"SPECIALIST"}}
}

// admitted is an emergency of a stroke that is in the ward.
func admitted(t *testing.T, h house) app.View {
	t.Helper()
	in := creation(id.New())
	in.Draft.Kind, in.Draft.Urgency = domain.KindEmergency, domain.UrgencyEmergency
	v, err := h.Create(t.Context(), by(family()), in)
	if err != nil {
		t.Fatal(err)
	}
	v = h.do(t, desk(), v, domain.ActionArrive)
	return h.step(t, desk(), v, domain.ActionAdmit, domain.Carry{Ward: "内科", Bed: "1"})
}

func (h house) step(t *testing.T, caller authn.Identity, v app.View, action domain.Action, carry domain.Carry) app.View {
	t.Helper()
	out, err := h.Transition(t.Context(), by(caller), app.Step{ID: v.ID, Version: v.Version, Action: action, Carry: carry})
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return out
}

func (h house) conclude(t *testing.T, v app.View, outcome string) app.View {
	t.Helper()
	return h.step(t, specialist(), v, domain.ActionConclude, domain.Carry{Outcome: outcome, Reply: domain.Reply{
		Diagnosis: "脑梗死恢复期", Treatment: "溶栓", NextSteps: "康复训练", Findings: "CT",
		Medications: []domain.Medication{{Name: "阿司匹林肠溶片", Specification: "100mg", Dosage: "qd"}},
	}})
}

// candidates are all of the hospital.
func (h house) candidates(t *testing.T) []app.CandidateView {
	t.Helper()
	all, next, err := h.ListCandidates(t.Context(), desk(), app.CandidateFilter{State: "ALL"})
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	return all
}

// only is the one candidate that there is, in a state.
func (h house) only(t *testing.T, state domain.CandidateState) app.CandidateView {
	t.Helper()
	all := h.candidates(t)
	if len(all) != 1 || all[0].State != state {
		t.Fatalf("there are %d candidates, %v; want one that is %s", len(all), all, state)
	}
	return all[0]
}

// told counts the facts of a name.
func (h house) told(t *testing.T, event string) (n int) {
	t.Helper()
	for _, s := range h.facts(t) {
		if strings.HasSuffix(s, "."+event) {
			n++
		}
	}
	return n
}

// encounter is the hospital's own record of the stay of an up-referral.
func encounter(v app.View) app.Encounter {
	return app.Encounter{
		County: county, FactID: id.New(), ID: id.New(), PatientID: v.PatientID, OrganizationID: hospital, DepartmentCode: "0303", Class: "IMP",
		HomeOrganizationID: centre, Codes: []string{"I63.9"}, Start: v.ArriveTime, End: v.UpdateTime, DischargeWay: "1",
	}
}

func (h house) closed(t *testing.T, e app.Encounter) {
	t.Helper()
	if err := h.EncounterClosed(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// back is a complete down-referral.
func back(patient string) app.Creation {
	return app.Creation{Submit: true, Draft: domain.Draft{
		Direction: domain.Down, Kind: domain.KindRehabilitation, Urgency: domain.UrgencyRoutine, PatientID: patient,
		Receiver: domain.Party{OrganizationID: centre}, Diagnoses: []domain.Diagnosis{{Code: "I63.9"}},
		Form:    domain.Form{Diagnosis: "脑梗死", Treatment: "溶栓", NextPlan: "康复"},
		Consent: domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"},
	}}
}

func TestAConclusionFindsWhoCouldGoDown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		c := h.only(t, domain.CandidateOpen)
		if c.ReferralID != v.ID || c.Number != v.Number || c.CentreID != centre || c.FamilyDoctor != family().Subject ||
			c.FamilyDoctorName != family().Name || c.OrganizationID != hospital || c.DepartmentCode != "0304" || c.Origin != domain.OriginConcluded ||
			!slices.Contains(c.Reasons, "DN-STR-01") || len(c.Medicines) != 1 || c.Medicines[0].Availability != domain.NotKnown ||
			!c.Start.Equal(v.ArriveTime) || !c.End.Equal(v.ConcludeTime) || !c.Due.Equal(v.ConcludeTime.AddDate(0, 0, 3)) {
			t.Errorf("it knows %+v of %s", c.Reasons, c.CentreID)
		}
		if h.told(t, "candidate_found") != 1 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}

func TestWhoCannotGoDownIsNoCandidate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, outcome := range []string{"DIED", "REFERRED_OUT", "WORSE", "UNCHANGED"} {
			h.conclude(t, admitted(t, h), outcome)
		}
		advice := creation(id.New())
		advice.Draft.Kind = domain.KindAdvice
		v, err := h.Create(t.Context(), by(family()), advice)
		if err != nil {
			t.Fatal(err)
		}
		h.step(t, specialist(), v, domain.ActionAnswer, domain.Carry{Reply: domain.Reply{Answer: "可在当地处理"}})
		if all := h.candidates(t); len(all) > 0 {
			t.Errorf("there are %d", len(all))
		}
	})
}

func TestOneStayHasOneCandidateWhicheverSourceComesFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := admitted(t, h)
		h.clock.Advance(48 * time.Hour)
		e := encounter(v)
		e.End = h.clock.Now()
		h.closed(t, e)
		c := h.only(t, domain.CandidateOpen)
		if c.Origin != domain.OriginDischarged || c.CentreID != centre || c.FamilyDoctor != "" || c.Patient.Name == "" {
			t.Errorf("of the discharge: %s", c.Origin)
		}
		h.clock.Advance(time.Hour)
		h.conclude(t, v, "IMPROVED")
		if c = h.only(t, domain.CandidateOpen); c.ReferralID != v.ID || c.EncounterID != e.ID || c.FamilyDoctor != family().Subject || c.DepartmentCode != "0304" {
			t.Error("the conclusion is not merged")
		}
		// Told again, and told by another fact: nothing new.
		h.closed(t, e)
		e.FactID = id.New()
		h.closed(t, e)
		if again := h.only(t, domain.CandidateOpen); again.Version != c.Version || h.told(t, "candidate_found") != 1 {
			t.Errorf("version %d after %d, facts %q", again.Version, c.Version, h.facts(t))
		}
	})
}

func TestTheOtherWayRoundAConclusionTakesTheDischarge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		e := encounter(v)
		h.closed(t, e)
		if c := h.only(t, domain.CandidateOpen); c.EncounterID != e.ID || h.told(t, "candidate_found") != 1 {
			t.Errorf("facts %q", h.facts(t))
		}
		// What the county judged otherwise is not found by the discharge.
		worse := h.conclude(t, admitted(t, h), "WORSE")
		h.closed(t, encounter(worse))
		h.only(t, domain.CandidateOpen)
	})
}

func TestADownReferralClosesTheCandidateAndItsEndOpensItAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		h.clock.Advance(time.Hour)
		down, err := h.Create(t.Context(), by(specialist()), back(v.PatientID))
		if err != nil {
			t.Fatal(err)
		}
		if c := h.only(t, domain.CandidateClosed); c.DownReferral != down.ID {
			t.Errorf("closed by %s", c.DownReferral)
		}
		h.do(t, family(), down, domain.ActionDecline)
		if c := h.only(t, domain.CandidateOpen); c.DownReferral != "" || h.told(t, "candidate_found") != 2 {
			t.Errorf("declined: %q", h.facts(t))
		}
	})
}

func TestWhoWasSentDownBeforeIsFoundAnswered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := admitted(t, h)
		h.clock.Advance(time.Hour)
		down, err := h.Create(t.Context(), by(specialist()), back(v.PatientID))
		if err != nil {
			t.Fatal(err)
		}
		h.conclude(t, v, "IMPROVED")
		if c := h.only(t, domain.CandidateClosed); c.DownReferral != down.ID || h.told(t, "candidate_found") != 0 {
			t.Errorf("facts %q", h.facts(t))
		}
		h.do(t, specialist(), down, domain.ActionCancel)
		if h.only(t, domain.CandidateOpen); h.told(t, "candidate_found") != 1 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}

func TestReferringMakesOneDraftWithAllThatIsKnown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.medicines = shelf()
		if err := h.RefreshFormularies(t.Context()); err != nil {
			t.Fatal(err)
		}
		v := h.conclude(t, admitted(t, h), "IMPROVED")
		c := h.only(t, domain.CandidateOpen)
		if c.Medicines[0].Availability != domain.Orderable {
			t.Errorf("the centre's stock is %s", c.Medicines[0].Availability)
		}
		draft, err := h.ReferCandidate(t.Context(), by(specialist()), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		f := draft.Form
		if draft.State != domain.StateDraft || draft.Direction != domain.Down || draft.Kind != domain.KindRehabilitation || draft.ReplyTo != v.ID ||
			draft.LinkKind != domain.LinkAnswers || draft.Receiver.OrganizationID != centre || draft.FamilyDoctor != family().Subject ||
			f.Diagnosis != "脑梗死恢复期" || f.Treatment != "溶栓" || f.NextPlan != "康复训练" || len(draft.Diagnoses) != 1 ||
			draft.Medicines[0].Availability != domain.Orderable || draft.Patient != v.Patient {
			t.Errorf("the draft is %s to %s", draft.Kind, draft.Receiver.OrganizationID)
		}
		again, err := h.ReferCandidate(t.Context(), by(desk()), c.ID)
		if err != nil || again.ID != draft.ID || h.only(t, domain.CandidateReferred).DownReferral != draft.ID {
			t.Errorf("again: %s, %v", again.ID, err)
		}
		consent := domain.Consent{GivenBy: "家属", Relation: "2", Method: "SIGNED"}
		if _, err := h.Submit(t.Context(), by(specialist()), app.Submission{ID: draft.ID, Version: draft.Version, Consent: &consent}); err != nil {
			t.Fatal(err)
		}
		h.only(t, domain.CandidateClosed)
		_, err = h.ReferCandidate(t.Context(), by(specialist()), c.ID)
		expectReason(t, err, errs.ReasonActionNotAvailable)
	})
}

func TestADraftThatIsCancelledPutsTheCandidateBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.conclude(t, admitted(t, h), "IMPROVED")
		draft, err := h.ReferCandidate(t.Context(), by(specialist()), h.only(t, domain.CandidateOpen).ID)
		if err != nil {
			t.Fatal(err)
		}
		h.do(t, specialist(), draft, domain.ActionCancel)
		if h.only(t, domain.CandidateOpen); h.told(t, "candidate_found") != 1 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}

func TestADismissalNeedsAReasonAndIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.conclude(t, admitted(t, h), "IMPROVED")
		c := h.only(t, domain.CandidateOpen)
		try := func(caller authn.Identity, request string, d domain.Dismissal) (app.CandidateView, error) {
			return h.DismissCandidate(t.Context(), command(caller, request, d.Reason), app.Dismissal{ID: c.ID, Dismissal: d})
		}
		_, err := try(specialist(), "", domain.Dismissal{Version: c.Version})
		if got := fieldNames(refused(t, err, errs.ReasonFieldRequired)); !slices.Equal(got, []string{"reasonCode FIELD_REQUIRED"}) {
			t.Errorf("fields %q", got)
		}
		_, err = try(specialist(), "", domain.Dismissal{Reason: "DIED"})
		expectReason(t, err, errs.ReasonVersionRequired)
		_, err = try(specialist(), "", domain.Dismissal{Version: c.Version + 1, Reason: "DIED"})
		expectReason(t, err, errs.ReasonStaleVersion)
		other := specialist()
		other.Department = "0303"
		_, err = try(other, "", domain.Dismissal{Version: c.Version, Reason: "DIED"})
		expectReason(t, err, errs.ReasonNotFound)
		for range 2 {
			got, err := try(specialist(), "r1", domain.Dismissal{Version: c.Version, Reason: "NO_MEDICINE"})
			if err != nil || got.State != domain.CandidateDismissed || got.ReasonCode != "NO_MEDICINE" {
				t.Errorf("dismissed: %v, %v", got.State, err)
			}
		}
		_, err = try(specialist(), "", domain.Dismissal{Version: c.Version + 1, Reason: "DIED"})
		expectReason(t, err, errs.ReasonActionNotAvailable)
		if h.told(t, "candidate_dismissed") != 1 {
			t.Errorf("facts %q", h.facts(t))
		}
	})
}

func TestADepartmentSeesItsOwnAndTheDeskAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.conclude(t, admitted(t, h), "IMPROVED")
		c := h.only(t, domain.CandidateOpen)
		elsewhere := specialist()
		elsewhere.Department = "0303"
		nowhere := specialist()
		nowhere.Department = ""
		outside := desk()
		outside.Organization = second
		for name, x := range map[string]struct {
			caller authn.Identity
			filter app.CandidateFilter
			want   int
		}{
			"the department":           {specialist(), app.CandidateFilter{}, 1},
			"another department":       {elsewhere, app.CandidateFilter{}, 0},
			"who belongs to none":      {nowhere, app.CandidateFilter{}, 1},
			"the desk, of one":         {desk(), app.CandidateFilter{Department: "0303"}, 0},
			"asked for another's":      {specialist(), app.CandidateFilter{Department: "0303"}, 0},
			"another hospital":         {outside, app.CandidateFilter{}, 0},
			"those that are dismissed": {desk(), app.CandidateFilter{State: "DISMISSED"}, 0},
		} {
			got, _, err := h.ListCandidates(t.Context(), x.caller, x.filter)
			if err != nil || len(got) != x.want {
				t.Errorf("%s: %d, %v", name, len(got), err)
			}
		}
		if _, err := h.Candidate(t.Context(), specialist(), c.ID); err != nil {
			t.Error(err)
		}
		for _, stranger := range []authn.Identity{elsewhere, outside, family()} {
			_, err := h.Candidate(t.Context(), stranger, c.ID)
			expectReason(t, err, errs.ReasonNotFound)
			_, err = h.ReferCandidate(t.Context(), by(stranger), c.ID)
			expectReason(t, err, errs.ReasonNotFound)
		}
		_, _, err := h.ListCandidates(t.Context(), desk(), app.CandidateFilter{PageToken: "?"})
		expectReason(t, err, errs.ReasonFieldInvalid)
	})
}
