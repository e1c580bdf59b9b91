package app_test

import (
	"testing"
	"time"

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
