package storetest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func whole(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindInpatient))
	got, err := f.Store.Get(t.Context(), Doctor(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, v.Snapshot)
	if !got.Unread {
		t.Error("a referral that was never marked is read")
	}
	f.Clock.Advance(time.Hour)
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionArrive})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionAdmit, Carry: domain.Carry{Ward: "内科" + Secret, Bed: "12"}})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionConclude, Carry: domain.Carry{Outcome: "IMPROVED", Reply: domain.Reply{
		Diagnosis: Secret, Findings: Secret, Treatment: Secret, NextSteps: Secret, Medications: []domain.Medication{{Name: Secret, Dosage: "qd"}},
	}}})
	if got, err = f.Store.ByNumber(t.Context(), desk(), v.Number); err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, v.Snapshot)

	rows, err := f.Store.History(t.Context(), County, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for i, h := range rows {
		actions = append(actions, string(h.Action))
		if h.Version != int32(i+1) || h.By.Name == "" || h.At.IsZero() {
			t.Errorf("row %d: %+v", i, h)
		}
	}
	expectList(t, "history", actions, "create", "submit", "accept", "arrive", "admit", "conclude")
	if h := rows[2]; h.Note != Secret || h.Detail["walkIn"] != "true" || h.From != domain.StateSubmitted || h.To != domain.StateAccepted {
		t.Errorf("accept: %+v", h)
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "accepted", "arrived", "admitted", "concluded")
	expectList(t, "audit", f.Entries(t), "referral.submit", "referral.accept", "referral.arrive", "referral.admit", "referral.conclude")
	expectList(t, "deadlines", f.Deadlines(t), "ACKNOWLEDGE OPEN", "ANSWER STOPPED", "ARRIVAL STOPPED", "NORM_CHECK OPEN", "REPLY STOPPED")
	if f.Woken() != 5 {
		t.Errorf("the relay was woken %d times, want 5", f.Woken())
	}
}

func same(t *testing.T, got, want domain.Snapshot) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s is not read back as it was written", g.Type().Field(i).Name)
		}
	}
}

func expectList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func refused(t *testing.T, f Fixture) {
	stop := errors.New("stop")
	_, err := f.Store.Change(t.Context(), command(Doctor(), "r1", "a"), func(u app.Unit) error {
		r, err := Creation(u, Doctor(), Draft("patient-1", domain.KindOutpatient), "")
		if err != nil {
			return err
		}
		u.Save(r)
		u.StartAttempt("h", r.Snapshot().ID, 1)
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if len(f.Facts(t))+len(f.Entries(t))+len(f.Deadlines(t))+f.Woken() > 0 {
		t.Error("a refused change left something")
	}
	if _, found, err := f.Store.Replay(t.Context(), command(Doctor(), "r1", "a")); found || err != nil {
		t.Errorf("a refused request is answered: %v, %v", found, err)
	}
}

func requests(t *testing.T, f Fixture) {
	d := Draft("patient-1", domain.KindOutpatient)
	n := number(t, f)
	first, err := tryCreate(t, f, command(Doctor(), "r1", "a"), d, n)
	if err != nil {
		t.Fatal(err)
	}
	must(t, f, Doctor(), first, domain.Command{Action: domain.ActionCancel, Carry: domain.Carry{Reason: "DUPLICATE"}})
	again, err := f.Store.Change(t.Context(), command(Doctor(), "r1", "a"), func(app.Unit) error {
		t.Error("a repeated request is decided again")
		return nil
	})
	if err != nil || again.ID != first.ID || again.State != domain.StateSubmitted || again.Patient != first.Patient {
		t.Errorf("the repeated request got %v in %s, %v", again.ID, again.State, err)
	}
	if v, found, err := f.Store.Replay(t.Context(), command(Doctor(), "r1", "a")); !found || err != nil || v.ID != first.ID {
		t.Errorf("replay: %v, %v", found, err)
	}
	_, err = tryCreate(t, f, command(Doctor(), "r1", "b"), d, n)
	expectReason(t, err, errs.ReasonRequestIDReused)
	_, _, err = f.Store.Replay(t.Context(), command(Doctor(), "r1", "b"))
	expectReason(t, err, errs.ReasonRequestIDReused)
	other := Doctor()
	other.Subject = "doctor-2"
	if _, err = tryCreate(t, f, command(other, "r1", "b"), d, number(t, f)); err != nil {
		t.Errorf("the same id of another account: %v", err)
	}
}

const workers = 12

// race runs all at once and counts those without an error.
func race(work func(i int) error) (won int32) {
	var wg sync.WaitGroup
	var wins atomic.Int32
	for i := range workers {
		wg.Go(func() {
			if work(i) == nil {
				wins.Add(1)
			}
		})
	}
	wg.Wait()
	return wins.Load()
}

func versions(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	won := race(func(i int) error {
		c := domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}}
		caller := desk()
		if i%2 == 0 {
			c = domain.Command{Action: domain.ActionCancel, Carry: domain.Carry{Reason: "DUPLICATE"}}
			caller = Doctor()
		}
		_, err := act(t, f, command(caller, "", ""), v, c)
		var stale *domain.Refusal
		if err != nil && (!errors.As(err, &stale) || stale.Why != domain.Stale || stale.Version != v.Version+1) {
			t.Errorf("a loser got %v", err)
		}
		return err
	})
	if won != 1 {
		t.Errorf("%d won", won)
	}
	rows, err := f.Store.History(t.Context(), County, v.ID)
	if err != nil || len(rows) != 3 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func identical(t *testing.T, f Fixture) {
	n := number(t, f)
	var mu sync.Mutex
	ids := map[string]bool{}
	won := race(func(int) error {
		v, err := tryCreate(t, f, command(Doctor(), "r1", "a"), Draft("patient-1", domain.KindOutpatient), n)
		mu.Lock()
		defer mu.Unlock()
		ids[v.ID] = true
		return err
	})
	if won != workers || len(ids) != 1 {
		t.Errorf("%d answered, with %d referrals", won, len(ids))
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted")
}

func guard(t *testing.T, f Fixture) {
	d := Draft("patient-1", domain.KindOutpatient)
	first := submitted(t, f, d)
	_, err := tryCreate(t, f, command(Doctor(), "r2", "b"), d, number(t, f))
	e := refusal(t, err, errs.ReasonOpenReferralExists)
	if e.Meta["referralId"] != first.ID || e.Meta["number"] != first.Number.Printed() {
		t.Errorf("it names %v", e.Meta)
	}
	if strings.Contains(e.Error(), Secret) {
		t.Error("the error names the patient")
	}
	submitted(t, f, Draft("patient-1", domain.KindInpatient))
	submitted(t, f, Draft("patient-2", domain.KindOutpatient))
	if _, err := tryCreate(t, f, command(Doctor(), "", ""), d, ""); err != nil {
		t.Errorf("a second draft: %v", err)
	}
	must(t, f, desk(), first, domain.Command{Action: domain.ActionDecline, Carry: domain.Carry{Reason: "NO_BED"}})
	submitted(t, f, d)
}

func guardRace(t *testing.T, f Fixture) {
	given := make([]domain.Number, workers)
	for i := range given {
		given[i] = number(t, f)
	}
	won := race(func(i int) error {
		_, err := tryCreate(t, f, command(Doctor(), "", ""), Draft("patient-1", domain.KindOutpatient), given[i])
		if err != nil && errs.ReasonOf(err) != errs.ReasonOpenReferralExists {
			t.Errorf("a loser got %v", err)
		}
		return err
	})
	if won != 1 {
		t.Errorf("%d are open", won)
	}
}

func emptied(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindEmergency))
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionArrive})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionAdmit, Carry: domain.Carry{Ward: "急诊病区", Bed: "3"}})
	v = must(t, f, desk(), v, domain.Command{Action: domain.ActionUndoAdmit, Carry: domain.Carry{Reason: "WRONG_PATIENT"}})
	got, err := f.Store.Get(t.Context(), desk(), v.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got.Snapshot, v.Snapshot)
	if got.Ward != "" || !got.AdmitTime.IsZero() {
		t.Error("the undone admission is still there")
	}
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER STOPPED", "NORM_CHECK OPEN", "REPLY OPEN")
}

func marks(t *testing.T, f Fixture) {
	v := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	f.Clock.Advance(time.Minute)
	seen := func(u app.Unit) error {
		r, err := u.Referral(t.Context(), v.ID)
		if err != nil {
			return err
		}
		return u.Seen(t.Context(), r)
	}
	for range 2 {
		if _, err := f.Store.Change(t.Context(), command(desk(), "", ""), seen); err != nil {
			t.Fatal(err)
		}
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "seen")
	got, err := f.Store.Get(t.Context(), desk(), v.ID)
	if err != nil || got.Unread || got.Version != v.Version {
		t.Errorf("unread %v at version %d, %v", got.Unread, got.Version, err)
	}
	if got, err = f.Store.Get(t.Context(), Doctor(), v.ID); err != nil || !got.Unread {
		t.Errorf("another account's mark counts: %v", err)
	}
	rows, err := f.Store.History(t.Context(), County, v.ID)
	if err != nil || len(rows) != 3 || !rows[2].Mark || rows[2].By.Name != desk().Name {
		t.Errorf("history %+v, %v", rows, err)
	}
}

func attempts(t *testing.T, f Fixture) {
	change := func(do func(u app.Unit)) error {
		_, err := f.Store.Change(t.Context(), command(desk(), "", ""), func(u app.Unit) error {
			do(u)
			return nil
		})
		return err
	}
	start := func(u app.Unit) { u.StartAttempt("hold", "referral", 2) }
	finish := func(u app.Unit) { u.FinishAttempt("hold", "referral", "booking") }
	abandon := func(u app.Unit) { u.AbandonAttempt("hold", "referral") }

	expectReason(t, change(finish), errs.ReasonBookingLost)
	for range 2 {
		if err := change(start); err != nil {
			t.Fatalf("start: %v", err)
		}
	}
	if err := change(finish); err != nil {
		t.Fatal(err)
	}
	// What is done stays done: the question comes late.
	if err := change(abandon); err != nil {
		t.Fatal(err)
	}
	expectReason(t, change(finish), errs.ReasonBookingLost)
	expectReason(t, change(start), errs.ReasonBookingLost)

	late := func(u app.Unit) { u.StartAttempt("hold-2", "referral", 2) }
	for _, step := range []func(app.Unit){late, func(u app.Unit) { u.AbandonAttempt("hold-2", "referral") }} {
		if err := change(step); err != nil {
			t.Fatal(err)
		}
	}
	expectReason(t, change(func(u app.Unit) { u.FinishAttempt("hold-2", "referral", "b") }), errs.ReasonBookingLost)

	// A hold that was never tried is barred just as well.
	if err := change(func(u app.Unit) { u.AbandonAttempt("hold-3", "nowhere") }); err != nil {
		t.Fatal(err)
	}
	expectReason(t, change(func(u app.Unit) { u.StartAttempt("hold-3", "nowhere", 1) }), errs.ReasonBookingLost)
}
