package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/directory/internal/placefile"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

func admin() authn.Identity {
	return authn.Identity{Subject: "0192f0c1-0000-7000-8000-000000000a01", County: county, Roles: []string{"COUNTY_ADMIN"}}
}

// head of the centre.
func (h house) head() authn.Identity {
	return authn.Identity{Subject: "0192f0c1-0000-7000-8000-000000000a02", County: county, Organization: h.ids["450321101"], Roles: []string{"CENTRE_HEAD"}}
}

func (h house) clinic() app.PlaceChange {
	return app.PlaceChange{RequestID: id.New(), Data: domain.OrganizationData{
		Code: "450321101201", Name: "古板村卫生室", Type: domain.VillageClinic, ParentID: h.ids["450321101"], Phone: "0773-1",
	}}
}

func TestAnOrganisationIsAddedChangedClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx, c := t.Context(), h.clinic()
		first, err := h.app.SavePlace(ctx, admin(), c)
		if err != nil || first.Version() != 1 || first.Data().Name != "古板村卫生室" {
			t.Fatalf("got %+v, %v", first.Data(), err)
		}
		again, err := h.app.SavePlace(ctx, admin(), c)
		if err != nil || again.Version() != 1 || again.Data() != first.Data() {
			t.Errorf("sent twice: %+v, %v", again.Data(), err)
		}
		c.Data.Name = "另一个"
		_, err = h.app.SavePlace(ctx, admin(), c)
		expect(t, err, errs.ReasonRequestIDReused)
		c.RequestID = id.New()
		_, err = h.app.SavePlace(ctx, admin(), c)
		expectField(t, err, "organization.code", errs.ReasonFieldCombination)

		closing := app.PlaceChange{Data: first.Data(), Version: 1, RequestID: id.New()}
		closing.Data.Disabled = true
		inside := admin()
		inside.Organization = first.Data().ID
		_, err = h.app.SavePlace(ctx, inside, closing)
		expectField(t, err, "organization.disabled", errs.ReasonFieldCombination)
		closed, err := h.app.SavePlace(ctx, admin(), closing)
		if err != nil || closed.Version() != 2 || !closed.Data().Disabled {
			t.Fatalf("got %+v, %v", closed.Data(), err)
		}
		closing.RequestID = id.New()
		_, err = h.app.SavePlace(ctx, admin(), closing)
		expect(t, err, errs.ReasonStaleVersion)
		all, err := h.app.ListPlaces(ctx, admin())
		if err != nil || len(all) != 3 || all[0].Hanging.Accounts != 1 || all[0].Hanging.Below != 0 {
			t.Errorf("got %+v, %v", all, err)
		}
		versions, err := h.app.ListPlaceVersions(ctx, admin(), app.SubjectPlace, first.Data().ID)
		if err != nil || len(versions) != 2 {
			t.Fatalf("got %+v, %v", versions, err)
		}
		back := app.Restoration{Subject: app.SubjectPlace, ID: first.Data().ID, Restore: 1, Version: 2, RequestID: id.New()}
		for range 2 { // a double click
			if version, err := h.app.RestorePlaceVersion(ctx, admin(), back); err != nil || version != 3 {
				t.Errorf("got %d, %v", version, err)
			}
		}
		if open, err := h.app.GetOrganization(ctx, admin(), first.Data().ID); err != nil || open.Data().Disabled {
			t.Errorf("got %+v, %v", open.Data(), err)
		}
	})
}

func TestAnOrganisationStandsBelowAKindAboveIt(t *testing.T) {
	t.Parallel()
	h := one(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		data  domain.OrganizationData
		field string
		want  string
	}{
		"a clinic below a hospital": {domain.OrganizationData{Code: "c", Name: "c", Type: domain.VillageClinic, ParentID: h.ids["H01"]}, "organization.parentId", errs.ReasonFieldCombination},
		"a hospital below a centre": {domain.OrganizationData{Code: "c", Name: "c", Type: domain.CountyHospital, ParentID: h.ids["450321101"]}, "organization.parentId", errs.ReasonFieldCombination},
		"below nothing known":       {domain.OrganizationData{Code: "c", Name: "c", Type: domain.VillageClinic, ParentID: id.New()}, "organization.parentId", errs.ReasonFieldUnknown},
		"without a name":            {domain.OrganizationData{Code: "c", Type: domain.VillageClinic}, "organization.name", errs.ReasonFieldRequired},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.app.SavePlace(ctx, admin(), app.PlaceChange{Data: c.data})
			expectField(t, err, c.field, c.want)
		})
	}
	centre, err := h.app.GetOrganization(ctx, admin(), h.ids["450321101"])
	if err != nil {
		t.Fatal(err)
	}
	change := app.PlaceChange{Data: centre.Data(), Version: centre.Version()}
	change.Data.Type = domain.CountyHospital
	_, err = h.app.SavePlace(ctx, admin(), change)
	expectField(t, err, "organization.type", errs.ReasonFieldCombination) // an account hangs on it
	change.Data.Type, change.Data.Disabled = domain.TownshipCentre, true
	if _, err = h.app.SavePlace(ctx, admin(), change); err != nil {
		t.Fatal(err)
	}
	_, err = h.app.SavePlace(ctx, admin(), h.clinic())
	expectField(t, err, "organization.parentId", errs.ReasonFieldCombination) // the centre is closed
}

func TestDepartmentsAreAddedClosedAndTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx, home := t.Context(), h.ids["H01"]
		c := app.DepartmentChange{OrganizationID: home, Version: 1, Department: domain.Department{Code: "0401", Name: "普通外科", HasBeds: true}, Adds: true, RequestID: id.New()}
		for range 2 {
			p, err := h.app.SaveDepartment(ctx, admin(), c)
			if err != nil || p.Organization.Version() != 2 || !p.Organization.HasDepartment("0401") {
				t.Fatalf("got %+v, %v", p, err)
			}
		}
		c.RequestID, c.Version = id.New(), 2
		_, err := h.app.SaveDepartment(ctx, admin(), c)
		expectField(t, err, "department.code", errs.ReasonFieldCombination)
		c.Adds, c.Department.Name = false, ""
		_, err = h.app.SaveDepartment(ctx, admin(), c)
		expectField(t, err, "department.name", errs.ReasonFieldRequired)
		c.Department.Code = "0402"
		_, err = h.app.SaveDepartment(ctx, admin(), c)
		expectField(t, err, "department.code", errs.ReasonFieldUnknown)
		c.Department = domain.Department{Code: "0401", Name: "普外科", Disabled: true}
		if p, err := h.app.SaveDepartment(ctx, admin(), c); err != nil || !p.Organization.Departments()[1].Disabled {
			t.Errorf("got %+v, %v", p, err)
		}
		// Made again what it was, the organisation has one department; the other cannot go, so that it is closed.
		if _, err := h.app.RestorePlaceVersion(ctx, admin(), app.Restoration{Subject: app.SubjectPlace, ID: home, Restore: 1, Version: 3}); err != nil {
			t.Fatal(err)
		}
		if o, err := h.app.GetOrganization(ctx, admin(), home); err != nil || len(o.Departments()) != 2 || !o.Departments()[1].Disabled || o.Departments()[0].Disabled {
			t.Errorf("got %+v, %v", o.Departments(), err)
		}
	})
}

func TestWhatAnOrganisationCanDoIsSetAndTakenBack(t *testing.T) {
	t.Parallel()
	h := one(t)
	ctx, home := t.Context(), h.ids["450321101"]
	c := app.AbilityChange{OrganizationID: home, Capabilities: []domain.Capability{{Code: "TCM"}, {Code: "REHABILITATION", Note: "工作日"}}, RequestID: id.New()}
	for range 2 {
		got, err := h.app.SetCapabilities(ctx, admin(), c)
		if err != nil || got.Version() != 1 || len(got.List()) != 2 || got.List()[0].Code != "REHABILITATION" {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	c.RequestID = id.New()
	_, err := h.app.SetCapabilities(ctx, admin(), c)
	expect(t, err, errs.ReasonStaleVersion)
	c.Version, c.Capabilities = 1, []domain.Capability{{Code: "SURGERY"}}
	_, err = h.app.SetCapabilities(ctx, admin(), c)
	expectField(t, err, "capabilities[0].code", errs.ReasonFieldUnknown)
	c.Capabilities = nil
	if got, err := h.app.SetCapabilities(ctx, admin(), c); err != nil || got.Version() != 2 || len(got.List()) != 0 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := h.app.RestorePlaceVersion(ctx, admin(), app.Restoration{Subject: app.SubjectAbilities, ID: home, Restore: 1, Version: 2}); err != nil {
		t.Fatal(err)
	}
	if p, err := h.app.GetPlace(ctx, admin(), home); err != nil || p.Capabilities.Version() != 3 || len(p.Capabilities.List()) != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = h.app.RestorePlaceVersion(ctx, admin(), app.Restoration{Subject: app.SubjectAbilities, ID: home, Restore: 9, Version: 3})
	expect(t, err, errs.ReasonNotFound)
}

func TestAListOfMedicinesIsKeptByTheHeadAndTheCounty(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx, home := t.Context(), h.ids["450321101"]
		c := app.MedicineChange{RequestID: id.New(), Data: domain.FormularyData{OrganizationID: home, Name: "替格瑞洛片", Specification: "90mg", ATC: "b01ac24", Stock: domain.InStock}}
		var item domain.FormularyItem
		for range 2 {
			var err error
			if item, err = h.app.SaveMedicine(ctx, h.head(), c); err != nil || item.Version() != 1 || item.Data().ATC != "B01AC24" {
				t.Fatalf("got %+v, %v", item, err)
			}
		}
		c.RequestID = id.New()
		_, err := h.app.SaveMedicine(ctx, admin(), c)
		expectField(t, err, "item.name", errs.ReasonFieldCombination)
		c.Data.OrganizationID = h.ids["H01"]
		_, err = h.app.SaveMedicine(ctx, h.head(), c)
		expect(t, err, errs.ReasonNotFound)

		stock := app.StockChange{ID: item.Data().ID, Version: 1, Stock: domain.OutOfStock, RequestID: id.New()}
		for range 2 {
			if item, err = h.app.SetStock(ctx, admin(), stock); err != nil || item.Version() != 2 || item.Data().Stock != domain.OutOfStock {
				t.Fatalf("got %+v, %v", item, err)
			}
		}
		off := app.MedicineChange{Data: item.Data(), Version: 2, RequestID: id.New()}
		off.Data.Removed = true
		if item, err = h.app.SaveMedicine(ctx, h.head(), off); err != nil || !item.Data().Removed {
			t.Fatalf("got %+v, %v", item, err)
		}
		list, _, err := h.app.ListMedicines(ctx, admin(), app.MedicineQuery{OrganizationID: home, Removed: true}, app.Page{})
		if err != nil || len(list) != 1 {
			t.Errorf("got %+v, %v", list, err)
		}
		_, _, err = h.app.ListMedicines(ctx, h.head(), app.MedicineQuery{OrganizationID: h.ids["H01"]}, app.Page{})
		expect(t, err, errs.ReasonNotFound)
		if _, err := h.app.RestorePlaceVersion(ctx, h.head(), app.Restoration{Subject: app.SubjectMedicine, ID: item.Data().ID, Restore: 1, Version: 3}); err != nil {
			t.Fatal(err)
		}
		if list, _, err = h.app.ListMedicines(ctx, h.head(), app.MedicineQuery{OrganizationID: home}, app.Page{}); err != nil || len(list) != 1 || list[0].Item.Data().Stock != domain.OutOfStock {
			t.Errorf("it comes back with the stock of today: got %+v, %v", list, err)
		}
		_, err = h.app.ListPlaceVersions(ctx, h.head(), app.SubjectPlace, home)
		expect(t, err, errs.ReasonNotFound)
	})
}

func TestATableIsTriedThenGoesInWithoutItsBadLines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		in := app.TableImport{Kind: placefile.Organizations, DryRun: true, Content: []byte("\ufeff机构编码,机构名称,类型,上级机构编码,电话,停用\n" +
			"450321101201,古板村卫生室,村卫生室,450321102,1,\n" + // before its centre
			"450321102,葡萄镇卫生院,乡镇卫生院,,2,\n" +
			"450321101,白沙镇卫生院,卫生院,,3,否\n" +
			"X,,县外医院,,,\n" +
			"Y,旧院,诊所,,,\n" +
			"H01,阳朔县人民医院,县医院,450321101,,\n" +
			"Z,某村,村卫生室,none,,\n" +
			"450321102,葡萄,卫生院,,,也许\n" +
			"450321102,又一个,卫生院,,,\n" +
			"坏\n")}
		want := []placefile.Problem{
			{Line: 5, Field: "name", Reason: "FIELD_REQUIRED"}, {Line: 6, Field: "type", Reason: "FIELD_UNKNOWN"}, {Line: 7, Field: "parent_code", Reason: "FIELD_COMBINATION"},
			{Line: 8, Field: "parent_code", Reason: "FIELD_UNKNOWN"}, {Line: 9, Field: "closed", Reason: "FIELD_INVALID"},
			{Line: 10, Field: "code", Reason: "DUPLICATE", First: 3}, {Line: 11, Reason: "CUT_OFF"},
		}
		for _, dry := range []bool{true, false} {
			in.DryRun = dry
			got, err := h.app.ImportTable(ctx, admin(), in)
			if err != nil || got.Created != 2 || got.Updated != 1 || got.Unchanged != 0 || !slices.Equal(got.Problems, want) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if all, err := h.app.ListPlaces(ctx, admin()); err != nil || (len(all) == 4) == dry {
				t.Fatalf("dry %v: %d places, %v", dry, len(all), err)
			}
		}
		if got, err := h.app.ImportTable(ctx, cli(), app.TableImport{Kind: in.Kind, Content: in.Content, County: county}); err != nil || got.Unchanged != 3 {
			t.Errorf("the same again: %+v, %v", got, err)
		}
		_, err := h.app.ImportTable(ctx, h.head(), in)
		expect(t, err, errs.ReasonRole)
	})
}

func TestTablesOfDepartmentsCapabilitiesAndMedicines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx := t.Context()
		table := func(by authn.Identity, kind placefile.Kind, text string) app.TableResult {
			t.Helper()
			got, err := h.app.ImportTable(ctx, by, app.TableImport{Kind: kind, Content: []byte(text)})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		got := table(admin(), placefile.Departments, "organization_code,code,name,has_beds\nH01,03.04,心内科,\nH01,0401,普外科,是\nH01,4,x,\nnone,01,x,\n")
		if got.Created != 1 || got.Updated != 1 || len(got.Problems) != 2 || got.Problems[0] != (placefile.Problem{Line: 4, Field: "code", Reason: "FIELD_INVALID"}) {
			t.Errorf("got %+v", got)
		}
		if o, err := h.app.GetOrganization(ctx, admin(), h.ids["H01"]); err != nil || o.Version() != 2 || len(o.Departments()) != 2 || !o.Departments()[1].HasBeds {
			t.Errorf("got %+v, %v", o.Departments(), err)
		}
		got = table(admin(), placefile.Capabilities, "organization_code,capability,note\n450321101,中医,\n450321101,REHABILITATION,工作日\nH01,手术,\nH01,透析,\n")
		if got.Created != 1 || len(got.Problems) != 1 || got.Problems[0].Line != 4 {
			t.Errorf("got %+v", got)
		}
		if p, err := h.app.GetPlace(ctx, admin(), h.ids["H01"]); err != nil || p.Capabilities.Version() != 0 {
			t.Errorf("a place with a bad line was changed: %+v, %v", p, err)
		}
		text := "organization_code,name,specification,stock\n450321101,替格瑞洛片,90mg,有货\nH01,替格瑞洛片,90mg,IN_STOCK\n450321101,,1,有货\n450321101,阿司匹林,,\n"
		got = table(h.head(), placefile.Formulary, text)
		if got.Created != 1 || len(got.Problems) != 3 || got.Problems[0] != (placefile.Problem{Line: 3, Field: "organization_code", Reason: "FIELD_UNKNOWN"}) {
			t.Errorf("got %+v", got)
		}
		got = table(admin(), placefile.Formulary, text)
		if got.Created != 1 || got.Unchanged != 1 || len(got.Problems) != 2 {
			t.Errorf("got %+v", got)
		}
	})
}

func TestNobodyClosesTheOwnOrganisationByWhicheverWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		ctx, own := t.Context(), admin()
		home := h.ids["H01"]
		o, err := h.app.GetOrganization(ctx, own, home)
		if err != nil {
			t.Fatal(err)
		}
		d := o.Data()
		for version, closed := range []bool{true, false} { // by an administrator of another organisation, and back
			d.Disabled = closed
			if _, err := h.app.SavePlace(ctx, own, app.PlaceChange{Data: d, Version: int32(version + 1)}); err != nil {
				t.Fatal(err)
			}
		}
		own.Organization = home
		back := app.Restoration{Subject: app.SubjectPlace, ID: home, Restore: 2, Version: 3}
		_, err = h.app.RestorePlaceVersion(ctx, own, back)
		expectField(t, err, "organization.disabled", errs.ReasonFieldCombination)
		got, err := h.app.ImportTable(ctx, own, app.TableImport{Kind: placefile.Organizations, DryRun: true, Content: []byte("机构编码,机构名称,类型,停用\nH01,阳朔县人民医院,县医院,是\n")})
		if want := []placefile.Problem{{Line: 2, Field: "closed", Reason: "FIELD_COMBINATION"}}; err != nil || !slices.Equal(got.Problems, want) {
			t.Errorf("by a table: %+v, %v", got, err)
		}
		if _, err := h.app.RestorePlaceVersion(ctx, admin(), back); err != nil {
			t.Errorf("somebody else: %v", err)
		}
	})
}

func TestANewOrganisationIsToldAllThatIsWrongAtOnce(t *testing.T) {
	t.Parallel()
	h := one(t)
	_, err := h.app.SavePlace(t.Context(), admin(), app.PlaceChange{Data: domain.OrganizationData{Code: "H01", Phone: strings.Repeat("1", 99)}})
	expectFields(t, err, "organization.code", "organization.name", "organization.phone", "organization.type")
}
