package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func (f Fixture) pack(t *testing.T, referral, patient string, version int32, again bool) {
	t.Helper()
	f.must(t, func(u app.Unit) error {
		s, err := u.Summary(t.Context(), patient)
		if err != nil {
			return err
		}
		u.PutPackage(domain.Package{ReferralID: referral, ReferralVersion: version, Resubmitted: again, Summary: s, Assembled: u.Now()})
		return nil
	})
}

func packagesBeside(t *testing.T, f Fixture) {
	p := f.add(t, zeng)
	referral, problem := id.New(), func(content string) domain.Entry {
		return entry("problem", domain.KindProblem, "active", f.Clock.Now().Add(-time.Hour), content)
	}
	of := func(version int32) (string, domain.Package, []domain.PackageVersion) {
		got, all, ok, err := f.Store.Package(t.Context(), county, referral, version)
		if err != nil || !ok {
			t.Fatalf("version %d: %v %v", version, ok, err)
		}
		return contents(got.Summary)[domain.KindProblem][0], got, all
	}
	f.put(t, p, problem("first"))
	f.pack(t, referral, p.ID(), 2, false)
	f.Clock.Advance(time.Hour)
	f.put(t, p, problem("second"))
	f.pack(t, referral, p.ID(), 5, true)
	f.put(t, p, problem("third"))
	f.pack(t, referral, p.ID(), 5, true) // the fact came again

	text, got, all := of(0)
	if text != "second" || got.ReferralVersion != 5 || !got.Resubmitted {
		t.Errorf("the latest is %q of version %d", text, got.ReferralVersion)
	}
	items := got.Items()
	if len(items) != 1 || items[0].Kind != domain.KindProblem || items[0].Version != 2 || items[0].ID == "" {
		t.Errorf("it names %+v", items)
	}
	want := []domain.PackageVersion{
		{Version: 1, ReferralVersion: 2, Assembled: f.Clock.Now().Add(-time.Hour)}, {Version: 2, ReferralVersion: 5, Assembled: f.Clock.Now()},
	}
	if !slices.Equal(all, want) {
		t.Errorf("versions %+v, want %+v", all, want)
	}
	if text, got, _ := of(1); text != "first" || got.Items()[0].Version != 1 {
		t.Errorf("the first is %q", text)
	}
	if _, all, ok, err := f.Store.Package(t.Context(), county, referral, 3); ok || err != nil || len(all) != 2 {
		t.Errorf("a version that never was: %v %v", ok, err)
	}
}
