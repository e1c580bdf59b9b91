package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (f Fixture) put(t *testing.T, patient domain.Patient, entries ...domain.Entry) (n app.Counts) {
	t.Helper()
	f.must(t, func(u app.Unit) (err error) {
		n, err = u.PutEntries(t.Context(), patient, entries)
		return err
	})
	return n
}

func (f Fixture) summary(t *testing.T, patient string) map[domain.EntryKind][]string {
	t.Helper()
	s, err := f.Store.Summary(t.Context(), county, patient)
	if err != nil {
		t.Fatal(err)
	}
	return contents(s)
}

func contents(s domain.Summary) map[domain.EntryKind][]string {
	out := map[domain.EntryKind][]string{}
	for kind, list := range s.Entries {
		for _, e := range list {
			out[kind] = append(out[kind], string(e.Content))
		}
	}
	return out
}

func entriesVersioned(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	day := f.Clock.Now().Add(-time.Hour)
	a, b := entry("a", domain.KindProblem, "active", day, "A1"), entry("b", domain.KindProblem, "active", day.Add(time.Minute), "B1")
	for _, step := range []struct {
		entries []domain.Entry
		want    app.Counts
	}{
		{[]domain.Entry{a, b}, app.Counts{Created: 2}},
		{[]domain.Entry{a, b}, app.Counts{Unchanged: 2}},
		{[]domain.Entry{entry("a", domain.KindProblem, "active", day, "A2"), b}, app.Counts{Updated: 1, Unchanged: 1}},
		{[]domain.Entry{entry("a", domain.KindProblem, "active", day, "A3"), b}, app.Counts{Updated: 1, Unchanged: 1}},
	} {
		if got := f.put(t, p, step.entries...); got != step.want {
			t.Errorf("counts %+v, want %+v", got, step.want)
		}
	}
	s, err := f.Store.Summary(t.Context(), county, p.ID())
	if err != nil {
		t.Fatal(err)
	}
	list := s.Entries[domain.KindProblem]
	if len(list) != 2 || string(list[0].Content) != "B1" || string(list[1].Content) != "A3" || list[1].Version != 3 || !list[1].Time.Equal(day) {
		t.Errorf("current entries %q, version %d", contents(s), list[len(list)-1].Version)
	}
	other := a
	other.SourceSystem = "other system"
	if got := f.put(t, p, other); got.Created != 1 {
		t.Error("another system's identity is another entry")
	}
	undated := entry("c", domain.KindObservation, "final", time.Time{}, "C1")
	f.put(t, p, undated)
	f.Clock.Advance(time.Minute)
	if got := f.put(t, p, undated); got.Unchanged != 1 {
		t.Error("an entry without a time is the same when it comes again")
	}
}

func summaryCurrent(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	day := func(n int) time.Time { return f.Clock.Now().AddDate(0, 0, n).Truncate(time.Second) }
	observation := func(identity, code, status string, at time.Time) domain.Entry {
		e := entry(identity, domain.KindObservation, status, at, identity)
		e.Code = code
		return e
	}
	f.put(t, p,
		entry("problem", domain.KindProblem, "active", day(-9), "problem"),
		entry("over", domain.KindProblem, "resolved", day(-8), "over"),
		entry("allergy", domain.KindAllergy, "active", day(-7), "allergy"),
		entry("wrong", domain.KindAllergy, "entered-in-error", day(-7), "wrong"),
		entry("taken", domain.KindMedication, "active", day(-6), "taken"),
		entry("stopped", domain.KindMedication, "stopped", day(-5), "stopped"),
		entry("visit", domain.KindEncounter, "finished", day(-4), "visit"),
		observation("bp old", "bp", "final", day(-30)),
		observation("bp new", "bp", "final", day(-3)),
		observation("bp wrong", "bp", "entered-in-error", day(-1)),
		observation("hba1c", "hba1c", "final", day(-20)),
	)
	got := f.summary(t, p.ID())
	for kind, want := range map[domain.EntryKind][]string{
		domain.KindProblem: {"problem"}, domain.KindAllergy: {"allergy"}, domain.KindMedication: {"taken"},
		domain.KindEncounter: {"visit"}, domain.KindObservation: {"bp new", "hba1c"}, domain.KindProcedure: nil,
	} {
		if !slices.Equal(got[kind], want) {
			t.Errorf("%s: %q, want %q", kind, got[kind], want)
		}
	}
}

func valuesLatest(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	day := func(n int) time.Time { return f.Clock.Now().AddDate(0, 0, n).Truncate(time.Second) }
	coded := func(identity, code string, at time.Time) domain.Entry {
		e := entry(identity, domain.KindObservation, "final", at, identity)
		e.Code = code
		return e
	}
	f.put(t, p,
		coded("old", "hba1c", day(-30)), coded("new", "hba1c", day(-4)), coded("other", "bmi", day(-400)),
		entry("problem", domain.KindProblem, "active", day(-1), "problem"), entry("over", domain.KindProblem, "resolved", day(-1), "over"),
		entry("taken", domain.KindMedication, "active", day(-2), "taken"), entry("stopped", domain.KindMedication, "stopped", day(-2), "stopped"),
		entry("allergy", domain.KindAllergy, "active", day(-3), "allergy"))
	// A stay that goes on is found behind any number of later visits.
	f.put(t, p, entry("stay", domain.KindEncounter, "in-progress", day(-300), "stay"))
	for i := range 2 * domain.SummaryLimit(domain.KindEncounter) {
		f.put(t, p, entry(fmt.Sprint("visit", i), domain.KindEncounter, "finished", day(-i), "visit"))
	}
	f.put(t, f.add(t, domain.Details{Name: "曾小红"}), coded("foreign", "bmi", day(0)))
	list, err := f.Store.Values(t.Context(), county, p.ID())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, string(e.Content))
	}
	if want := []string{"problem", "taken", "allergy", "new", "stay", "other"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func resultsPaged(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	now := f.Clock.Now()
	var entries []domain.Entry
	for i := range 7 {
		// Pairs share an instant.
		entries = append(entries, entry(fmt.Sprint(i), domain.KindObservation, "final", now.Add(-time.Duration(i/2)*time.Hour), fmt.Sprint(i)))
	}
	f.put(t, p, entries...)
	var seen []domain.Entry
	after := app.Cursor{}
	for {
		page, err := f.Store.Results(t.Context(), county, p.ID(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		seen = append(seen, page...)
		last := page[len(page)-1]
		after = app.Cursor{Time: last.Time, ID: last.ID}
		f.put(t, p, entry("late"+last.ID, domain.KindObservation, "final", now.Add(time.Hour), "late"))
	}
	if len(seen) != 7 || !slices.IsSortedFunc(seen, func(a, b domain.Entry) int { return b.Time.Compare(a.Time) }) {
		t.Errorf("%d results, sorted newest first", len(seen))
	}
	unique := map[string]bool{}
	for _, e := range seen {
		unique[e.ID] = true
	}
	if len(unique) != 7 {
		t.Errorf("%d different results of 7", len(unique))
	}
}

func packageKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	now := f.Clock.Now()
	f.put(t, p,
		entry("problem", domain.KindProblem, "active", now.Add(-time.Hour), "problem"),
		entry("recent", domain.KindObservation, "final", now.Add(-time.Hour), "recent"),
		entry("report", domain.KindReport, "final", now.Add(-2*time.Hour), "report"),
		entry("old", domain.KindObservation, "final", now.Add(-domain.PackageSpan-time.Hour), "old"),
		entry("later", domain.KindObservation, "final", now.Add(time.Hour), "later"))
	referral := id.New()
	if _, _, ok, err := f.Store.Package(t.Context(), county, referral, 0); ok || err != nil {
		t.Fatalf("a package that was never assembled: %v %v", ok, err)
	}
	f.must(t, func(u app.Unit) error {
		s, err := u.Summary(t.Context(), p.ID())
		if err != nil {
			return err
		}
		results, err := u.ResultsBetween(t.Context(), p.ID(), now.Add(-domain.PackageSpan), now, 10)
		if err != nil {
			return err
		}
		u.PutPackage(domain.Package{ReferralID: referral, Summary: s, Results: results, Assembled: u.Now()})
		return nil
	})
	f.put(t, p, entry("problem", domain.KindProblem, "resolved", now, "changed"))
	got, _, ok, err := f.Store.Package(t.Context(), county, referral, 0)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got.Summary.Patient.Keep() != p.Keep() || !got.Assembled.Equal(now) || got.ReferralID != referral {
		t.Errorf("package %v of %v at %s", got, got.Summary.Patient, got.Assembled)
	}
	if list := contents(got.Summary)[domain.KindProblem]; !slices.Equal(list, []string{"problem"}) {
		t.Errorf("problems %q", list)
	}
	if len(got.Results) != 2 || string(got.Results[0].Content) != "recent" || string(got.Results[1].Content) != "report" || got.Results[1].Kind != domain.KindReport {
		t.Errorf("%d results", len(got.Results))
	}
}

func standingKept(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	s := domain.Standing{
		ReferralID: id.New(), PatientID: p.ID(), Version: 3, State: domain.Arrived, Previous: domain.Accepted,
		Originator: "org-1", Receiver: "org-2", At: f.Clock.Now(),
	}
	f.must(t, func(u app.Unit) error { u.PutStanding(s); return nil })
	got, ok, err := f.Store.Standing(t.Context(), county, s.ReferralID)
	if err != nil || !ok || got != s {
		t.Errorf("got %+v %v %v", got, ok, err)
	}
	old := s
	old.Version, old.State = 2, domain.Accepted
	if err := f.change(t, app.Command{}, func(u app.Unit) error { u.PutStanding(old); return nil }); err == nil {
		t.Error("an older standing was written")
	}
	if got, _, _ := f.Store.Standing(t.Context(), county, s.ReferralID); got != s {
		t.Errorf("got %+v", got)
	}
}
