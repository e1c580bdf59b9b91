package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var cli = authn.Identity{Subject: "service:cli", Service: "cli"}

func observation(identity string, at time.Time, content string) domain.Entry {
	return domain.Entry{
		SourceSystem: "his", SourceIdentity: identity, Kind: domain.KindObservation, Status: "final", Code: identity, Time: at, Content: []byte(content),
	}
}

func (w *world) bring(in app.Import) app.Imported {
	w.t.Helper()
	if in.County == "" {
		in.County, in.Organization, in.SourceSystem, in.PatientIdentity = county, "township", "his", "000123"
	}
	done, err := w.Import(w.t.Context(), cli, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

func TestImportTwiceChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := app.Import{Details: zeng, Entries: []domain.Entry{observation("a", w.clk.Now(), "1"), observation("b", w.clk.Now(), "2")}}
		first := w.bring(in)
		if !first.Created || first.Entries != (app.Counts{Created: 2}) {
			t.Errorf("first: %+v", first)
		}
		w.clk.Advance(time.Hour)
		second := w.bring(in)
		if second.Created || second.PatientID != first.PatientID || second.Entries != (app.Counts{Unchanged: 2}) {
			t.Errorf("second: %+v", second)
		}
		got, err := w.Patient(t.Context(), township, first.PatientID)
		if err != nil || got.Version != 1 || got.Home != "township" {
			t.Errorf("version %d home %q %v", got.Version, got.Home, err)
		}
		in.Entries[0].Content = []byte("3")
		in.Details.Village = "新村"
		third := w.bring(in)
		if third.Entries != (app.Counts{Updated: 1, Unchanged: 1}) {
			t.Errorf("third: %+v", third)
		}
		if got, err = w.Patient(t.Context(), township, first.PatientID); err != nil || got.Version != 2 || got.Details.Village != "新村" {
			t.Errorf("version %d %v", got.Version, err)
		}
	})
}

func TestImportIsWholeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		in := app.Import{County: county, Organization: "township", SourceSystem: "his", PatientIdentity: "1", Details: zeng}
		in.Details.IdentityNumber = "990122195603120017"
		_, err := w.Import(t.Context(), cli, in)
		e, _ := errs.As(err)
		if e == nil || len(e.Fields) != 1 || e.Fields[0].Name != "patient.identityNumber" {
			t.Errorf("%v", err)
		}
		if found, _, err := w.Search(t.Context(), township, app.Search{Query: "曾小明"}); err != nil || len(found) != 0 {
			t.Errorf("something was left: %d %v", len(found), err)
		}
	})
}

func TestImportFindsARegisteredPatientByNumber(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		source := zeng
		source.Name = "曾晓明"
		done := w.bring(app.Import{County: county, Organization: "county", SourceSystem: "his", PatientIdentity: "7", Details: source})
		if done.Created || done.PatientID != shown.ID {
			t.Errorf("%+v", done)
		}
		got, err := w.Patient(t.Context(), desk, shown.ID)
		if err != nil || got.Details.Name != "曾小明" || got.Home != "township" {
			t.Errorf("name %q home %q %v", got.Details.Name, got.Home, err)
		}
	})
}

func TestImportMovesTheHome(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.bring(app.Import{Details: zeng})
		w.clk.Advance(time.Minute)
		w.bring(app.Import{County: county, Organization: "elsewhere", SourceSystem: "his", PatientIdentity: "000123", Details: zeng})
		if _, err := w.Patient(t.Context(), stranger, first.PatientID); err != nil {
			t.Errorf("the new home: %v", err)
		}
		_, err := w.Patient(t.Context(), township, first.PatientID)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestFeedWritesForItsOwnOrganizationOnly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		feed := person("county", "INTEGRATION")
		in := app.Import{County: county, Organization: "township", SourceSystem: "his", PatientIdentity: "1", Details: zeng}
		_, err := w.Import(t.Context(), feed, in)
		w.reason(err, errs.ReasonFieldCombination)
		in.Organization, in.County = "county", "450322"
		_, err = w.Import(t.Context(), feed, in)
		w.reason(err, errs.ReasonFieldCombination)
		in.County = county
		if _, err := w.Import(t.Context(), feed, in); err != nil {
			t.Error(err)
		}
	})
}

func TestASourceIsTheOrganisationsOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known := w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("a", w.clk.Now(), "1")}})
		feed := person("county", "INTEGRATION")
		other := domain.Details{Name: "欧阳红", BirthDate: birthday}
		in := app.Import{County: county, Organization: "county", SourceSystem: "his", PatientIdentity: "000123", Details: other}
		done, err := w.Import(t.Context(), feed, in)
		if err != nil || !done.Created || done.PatientID == known.PatientID {
			t.Errorf("the same name of another organisation: %+v, %v", done, err)
		}
		if again, err := w.Import(t.Context(), feed, in); err != nil || again.Created || again.PatientID != done.PatientID {
			t.Errorf("again: %+v, %v", again, err)
		}
		if got, err := w.Patient(t.Context(), township, known.PatientID); err != nil || got.Version != 1 || got.Home != "township" {
			t.Errorf("version %d home %q, %v", got.Version, got.Home, err)
		}
		in.Details, in.PatientIdentity, in.Entries = zeng, "7", []domain.Entry{observation("a", w.clk.Now(), "2")}
		for i, want := range []app.Counts{{Created: 1}, {Unchanged: 1}} {
			if done, err := w.Import(t.Context(), feed, in); err != nil || done.PatientID != known.PatientID || done.Entries != want {
				t.Errorf("an entry of the same name, time %d: %+v, %v", i+1, done, err)
			}
		}
		for _, name := range []string{"tongzhen", "referral reply", "hl7:township", "hl7:county"} {
			in.SourceSystem = name
			for _, who := range []authn.Identity{feed, cli} {
				if _, err := w.Import(t.Context(), who, in); errs.KindOf(err) != errs.KindInvalid {
					t.Errorf("%s as %q: %v", who.Subject, name, err)
				}
			}
		}
	})
}

func (w *world) fact(referral, patient string, version int32, state, previous domain.State) {
	w.t.Helper()
	f := app.ReferralFact{
		FactID: id.New(), County: county, Account: "account-of-township", Organization: "township",
		Submission: state == domain.Submitted && previous == domain.Draft,
		Standing: domain.Standing{
			ReferralID: referral, PatientID: patient, Version: version, State: state, Previous: previous,
			Originator: "township", Receiver: "county", At: w.clk.Now(),
		},
	}
	for range 2 { // every fact may come twice
		if err := w.ApplyReferral(w.t.Context(), f); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestReferralOpensPackageThenRecordThenCloses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		done := w.bring(app.Import{Details: zeng, Entries: []domain.Entry{
			observation("recent", w.clk.Now().Add(-time.Hour), "recent"), observation("old", w.clk.Now().AddDate(0, 0, -91), "old"),
		}})
		patient, referral := done.PatientID, id.New()
		_, err := w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonNotFound)

		w.fact(referral, patient, 2, domain.Submitted, domain.Draft)
		w.clk.Advance(time.Minute)
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{observation("late", w.clk.Now(), "late")}})
		p, err := w.Package(t.Context(), desk, referral, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Results) != 1 || string(p.Results[0].Content) != "recent" || len(p.Summary.Entries[domain.KindObservation]) != 2 {
			t.Errorf("%d results, %d latest", len(p.Results), len(p.Summary.Entries[domain.KindObservation]))
		}
		if w.looks("record.package", patient) != 1 {
			t.Error("the package was not audited")
		}
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonBreakGlassRequired)
		_, err = w.Package(t.Context(), stranger, referral, 0)
		w.reason(err, errs.ReasonNotFound)
		if _, err := w.Package(t.Context(), township, referral, 0); err != nil {
			t.Errorf("the sender: %v", err)
		}

		w.fact(referral, patient, 4, domain.Arrived, domain.Accepted)
		w.fact(referral, patient, 3, domain.Accepted, domain.Submitted) // late
		if s, err := w.Summary(t.Context(), desk, patient); err != nil || len(s.Entries[domain.KindObservation]) != 3 {
			t.Errorf("after arrival: %v", err)
		}
		first, err := w.Results(t.Context(), desk, patient, app.Cursor{}, 2)
		page, next := first.Results, first.Next
		if err != nil || len(page) != 2 || string(page[0].Content) != "late" {
			t.Fatalf("%d results %v", len(page), err)
		}
		last, err := w.Results(t.Context(), desk, patient, next, 2)
		if page, next = last.Results, last.Next; err != nil || len(page) != 1 || next != (app.Cursor{}) {
			t.Errorf("last page: %d %v", len(page), err)
		}

		w.fact(referral, patient, 6, domain.Closed, domain.Concluded)
		w.clk.Advance(domain.AfterClosing - time.Minute)
		if _, err := w.Summary(t.Context(), desk, patient); err != nil {
			t.Errorf("within 30 days: %v", err)
		}
		w.clk.Advance(time.Minute)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestPackageIsBuiltOnDemandBeforeTheFactComes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		done := w.bring(app.Import{Details: zeng})
		referral := id.New()
		w.peer.away = true
		_, err := w.Package(t.Context(), desk, referral, 0)
		w.reason(err, errs.ReasonPeerAway)
		w.peer.away = false
		w.peer.standing = domain.Standing{
			ReferralID: referral, PatientID: done.PatientID, Version: 2, State: domain.Submitted, Originator: "township", Receiver: "county", At: w.clk.Now(),
		}
		w.peer.submitted = w.clk.Now()
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Fatal(err)
		}
		w.fact(referral, done.PatientID, 2, domain.Submitted, domain.Draft)
		if _, err := w.Package(t.Context(), desk, referral, 0); err != nil {
			t.Errorf("after the fact: %v", err)
		}
	})
}

func TestDraftHasNoPackage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		done := w.bring(app.Import{Details: zeng})
		w.peer.standing = domain.Standing{ReferralID: id.New(), PatientID: done.PatientID, Version: 1, State: domain.Draft, Originator: "township"}
		_, err := w.Package(t.Context(), township, w.peer.standing.ReferralID, 0)
		w.reason(err, errs.ReasonNotFound)
	})
}

func TestSnapshotIsForPartiesByName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		shown := w.register(township, zeng)
		service := authn.Identity{Subject: "service:referral", Service: "referral", County: county}
		for _, who := range []authn.Identity{township, service} {
			got, err := w.Snapshot(t.Context(), who, shown.ID, "township")
			if err != nil || got.Details.Name != "曾小明" || got.Details.IdentityNumber != "990***********0016" || got.Details.Phone != zeng.Phone {
				t.Errorf("%s: %v", who.Subject, err)
			}
		}
		_, err := w.Snapshot(t.Context(), service, shown.ID, "elsewhere")
		w.reason(err, errs.ReasonNotFound)
		_, err = w.Snapshot(t.Context(), service, shown.ID, "")
		w.reason(err, errs.ReasonFieldRequired)
		_, err = w.Snapshot(t.Context(), stranger, shown.ID, "township")
		w.reason(err, errs.ReasonNotFound)
	})
}
