package storetest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// match is a stay that a hospital's system reported, with everything personal holding Secret.
func match(f Fixture, encounter string) domain.Match {
	now := f.Clock.Now()
	return domain.Match{
		Stay: domain.Stay{
			County: County, PatientID: "patient-1", Patient: domain.Patient{Name: Secret, Sex: "FEMALE", BirthDate: "1956-03-12"},
			OrganizationID: hospital, DepartmentCode: "0304", EncounterID: encounter, Start: now.AddDate(0, 0, -9), End: now,
			Diagnoses: []domain.Diagnosis{{System: "ICD-10", Code: "I63.9", Display: "脑梗死" + Secret}}, CentreID: township,
			Medicines: []domain.Medicine{{Name: "阿司匹林" + Secret, Dosage: "qd", Days: 28}},
		},
		Origin: domain.OriginDischarged, Reasons: []string{"DN-STR-01", "DN-GEN-05"}, Due: now.AddDate(0, 0, 3),
	}
}

// find takes a fact of which a candidate comes, unless the stay has one.
func find(t *testing.T, f Fixture, fact string, m domain.Match) error {
	t.Helper()
	return f.Store.TakeFact(t.Context(), County, fact, func(u app.Unit) error {
		all, err := u.Candidates(t.Context(), m.PatientID)
		if err != nil {
			return err
		}
		for _, c := range all {
			if c.Snapshot().Covers(m.Stay) {
				c.Merge(m, u.Now())
				u.SaveCandidate(c)
				return nil
			}
		}
		c, err := domain.NewCandidate(id.New(), m, "", u.Now())
		if err != nil {
			return err
		}
		u.SaveCandidate(c)
		return nil
	})
}

func found(t *testing.T, f Fixture, m domain.Match) app.CandidateView {
	t.Helper()
	if err := find(t, f, id.New(), m); err != nil {
		t.Fatal(err)
	}
	all := candidateList(t, f, app.CandidateQuery{})
	i := slices.IndexFunc(all, func(v app.CandidateView) bool { return v.EncounterID == m.EncounterID && v.ReferralID == m.ReferralID })
	if i < 0 {
		t.Fatal("it is not on the list")
	}
	return all[i]
}

func candidateList(t *testing.T, f Fixture, q app.CandidateQuery) []app.CandidateView {
	t.Helper()
	if q.Caller.County == "" {
		q.Caller = desk()
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.States == nil {
		q.States = []domain.CandidateState{domain.CandidateOpen, domain.CandidateReferred}
	}
	all, err := f.Store.ListCandidates(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func candidates(t *testing.T, f Fixture) {
	up := submitted(t, f, Draft("patient-1", domain.KindInpatient))
	m := match(f, "")
	m.ReferralID, m.Number, m.FamilyDoctor, m.Origin = up.ID, up.Number, Doctor().Subject, domain.OriginConcluded
	v := found(t, f, m)
	got, err := f.Store.Candidate(t.Context(), County, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.State != domain.CandidateOpen || got.Version != 1 || got.FamilyDoctorName != Doctor().Name || got.Patient != m.Patient ||
		got.ReferralID != up.ID || got.Number != up.Number || !slices.Equal(got.Reasons, m.Reasons) || !slices.Equal(got.Diagnoses, m.Diagnoses) ||
		!slices.Equal(got.Medicines, m.Medicines) || !got.Start.Equal(m.Start) || !got.End.Equal(m.End) || !got.Due.Equal(m.Due) ||
		got.CentreID != township || got.Origin != m.Origin || !got.FoundTime.Equal(f.Clock.Now()) {
		t.Errorf("it is not read back as it was written: %+v", got.Reasons)
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "candidate_found")
	expectList(t, "audit", f.Entries(t), "referral.submit", "referral.find_candidate")
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER OPEN", "DOWN_DECISION OPEN", "NORM_CHECK OPEN")

	f.Clock.Advance(time.Minute)
	dismiss := func(version int32) error {
		_, err := f.Store.ChangeCandidate(t.Context(), command(desk(), "r1", "a"), v.ID, func(c *domain.Candidate, now time.Time) error {
			return c.Dismiss(domain.Dismissal{Version: version, Reason: "OTHER", Note: Secret}, domain.Actor{AccountID: desk().Subject}, now)
		})
		return err
	}
	for range 2 {
		if err := dismiss(1); err != nil {
			t.Fatal(err)
		}
	}
	if got, err = f.Store.Candidate(t.Context(), County, v.ID); err != nil || got.State != domain.CandidateDismissed || got.Note != Secret || got.Version != 2 {
		t.Errorf("dismissed: %s at %d, %v", got.State, got.Version, err)
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "candidate_found", "candidate_dismissed")
	expectList(t, "deadlines", f.Deadlines(t), "ANSWER OPEN", "DOWN_DECISION STOPPED", "NORM_CHECK OPEN")
	if err := f.Store.NoteCandidateRead(t.Context(), desk(), got.CandidateSnapshot); err != nil {
		t.Fatal(err)
	}
	if all := f.Entries(t); all[len(all)-1] != "referral.candidate.read" {
		t.Errorf("audit %q", all)
	}
}

func candidateFacts(t *testing.T, f Fixture) {
	m := match(f, "encounter-1")
	for range 2 {
		if err := find(t, f, "fact-1", m); err != nil {
			t.Fatal(err)
		}
	}
	expectList(t, "facts", f.Facts(t), "candidate_found")
	// The same told by another fact, and another stay.
	if err := find(t, f, "fact-2", m); err != nil {
		t.Fatal(err)
	}
	other := match(f, "encounter-2")
	if err := find(t, f, "fact-3", other); err != nil {
		t.Fatal(err)
	}
	expectList(t, "facts", f.Facts(t), "candidate_found", "candidate_found")
}

func candidateRace(t *testing.T, f Fixture) {
	up := submitted(t, f, Draft("patient-1", domain.KindInpatient))
	won := race(func(i int) error {
		m := match(f, "encounter-1")
		if i%2 == 0 {
			m.EncounterID, m.ReferralID = "", up.ID
		}
		return find(t, f, id.New(), m)
	})
	all := candidateList(t, f, app.CandidateQuery{})
	if won != workers || len(all) != 1 || all[0].ReferralID != up.ID || all[0].EncounterID != "encounter-1" {
		t.Errorf("%d took their fact, there are %d", won, len(all))
	}
	expectList(t, "facts", f.Facts(t), "created", "submitted", "candidate_found")
}

func candidateVersions(t *testing.T, f Fixture) {
	v := found(t, f, match(f, "encounter-1"))
	var mu sync.Mutex
	var lost []string
	won := race(func(int) error {
		_, err := f.Store.ChangeCandidate(t.Context(), command(desk(), "", ""), v.ID, func(c *domain.Candidate, now time.Time) error {
			if c.Snapshot().State != domain.CandidateOpen {
				return errs.Stale(c.Snapshot().Version, "")
			}
			return c.Dismiss(domain.Dismissal{Version: 1, Reason: "DIED"}, domain.Actor{}, now)
		})
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			lost = append(lost, errs.ReasonOf(err))
		}
		return err
	})
	if won != 1 || slices.ContainsFunc(lost, func(reason string) bool { return reason != errs.ReasonStaleVersion }) {
		t.Errorf("%d won, the others got %q", won, lost)
	}
	_, err := f.Store.ChangeCandidate(t.Context(), command(desk(), "", ""), id.New(), func(*domain.Candidate, time.Time) error { return nil })
	expectReason(t, err, errs.ReasonNotFound)
}

func candidatePages(t *testing.T, f Fixture) {
	var want []string
	for i := range 5 {
		m := match(f, id.New())
		m.PatientID, m.Due = id.New(), m.Due.Add(time.Duration(i%3)*time.Hour)
		if i == 4 {
			m.DepartmentCode = "03"
		}
		found(t, f, m)
	}
	for _, v := range candidateList(t, f, app.CandidateQuery{}) {
		want = append(want, v.ID)
	}
	var got []string
	q := app.CandidateQuery{Limit: 2}
	for {
		page := candidateList(t, f, q)
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			got = append(got, v.ID)
		}
		last := page[len(page)-1]
		q.After = &app.Cursor{Time: last.Due, ID: last.ID}
	}
	expectList(t, "page by page", got, want...)
	if n := len(candidateList(t, f, app.CandidateQuery{Department: "03"})); n != 1 || len(want) != 5 {
		t.Errorf("%d of the department, %d of all", n, len(want))
	}
	if n := len(candidateList(t, f, app.CandidateQuery{States: []domain.CandidateState{domain.CandidateClosed}})); n != 0 {
		t.Errorf("%d are closed", n)
	}
	for _, stranger := range []authn.Identity{{Organization: hospital, County: "450322"}, {Organization: "hospital-2", County: County}} {
		if n := len(candidateList(t, f, app.CandidateQuery{Caller: stranger})); n != 0 {
			t.Errorf("a stranger sees %d", n)
		}
	}
	_, err := f.Store.Candidate(t.Context(), "450322", want[0])
	expectReason(t, err, errs.ReasonNotFound)
}

func staysOfPatients(t *testing.T, f Fixture) {
	up := submitted(t, f, Draft("patient-1", domain.KindOutpatient))
	up = must(t, f, desk(), up, domain.Command{Action: domain.ActionAccept, Carry: walkIn(f)})
	up = must(t, f, desk(), up, domain.Command{Action: domain.ActionArrive})
	stay := domain.Stay{
		County: County, PatientID: "patient-1", OrganizationID: hospital, EncounterID: "e", Start: f.Clock.Now().Add(-time.Hour), End: f.Clock.Now().Add(time.Hour),
	}
	expect := func(concluded bool, down string) {
		t.Helper()
		err := f.Store.TakeFact(t.Context(), County, "", func(u app.Unit) error {
			was, err := u.Concluded(t.Context(), stay)
			if err != nil || was != concluded {
				t.Errorf("concluded: %v, %v", was, err)
			}
			found, err := u.SentDown(t.Context(), stay)
			if found != down {
				t.Errorf("sent down by %q, want %q", found, down)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	expect(false, "")
	must(t, f, desk(), up, domain.Command{Action: domain.ActionConclude, Carry: domain.Carry{
		Outcome: "IMPROVED", Reply: domain.Reply{Diagnosis: "d", Treatment: "t", NextSteps: "n"},
	}})
	expect(true, "")
	d := Draft("patient-1", domain.KindRehabilitation)
	d.Direction, d.Originator, d.Receiver = domain.Down, d.Receiver, domain.Party{OrganizationID: township}
	d.Form = domain.Form{Diagnosis: "d", Treatment: "t", NextPlan: "p"}
	down, err := tryCreate(t, f, command(desk(), "", ""), d, number(t, f))
	if err != nil {
		t.Fatal(err)
	}
	expect(true, down.ID)
	must(t, f, desk(), down, domain.Command{Action: domain.ActionCancel, Carry: domain.Carry{Reason: "DUPLICATE"}})
	expect(true, "")
}

// stayWatch watches a stay of an encounter that began at an instant.
func stayWatch(encounter string, start, due time.Time) app.StayWatch {
	return app.StayWatch{
		Stay: domain.Stay{
			County: County, PatientID: "patient-1", OrganizationID: hospital, DepartmentCode: "0304", CentreID: township, EncounterID: encounter,
			Start: start, Diagnoses: []domain.Diagnosis{{System: "ICD-10", Code: "I63.9"}, {System: "ICD-10", Code: "I10"}},
		},
		Criterion: "LOS-I63", Due: due,
	}
}

// takenOnce lets workers take a stay that is due: one of them gets it.
func takenOnce(t *testing.T, f Fixture, encounter string) {
	t.Helper()
	var conflicts atomic.Int32
	won := race(func(int) error {
		err := f.Store.TakeFact(t.Context(), County, "", func(u app.Unit) error {
			u.TakeStay(encounter)
			return nil
		})
		if errs.KindOf(err) == errs.KindConflict {
			conflicts.Add(1)
		}
		return err
	})
	if won != 1 || conflicts.Load() != workers-1 {
		t.Errorf("%d took it, %d did not", won, conflicts.Load())
	}
}

func stayWatches(t *testing.T, f Fixture) {
	now := f.Clock.Now()
	take := func(version int32, w app.StayWatch) error {
		return f.Store.TakeFact(t.Context(), County, "", func(u app.Unit) error {
			newest, err := u.TakeEncounter(t.Context(), app.EncounterTold{EncounterID: w.EncounterID, PatientID: w.PatientID, Version: version})
			if newest && !w.Due.IsZero() {
				u.WatchStay(w)
			}
			return err
		})
	}
	for _, told := range []struct {
		version   int32
		encounter string
		due       time.Time
	}{
		{2, "told late", time.Time{}},
		{1, "later", now.Add(2 * time.Hour)},
		{2, "first", now.Add(time.Hour)},
		{1, "ended", now.Add(time.Hour)},
		{1, "told late", now.Add(time.Hour)},
		{1, "first", now.Add(time.Minute)},
		{2, "ended", time.Time{}},
		{1, "goes on", now.Add(time.Minute)},
		{2, "goes on", time.Time{}},
		{3, "goes on", now.Add(time.Hour + time.Minute)},
	} {
		if err := take(told.version, stayWatch(told.encounter, now, told.due)); err != nil {
			t.Fatal(err)
		}
	}
	another := stayWatch("later", now, now)
	another.PatientID = "patient-2"
	expectReason(t, take(3, another), errs.ReasonAlreadyRegistered)
	due := func() (out []string) {
		t.Helper()
		all, err := f.Store.StaysDue(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range all {
			out = append(out, w.EncounterID)
		}
		return out
	}
	expectList(t, "before", due())
	f.Clock.Advance(time.Hour)
	expectList(t, "due", due(), "first")
	all, err := f.Store.StaysDue(t.Context(), 10)
	if err != nil || all[0].Criterion != "LOS-I63" || len(all[0].Diagnoses) != 2 || !all[0].Start.Equal(now) || all[0].CentreID != township {
		t.Errorf("it is not read back: %v", err)
	}
	takenOnce(t, f, "first")
	f.Clock.Advance(time.Hour)
	expectList(t, "then", due(), "goes on", "later")
}

// decisions are the rungs of the departments' decisions that are due.
func decisions(t *testing.T, f Fixture) []app.Claim {
	t.Helper()
	return slices.DeleteFunc(claim(t, f, "a"), func(c app.Claim) bool { return c.Step != domain.StepDownDecision })
}

func candidateLimits(t *testing.T, f Fixture) {
	up := submitted(t, f, Draft("patient-1", domain.KindInpatient))
	m := match(f, "")
	m.ReferralID = up.ID
	v := found(t, f, m)
	f.Clock.Advance(m.Due.Sub(f.Clock.Now()))
	due := decisions(t, f)
	if len(due) != 1 || due[0].ReferralID != up.ID || due[0].Level != 1 || !fire(t, f, due[0], true) {
		t.Fatalf("%d decisions are due", len(due))
	}
	// What another source adds does not begin the ladder anew.
	m.EncounterID = "encounter-1"
	if err := find(t, f, "fact-2", m); err != nil {
		t.Fatal(err)
	}
	if due = decisions(t, f); len(due) > 0 {
		t.Errorf("level %d is due at once", due[0].Level)
	}
	f.Clock.Advance(time.Hour)
	if due = decisions(t, f); len(due) != 1 || due[0].Level != 2 {
		t.Fatalf("%d decisions are due", len(due))
	}
	_, err := f.Store.ChangeCandidate(t.Context(), command(desk(), "", ""), v.ID, func(c *domain.Candidate, now time.Time) error {
		return c.Dismiss(domain.Dismissal{Version: c.Snapshot().Version, Reason: "NO_MEDICINE"}, domain.Actor{}, now)
	})
	if err != nil {
		t.Fatal(err)
	}
	if fire(t, f, due[0], true) {
		t.Error("a decision that was made is asked for")
	}
}
