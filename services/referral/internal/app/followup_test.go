package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// dues are the days of a plan's visits.
func dues(p domain.FollowUpPlan) (out []string) {
	for _, v := range p.Visits {
		out = append(out, v.Due)
	}
	return out
}

func found(result string) domain.Findings { return domain.Findings{Result: result} }

// escalate sends the patient up again, as an emergency.
func (h house) escalate(t *testing.T, v app.View) app.View {
	t.Helper()
	out, err := h.Escalate(t.Context(), by(family()), app.Escalation{ID: v.ID, Version: v.Version, Draft: green("").Draft, Note: "加重"})
	if err != nil {
		t.Fatalf("escalate: %v", err)
	}
	return out
}

func TestAFollowUpBeginsWithThePlanThatTheCountyProposed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, c := range []struct {
			wait           int // days until the patient comes
			proposed, want []string
		}{
			{0, []string{"2026-03-25", "2026-04-08"}, []string{"2026-03-25", "2026-04-08"}},
			// Days that passed move, and the others as far.
			{20, []string{"2026-03-21", "2026-04-04", "2026-04-21"}, []string{"2026-04-07", "2026-04-21", "2026-05-08"}},
		} {
			in := back(patient())
			in.Draft.Plan = plan(c.proposed...)
			sent := h.make(t, specialist(), in)
			h.clock.Advance(days(c.wait))
			v := h.arrive(t, family(), h.accept(t, family(), sent))
			if h.limit(t, v.ID, domain.StepFirstContact) != "OPEN" || len(h.workOf(t, v)) > 0 {
				t.Error("a plan that is only proposed makes work, or no first contact is awaited")
			}
			_, err := h.Transition(t.Context(), by(family()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionBeginFollowUp})
			expectFields(t, err, "familyDoctor FIELD_REQUIRED")
			v = h.step(t, family(), v, domain.ActionBeginFollowUp, domain.Carry{FamilyDoctor: family().Subject})
			expectList(t, "plan", dues(v.Plan), c.want)
			expectList(t, "work", h.workOf(t, v), c.want)
			expectList(t, "plan as the county reads it", dues(h.now(t, specialist(), v.ID).Plan), c.want)
			if v.State != domain.StateFollowUp || v.FamilyDoctor != family().Subject || h.limit(t, v.ID, domain.StepVisit) != "OPEN" {
				t.Errorf("%s of %s", v.State, v.FamilyDoctor)
			}
		}
	})
}

// workOf are the days on which a patient's visits are open.
func (h house) workOf(t *testing.T, v app.View) (out []string) {
	t.Helper()
	list, err := h.ListFollowUps(t.Context(), app.FollowUpFilter{Caller: family(), Due: "all", Patient: v.PatientID})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list.FollowUps {
		out = append(out, f.Due)
	}
	return out
}

func TestAVillageDoctorSeesWhatIsDueInTheVillage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.village = "clinic"
		of := func(organization, role string) authn.Identity {
			return authn.Identity{Subject: "doctor-of-" + organization, Organization: organization, County: county, Roles: []string{role}}
		}
		in := back(patient())
		in.Draft.Plan = plan("2026-03-25", "2026-04-08")
		sent := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), in)))
		v := h.step(t, family(), sent, domain.ActionBeginFollowUp, domain.Carry{FamilyDoctor: family().Subject})
		list := func(who authn.Identity) app.FollowUpList {
			t.Helper()
			out, err := h.ListFollowUps(t.Context(), app.FollowUpFilter{Caller: who, Due: "all", Patient: v.PatientID})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		h.clock.Advance(days(8))
		here := list(of("clinic", "VILLAGE_DOCTOR"))
		if len(here.FollowUps) != 2 || !here.FollowUps[0].Theirs || here.FollowUps[0].Referral.Patient.Name != "莫某" || here.Due+here.Overdue != 1 {
			t.Fatalf("the village doctor sees %d, %d due and %d overdue", len(here.FollowUps), here.Due, here.Overdue)
		}
		if n := h.villageListed(t, v); n != 1 {
			t.Errorf("%d entries of the audit say that the village was shown the patient", n)
		}
		if own := list(family()); len(own.FollowUps) != 2 || own.FollowUps[0].Theirs {
			t.Errorf("the centre sees %+v", own.FollowUps)
		}
		for village, want := range map[string]int{"clinic": 2, "another": 0} {
			got, err := h.ListFollowUps(t.Context(), app.FollowUpFilter{Caller: family(), Due: "all", Patient: v.PatientID, VillageClinicID: village})
			if err != nil || len(got.FollowUps) != want || got.Due+got.Overdue != want/2 || want > 0 && got.FollowUps[0].VillageClinicID != "clinic" {
				t.Errorf("of the village %s the centre sees %d, %d due, %v", village, len(got.FollowUps), got.Due+got.Overdue, err)
			}
		}
		for _, who := range []authn.Identity{of("other", "VILLAGE_DOCTOR"), of("clinic", "TOWNSHIP_DOCTOR"), of("", "VILLAGE_DOCTOR")} {
			if got := list(who); len(got.FollowUps)+got.Due+got.Overdue != 0 {
				t.Errorf("%s %v sees %d", who.Organization, who.Roles, len(got.FollowUps))
			}
		}
		// Seeing is all: the referral itself stays the two sides'.
		_, err := h.Get(t.Context(), of("clinic", "VILLAGE_DOCTOR"), v.ID)
		expectReason(t, err, errs.ReasonNotFound)
		_, err = h.Transition(t.Context(), by(of("clinic", "VILLAGE_DOCTOR")), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionRecordVisit, Carry: domain.Carry{Findings: found("STABLE")}})
		expectReason(t, err, errs.ReasonNotFound)
	})
}

// villageListed counts the entries of the audit that say that a clinic was shown follow-ups of a referral.
func (h house) villageListed(t *testing.T, v app.View) (n int) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM audit_entry WHERE action = 'referral.village_list' AND object_id = $1 AND patient_id = $2
			AND organization_id = 'clinic'`, v.ID, v.PatientID).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPlanThatCannotBeFollowedIsNotProposed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := back(patient())
		in.Draft.Plan = plan("2026-03-25", "2026-03-17")
		in.Draft.Plan.Visits[0].Mode = "LETTER"
		_, err := h.Create(t.Context(), by(specialist()), in)
		expectFields(t, err, "plan.visits[0].mode FIELD_UNKNOWN", "plan.visits[1].due FIELD_OUT_OF_RANGE")
		in.Draft.Plan = plan("2026-03-20", "2026-03-25")
		in.Draft.Plan.Visits[0].Done = true // nobody can have been there yet
		in.Submit = false
		v := h.make(t, specialist(), in)
		expectList(t, "visits", dues(v.Plan), []string{"2026-03-25"})
		edit := app.Edition{ID: v.ID, Version: v.Version, Draft: domain.Draft{Plan: plan("soon")}, Fields: []string{"plan"}}
		_, err = h.Edit(t.Context(), by(specialist()), edit)
		expectFields(t, err, "plan.visits[0].due FIELD_INVALID")
		up := creation(patient())
		up.Draft.Plan = plan("2026-03-25")
		_, err = h.Create(t.Context(), by(family()), up)
		expectFields(t, err, "plan FIELD_COMBINATION")
	})
}

func TestWithoutAnyPlanNoFollowUpBegins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), back(patient()))))
		step := app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionBeginFollowUp, Carry: domain.Carry{FamilyDoctor: family().Subject}}
		_, err := h.Transition(t.Context(), by(family()), step)
		expectFields(t, err, "plan.condition FIELD_REQUIRED", "plan.visits FIELD_REQUIRED")
	})
}

func TestVisitsAreRecordedOnceAndThePlanGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.followed(t, patient(), "2026-03-20", "2026-04-03")
		visit := domain.Carry{Visit: 1, Findings: domain.Findings{Result: "STABLE", Values: []domain.Measured{{Name: "sbp", Number: 138, Unit: "mm[Hg]"}}, Note: "好"}}
		v = h.step(t, family(), v, domain.ActionRecordVisit, visit)
		if done := v.Plan.Visits[0]; !done.Done || done.DoneBy.AccountID != family().Subject || done.Findings.Values[0].Number != 138 || !done.DoneTime.Equal(h.clock.Now()) {
			t.Errorf("recorded as %d, %v", done.Number, done.Done)
		}
		try := func(carry domain.Carry) error {
			_, err := h.Transition(t.Context(), by(family()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionRecordVisit, Carry: carry})
			return err
		}
		expectFields(t, try(visit), "visit FIELD_COMBINATION")
		expectFields(t, try(domain.Carry{Visit: 9, Findings: found("STABLE")}), "visit FIELD_UNKNOWN")
		expectFields(t, try(domain.Carry{Visit: 2}), "findings.result FIELD_REQUIRED")
		outside := refused(t, try(domain.Carry{Visit: 2, Findings: domain.Findings{Result: "STABLE", Values: []domain.Measured{{Name: "sbp", Number: 1380, Unit: "mm[Hg]"}}}}), errs.ReasonFieldOutOfRange).Fields
		if len(outside) != 1 || outside[0].Meta["min"] != "40" || outside[0].Meta["max"] != "300" || outside[0].Meta["unit"] != "mm[Hg]" {
			t.Errorf("the range is not told: %v", outside)
		}

		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Findings: found("WORSE")})
		if extra := v.Plan.Visits[2]; !extra.Done || extra.Number != 3 || extra.Due != "" {
			t.Errorf("a visit that nobody had planned is %d, due %q", extra.Number, extra.Due)
		}
		revised := plan("2026-03-27", "2026-04-10", "2026-05-08")
		v = h.step(t, family(), v, domain.ActionRevisePlan, domain.Carry{Plan: &revised, FamilyDoctor: doctor().Subject})
		expectList(t, "done and to come", dues(v.Plan), []string{"2026-03-20", "", "2026-03-27", "2026-04-10", "2026-05-08"})
		if v.FamilyDoctor != doctor().Subject || !v.DueTime.Equal(midnight(t, h, "2026-03-27")) {
			t.Errorf("of %s, due %v", v.FamilyDoctor, v.DueTime)
		}
		var listed []string
		for _, f := range h.work(t, "all").FollowUps {
			listed = append(listed, f.Due+" "+f.FamilyDoctor)
		}
		expectList(t, "work list", listed, []string{
			"2026-03-27 " + doctor().Subject, "2026-04-10 " + doctor().Subject, "2026-05-08 " + doctor().Subject,
		})
	})
}

func midnight(t *testing.T, h house, day string) time.Time {
	t.Helper()
	cal, err := h.ports.Calendars.Calendar(t.Context(), county)
	if err != nil {
		t.Fatal(err)
	}
	w, ok := cal.Day(day)
	if !ok {
		t.Fatalf("%q is no day", day)
	}
	return w.To
}

func TestAfterTheLastVisitNothingIsAwaitedUntilItIsCompleted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.followed(t, patient(), "2026-03-20")
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("IMPROVED")})
		if v.State != domain.StateFollowUp || !v.DueTime.IsZero() || h.limit(t, v.ID, domain.StepVisit) != "STOPPED" {
			t.Errorf("%s, due %v", v.State, v.DueTime)
		}
		_, err := h.Transition(t.Context(), by(family()), app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionComplete, Carry: domain.Carry{Outcome: "WELL"}})
		expectFields(t, err, "outcomeCode FIELD_UNKNOWN")
		v = h.step(t, family(), v, domain.ActionComplete, domain.Carry{Outcome: "CURED"})
		if v.State != domain.StateClosed || v.Outcome != "CURED" || v.CloseTime.IsZero() || h.told(t, "completed") != 1 {
			t.Errorf("%s with %s", v.State, v.Outcome)
		}
	})
}

func TestWhatIsLeftOfAPlanIsOffTheListWhenTheFollowUpEnds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.followed(t, patient(), "2026-03-20", "2026-04-03")
		v = h.step(t, family(), v, domain.ActionRecordVisit, domain.Carry{Visit: 1, Findings: found("STABLE")})
		h.step(t, family(), v, domain.ActionComplete, domain.Carry{Outcome: "IMPROVED"})
		if open, done := h.work(t, "all").FollowUps, h.work(t, "done").FollowUps; len(open) != 0 || len(done) != 1 || done[0].Result != "STABLE" {
			t.Errorf("%d open, %d done", len(open), len(done))
		}
	})
}

func TestAPatientWhoGotWorseGoesUpAgainByALinkedReferral(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.followed(t, patient(), "2026-03-20")
		cmd := command(family(), "r1", "a")
		in := app.Escalation{ID: down.ID, Version: down.Version, Draft: green("").Draft, Note: "加重"}
		closed, err := h.Escalate(t.Context(), cmd, in)
		if err != nil {
			t.Fatal(err)
		}
		up := h.now(t, desk(), closed.Escalated)
		if closed.State != domain.StateClosed || up.State != domain.StateSubmitted || up.PatientID != down.PatientID || up.ReplyTo != down.ID ||
			up.LinkKind != domain.LinkWorsened || up.Originator.OrganizationID != centre || up.Number == "" {
			t.Errorf("%s, and %s linked to %s", closed.State, up.State, up.ReplyTo)
		}
		if again, err := h.Escalate(t.Context(), cmd, in); err != nil || again.Escalated != up.ID || h.told(t, "submitted") != 2 {
			t.Errorf("the same request again: %s, %v", again.Escalated, err)
		}
		if len(h.work(t, "all").FollowUps) != 0 || h.limit(t, down.ID, domain.StepVisit) != "STOPPED" || h.limit(t, up.ID, domain.StepAnswer) != "OPEN" {
			t.Error("visits are still awaited, or no answer")
		}
	})
}

// Both or neither: what stops the new referral leaves the follow-up open.
func TestAnEscalationThatCannotBeSentLeavesTheFollowUpOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.followed(t, patient(), "2026-03-20")
		open := h.make(t, family(), green(down.PatientID))
		before := len(h.facts(t))
		in := app.Escalation{ID: down.ID, Version: down.Version, Draft: green("").Draft}
		_, err := h.Escalate(t.Context(), by(family()), in)
		if e := refused(t, err, errs.ReasonOpenReferralExists); e.Meta["referralId"] != open.ID || e.Meta["number"] != open.Number.Printed() {
			t.Errorf("it names %v", e.Meta)
		}
		in.Draft.Form.PresentIllness, in.Draft.Diagnoses, in.Draft.Receiver.DepartmentCode = "", nil, "99"
		_, err = h.Escalate(t.Context(), by(family()), in)
		expectFields(t, err, "referral.diagnoses FIELD_REQUIRED", "referral.form.presentIllness FIELD_REQUIRED", "referral.receiver.departmentCode FIELD_UNKNOWN")
		in.Version--
		_, err = h.Escalate(t.Context(), by(family()), in)
		expectReason(t, err, errs.ReasonStaleVersion)
		_, err = h.Escalate(t.Context(), by(specialist()), in)
		expectReason(t, err, errs.ReasonRole)
		h.peers.patientsAway = errs.Unavailable("patientrecord", nil)
		in.Version, in.Draft = down.Version, green("").Draft
		_, err = h.Escalate(t.Context(), by(family()), in)
		expectReason(t, err, errs.ReasonPeerAway)

		if got := h.now(t, family(), down.ID); got.State != domain.StateFollowUp || got.Version != down.Version || got.Escalated != "" {
			t.Errorf("%s at %d", got.State, got.Version)
		}
		if len(h.facts(t)) != before || slices.Contains(h.timeline(t, family(), down.ID), "escalate") || len(h.work(t, "all").FollowUps) != 1 {
			t.Error("something of it was written")
		}
	})
}

// A family doctor stands in the clear with the referral, its tasks and its facts: it is an account, never words.
func TestAFamilyDoctorIsNamedByTheAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		for _, name := range []string{"黄医生", "13800138000", strings.Repeat("a", 36), family().Subject + " "} {
			in := back(patient())
			in.Draft.FamilyDoctor = name
			_, err := h.Create(t.Context(), by(specialist()), in)
			expectFields(t, err, "familyDoctor FIELD_INVALID")
			v := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), back(patient()))))
			p := plan("2026-04-03")
			step := app.Step{ID: v.ID, Version: v.Version, Action: domain.ActionBeginFollowUp, Carry: domain.Carry{Plan: &p, FamilyDoctor: name}}
			_, err = h.Transition(t.Context(), by(family()), step)
			expectFields(t, err, "familyDoctor FIELD_INVALID")
			v = h.step(t, family(), v, domain.ActionBeginFollowUp, domain.Carry{Plan: &p, FamilyDoctor: family().Subject})
			step.Action, step.Version = domain.ActionRevisePlan, v.Version
			_, err = h.Transition(t.Context(), by(family()), step)
			expectFields(t, err, "familyDoctor FIELD_INVALID")
		}
	})
}

// Advice and an examination treat nobody: with them the township would be rid of a patient who got worse.
func TestAPatientWhoGotWorseTravels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		down := h.followed(t, patient(), "2026-03-20")
		send := func(kind domain.Kind) error {
			in := creation("")
			in.Draft.Kind, in.Draft.ExamItems = kind, []domain.Diagnosis{{Display: "CT"}}
			_, err := h.Escalate(t.Context(), by(family()), app.Escalation{ID: down.ID, Version: down.Version, Draft: in.Draft})
			return err
		}
		expectFields(t, send(domain.KindAdvice), "referral.kind FIELD_COMBINATION")
		expectFields(t, send(domain.KindExam), "referral.kind FIELD_COMBINATION")
		expectFields(t, send(domain.KindChronic), "referral.kind FIELD_COMBINATION")
		expectFields(t, send(""), "referral.kind FIELD_REQUIRED")
		if got := h.now(t, family(), down.ID); got.State != domain.StateFollowUp {
			t.Errorf("the follow-up is %s", got.State)
		}
		for _, kind := range []domain.Kind{domain.KindOutpatient, domain.KindInpatient} {
			if err := send(kind); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			down = h.followed(t, patient(), "2026-03-20")
		}
		h.escalate(t, down)
	})
}
