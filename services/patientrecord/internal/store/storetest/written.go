package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var writer = domain.Actor{Person: domain.Person{Account: "account-1", Name: "李医生"}, Organization: "org-1"}

func stated(kind domain.EntryKind, status, code string, at time.Time, content string) domain.Statement {
	return domain.Statement{Entry: domain.Entry{Kind: kind, Status: status, Code: code, Time: at, Content: []byte(content)}}
}

func (f Fixture) write(t *testing.T, p domain.Patient, s domain.Statement) domain.Written {
	t.Helper()
	var w domain.Written
	f.must(t, func(u app.Unit) error {
		w = domain.Write(id.New(), p.ID(), s, writer, u.Now())
		return u.PutWritten(t.Context(), p, w)
	})
	return w
}

func (f Fixture) next(t *testing.T, p domain.Patient, entry string, change func(domain.Written, time.Time) domain.Written) {
	t.Helper()
	f.must(t, func(u app.Unit) error {
		w, err := u.Entry(t.Context(), entry)
		if err != nil {
			return err
		}
		return u.PutWritten(t.Context(), p, change(w, u.Now()))
	})
}

func versionsStay(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	at := f.Clock.Now().Add(-time.Hour)
	w := f.write(t, p, stated(domain.KindProblem, "active", "c", at, "one"))
	f.Clock.Advance(time.Minute)
	say := stated(domain.KindProblem, "active", "c", at, "two")
	f.next(t, p, w.ID, func(w domain.Written, now time.Time) domain.Written { return w.Amend(say, writer, now) })
	head := domain.Actor{Person: domain.Person{Account: "account-2", Name: "王主任"}, Organization: "org-1", Head: true}
	f.Clock.Advance(48 * time.Hour)
	why := domain.Why{Code: domain.WrongValue, Note: "看错了"}
	f.next(t, p, w.ID, func(w domain.Written, now time.Time) domain.Written {
		return w.Correct(stated(domain.KindProblem, "active", "c", at, "three"), why, head, now)
	})
	f.next(t, p, w.ID, func(w domain.Written, now time.Time) domain.Written {
		return w.Withdraw(domain.Why{Code: domain.Duplicate}, head, now)
	})
	versions, err := f.Store.Versions(t.Context(), county, w.ID)
	if err != nil || len(versions) != 4 {
		t.Fatal(len(versions), err)
	}
	for i, want := range []struct {
		content string
		change  domain.Change
		writer  string
		sealed  bool
	}{{"three", domain.Withdrawn, "王主任", true}, {"three", domain.Rectified, "王主任", true}, {"two", domain.Amended, "李医生", false}, {"one", domain.Recorded, "李医生", false}} {
		got := versions[i]
		if string(got.Content) != want.content || got.Change != want.change || got.Writer.Name != want.writer || got.AfterSealing != want.sealed ||
			got.Author != writer.Person || got.Organization != "org-1" || !got.Began.Equal(w.Began) || !got.Time.Equal(at) {
			t.Errorf("version %d: %+v", got.Version, got)
		}
	}
	if got := versions[1].Why; got != why {
		t.Errorf("why: %+v", got)
	}
	current, err := f.Store.Entry(t.Context(), county, w.ID)
	if err != nil || current.Version != 4 || current.Status != domain.EnteredInError {
		t.Errorf("%+v %v", current, err)
	}
	if got := f.summary(t, p.ID())[domain.KindProblem]; len(got) != 0 {
		t.Errorf("what never was is on the summary: %q", got)
	}
	for _, read := range []func() error{
		func() error { _, err := f.Store.Entry(t.Context(), "450322", w.ID); return err },
		func() error { _, err := f.Store.Versions(t.Context(), "450322", w.ID); return err },
		func() error { _, err := f.Store.Entry(t.Context(), county, id.New()); return err },
	} {
		if err := read(); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an entry that is not there: %v", err)
		}
	}
	err = f.change(t, app.Command{}, func(u app.Unit) error {
		return u.PutWritten(t.Context(), p, versions[1].Amend(say, writer, u.Now()))
	})
	if errs.KindOf(err) != errs.KindStale {
		t.Errorf("a version was written twice: %v", err)
	}
}

func visitSeals(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	start := f.Clock.Now().Add(-time.Hour)
	visit := func(end time.Time, status string) domain.Statement {
		s := stated(domain.KindEncounter, status, "AMB", start, "visit "+status)
		s.Stay = &domain.Stay{Organization: "org-1", Class: "AMB", Start: start, End: end}
		return s
	}
	encounter := f.write(t, p, visit(time.Time{}, "in-progress"))
	under := stated(domain.KindNote, "final", "", start, "note")
	under.EncounterID = encounter.ID
	note := f.write(t, p, under)
	ended := func(want bool) {
		t.Helper()
		for _, entry := range []string{note.ID, encounter.ID} {
			if w, err := f.Store.Entry(t.Context(), county, entry); err != nil || w.Ended != want {
				t.Errorf("ended %v, want %v: %v", w.Ended, want, err)
			}
		}
	}
	ended(false)
	end := func(at time.Time, status string) {
		f.next(t, p, encounter.ID, func(w domain.Written, now time.Time) domain.Written { return w.Amend(visit(at, status), writer, now) })
	}
	end(f.Clock.Now(), "in-progress") // an end is an end, whatever the status
	ended(true)
	end(time.Time{}, "in-progress")
	ended(false)
	f.next(t, p, encounter.ID, func(w domain.Written, now time.Time) domain.Written {
		return w.Withdraw(domain.Why{Code: domain.WrongPatient}, writer, now)
	})
	ended(true)
}

func referralSeals(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	standing := domain.Standing{ReferralID: id.New(), PatientID: p.ID(), Version: 1, State: domain.Arrived, Originator: "org-1", At: f.Clock.Now()}
	f.must(t, func(u app.Unit) error { u.PutStanding(standing); return nil })
	s := stated(domain.KindNote, "final", "", f.Clock.Now(), "note")
	s.ReferralID = standing.ReferralID
	note := f.write(t, p, s)
	if w, err := f.Store.Entry(t.Context(), county, note.ID); err != nil || w.Ended {
		t.Error(w.Ended, err)
	}
	f.must(t, func(u app.Unit) error {
		_, _, err := u.Standing(t.Context(), standing.ReferralID)
		standing.Version, standing.State = 2, domain.Closed
		u.PutStanding(standing)
		return err
	})
	if w, err := f.Store.Entry(t.Context(), county, note.ID); err != nil || !w.Ended {
		t.Error(w.Ended, err)
	}
}

func entriesListed(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	day := func(n int) time.Time { return f.Clock.Now().AddDate(0, 0, n).Truncate(time.Second) }
	lab := stated(domain.KindObservation, "final", "c", day(-1), "lab")
	lab.Category = "laboratory"
	f.write(t, p, lab)
	f.write(t, p, stated(domain.KindProblem, "resolved", "c", day(-2), "over"))
	gone := f.write(t, p, stated(domain.KindAllergy, "active", "c", day(-3), "gone"))
	f.next(t, p, gone.ID, func(w domain.Written, now time.Time) domain.Written {
		return w.Withdraw(domain.Why{Code: domain.Duplicate}, writer, now)
	})
	f.put(t, p, entry("imported", domain.KindMedication, "active", day(-4), "imported"))
	f.write(t, f.add(t, domain.Details{Name: "曾小红"}), stated(domain.KindNote, "final", "", day(-1), "foreign"))
	for name, x := range map[string]struct {
		l    app.Listing
		want []string
	}{
		"all but errors": {app.Listing{}, []string{"lab", "over", "imported"}},
		"with errors":    {app.Listing{WithErrors: true}, []string{"lab", "over", "gone", "imported"}},
		"kinds":          {app.Listing{Kinds: []domain.EntryKind{domain.KindProblem, domain.KindMedication}}, []string{"over", "imported"}},
		"category":       {app.Listing{Category: "laboratory"}, []string{"lab"}},
		"half-open":      {app.Listing{From: day(-4), To: day(-1)}, []string{"over", "imported"}},
	} {
		var got []string
		for l := x.l; ; {
			page, err := f.Store.Entries(t.Context(), county, p.ID(), l, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range page {
				got = append(got, string(w.Content))
				l.After = app.Cursor{Time: w.Time, ID: w.ID}
			}
			if len(page) < 2 {
				break
			}
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
	list, err := f.Store.Entries(t.Context(), county, p.ID(), app.Listing{Kinds: []domain.EntryKind{domain.KindMedication}}, 1)
	if err != nil || len(list) != 1 || list[0].ByPerson() || list[0].Organization != "org-1" {
		t.Errorf("what was imported: %+v %v", list, err)
	}
}

func measuredFound(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	now := f.Clock.Now()
	f.put(t, p, entry("a", domain.KindObservation, "final", now.Add(-time.Hour), "imported"), entry("b", domain.KindObservation, "cancelled", now, "never"))
	f.write(t, p, stated(domain.KindObservation, "final", "a", now.Add(-2*time.Hour), "written"))
	f.write(t, p, stated(domain.KindObservation, "final", "other", now, "other"))
	f.write(t, p, stated(domain.KindProblem, "active", "a", now, "no value"))
	list, err := f.Store.Measured(t.Context(), county, p.ID(), app.Measuring{Codes: []string{"a", "b"}}, 10)
	if err != nil || len(list) != 2 || string(list[0].Content) != "imported" || string(list[1].Content) != "written" {
		t.Errorf("%v %v", list, err)
	}
	if list, err := f.Store.Measured(t.Context(), county, p.ID(), app.Measuring{Codes: []string{"a"}, From: now.Add(-90 * time.Minute)}, 10); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if list, err := f.Store.Measured(t.Context(), county, p.ID(), app.Measuring{}, 10); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
}

func referenceRepeats(t *testing.T, f Fixture) {
	cmd := app.Command{Request: app.Request{Method: "m", ID: id.New(), Body: []byte("body")}}
	for i := range 2 {
		err := f.change(t, cmd, func(u app.Unit) error {
			ref, ok, err := u.AnsweredReference(t.Context())
			if err != nil || ok != (i == 1) || ok && ref != "ref" {
				t.Error(ref, ok, err)
			}
			if !ok {
				u.AnswerReference("ref")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd.Request.Body = []byte("another")
	err := f.change(t, cmd, func(u app.Unit) error { _, _, err := u.AnsweredReference(t.Context()); return err })
	if errs.ReasonOf(err) != errs.ReasonRequestIDReused {
		t.Error(err)
	}
}
