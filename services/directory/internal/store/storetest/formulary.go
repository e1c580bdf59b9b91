package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// medicine of the organisation, in stock.
func medicine(t *testing.T, o domain.Organization, name, specification, atc string) domain.FormularyItem {
	t.Helper()
	d := o.Data()
	f, err := domain.NewFormularyItem(domain.FormularyData{
		ID: id.FromFact(d.ID, name, specification), County: d.County, OrganizationID: d.ID, Name: name, Specification: specification,
		ATC: atc, Stock: domain.InStock, RestrictedClass: "ANTIMICROBIAL",
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// changed is the medicine after fn, which must change it.
func changed(t *testing.T, f domain.FormularyItem, fn func(d *domain.FormularyData)) domain.FormularyItem {
	t.Helper()
	d := f.Data()
	fn(&d)
	next, ok, err := f.Update(d)
	if err != nil || !ok {
		t.Fatalf("changed %v, %v", ok, err)
	}
	return next
}

func names(t *testing.T, f Fixture, q app.FormularyQuery) (out []string) {
	t.Helper()
	list, err := f.Store.Formulary(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list {
		out = append(out, item.Data().Name+item.Data().Specification)
	}
	return out
}

func medicinesAreKept(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	first := medicine(t, o, "苯磺酸氨氯地平片", "5mg", "C08CA01")
	change(t, f, func(u app.Unit) { u.ImportFormulary(o.Data().ID, []domain.FormularyItem{first}) })
	second := changed(t, first, func(d *domain.FormularyData) {
		d.ATC, d.Stock, d.Orderable, d.RestrictedClass = "C08CA", domain.OutOfStock, true, ""
	})
	change(t, f, func(u app.Unit) {
		got, err := u.FormularyItems(t.Context(), County, []string{first.Data().ID, id.New()})
		if err != nil || len(got) != 1 || got[first.Data().ID] != first {
			t.Errorf("got %+v, %v", got, err)
		}
		u.SaveMedicine(second, "formulary.set_stock")
	})
	list, err := f.Store.Formulary(t.Context(), app.FormularyQuery{County: County, OrganizationID: o.Data().ID})
	if err != nil || len(list) != 1 || list[0] != second {
		t.Errorf("got %+v, %v", list, err)
	}
	expectList(t, f.Facts(t)[2:], "tongzhen.directory.v1.FormularyChanged", "tongzhen.directory.v1.FormularyChanged")
	expectList(t, f.Entries(t)[2:], "formulary.import", "formulary.set_stock")
}

func medicineMadeTwice(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	first := medicine(t, o, "苯磺酸氨氯地平片", "5mg", "C08CA01")
	keep := func(item domain.FormularyItem) error {
		return try(t, f, func(u app.Unit) { u.ImportFormulary(o.Data().ID, []domain.FormularyItem{item}) })
	}
	if err := keep(first); err != nil {
		t.Fatal(err)
	}
	expectKind(t, keep(first), errs.KindStale)
	out := changed(t, first, func(d *domain.FormularyData) { d.Stock = domain.OutOfStock })
	if err := keep(out); err != nil {
		t.Fatal(err)
	}
	expectKind(t, keep(changed(t, first, func(d *domain.FormularyData) { d.Orderable = true })), errs.KindStale)
	if n := len(f.Facts(t)); n != 4 {
		t.Errorf("%d facts", n)
	}
}

func factsAreBounded(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	var many []domain.FormularyItem
	for i := range 401 {
		many = append(many, medicine(t, o, "复方甘草片", fmt.Sprint(i), "R05CA"))
	}
	change(t, f, func(u app.Unit) { u.ImportFormulary(o.Data().ID, many) })
	if facts, entries := f.Facts(t), f.Entries(t); len(facts) != 2+3 || len(entries) != 2+1 {
		t.Errorf("%d facts, %d entries", len(facts), len(entries))
	}
}

func medicinesByName(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	next := Organization(t, County, "450321102")
	far := Organization(t, "450322", "450322100")
	var gone domain.FormularyItem
	change(t, f, func(u app.Unit) {
		u.NameCounty("450322", "临桂")
		u.CreateOrganization(next)
		u.CreateOrganization(far)
		gone = medicine(t, o, "E", "1", "")
		gone = changed(t, gone, func(d *domain.FormularyData) { d.Removed = true })
		gone = domain.RestoreFormularyItem(gone.Data(), 1)
		u.ImportFormulary(o.Data().ID, []domain.FormularyItem{
			medicine(t, o, "丙", "1", ""), medicine(t, o, "a", "1", ""), medicine(t, o, "D", "2", ""), medicine(t, o, "D", "10", ""), gone,
		})
		u.ImportFormulary(next.Data().ID, []domain.FormularyItem{medicine(t, next, "B", "1", "")})
		u.ImportFormulary(far.Data().ID, []domain.FormularyItem{medicine(t, far, "F", "1", "")})
	})
	var seen []string
	q := app.FormularyQuery{County: County, OrganizationID: o.Data().ID, Limit: 3}
	for range 2 {
		page, err := f.Store.Formulary(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page {
			seen = append(seen, item.Data().Name+item.Data().Specification)
			q.After = app.Position{County: County, Key: item.Data().ID}
		}
	}
	expectList(t, seen, "D10", "D2", "a1", "丙1")
	if rest := names(t, f, q); len(rest) != 0 {
		t.Errorf("after the last: %v", rest)
	}
	if there := names(t, f, app.FormularyQuery{County: "450322", OrganizationID: o.Data().ID}); len(there) != 0 {
		t.Errorf("under another county: %v", there)
	}
	wholeCounty(t, f, gone)
}

// wholeCounty reads all lists as a copy would.
func wholeCounty(t *testing.T, f Fixture, gone domain.FormularyItem) {
	t.Helper()
	var ids []string
	q := app.FormularyQuery{County: County, Limit: 4}
	for range 2 {
		page, err := f.Store.Formulary(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page {
			ids = append(ids, item.Data().ID)
			q.After = app.Position{County: County, Key: item.Data().ID}
			if item.Data().Removed != (item.Data().ID == gone.Data().ID) {
				t.Errorf("got %+v", item.Data())
			}
		}
	}
	if len(ids) != 6 || !slices.IsSorted(ids) || !slices.Contains(ids, gone.Data().ID) {
		t.Errorf("got %v", ids)
	}
	if all := names(t, f, app.FormularyQuery{}); len(all) != 7 || all[6] != "F1" {
		t.Errorf("all counties: %v", all)
	}
}

func medicinesAreFound(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	change(t, f, func(u app.Unit) {
		u.ImportFormulary(o.Data().ID, []domain.FormularyItem{
			medicine(t, o, "苯磺酸氨氯地平片", "5mg", "C08CA01"), medicine(t, o, "硝苯地平控释片", "30mg", "C08CA05"),
			medicine(t, o, "维生素B1片", "10mg", "A11DA01"), medicine(t, o, "5%_葡萄糖", "", "B05BA03"),
		})
	})
	for text, want := range map[string][]string{
		"地平": {"硝苯地平控释片30mg", "苯磺酸氨氯地平片5mg"}, "ald": {"苯磺酸氨氯地平片5mg"}, "XBDP": {"硝苯地平控释片30mg"},
		"c08ca": {"硝苯地平控释片30mg", "苯磺酸氨氯地平片5mg"}, "C08CA05": {"硝苯地平控释片30mg"}, "08CA": nil,
		"维生素b1": {"维生素B1片10mg"}, "wssb1": {"维生素B1片10mg"}, "%_": {"5%_葡萄糖"}, "_": {"5%_葡萄糖"}, `\`: nil, "阿司匹林": nil,
	} {
		expectList(t, names(t, f, app.FormularyQuery{County: County, OrganizationID: o.Data().ID, Text: text}), want...)
	}
	if got := names(t, f, app.FormularyQuery{County: County, Text: "xbdp"}); !slices.Equal(got, []string{"硝苯地平控释片30mg"}) {
		t.Errorf("in the county: %v", got)
	}
}

func capabilitiesAreReplaced(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	other := Organization(t, County, "450321102")
	say := func(c domain.Capabilities, list ...domain.Capability) domain.Capabilities {
		t.Helper()
		next, ok, err := c.Replace(list)
		if err != nil || !ok {
			t.Fatalf("changed %v, %v", ok, err)
		}
		return next
	}
	var first, second domain.Capabilities
	change(t, f, func(u app.Unit) {
		u.CreateOrganization(other)
		have, err := u.Capabilities(t.Context(), County, []string{o.Data().ID, other.Data().ID})
		if err != nil || len(have) != 2 || have[o.Data().ID].Version() != 0 {
			t.Errorf("got %v, %v", have, err)
		}
		first = say(have[o.Data().ID], domain.Capability{Code: "XRAY"}, domain.Capability{Code: "TCM", Note: "每日"})
		u.ReplaceCapabilities(first, "capabilities.import")
		u.ReplaceCapabilities(say(have[other.Data().ID]), "capabilities.import")
	})
	change(t, f, func(u app.Unit) {
		have, err := u.Capabilities(t.Context(), County, []string{o.Data().ID})
		if got := have[o.Data().ID]; err != nil || got.Version() != 1 || !slices.Equal(got.List(), first.List()) {
			t.Errorf("got %v, %v", have, err)
		}
		second = say(first, domain.Capability{Code: "ECG"})
		u.ReplaceCapabilities(second, "capabilities.import")
	})
	expectKind(t, try(t, f, func(u app.Unit) {
		u.ReplaceCapabilities(say(first, domain.Capability{Code: "DIALYSIS"}), "capabilities.set")
	}), errs.KindStale)
	one, err := f.Store.Capabilities(t.Context(), app.CapabilityQuery{County: County, OrganizationID: o.Data().ID})
	if err != nil || len(one) != 1 || one[0].Version() != 2 || !slices.Equal(one[0].List(), second.List()) {
		t.Errorf("got %v, %v", one, err)
	}
	all, err := f.Store.Capabilities(t.Context(), app.CapabilityQuery{County: County})
	if err != nil || len(all) != 2 || all[0].OrganizationID() > all[1].OrganizationID() {
		t.Errorf("got %v, %v", all, err)
	}
	none, err := f.Store.Capabilities(t.Context(), app.CapabilityQuery{County: "450322"})
	if err != nil || len(none) != 0 {
		t.Errorf("got %v, %v", none, err)
	}
	expectList(t, f.Entries(t)[2:], "organization.create", "capabilities.import", "capabilities.import", "capabilities.import")
	expectList(t, f.Facts(t)[2:], "tongzhen.directory.v1.OrganisationChanged", "tongzhen.directory.v1.CapabilitiesChanged",
		"tongzhen.directory.v1.CapabilitiesChanged", "tongzhen.directory.v1.CapabilitiesChanged")
}
