package storetest

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

// renamed is the organisation under another name, with its second department closed.
func renamed(t *testing.T, o domain.Organization, name string) domain.Organization {
	t.Helper()
	d := o.Data()
	d.Name = name
	closed := o.Departments()[1]
	closed.Disabled = true
	next, changed, err := o.Update(d, []domain.Department{closed})
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	return next
}

// by changes in the name of an account.
func by(t *testing.T, f Fixture, account string, fn func(u app.Unit)) {
	t.Helper()
	err := f.Store.Change(t.Context(), app.Command{County: County, AccountID: account}, func(u app.Unit) error {
		fn(u)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func versions(t *testing.T, f Fixture, s app.Subject, id string) []app.PlaceVersion {
	t.Helper()
	list, err := f.Store.PlaceVersions(t.Context(), County, s, id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func placeVersionsAreKept(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	next := renamed(t, o, "白沙中心卫生院")
	f.Clock.Advance(time.Hour)
	by(t, f, v.Account.Data().ID, func(u app.Unit) { u.UpdateOrganization(next) })
	got := versions(t, f, app.SubjectPlace, o.Data().ID)
	if len(got) != 2 || got[0].Version != 2 || got[0].AccountName != v.Account.Data().Name || !got[0].At.Equal(f.Clock.Now()) || got[0].Organization.Data().Name != "白沙中心卫生院" ||
		!got[0].Organization.Departments()[1].Disabled {
		t.Fatalf("got %+v", got)
	}
	if old := got[1]; old.Version != 1 || old.AccountName != "" || old.Organization.Data() != o.Data() || old.Organization.Departments()[1].Disabled {
		t.Errorf("got %+v", old)
	}
	can, _, err := domain.RestoreCapabilities(County, o.Data().ID, nil, 0).Replace([]domain.Capability{{Code: "TCM", Note: "每日"}})
	if err != nil {
		t.Fatal(err)
	}
	item := medicine(t, o, "阿司匹林肠溶片", "100mg", "B01AC06")
	change(t, f, func(u app.Unit) {
		u.ReplaceCapabilities(can, "capabilities.set")
		u.SaveMedicine(item, "formulary.save")
	})
	if got := versions(t, f, app.SubjectAbilities, o.Data().ID); len(got) != 1 || len(got[0].Capabilities.List()) != 1 || got[0].Capabilities.List()[0] != can.List()[0] {
		t.Errorf("got %+v", got)
	}
	if got := versions(t, f, app.SubjectMedicine, item.Data().ID); len(got) != 1 || got[0].Medicine.Data() != item.Data() {
		t.Errorf("got %+v", got)
	}
	if one, err := f.Store.PlaceVersions(t.Context(), County, app.SubjectPlace, o.Data().ID, 1); err != nil || len(one) != 1 || one[0].Version != 2 {
		t.Errorf("got %+v, %v", one, err)
	}
	if none, err := f.Store.PlaceVersions(t.Context(), "450322", app.SubjectPlace, o.Data().ID, 0); err != nil || len(none) != 0 {
		t.Errorf("another county: %+v, %v", none, err)
	}
}

func firstVersionsAreKept(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	item := medicine(t, o, "阿司匹林肠溶片", "100mg", "B01AC06")
	can, _, err := domain.RestoreCapabilities(County, o.Data().ID, nil, 0).Replace([]domain.Capability{{Code: "TCM"}})
	if err != nil {
		t.Fatal(err)
	}
	change(t, f, func(u app.Unit) {
		u.SaveMedicine(item, "formulary.save")
		u.ReplaceCapabilities(can, "capabilities.set")
	})
	written := f.Clock.Now()
	f.Forget(t)
	f.Clock.Advance(time.Hour)
	fewer, _, err := can.Replace(nil)
	if err != nil {
		t.Fatal(err)
	}
	by(t, f, v.Account.Data().ID, func(u app.Unit) {
		if _, err := u.OrganizationsByID(t.Context(), County, []string{o.Data().ID}); err != nil {
			t.Error(err)
		}
		if _, err := u.FormularyItems(t.Context(), County, []string{item.Data().ID}); err != nil {
			t.Error(err)
		}
		if _, err := u.Capabilities(t.Context(), County, []string{o.Data().ID}); err != nil {
			t.Error(err)
		}
		u.UpdateOrganization(renamed(t, o, "白沙中心卫生院"))
		u.SaveMedicine(changed(t, item, func(d *domain.FormularyData) { d.Removed = true }), "formulary.remove")
		u.ReplaceCapabilities(fewer, "capabilities.set")
	})
	for s, id := range map[app.Subject]string{app.SubjectPlace: o.Data().ID, app.SubjectAbilities: o.Data().ID, app.SubjectMedicine: item.Data().ID} {
		got := versions(t, f, s, id)
		if len(got) != 2 || got[1].Version != 1 || !got[1].At.Equal(written) || got[1].AccountName != "" || got[0].AccountName == "" {
			t.Errorf("%s: got %+v", s, got)
		}
	}
	if got := versions(t, f, app.SubjectPlace, o.Data().ID); got[1].Organization.Data() != o.Data() {
		t.Errorf("got %+v", got[1])
	}
}

func hangingIsCounted(t *testing.T, f Fixture) {
	o, _ := saved(t, f, "township")
	below := Organization(t, County, "450321102")
	d := below.Data()
	d.ParentID = o.Data().ID
	below = domain.RestoreOrganization(d, nil, 1)
	gone := changed(t, medicine(t, o, "复方甘草片", "1", "R05CA"), func(d *domain.FormularyData) { d.Removed = true })
	change(t, f, func(u app.Unit) {
		u.CreateOrganization(below)
		u.ImportFormulary(o.Data().ID, []domain.FormularyItem{medicine(t, o, "阿司匹林肠溶片", "100mg", "B01AC06"), domain.RestoreFormularyItem(gone.Data(), 1)})
	})
	all, err := f.Store.Hanging(t.Context(), County)
	if want := (app.Hanging{Accounts: 1, Below: 1, Medicines: 1}); err != nil || all[o.Data().ID] != want || all[below.Data().ID] != (app.Hanging{}) {
		t.Errorf("got %+v, %v", all, err)
	}
	change(t, f, func(u app.Unit) {
		if one, err := u.Hanging(t.Context(), County, o.Data().ID); err != nil || one != all[o.Data().ID] {
			t.Errorf("got %+v, %v", one, err)
		}
	})
}

func stockSince(t *testing.T, f Fixture) {
	o, v := saved(t, f, "township")
	first := medicine(t, o, "阿司匹林肠溶片", "100mg", "B01AC06")
	change(t, f, func(u app.Unit) {
		u.ImportFormulary(o.Data().ID, []domain.FormularyItem{first, medicine(t, o, "苯磺酸氨氯地平片", "5mg", "C08CA01")})
	})
	since := f.Clock.Now()
	f.Clock.Advance(time.Hour)
	orderable := changed(t, first, func(d *domain.FormularyData) { d.Orderable = !d.Orderable })
	by(t, f, v.Account.Data().ID, func(u app.Unit) { u.SaveMedicine(orderable, "formulary.save") })
	ask := app.MedicineQuery{County: County, OrganizationID: o.Data().ID, Text: "asp"}
	got, err := f.Store.Medicines(t.Context(), ask)
	if err != nil || len(got) != 1 || got[0].Item != orderable || !got[0].StockTime.Equal(since) || !got[0].UpdateTime.Equal(f.Clock.Now()) || got[0].AccountName != v.Account.Data().Name {
		t.Fatalf("got %+v, %v", got, err)
	}
	out := changed(t, orderable, func(d *domain.FormularyData) { d.Stock = domain.OutOfStock })
	change(t, f, func(u app.Unit) { u.SaveMedicine(out, "formulary.set_stock") })
	ask.Text, ask.Stock = "", domain.OutOfStock
	if got, err = f.Store.Medicines(t.Context(), ask); err != nil || len(got) != 1 || !got[0].StockTime.Equal(f.Clock.Now()) || got[0].AccountName != "" {
		t.Errorf("got %+v, %v", got, err)
	}
	ask.Stock = ""
	page := func(after string) []app.MedicineLine {
		ask.Limit, ask.After.Key = 1, after
		list, err := f.Store.Medicines(t.Context(), ask)
		if err != nil || len(list) != 1 {
			t.Fatalf("got %+v, %v", list, err)
		}
		return list
	}
	if one := page("")[0].Item; one == page(one.Data().ID)[0].Item {
		t.Error("the second page is the first")
	}
	ask.Limit, ask.After.Key, ask.Removed = 0, "", true
	if got, err = f.Store.Medicines(t.Context(), ask); err != nil || len(got) != 0 {
		t.Errorf("off the list: %+v, %v", got, err)
	}
	if one, err := f.Store.Medicine(t.Context(), County, first.Data().ID); err != nil || one != out {
		t.Errorf("got %+v, %v", one, err)
	}
}
