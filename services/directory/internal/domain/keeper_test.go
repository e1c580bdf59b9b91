package domain_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

// kept is an enabled account with the roles, version 1, of a place where they work.
func kept(t *testing.T, id string, roles ...domain.Role) domain.Account {
	t.Helper()
	var a domain.Account
	var err error
	for _, place := range []domain.OrganizationType{domain.CountyHospital, domain.TownshipCentre} {
		home, wrong := domain.NewOrganization(domain.OrganizationData{ID: "o", County: "450321", Code: "H01", Name: "阳朔县人民医院", Type: place}, nil)
		if wrong != nil {
			t.Fatal(wrong)
		}
		a, err = domain.NewAccount(domain.AccountData{ID: id, County: "450321", Login: "l" + id, Name: "莫秀英", OrganizationID: "o", Roles: roles}, home)
		if err == nil {
			return a
		}
	}
	t.Fatal(err)
	return a
}

func off(a domain.Account) domain.Account {
	a, _ = a.Switch(true)
	return a
}

func TestWhoMakesAccountsReachesNeitherKeysNorAuditByThem(t *testing.T) {
	t.Parallel()
	never := []domain.Role{domain.SecurityAdmin, domain.Auditor, domain.System}
	for role, more := range map[domain.Role][]domain.Role{
		domain.CountyAdmin: {domain.VillageDoctor, domain.CountyAdmin}, domain.SystemAdmin: {domain.CountyAdmin, domain.SystemAdmin, domain.Integration},
	} {
		may := domain.Keeper{AccountID: "k", Roles: []domain.Role{role}}.Grantable()
		for _, r := range more {
			if !slices.Contains(may, r) {
				t.Errorf("%s may not give %s", role, r)
			}
		}
		for _, r := range never {
			if slices.Contains(may, r) {
				t.Errorf("%s may give %s", role, r)
			}
		}
	}
	if may := (domain.Keeper{Roles: []domain.Role{domain.CountyAdmin}}).Grantable(); slices.Contains(may, domain.SystemAdmin) || slices.Contains(may, domain.Integration) {
		t.Error("a county administrator makes a system administrator")
	}
	for _, r := range []domain.Role{domain.CentreHead, domain.SecurityAdmin, domain.Auditor} {
		if k := (domain.Keeper{Roles: []domain.Role{r}}); len(k.Grantable()) != 0 || k.Keeps(kept(t, "a", domain.VillageDoctor)) {
			t.Errorf("%s looks after accounts", r)
		}
	}
	if may := (domain.Keeper{Machine: true}).Grantable(); len(may) != len(domain.Roles()) {
		t.Errorf("the machine may give %v", may)
	}
}

func TestAKeeperChangesOwnAccountsAndNobodyTheOwnAccess(t *testing.T) {
	t.Parallel()
	k := domain.Keeper{AccountID: "k", Roles: []domain.Role{domain.CountyAdmin}}
	own, doctor, auditor := kept(t, "k", domain.CountyAdmin), kept(t, "d", domain.TownshipDoctor), kept(t, "a", domain.Auditor)
	for what, c := range map[string]struct {
		old, next domain.Account
		want      error
	}{
		"a new doctor":                     {domain.Account{}, doctor, nil},
		"a new auditor":                    {domain.Account{}, auditor, domain.Violations{{Field: "roles", Reason: domain.ReasonNotGrantable}}},
		"a doctor becomes a specialist":    {doctor, kept(t, "d", domain.Specialist), nil},
		"a doctor becomes an auditor":      {doctor, kept(t, "d", domain.Auditor), domain.Violations{{Field: "roles", Reason: domain.ReasonNotGrantable}}},
		"an auditor loses the role":        {auditor, kept(t, "a", domain.VillageDoctor), domain.Refusal(domain.RefusalNotYours)},
		"an auditor is disabled":           {auditor, off(auditor), domain.Refusal(domain.RefusalNotYours)},
		"the own account is disabled":      {own, off(own), domain.Refusal(domain.RefusalOwn)},
		"the own account gets more":        {own, kept(t, "k", domain.CountyAdmin, domain.TownshipDoctor), domain.Refusal(domain.RefusalOwn)},
		"the own account loses the role":   {own, kept(t, "k", domain.TownshipDoctor), domain.Refusal(domain.RefusalOwn)},
		"the own account keeps its roles":  {own, own.Rekeyed(), nil},
		"another administrator is stopped": {kept(t, "b", domain.CountyAdmin), off(kept(t, "b", domain.CountyAdmin)), nil},
	} {
		got := k.Admits(c.old, c.next)
		if (got == nil) != (c.want == nil) || got != nil && got.Error() != c.want.Error() {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	a, b, system := kept(t, "a", domain.CountyAdmin), kept(t, "b", domain.CountyAdmin), kept(t, "s", domain.SystemAdmin)
	both := domain.Administrators{domain.CountyAdmin: {"a", "b"}, domain.SystemAdmin: {"s"}}
	if err := both.Remaining(a, off(a)); err != nil {
		t.Error(err)
	}
	one := both.After(off(a))
	for what, err := range map[string]error{
		"disabled": one.Remaining(b, off(b)), "without the role": one.Remaining(b, kept(t, "b", domain.Specialist)), "the last of the system": one.Remaining(system, off(system)),
	} {
		var no domain.Refusal
		if !errors.As(err, &no) || no != domain.RefusalLast {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := one.Remaining(b, kept(t, "b", domain.CountyAdmin, domain.Specialist)); err != nil {
		t.Error(err)
	}
	if err := one.Remaining(off(a), off(a)); err != nil {
		t.Errorf("who was no administrator any more: %v", err)
	}
	if err := one.After(a).Remaining(b, off(b)); err != nil {
		t.Errorf("with another one again: %v", err)
	}
}
