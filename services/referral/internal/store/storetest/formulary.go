package storetest

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func formularies(t *testing.T, f Fixture) {
	item := func(id, organization, name string, version int32) domain.FormularyItem {
		return domain.FormularyItem{
			County: County, ID: id, OrganizationID: organization, Version: version, Name: name, Specification: "5mg", ATC: "C08CA01",
			InStock: true, Orderable: true, RestrictedClass: "NARCOTIC",
		}
	}
	put := func(fact string, items ...domain.FormularyItem) {
		t.Helper()
		if err := f.Store.PutFormulary(t.Context(), fact, items); err != nil {
			t.Fatal(err)
		}
	}
	read := func(substances ...string) domain.Formulary {
		t.Helper()
		got, err := f.Store.Formulary(t.Context(), County, township, substances)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := item("1", township, "氨氯地平片", 2)
	put("fact-1", first, item("2", township, "阿司匹林肠溶片", 1), item("3", hospital, "非洛地平缓释片", 1), item("4", hospital, "华法林片", 1))
	got := read("非洛地平")
	if len(got.Items) != 2 || !slices.Contains(got.Items, first) || len(got.County) != 1 || got.County[0].Name != "非洛地平缓释片" {
		t.Errorf("got %+v", got)
	}
	// The look-up goes by the substance, whatever salt and form the lists name.
	put("", item("5", hospital, "瑞舒伐他汀钙片", 1))
	if got = read(domain.Substance("瑞舒伐他汀片")); len(got.County) != 1 || got.County[0].ID != "5" {
		t.Errorf("got %+v", got)
	}
	older, newer := item("1", township, "旧名", 1), item("1", township, "氨氯地平片", 3)
	newer.InStock, newer.Specification = false, "10mg"
	put("fact-2", older)
	put("fact-3", newer)
	put("fact-1", item("1", township, "again", 9)) // taken already
	if got = read(); len(got.Items) != 2 || !slices.Contains(got.Items, newer) || len(got.County) != 0 {
		t.Errorf("got %+v", got)
	}
	gone := item("2", township, "阿司匹林肠溶片", 2)
	gone.Removed = true
	put("", gone)
	if got = read(); len(got.Items) != 1 {
		t.Errorf("%d items with one that was removed", len(got.Items))
	}
	if other, err := f.Store.Formulary(t.Context(), "450322", township, nil); err != nil || len(other.Items) != 0 {
		t.Errorf("another county has it: %v", err)
	}
}

func capabilities(t *testing.T, f Fixture) {
	expect := func(want ...string) {
		t.Helper()
		if got, err := f.Store.Capabilities(t.Context(), County, township); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v", got, err)
		}
	}
	expect()
	for fact, c := range map[string]app.Capabilities{"": {Version: 2, Codes: []string{"REHABILITATION", "TCM"}}, "fact-2": {Version: 1, Codes: []string{"ECG"}}} {
		c.County, c.OrganizationID = County, township
		if err := f.Store.PutCapabilities(t.Context(), fact, c); err != nil {
			t.Fatal(err)
		}
	}
	expect("REHABILITATION", "TCM")
}
