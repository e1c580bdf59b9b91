package domain_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func accountData() domain.AccountData {
	return domain.AccountData{
		ID: "a-1", County: "450321", Login: "township", Name: "莫秀英", OrganizationID: "o-1", DepartmentCode: "02",
		Roles: []domain.Role{domain.TownshipDoctor},
	}
}

func TestAnAccountThatBreaksARuleIsRefusedByField(t *testing.T) {
	t.Parallel()
	rows := []struct {
		change        func(*domain.AccountData)
		field, reason string
	}{
		{func(d *domain.AccountData) { d.Login = "" }, "login", domain.ReasonRequired},
		{func(d *domain.AccountData) { d.Login = "a b" }, "login", domain.ReasonInvalid},
		{func(d *domain.AccountData) { d.Login = ".dot" }, "login", domain.ReasonInvalid},
		{func(d *domain.AccountData) { d.Login = "莫" }, "login", domain.ReasonInvalid},
		{func(d *domain.AccountData) { d.Name = "" }, "name", domain.ReasonRequired},
		{func(d *domain.AccountData) { d.County = "450322" }, "organizationId", domain.ReasonUnknown},
		{func(d *domain.AccountData) { d.OrganizationID = "o-2" }, "organizationId", domain.ReasonUnknown},
		{func(d *domain.AccountData) { d.DepartmentCode = "0304" }, "departmentCode", domain.ReasonUnknown},
		{func(d *domain.AccountData) { d.Email = "no mailbox" }, "email", domain.ReasonInvalid},
		{func(d *domain.AccountData) { d.Email = "莫 <mo@hospital.example>" }, "email", domain.ReasonInvalid},
		{func(d *domain.AccountData) { d.Roles = []domain.Role{domain.CentreHead, domain.Specialist} }, "organizationId", domain.ReasonCombination},
		{func(d *domain.AccountData) { d.Roles = nil }, "roles", domain.ReasonRequired},
		{func(d *domain.AccountData) { d.Roles = []domain.Role{"DOCTOR"} }, "roles", domain.ReasonUnknown},
		{func(d *domain.AccountData) { d.Roles = []domain.Role{domain.Auditor, domain.SystemAdmin} }, "roles", domain.ReasonCombination},
	}
	for _, r := range rows {
		d := accountData()
		r.change(&d)
		_, err := domain.NewAccount(d, organization(t))
		refused(t, err, r.field, r.reason)
	}
}

func TestALoginIsLowerCaseWithoutBlanksAround(t *testing.T) {
	t.Parallel()
	d := accountData()
	d.Login = " TownShip "
	a, err := domain.NewAccount(d, organization(t))
	if err != nil || a.Data().Login != "township" {
		t.Errorf("got %q, %v", a.Data().Login, err)
	}
}

func TestAnyRolesGoTogetherButTheLastFiveExcludeOneAnother(t *testing.T) {
	t.Parallel()
	home := organization(t)
	all := slices.DeleteFunc(domain.Roles(), func(r domain.Role) bool { return !r.WorksAt(home.Data().Type) })
	first := slices.Index(all, domain.SystemAdmin)
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SliceOfN(rapid.SampledFrom(all), 1, len(all)).Draw(t, "roles")
		d := accountData()
		d.Roles = chosen
		a, err := domain.NewAccount(d, home)
		exclusive := 0
		for _, r := range all[first:] {
			if slices.Contains(chosen, r) {
				exclusive++
			}
		}
		if (err == nil) != (exclusive <= 1) {
			t.Fatalf("%v: %v", chosen, err)
		}
		if err != nil {
			return
		}
		last := -1
		for _, r := range a.Data().Roles {
			at := slices.Index(all, r)
			if at <= last || !slices.Contains(chosen, r) {
				t.Fatalf("%v became %v", chosen, a.Data().Roles)
			}
			last = at
		}
	})
}

func TestAnAccountChangesByWhatDiffersOnly(t *testing.T) {
	t.Parallel()
	home := organization(t)
	a, err := domain.NewAccount(accountData(), home)
	if err != nil {
		t.Fatal(err)
	}
	same := accountData()
	same.ID, same.Login = "other", "other"
	same.Roles = []domain.Role{domain.TownshipDoctor, domain.TownshipDoctor}
	if _, changed, err := a.Update(same, home); changed || err != nil {
		t.Errorf("changed %v, %v", changed, err)
	}
	same.Disabled = true
	next, changed, err := a.Update(same, home)
	if err != nil || !changed || next.Version() != 2 || next.Data().Login != "township" || next.String() != "a-1" {
		t.Errorf("changed %v, version %d, login %s, %v", changed, next.Version(), next.Data().Login, err)
	}
}

// A township's doctor in the hospital, or a specialist at a health centre, would be asked for referrals that are not theirs to answer.
func TestWhoTreatsPatientsWorksWhereThatIsDone(t *testing.T) {
	t.Parallel()
	hospital, centre, clinic, authority := domain.CountyHospital, domain.TownshipCentre, domain.VillageClinic, domain.Authority
	for role, places := range map[domain.Role][]domain.OrganizationType{
		domain.TownshipDoctor: {centre}, domain.CentreHead: {centre}, domain.VillageDoctor: {centre, clinic}, domain.IntakeDesk: {hospital}, domain.Specialist: {hospital},
		domain.DepartmentHead: {hospital}, domain.BedManager: {hospital, centre}, domain.CountyAdmin: {hospital, centre, clinic, authority},
		domain.Auditor: {hospital, centre, clinic, authority},
	} {
		for _, place := range []domain.OrganizationType{hospital, centre, clinic, authority} {
			o := organizationData()
			o.Type = place
			home, err := domain.NewOrganization(o, []domain.Department{{Code: "02", Name: "全科医疗科"}})
			if err != nil {
				t.Fatal(err)
			}
			d := accountData()
			d.Roles = []domain.Role{role}
			if _, err = domain.NewAccount(d, home); slices.Contains(places, place) {
				if err != nil {
					t.Errorf("%s at %s: %v", role, place, err)
				}
				continue
			}
			refused(t, err, "organizationId", domain.ReasonCombination)
		}
	}
}

// An account from before the rule can be kept up like any other; it takes no further such role, and not to another place.
func TestAnAccountThatStandsIsKeptUpWhereItsRoleIsRefusedToday(t *testing.T) {
	t.Parallel()
	home := organization(t)
	d := accountData()
	d.Roles = []domain.Role{domain.Specialist}
	old := domain.RestoreAccount(d, 3)
	d.Phone = "0773-8820001"
	next, changed, err := old.Update(d, home)
	if err != nil || !changed || next.Version() != 4 || next.Data().Phone != d.Phone {
		t.Errorf("changed %v, version %d, %v", changed, next.Version(), err)
	}
	more := d
	more.Roles = []domain.Role{domain.Specialist, domain.IntakeDesk}
	_, _, err = old.Update(more, home)
	refused(t, err, "organizationId", domain.ReasonCombination)
	o := organizationData()
	o.ID = "o-2"
	other, err := domain.NewOrganization(o, []domain.Department{{Code: "02", Name: "全科医疗科"}})
	if err != nil {
		t.Fatal(err)
	}
	d.OrganizationID = "o-2"
	_, _, err = old.Update(d, other)
	refused(t, err, "organizationId", domain.ReasonCombination)
}
