package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/followup"
)

// templates are those that are shipped.
func templates(t *testing.T) *followup.Book {
	t.Helper()
	book, err := followup.New()
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// make sends a referral.
func (h house) make(t *testing.T, caller authn.Identity, in app.Creation) app.View {
	t.Helper()
	v, err := h.Create(t.Context(), by(caller), in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// green is an emergency, which may arrive before anybody answers.
func green(patient string) app.Creation {
	in := creation(patient)
	in.Draft.Kind, in.Draft.Urgency = domain.KindEmergency, domain.UrgencyEmergency
	return in
}

// arrive is what the desk does when a patient comes.
func (h house) arrive(t *testing.T, caller authn.Identity, v app.View) app.View {
	t.Helper()
	out, err := h.Arrive(t.Context(), by(caller), app.Step{ID: v.ID, Version: v.Version})
	if err != nil {
		t.Fatalf("arrive: %v", err)
	}
	return out
}

// accept promises a walk-in window for the next two hours.
func (h house) accept(t *testing.T, caller authn.Identity, v app.View) app.View {
	t.Helper()
	in := acceptance(v, "")
	in.WalkIn = &domain.Window{From: h.clock.Now(), To: h.clock.Now().Add(2 * time.Hour)}
	out, err := h.Accept(t.Context(), by(caller), in)
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return out
}

// came is an emergency of the family doctor's centre that is at the hospital.
func (h house) came(t *testing.T, patient string) app.View {
	t.Helper()
	return h.arrive(t, desk(), h.make(t, family(), green(patient)))
}

// followed is a patient who came down, with a plan of these days.
func (h house) followed(t *testing.T, patient string, days ...string) app.View {
	t.Helper()
	v := h.arrive(t, family(), h.accept(t, family(), h.make(t, specialist(), back(patient))))
	p := plan(days...)
	return h.step(t, family(), v, domain.ActionBeginFollowUp, domain.Carry{Plan: &p, FamilyDoctor: family().Subject})
}

// now is a referral as a person sees it at this moment.
func (h house) now(t *testing.T, caller authn.Identity, id string) app.View {
	t.Helper()
	v, err := h.Get(t.Context(), caller, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// timeline is the actions and marks of a referral, oldest first.
func (h house) timeline(t *testing.T, caller authn.Identity, id string) (out []string) {
	t.Helper()
	rows, err := h.History(t.Context(), caller, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, string(r.Action))
	}
	return out
}

// limit is the state of a step of a referral; "" if it never ran.
func (h house) limit(t *testing.T, referral string, step domain.Step) (state string) {
	t.Helper()
	err := h.db.View(t.Context(), func(tx *sqldb.Tx) error {
		err := tx.QueryRow(t.Context(), "SELECT state FROM deadline WHERE referral_id = $1 AND step = $2", referral, string(step)).Scan(&state)
		if sqldb.NoRows(err) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// work is a page of the family doctor's centre's list.
func (h house) work(t *testing.T, due string) app.FollowUpList {
	t.Helper()
	list, err := h.ListFollowUps(t.Context(), app.FollowUpFilter{Caller: family(), Due: due})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// days is a number of days, and hours beside them.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func expectFields(t *testing.T, err error, want ...string) {
	t.Helper()
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		t.Fatalf("got %v, want fields to correct", err)
	}
	if got := fieldNames(e); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func expectList[E comparable](t *testing.T, what string, got, want []E) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// patient is one that nobody has referred before.
func patient() string { return id.New() }
