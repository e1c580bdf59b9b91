package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// stands puts an organisation below another.
func (w *world) stands(version int32, organization, kind, parent string) {
	w.t.Helper()
	err := store.New(w.db, crypt.TestRing(), func() {}).PutOrganization(w.t.Context(), "", app.Organization{
		County: county, ID: organization, Version: version, Type: kind, Parent: parent,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// A village clinic looks after the residents of its centre: it sees whom the centre is the home of, and nobody else whom the centre sees.
func TestAVillageClinicSeesTheResidentsOfItsCentre(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		village := person("clinic", "VILLAGE_DOCTOR")
		resident := w.register(township, zeng).ID
		other := w.register(stranger, domain.Details{Name: "莫小林", IdentityNumber: "990122198501010012", Phone: "13900139000"}).ID
		arrives := app.Arrive{Request: app.Request{Method: "DeclareVisit", ID: id.New()}, PatientID: other, IdentityNumber: "990122198501010012"}
		if _, err := w.Visit(t.Context(), township, arrives); err != nil {
			t.Fatal(err)
		}
		_, err := w.Summary(t.Context(), village, resident)
		w.reason(err, errs.ReasonNotFound)

		w.stands(1, "clinic", "VILLAGE_CLINIC", "township")
		w.stands(1, "branch", "TOWNSHIP_CENTRE", "township")
		if s, err := w.Summary(t.Context(), village, resident); err != nil || s.Patient.Level != domain.LevelFull {
			t.Errorf("a resident of the centre: %v", err)
		}
		var looked int
		err = w.db.View(t.Context(), func(tx *sqldb.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT count(*) FROM audit_entry WHERE action = 'record.summary' AND patient_id = $1
				AND organization_id = 'clinic'`, resident).Scan(&looked)
		})
		if err != nil || looked != 1 {
			t.Errorf("%d entries of the audit, %v", looked, err)
		}
		list, _, err := w.Search(t.Context(), village, app.Search{Query: "曾"})
		if err != nil || len(list) != 1 || list[0].ID != resident || list[0].Level != domain.LevelFull {
			t.Errorf("by name: %d, %v", len(list), err)
		}
		// Who only visits the centre is not the village's.
		_, err = w.Summary(t.Context(), village, other)
		w.reason(err, errs.ReasonNotFound)
		if list, _, err := w.Search(t.Context(), village, app.Search{Query: "莫"}); err != nil || len(list) != 0 {
			t.Errorf("a visitor of the centre: %d, %v", len(list), err)
		}
		// Only a village clinic looks after the residents of the organisation above it.
		_, err = w.Summary(t.Context(), person("branch", "TOWNSHIP_DOCTOR"), resident)
		w.reason(err, errs.ReasonNotFound)
		w.stands(2, "clinic", "VILLAGE_CLINIC", "elsewhere")
		_, err = w.Summary(t.Context(), village, resident)
		w.reason(err, errs.ReasonNotFound)
		if _, err := w.Summary(t.Context(), village, other); err != nil {
			t.Errorf("a resident of the centre that it belongs to now: %v", err)
		}
	})
}

func TestASnapshotNamesTheClinicOfTheVillage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept := store.New(w.db, crypt.TestRing(), func() {})
		clinic := func(organization, name string) {
			t.Helper()
			if err := kept.PutOrganization(t.Context(), "", app.Organization{County: county, ID: organization, Version: 1, Type: "VILLAGE_CLINIC", Parent: "township", Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		clinic("clinic", "白沙镇旧县村卫生室")
		clinic("other", "竹桥村卫生室")
		named := func(who authn.Identity, d domain.Details) string {
			t.Helper()
			s, err := w.Snapshot(t.Context(), who, w.register(who, d).ID, who.Organization)
			if err != nil {
				t.Fatal(err)
			}
			return s.VillageClinic
		}
		if got := named(township, zeng); got != "clinic" {
			t.Errorf("of 旧县村: %q", got)
		}
		if got := named(township, domain.Details{Name: "莫小林", IdentityNumber: "990122198501010012", Phone: "13900139000", Village: "古板村"}); got != "" {
			t.Errorf("of a village without a clinic: %q", got)
		}
		if got := named(person("other", "VILLAGE_DOCTOR"), qin); got != "other" {
			t.Errorf("at home in a clinic: %q", got)
		}
		if got := named(desk, domain.Details{Name: "外人", DocumentType: domain.Passport, IdentityNumber: "G1234567", Sex: domain.Female, BirthDate: qin.BirthDate, Village: "旧县村"}); got != "" {
			t.Errorf("without a home: %q", got)
		}
	})
}

func TestABrokenGlassFollowsTheRecordThatWasMerged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		stays, goes, m := w.pair()
		in := breaking(goes.ID)
		w.breakGlass(in)
		if _, err := w.Summary(t.Context(), desk, goes.ID); err != nil {
			t.Fatal(err)
		}
		w.decide(m, stays.ID)
		for _, patient := range []string{stays.ID, goes.ID} {
			if _, err := w.Summary(t.Context(), desk, patient); err != nil {
				t.Errorf("after the merge: %v", err)
			}
		}
		page, err := w.Glasses(t.Context(), auditor, true, app.Cursor{}, 0)
		if err != nil || len(page.Uses) != 1 {
			t.Fatalf("%d uses, %v", len(page.Uses), err)
		}
		// The reviewer sees what was read of the one person, under either id.
		_, reads, err := w.Glass(t.Context(), auditor, page.Uses[0].ID)
		seen := 0
		for _, r := range reads {
			if r.Action == "record.summary" {
				seen++
			}
		}
		if err != nil || seen != 3 {
			t.Errorf("%d reads are shown, %v", seen, err)
		}
	})
}

func TestSpansAreAsSet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		deps := w.deps
		deps.Spans = app.Spans{Sensitive: time.Hour, Glass: 48 * time.Hour, Visit: 24 * time.Hour, Closed: 7 * 24 * time.Hour}
		w.App = app.New(deps)
		patient := w.withSecret(zeng)
		g := w.breakGlass(breaking(patient))
		if !g.To.Equal(g.From.Add(48 * time.Hour)) {
			t.Errorf("a broken glass counts until %s", g.To.Sub(g.From))
		}
		v, err := w.Visit(t.Context(), stranger, app.Arrive{
			Request: app.Request{Method: "DeclareVisit", ID: id.New()}, PatientID: patient, IdentityNumber: zeng.IdentityNumber,
		})
		if err != nil || !v.To.Equal(v.From.Add(24*time.Hour)) {
			t.Errorf("a visit counts for %s: %v", v.To.Sub(v.From), err)
		}
		o, err := w.StatePurpose(t.Context(), township, app.Stated{
			Request: app.Request{Method: "StatePurpose", ID: id.New()}, PatientID: patient, Purpose: domain.PurposeTreatment,
		})
		if err != nil || !o.To.Equal(o.From.Add(time.Hour)) {
			t.Errorf("a purpose counts for %s: %v", o.To.Sub(o.From), err)
		}
		w.clk.Advance(48 * time.Hour)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
		referral := id.New()
		w.fact(referral, patient, 4, domain.Arrived, domain.Accepted)
		w.fact(referral, patient, 6, domain.Closed, domain.Concluded)
		w.clk.Advance(7*24*time.Hour - time.Minute)
		if _, err := w.Summary(t.Context(), desk, patient); err != nil {
			t.Errorf("within the time: %v", err)
		}
		w.clk.Advance(time.Minute)
		_, err = w.Summary(t.Context(), desk, patient)
		w.reason(err, errs.ReasonNotFound)
	})
}

// A village has more people than a search of words reads: its pages end with the last of them.
func TestTheWholeVillageIsReadPageByPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept := store.New(w.db, crypt.TestRing(), func() {})
		err := kept.PutOrganization(t.Context(), "", app.Organization{County: county, ID: "clinic", Version: 1, Type: "VILLAGE_CLINIC", Parent: "township", Name: "白沙镇旧县村卫生室"})
		if err != nil {
			t.Fatal(err)
		}
		const residents = app.MaxCandidates + 5
		for n := range residents {
			w.register(township, domain.Details{
				Name: fmt.Sprint("居民", n), DocumentType: domain.Passport, IdentityNumber: fmt.Sprintf("G%07d", n), Sex: domain.Female, BirthDate: qin.BirthDate, Village: "旧县村",
			})
		}
		found, after := map[string]bool{}, ""
		for more := true; more; {
			var list []app.Shown
			if list, more, err = w.Search(t.Context(), person("clinic", "VILLAGE_DOCTOR"), app.Search{Village: true, PageSize: 100, After: after}); err != nil || len(list) == 0 {
				t.Fatal(len(list), err)
			}
			for _, one := range list {
				found[one.ID] = true
			}
			after = list[len(list)-1].ID
		}
		if len(found) != residents {
			t.Errorf("%d of %d residents are found", len(found), residents)
		}
	})
}

// A clinic finds the residents of its own village among those of its centre, all of them without a word; who is no clinic finds nobody that way.
func TestAClinicFindsTheResidentsOfItsVillage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept := store.New(w.db, crypt.TestRing(), func() {})
		for organization, name := range map[string]string{"clinic": "白沙镇旧县村卫生室", "other": "竹桥村卫生室"} {
			err := kept.PutOrganization(t.Context(), "", app.Organization{County: county, ID: organization, Version: 1, Type: "VILLAGE_CLINIC", Parent: "township", Name: name})
			if err != nil {
				t.Fatal(err)
			}
		}
		here := w.register(township, zeng).ID
		w.register(township, domain.Details{Name: "莫小林", IdentityNumber: "990122198501010012", Phone: "13900139000", Village: "古板村"})
		find := func(who authn.Identity, words string) (out []string) {
			t.Helper()
			list, more, err := w.Search(t.Context(), who, app.Search{Query: words, Village: true})
			if err != nil || more {
				t.Fatal(more, err)
			}
			for _, one := range list {
				out = append(out, one.ID)
			}
			return out
		}
		village := person("clinic", "VILLAGE_DOCTOR")
		for words, want := range map[string][]string{"": {here}, zeng.Name: {here}, "莫小林": nil} {
			if got := find(village, words); !slices.Equal(got, want) {
				t.Errorf("%q finds %v, not %v", words, got, want)
			}
		}
		for _, who := range []authn.Identity{person("other", "VILLAGE_DOCTOR"), township} {
			if got := find(who, ""); len(got) != 0 {
				t.Errorf("%s finds %v", who.Organization, got)
			}
		}
	})
}
