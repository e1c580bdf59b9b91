package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func ids(found []app.Found) []string {
	out := make([]string, len(found))
	for i, f := range found {
		out[i] = f.Patient.ID()
	}
	return out
}

func (f Fixture) words(t *testing.T, organization, query string, limit int) []string {
	t.Helper()
	found, err := f.Store.FindByWords(t.Context(), county, organization, app.ParseQuery(query), limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range found {
		if domain.LevelOf(one.Relations, f.Clock.Now()) == domain.LevelNone {
			t.Errorf("%s came without the relation that let it be found", one.Patient.ID())
		}
	}
	return ids(found)
}

func wordsFind(t *testing.T, f Fixture) {
	first := f.add(t, zeng)
	f.Clock.Advance(time.Second)
	second := f.add(t, domain.Details{Name: "曾小红", IdentityNumber: "990122196311070023"})
	both := []string{second.ID(), first.ID()} // newest record first
	for query, want := range map[string][]string{
		"曾": both, "曾小": both, "曾小明": {first.ID()}, "小明": {first.ID()}, "zengxiao": both, "ceng": both, "zxm": {first.ID()},
		"曾 8000": {first.ID()}, "0016": {first.ID()}, "13800138000": {first.ID()}, "曾 0023": {second.ID()}, "王": {},
	} {
		if got := f.words(t, "org-1", query, 10); !slices.Equal(got, want) {
			t.Errorf("%q found %d, want %d", query, len(got), len(want))
		}
	}
	if got := f.words(t, "org-1", "曾", 1); !slices.Equal(got, both[:1]) {
		t.Errorf("the limit: %d", len(got))
	}
	if got := f.words(t, "org-2", "曾", 10); len(got) != 0 {
		t.Errorf("without a relation: %d", len(got))
	}
	for query, want := range map[string][]string{"曾": both, "曾小明": {first.ID()}, "曾 8000": {first.ID()}, "0023": {second.ID()}, "王": {}} {
		found, err := f.Store.FindInCounty(t.Context(), county, app.ParseQuery(query), 10)
		if err != nil || !slices.Equal(ids(found), want) {
			t.Errorf("in the county %q finds %d, %v", query, len(found), err)
		}
	}
	if found, err := f.Store.FindInCounty(t.Context(), "450322", app.ParseQuery("曾"), 10); err != nil || len(found) != 0 {
		t.Errorf("another county finds %d, %v", len(found), err)
	}
	f.must(t, func(u app.Unit) error {
		u.PutRelations(domain.Relation{
			PatientID: first.ID(), Organization: "org-2", Kind: domain.Referral, Source: "r-1", Level: domain.LevelPackage,
			From: u.Now(), To: u.Now().Add(time.Hour),
		})
		return nil
	})
	if got := f.words(t, "org-2", "曾", 10); !slices.Equal(got, []string{first.ID()}) {
		t.Errorf("while the relation holds: %d", len(got))
	}
	f.Clock.Advance(time.Hour)
	if got := f.words(t, "org-2", "曾", 10); len(got) != 0 {
		t.Errorf("after it ended: %d", len(got))
	}
}

func numberFinds(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	for org, want := range map[string]domain.Level{"org-1": domain.LevelFull, "org-2": domain.LevelNone} {
		found, err := f.Store.FindByNumber(t.Context(), county, org, zeng.IdentityNumber)
		if err != nil || len(found) != 1 || found[0].Patient.ID() != p.ID() {
			t.Fatalf("%s: %d %v", org, len(found), err)
		}
		if got := domain.LevelOf(found[0].Relations, f.Clock.Now()); got != want {
			t.Errorf("%s: level %d", org, got)
		}
	}
	for _, number := range []string{"0016", "13800138000", "99012219560312001"} {
		if found, err := f.Store.FindByNumber(t.Context(), county, "org-1", number); err != nil || len(found) != 0 {
			t.Errorf("%q is not the number: %d %v", number, len(found), err)
		}
	}
}

func renamed(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	f.must(t, func(u app.Unit) error {
		held, err := u.Patient(t.Context(), p.ID())
		if err != nil {
			return err
		}
		in := zeng
		in.Name = "欧阳小明"
		corrected, _ := held.Correct(demographics(t, in), "org-1", u.Now())
		u.PutPatient(corrected)
		return nil
	})
	if got := f.words(t, "org-1", "曾", 10); len(got) != 0 {
		t.Error("found by the former name")
	}
	if got := f.words(t, "org-1", "oyxm", 10); !slices.Equal(got, []string{p.ID()}) {
		t.Error("not found by the new name")
	}
	got, err := f.Store.Patient(t.Context(), county, p.ID())
	if err != nil || got.Version() != 2 {
		t.Errorf("version %d %v", got.Version(), err)
	}
}

func relationsWritten(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	r := domain.Relation{
		PatientID: p.ID(), Organization: "org-2", Kind: domain.Referral, Source: "r-1", Level: domain.LevelPackage, From: f.Clock.Now(),
	}
	put := func(r domain.Relation) {
		f.must(t, func(u app.Unit) error { u.PutRelations(r); return nil })
	}
	put(r)
	r.Level, r.To = domain.LevelFull, f.Clock.Now().Add(time.Hour)
	put(r)
	got, err := f.Store.Relations(t.Context(), county, p.ID(), "org-2")
	if err != nil || len(got) != 1 || got[0] != r {
		t.Errorf("got %+v, want %+v, %v", got, r, err)
	}
	tries := 0
	err = f.Store.Change(t.Context(), app.Command{County: county}, func(u app.Unit) error {
		tries++
		u.AddRelation(domain.Relation{PatientID: r.PatientID, Organization: r.Organization, Kind: r.Kind, Source: r.Source, From: r.From})
		return nil
	})
	if errs.ReasonOf(err) != errs.ReasonStaleVersion || tries < 2 {
		t.Errorf("one that is there was added after %d tries: %v", tries, err)
	}
	f.must(t, func(u app.Unit) error {
		of, err := u.ReferralRelations(t.Context(), "r-1")
		if err != nil || len(of) != 1 || of[0] != r {
			t.Errorf("of the referral: %+v %v", of, err)
		}
		home, err := u.HomeRelations(t.Context(), p.ID())
		if err != nil || len(home) != 1 || home[0].Organization != "org-1" {
			t.Errorf("home: %+v %v", home, err)
		}
		return nil
	})
}
