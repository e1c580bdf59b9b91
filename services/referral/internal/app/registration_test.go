package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// registration is the patient at the desk of the hospital's own system, now.
func registration(h house, patient, department string) app.Encounter {
	return app.Encounter{
		County: county, FactID: id.New(), ID: id.New(), PatientID: patient, OrganizationID: hospital, DepartmentCode: department, Class: "AMB",
		Start: h.clock.Now(), Version: 1,
	}
}

func (h house) registered(t *testing.T, e app.Encounter) {
	t.Helper()
	if err := h.Registered(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func TestARegistrationMakesTheArrivalOnceAndPeopleMayUndoIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := send(t, h.Service, "patient-1", domain.UrgencyRoutine)
		h.registered(t, registration(h, "patient-1", ""))
		if got := h.now(t, desk(), v.ID); got.State != domain.StateSubmitted {
			t.Fatalf("one that is not answered is %s", got.State)
		}
		v = h.accept(t, desk(), v)
		e := registration(h, "patient-1", "0304")
		old := e
		old.ID, old.Start = id.New(), v.SubmitTime.Add(-time.Hour)
		h.registered(t, old)
		if got := h.now(t, desk(), v.ID); got.State != domain.StateAccepted {
			t.Fatalf("a registration before it was sent made it %s", got.State)
		}
		h.registered(t, e)
		v = h.now(t, desk(), v.ID)
		history, err := h.Reader.History(t.Context(), county, v.ID)
		if err != nil {
			t.Fatal(err)
		}
		last := history[len(history)-1]
		if v.State != domain.StateArrived || last.By.AccountID != app.Self || last.By.OrganizationID != hospital || last.Note != domain.ByRegistration {
			t.Errorf("%s by %+v for %q", v.State, last.By, last.Note)
		}
		h.registered(t, e)
		v = h.do(t, desk(), v, domain.ActionUndoArrive)
		h.registered(t, next(e, func(e *app.Encounter) { e.DepartmentCode = "03" }))
		if got := h.now(t, desk(), v.ID); got.State != domain.StateAccepted {
			t.Errorf("the same registration again undid the undoing: %s", got.State)
		}
	})
}

func TestARegistrationThatIsNobodysOrTwosIsLeftToTheDesk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.accept(t, desk(), send(t, h.Service, "patient-1", domain.UrgencyRoutine))
		elsewhere := registration(h, "patient-1", "")
		elsewhere.OrganizationID = centre
		other, late := registration(h, "patient-2", ""), registration(h, "patient-1", "")
		late.Start = h.clock.Now().Add(-72 * time.Hour)
		for _, e := range []app.Encounter{elsewhere, other, late} {
			h.registered(t, e)
		}
		if got := h.now(t, desk(), v.ID); got.State != domain.StateAccepted {
			t.Errorf("%s", got.State)
		}
	})
}

// resident is a registration of somebody who lives with the centre.
func resident(h house, patient string) app.Encounter {
	e := registration(h, patient, "0304")
	e.HomeOrganizationID = centre
	return e
}

func (h house) offered(t *testing.T) []string {
	t.Helper()
	page, err := h.ListRegistrations(t.Context(), desk(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range page.Open {
		if r.Patient.Name == "" {
			t.Errorf("registration %s does not say of whom", r.ID)
		}
		out = append(out, r.ID)
	}
	return out
}

func TestAResidentWithoutAReferralIsOfferedToTheDesk(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := resident(h, "patient-1")
		homeless, own, old := resident(h, "patient-2"), resident(h, "patient-3"), resident(h, "patient-4")
		homeless.HomeOrganizationID, own.OrganizationID = "", centre
		old.Start = h.clock.Now().Add(-72 * time.Hour)
		for _, one := range []app.Encounter{e, e, homeless, own, old} {
			h.registered(t, one)
		}
		if got := h.offered(t); len(got) != 1 || got[0] != e.ID {
			t.Fatalf("offered %v, want %s", got, e.ID)
		}
		if page, err := h.ListRegistrations(t.Context(), family(), "", 0); err != nil || len(page.Open) != 0 {
			t.Errorf("the centre is shown %v, %v", page.Open, err)
		}
		if _, err := h.Registration(t.Context(), family(), e.ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("the centre reads it: %v", err)
		}
		moved := next(e, func(e *app.Encounter) { e.DepartmentCode = "05" })
		h.registered(t, moved)
		h.registered(t, e)
		if r, err := h.Registration(t.Context(), desk(), e.ID); err != nil || r.DepartmentCode != "05" || r.State != domain.RegistrationOpen {
			t.Errorf("moved: %+v, %v", r, err)
		}
		in := app.Recording{Action: domain.ActionRecordArrival, Draft: creation("patient-1").Draft, Reason: "SELF"}
		in.Draft.Originator = domain.Party{OrganizationID: centre}
		v, err := h.Record(t.Context(), by(desk()), in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Registration(t.Context(), desk(), e.ID)
		if err != nil || r.State != domain.RegistrationRecorded || r.ReferralID != v.ID || len(h.offered(t)) != 0 {
			t.Errorf("recorded: %+v, %v", r, err)
		}
		h.registered(t, resident(h, "patient-1"))
		if got := h.offered(t); len(got) != 0 {
			t.Errorf("a visit of the stay that is under way is offered: %v", got)
		}
	})
}

func TestTheDeskDismissesARegistrationForAReason(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e := resident(h, "patient-1")
		h.registered(t, e)
		cmd := by(desk())
		cmd.Method, cmd.RequestID, cmd.BodyHash = "DismissRegistration", id.New(), []byte(e.ID)
		_, err := h.DismissRegistration(t.Context(), cmd, e.ID, "", "")
		expectReason(t, err, errs.ReasonFieldRequired)
		_, err = h.DismissRegistration(t.Context(), by(desk()), e.ID, "OTHER", "")
		expectReason(t, err, errs.ReasonFieldRequired)
		if _, err := h.DismissRegistration(t.Context(), by(family()), e.ID, "NOT_SENT", ""); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("another organisation: %v", err)
		}
		for range 2 {
			r, err := h.DismissRegistration(t.Context(), cmd, e.ID, "OTHER", "陪同就诊")
			if err != nil || r.State != domain.RegistrationDismissed || r.Note != "陪同就诊" {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if _, err := h.DismissRegistration(t.Context(), by(desk()), e.ID, "NOT_SENT", ""); errs.KindOf(err) != errs.KindWrongState {
			t.Errorf("again: %v", err)
		}
		h.registered(t, next(e, func(e *app.Encounter) { e.DepartmentCode = "05" }))
		if got := h.offered(t); len(got) != 0 {
			t.Errorf("offered again: %v", got)
		}
	})
}

func TestARegistrationThatNeverWasIsWithdrawn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		e, late := resident(h, "patient-1"), resident(h, "patient-2")
		h.registered(t, e)
		for _, one := range []app.Encounter{e, late} {
			if err := h.EncounterCancelled(t.Context(), next(one, func(*app.Encounter) {})); err != nil {
				t.Fatal(err)
			}
		}
		h.registered(t, late)
		if got := h.offered(t); len(got) != 0 {
			t.Errorf("offered %v", got)
		}
	})
}

func TestArrivalsThatRegistrationsMadeAreListedUntilTheyAreUndone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := h.accept(t, desk(), send(t, h.Service, "patient-1", domain.UrgencyRoutine))
		byHand := h.arrive(t, desk(), h.accept(t, desk(), send(t, h.Service, "patient-2", domain.UrgencyRoutine)))
		h.registered(t, registration(h, "patient-1", ""))
		arrivals := func() []app.View {
			t.Helper()
			page, err := h.ListRegistrations(t.Context(), desk(), "", 0)
			if err != nil {
				t.Fatal(err)
			}
			return page.Arrivals
		}
		if got := arrivals(); len(got) != 1 || got[0].ID != v.ID {
			t.Fatalf("%v, want %s and not %s", got, v.ID, byHand.ID)
		}
		h.do(t, desk(), h.now(t, desk(), v.ID), domain.ActionUndoArrive)
		if got := arrivals(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}
