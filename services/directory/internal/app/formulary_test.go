package app_test

import (
	"fmt"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func medicine(organization, name string) app.FormularyEntry {
	return app.FormularyEntry{
		OrganizationCode: organization,
		Data:             domain.FormularyData{Name: name, Specification: "5mg", ATC: "C08CA01", Stock: domain.InStock},
	}
}

func (h house) importFormulary(t *testing.T, entries ...app.FormularyEntry) (app.ImportResult, error) {
	t.Helper()
	return h.app.ImportFormulary(t.Context(), cli(), app.FormularyImport{County: county, Entries: entries})
}

// stocked has the centre's one medicine.
func (h house) stocked(t *testing.T) domain.FormularyItem {
	t.Helper()
	if _, err := h.importFormulary(t, medicine("450321101", "苯磺酸氨氯地平片")); err != nil {
		t.Fatal(err)
	}
	list, _, err := h.app.ListFormulary(t.Context(), h.township(), h.ids["450321101"], "", app.Page{})
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v", list, err)
	}
	return list[0]
}

// township is a doctor of the centre.
func (h house) township() authn.Identity {
	return authn.Identity{Subject: "a", County: county, Organization: h.ids["450321101"], Roles: []string{"TOWNSHIP_DOCTOR"}}
}

func copying() authn.Identity {
	return authn.Identity{Subject: "service:referral", Service: "referral", County: county}
}

// Invariants 3 and 10.
func TestImportingTheSameMedicinesAgainWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		entries := []app.FormularyEntry{medicine("450321101", "甲"), medicine("H01", "甲"), medicine("450321101", "乙")}
		r, err := h.importFormulary(t, entries...)
		if err != nil || r.Created != 3 || r.Updated+r.Unchanged != 0 {
			t.Fatalf("got %+v, %v", r, err)
		}
		facts, audited := h.count(t, "SELECT count(*) FROM outbox"), h.count(t, "SELECT count(*) FROM audit_entry")
		entries[0].Data.Name = " 甲 "
		if r, err = h.importFormulary(t, entries...); err != nil || r.Unchanged != 3 || r.Created+r.Updated != 0 {
			t.Errorf("got %+v, %v", r, err)
		}
		if h.count(t, "SELECT count(*) FROM outbox") != facts || h.count(t, "SELECT count(*) FROM audit_entry") != audited {
			t.Error("something was written")
		}
		entries[2].Data.Stock = domain.OutOfStock
		if r, err = h.importFormulary(t, entries...); err != nil || r.Updated != 1 || r.Unchanged != 2 {
			t.Errorf("got %+v, %v", r, err)
		}
		if n := h.count(t, "SELECT count(*) FROM outbox"); n != facts+1 {
			t.Errorf("%d facts, then %d", facts, n)
		}
	})
}

func TestAnImportOfMedicinesNamesEverythingThatIsWrongAndWritesNothing(t *testing.T) {
	t.Parallel()
	h := one(t)
	nameless, classless := medicine("H01", ""), medicine("H01", "乙")
	classless.Data.ATC, classless.Data.Stock = "C8", ""
	_, err := h.importFormulary(t, medicine("H01", "甲"), nameless, medicine("none", "丙"), medicine("H01", " 甲"), classless)
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		t.Fatalf("got %v", err)
	}
	want := []errs.Field{
		{Name: "items[1].item.name", Reason: errs.ReasonFieldRequired},
		{Name: "items[2].organizationCode", Reason: errs.ReasonFieldUnknown},
		{Name: "items[3].item.name", Reason: errs.ReasonFieldInvalid},
		{Name: "items[4].item.atc", Reason: errs.ReasonFieldInvalid},
		{Name: "items[4].item.stock", Reason: errs.ReasonFieldRequired},
	}
	if len(e.Fields) != len(want) {
		t.Fatalf("got %v", e.Fields)
	}
	for i, f := range e.Fields {
		if f.Name != want[i].Name || f.Reason != want[i].Reason {
			t.Errorf("got %v, want %v", f, want[i])
		}
	}
	if n := h.count(t, "SELECT count(*) FROM formulary_item"); n != 0 {
		t.Errorf("%d medicines kept", n)
	}
	_, err = h.app.ImportFormulary(t.Context(), authn.Identity{Subject: "a", County: "450322", Roles: []string{"SYSTEM"}}, app.FormularyImport{County: county})
	expect(t, err, errs.ReasonRole)
}

func TestALongListIsReadPageByPage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		var entries []app.FormularyEntry
		for i := range 45 {
			entries = append(entries, medicine("450321101", fmt.Sprintf("药%02d", i)), medicine("H01", fmt.Sprintf("药%02d", i)))
		}
		if _, err := h.importFormulary(t, entries...); err != nil {
			t.Fatal(err)
		}
		read := func(caller authn.Identity, organization string) (names []string) {
			t.Helper()
			page := app.Page{Size: 20}
			for {
				list, next, err := h.app.ListFormulary(t.Context(), caller, organization, "", page)
				if err != nil {
					t.Fatal(err)
				}
				for _, item := range list {
					names = append(names, item.Data().Name)
				}
				if page.Token = next; next == "" {
					return names
				}
			}
		}
		if got := read(h.township(), h.ids["H01"]); len(got) != 45 || got[0] != "药00" || got[44] != "药44" {
			t.Errorf("the hospital has %v", got)
		}
		if got := read(copying(), ""); len(got) != 90 {
			t.Errorf("the county has %d", len(got))
		}
	})
}

// Invariant 11.
func TestWhatLeftTheListIsSeenByCopiesOnly(t *testing.T) {
	t.Parallel()
	h := one(t)
	item := h.stocked(t)
	gone := medicine("450321101", "苯磺酸氨氯地平片")
	gone.Data.Removed = true
	if r, err := h.importFormulary(t, gone); err != nil || r.Updated != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	list, _, err := h.app.ListFormulary(t.Context(), h.township(), h.ids["450321101"], "", app.Page{})
	if err != nil || len(list) != 0 {
		t.Errorf("the centre sees %v, %v", list, err)
	}
	list, _, err = h.app.ListFormulary(t.Context(), copying(), "", "", app.Page{})
	if err != nil || len(list) != 1 || !list[0].Data().Removed || list[0].Version() != 2 {
		t.Errorf("a copy sees %v, %v", list, err)
	}
	_, err = h.app.SetStock(t.Context(), h.township(), app.StockChange{ID: item.String(), Version: 2, Stock: domain.InStock})
	expect(t, err, errs.ReasonNotFound)
}

// Invariants 8 and 11.
func TestPeopleAskForOneOrganizationOfTheirCounty(t *testing.T) {
	t.Parallel()
	h := one(t)
	h.stocked(t)
	neighbour := authn.Identity{Subject: "a", County: "450322"}
	_, _, err := h.app.ListFormulary(t.Context(), neighbour, h.ids["450321101"], "", app.Page{})
	expect(t, err, errs.ReasonNotFound)
	_, err = h.app.ListCapabilities(t.Context(), neighbour, h.ids["450321101"])
	expect(t, err, errs.ReasonNotFound)
	_, _, err = h.app.ListFormulary(t.Context(), h.township(), "", "", app.Page{})
	expectField(t, err, "organizationId", errs.ReasonFieldRequired)
	_, err = h.app.ListCapabilities(t.Context(), h.township(), "")
	expectField(t, err, "organizationId", errs.ReasonFieldRequired)
	_, _, err = h.app.ListFormulary(t.Context(), h.township(), h.ids["H01"], "", app.Page{Token: "?"})
	expectField(t, err, "pageToken", errs.ReasonFieldInvalid)
	for of, want := range map[string]int{county: 1, "450322": 0, "": 1} {
		caller := copying()
		caller.County = of
		list, _, err := h.app.ListFormulary(t.Context(), caller, "", "", app.Page{})
		if err != nil || len(list) != want {
			t.Errorf("county %q: %v, %v", of, list, err)
		}
	}
}

func TestADoctorChangesTheStockOfTheOwnCentre(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		item := h.stocked(t)
		facts := h.count(t, "SELECT count(*) FROM outbox")
		out := app.StockChange{ID: item.String(), Version: 1, Stock: domain.OutOfStock, Orderable: true}
		next, err := h.app.SetStock(t.Context(), h.township(), out)
		if d := next.Data(); err != nil || next.Version() != 2 || d.Stock != domain.OutOfStock || !d.Orderable || d.ATC != "C08CA01" {
			t.Fatalf("got %+v, %v", d, err)
		}
		_, err = h.app.SetStock(t.Context(), h.township(), out)
		e, ok := errs.As(err)
		if !ok || e.Reason != errs.ReasonStaleVersion || e.Meta["version"] != "2" {
			t.Errorf("got %v", err)
		}
		out.Version = 2
		if same, err := h.app.SetStock(t.Context(), h.township(), out); err != nil || same != next {
			t.Errorf("got %+v, %v", same, err)
		}
		if n := h.count(t, "SELECT count(*) FROM outbox"); n != facts+1 {
			t.Errorf("%d facts, then %d", facts, n)
		}
		n := h.count(t, `SELECT count(*) FROM audit_entry WHERE action = 'formulary.set_stock' AND account_id = 'a'
			AND organization_id = $1 AND object_id = $2`, h.ids["450321101"], item.String())
		if n != 1 {
			t.Errorf("%d audit entries", n)
		}
	})
}

func TestStockThatIsNotOnesOwnIsNotFound(t *testing.T) {
	t.Parallel()
	h := one(t)
	item := h.stocked(t)
	change := app.StockChange{ID: item.String(), Version: 1, Stock: domain.OutOfStock}
	for _, who := range []authn.Identity{
		{Subject: "b", County: county, Organization: h.ids["H01"]}, {Subject: "c", County: "450322", Organization: h.ids["450321101"]},
	} {
		_, err := h.app.SetStock(t.Context(), who, change)
		expect(t, err, errs.ReasonNotFound)
	}
	unknown := change
	unknown.ID = h.ids["H01"]
	_, err := h.app.SetStock(t.Context(), h.township(), unknown)
	expect(t, err, errs.ReasonNotFound)
	_, err = h.app.SetStock(t.Context(), h.township(), app.StockChange{ID: item.String(), Stock: domain.InStock})
	expectField(t, err, "version", errs.ReasonVersionRequired)
	_, err = h.app.SetStock(t.Context(), h.township(), app.StockChange{ID: item.String(), Version: 1})
	expectField(t, err, "stock", errs.ReasonFieldRequired)
}

func TestCapabilitiesAreImportedWholeAndListed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		say := func(entries ...app.CapabilityEntry) (app.ImportResult, error) {
			return h.app.ImportCapabilities(t.Context(), cli(), app.CapabilityImport{County: county, Entries: entries})
		}
		centre := h.ids["450321101"]
		list, err := h.app.ListCapabilities(t.Context(), h.township(), centre)
		if err != nil || len(list) != 1 || list[0].OrganizationID() != centre || list[0].Version() != 0 {
			t.Errorf("before anything was said: %v, %v", list, err)
		}
		entry := app.CapabilityEntry{OrganizationCode: "450321101", Capabilities: []domain.Capability{{Code: "ECG"}, {Code: "TCM"}}}
		if r, err := say(entry, app.CapabilityEntry{OrganizationCode: "H01"}); err != nil || r.Created != 2 {
			t.Fatalf("got %+v, %v", r, err)
		}
		if r, err := say(entry); err != nil || r.Unchanged != 1 || r.Updated != 0 {
			t.Errorf("got %+v, %v", r, err)
		}
		entry.Capabilities = entry.Capabilities[:1]
		if r, err := say(entry); err != nil || r.Updated != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
		list, err = h.app.ListCapabilities(t.Context(), h.township(), centre)
		if err != nil || len(list) != 1 || list[0].Version() != 2 || len(list[0].List()) != 1 {
			t.Errorf("got %v, %v", list, err)
		}
		if list, err = h.app.ListCapabilities(t.Context(), copying(), ""); err != nil || len(list) != 2 {
			t.Errorf("got %v, %v", list, err)
		}
		_, err = say(app.CapabilityEntry{OrganizationCode: "H01"}, app.CapabilityEntry{OrganizationCode: "H01"})
		expectField(t, err, "entries[1].organizationCode", errs.ReasonFieldInvalid)
		_, err = say(app.CapabilityEntry{OrganizationCode: "none"})
		expectField(t, err, "entries[0].organizationCode", errs.ReasonFieldUnknown)
		_, err = say(app.CapabilityEntry{OrganizationCode: "H01", Capabilities: []domain.Capability{{Code: "SURGERY"}}})
		expectField(t, err, "entries[0].capabilities[0].code", errs.ReasonFieldUnknown)
	})
}
