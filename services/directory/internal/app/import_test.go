package app_test

import (
	"fmt"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Invariant 3.
func TestImportingTheSameAgainWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		facts, entries := h.count(t, "SELECT count(*) FROM outbox"), h.count(t, "SELECT count(*) FROM audit_entry")
		r, err := h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{County: county, CountyName: "阳朔县", Entries: organizationEntries()})
		if err != nil || r.Unchanged != 2 || r.Created+r.Updated != 0 || r.IDs["H01"] != h.ids["H01"] {
			t.Errorf("got %+v, %v", r, err)
		}
		again := doctor()
		again.Password = "another-password"
		a, err := h.importAccounts(t.Context(), again)
		if err != nil || a.Unchanged != 1 || a.Created+a.Updated != 0 {
			t.Errorf("got %+v, %v", a, err)
		}
		if n := h.count(t, "SELECT count(*) FROM outbox"); n != facts || facts != 3 {
			t.Errorf("%d facts, then %d", facts, n)
		}
		if n := h.count(t, "SELECT count(*) FROM audit_entry"); n != entries {
			t.Errorf("%d audit entries, then %d", entries, n)
		}
		h.signedIn(t) // the old password still holds
	})
}

func TestAnImportUpdatesWhatDiffers(t *testing.T) {
	t.Parallel()
	h := one(t)
	moved := doctor()
	moved.OrganizationCode, moved.Data.DepartmentCode = "H01", "0304"
	moved.Data.Roles = []domain.Role{domain.Specialist}
	r, err := h.importAccounts(t.Context(), moved)
	if err != nil || r.Updated != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	list, _, err := h.app.ListAccounts(t.Context(), authn.Identity{Subject: "a", County: county}, h.ids["H01"], app.Page{})
	if err != nil || len(list) != 1 || list[0].Account.Version() != 2 || list[0].OrganizationName != "阳朔县人民医院" {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestAnImportMayChooseTheIDOfWhatIsNew(t *testing.T) {
	t.Parallel()
	h := one(t)
	chosen := doctor()
	chosen.Data.Login, chosen.Data.ID = "chosen", id.FromFact("chosen")
	r, err := h.importAccounts(t.Context(), chosen)
	if err != nil || r.IDs["chosen"] != chosen.Data.ID {
		t.Errorf("got %+v, %v", r, err)
	}
	chosen.Data.ID = "not an id"
	_, err = h.importAccounts(t.Context(), chosen)
	expectField(t, err, "accounts[0].account.id", errs.ReasonFieldInvalid)
}

func TestAnImportRefusesByEntryAndField(t *testing.T) {
	t.Parallel()
	h := one(t)
	type change func(*app.AccountEntry)
	for _, r := range []struct {
		change        change
		field, reason string
	}{
		{func(e *app.AccountEntry) { e.OrganizationCode = "none" }, "accounts[1].organizationCode", errs.ReasonFieldUnknown},
		{func(e *app.AccountEntry) { e.Data.DepartmentCode = "0304" }, "accounts[1].account.departmentCode", errs.ReasonFieldUnknown},
		{func(e *app.AccountEntry) { e.Data.Login = "TOWNSHIP" }, "accounts[1].account.login", errs.ReasonFieldInvalid},
		{func(e *app.AccountEntry) { e.Data.Roles = nil }, "accounts[1].account.roles", errs.ReasonFieldRequired},
		{func(e *app.AccountEntry) { e.Password = "short" }, "accounts[1].password", errs.ReasonFieldOutOfRange},
	} {
		bad := doctor()
		bad.Data.Login = "new"
		r.change(&bad)
		_, err := h.importAccounts(t.Context(), doctor(), bad)
		expectField(t, err, r.field, r.reason)
	}
	entries := organizationEntries()
	entries[1].Data.ParentID = id.New()
	_, err := h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{County: county, Entries: entries})
	expectField(t, err, "organizations[1].organization.parentId", errs.ReasonFieldUnknown)
	entries[1].Data.Code = "H01"
	_, err = h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{County: county, Entries: entries})
	expectField(t, err, "organizations[1].organization.code", errs.ReasonFieldInvalid)
}

func TestALoginOfAnotherCountyIsRefused(t *testing.T) {
	t.Parallel()
	h := one(t)
	there := organizationEntries()
	if _, err := h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{County: "450322", Entries: there}); err != nil {
		t.Fatal(err)
	}
	_, err := h.app.ImportAccounts(t.Context(), cli(), app.AccountImport{County: "450322", Entries: []app.AccountEntry{doctor()}})
	expectField(t, err, "accounts[0].account.login", errs.ReasonFieldTaken)
}

func TestAPersonImportsIntoTheOwnCountyOnly(t *testing.T) {
	t.Parallel()
	h := one(t)
	system := authn.Identity{Subject: "a", County: county, Roles: []string{"SYSTEM"}}
	_, err := h.app.ImportOrganizations(t.Context(), system, app.OrganizationImport{County: "450322", Entries: organizationEntries()})
	expect(t, err, errs.ReasonRole)
	_, err = h.app.ImportAccounts(t.Context(), system, app.AccountImport{County: "4503"})
	expectField(t, err, "county", errs.ReasonFieldInvalid)
}

func TestAnImportOfManyGoesInBatches(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		var entries []app.OrganizationEntry
		for i := range 45 {
			e := organizationEntries()[1]
			e.Data.Code = fmt.Sprintf("V%02d", i)
			e.Data.ParentID = h.ids["450321101"]
			entries = append(entries, e)
		}
		r, err := h.app.ImportOrganizations(t.Context(), cli(), app.OrganizationImport{County: county, Entries: entries})
		if err != nil || r.Created != 45 || len(r.IDs) != 45 {
			t.Fatalf("got %+v, %v", r, err)
		}
		var seen []string
		caller := authn.Identity{Subject: "service:referral", Service: "referral"}
		page := app.Page{Size: 20}
		for {
			list, next, err := h.app.ListOrganizations(t.Context(), caller, "", page)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				seen = append(seen, o.Data().Code)
			}
			if next == "" {
				break
			}
			page.Token = next
		}
		if len(seen) != 47 {
			t.Errorf("%d organisations in %v", len(seen), seen)
		}
	})
}

// Invariant 8.
func TestEverybodySeesTheOwnCountyOnly(t *testing.T) {
	t.Parallel()
	h := one(t)
	neighbour := authn.Identity{Subject: "a", County: "450322"}
	list, _, err := h.app.ListOrganizations(t.Context(), neighbour, "", app.Page{})
	if err != nil || len(list) != 0 {
		t.Errorf("organisations %v, %v", list, err)
	}
	accounts, _, err := h.app.ListAccounts(t.Context(), neighbour, "", app.Page{})
	if err != nil || len(accounts) != 0 {
		t.Errorf("accounts %v, %v", accounts, err)
	}
	_, err = h.app.GetOrganization(t.Context(), neighbour, h.ids["H01"])
	expect(t, err, errs.ReasonNotFound)
	_, err = h.app.ListDepartments(t.Context(), neighbour, h.ids["H01"])
	expect(t, err, errs.ReasonNotFound)
	_, _, err = h.app.ListOrganizations(t.Context(), authn.Identity{Subject: "a"}, "", app.Page{})
	expect(t, err, errs.ReasonRole)
	_, _, err = h.app.ListOrganizations(t.Context(), neighbour, "", app.Page{Token: "?"})
	expectField(t, err, "pageToken", errs.ReasonFieldInvalid)
	all, err := h.app.ListDepartments(t.Context(), authn.Identity{Subject: "a", County: county}, "")
	if err != nil || len(all) != 2 {
		t.Errorf("departments of %v, %v", all, err)
	}
}
