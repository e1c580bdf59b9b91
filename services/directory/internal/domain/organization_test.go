package domain_test

import (
	"errors"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func organizationData() domain.OrganizationData {
	return domain.OrganizationData{
		ID: "o-1", County: "450321", Code: "450321101", Name: "白沙镇卫生院", Type: domain.TownshipCentre,
	}
}

func organization(t *testing.T) domain.Organization {
	t.Helper()
	o, err := domain.NewOrganization(organizationData(), []domain.Department{{Code: "02", Name: "全科医疗科"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// refused expects exactly one violation.
func refused(t *testing.T, err error, field, reason string) {
	t.Helper()
	var v domain.Violations
	if !errors.As(err, &v) || len(v) != 1 || v[0].Field != field || v[0].Reason != reason {
		t.Errorf("got %v, want %s %s", err, field, reason)
	}
}

func TestAnOrganizationThatBreaksARuleIsRefusedByField(t *testing.T) {
	t.Parallel()
	long := make([]rune, 101)
	for i := range long {
		long[i] = '院'
	}
	rows := []struct {
		change        func(*domain.OrganizationData)
		field, reason string
	}{
		{func(d *domain.OrganizationData) { d.County = "4503" }, "county", domain.ReasonInvalid},
		{func(d *domain.OrganizationData) { d.Code = " " }, "code", domain.ReasonRequired},
		{func(d *domain.OrganizationData) { d.Name = "" }, "name", domain.ReasonRequired},
		{func(d *domain.OrganizationData) { d.Name = string(long) }, "name", domain.ReasonTooLong},
		{func(d *domain.OrganizationData) { d.Name = "白沙\n卫生院" }, "name", domain.ReasonInvalid},
		{func(d *domain.OrganizationData) { d.Type = "" }, "type", domain.ReasonRequired},
		{func(d *domain.OrganizationData) { d.ParentID = d.ID }, "parentId", domain.ReasonInvalid},
	}
	for _, r := range rows {
		d := organizationData()
		r.change(&d)
		_, err := domain.NewOrganization(d, nil)
		refused(t, err, r.field, r.reason)
	}
	for _, code := range []string{"", "3", "030", "A304", "03.04"} {
		_, err := domain.NewOrganization(organizationData(), []domain.Department{{Code: code, Name: "科"}})
		refused(t, err, "departments[0].code", domain.ReasonInvalid)
	}
	_, err := domain.NewOrganization(organizationData(), []domain.Department{{Code: "02", Name: "科"}, {Code: "02", Name: "科"}})
	refused(t, err, "departments[1].code", domain.ReasonInvalid)
}

func TestAnImportThatSaysTheSameChangesNothing(t *testing.T) {
	t.Parallel()
	o := organization(t)
	same := organizationData()
	same.ID, same.Name = "another id", "  白沙镇卫生院 "
	next, changed, err := o.Update(same, []domain.Department{{Code: "02", Name: "全科医疗科"}})
	if err != nil || changed || next.Version() != 1 {
		t.Errorf("changed %v, version %d, %v", changed, next.Version(), err)
	}
}

func TestAnImportKeepsIdAndCodeAndTheDepartmentsItDoesNotName(t *testing.T) {
	t.Parallel()
	d := organizationData()
	d.ID, d.Code, d.Name = "another id", "another code", "白沙中心卫生院"
	next, changed, err := organization(t).Update(d, []domain.Department{{Code: "50", Name: "中医科"}})
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if got := next.Data(); got.ID != "o-1" || got.Code != "450321101" || got.Name != "白沙中心卫生院" || next.Version() != 2 {
		t.Errorf("got %+v, version %d", got, next.Version())
	}
	if !next.HasDepartment("02") || !next.HasDepartment("50") || len(next.Departments()) != 2 {
		t.Errorf("departments %v", next.Departments())
	}
}

func TestAnOrganizationStandsBelowAnOpenOneOfAKindAboveItsOwn(t *testing.T) {
	t.Parallel()
	of := func(id string, kind domain.OrganizationType, closed bool) domain.Organization {
		d := organizationData()
		d.ID, d.Type, d.Disabled = id, kind, closed
		return domain.RestoreOrganization(d, nil, 1)
	}
	clinic, centre, hospital := of("c", domain.VillageClinic, false), of("t", domain.TownshipCentre, false), of("h", domain.CountyHospital, false)
	for name, c := range map[string]struct {
		below, above domain.Organization
		before       string
		want         bool
	}{
		"a clinic below its centre":             {clinic, centre, "", true},
		"a clinic below a hospital":             {clinic, hospital, "", false},
		"a centre below the hospital":           {centre, hospital, "", true},
		"a centre below a centre":               {centre, of("t2", domain.TownshipCentre, false), "", false},
		"a hospital below the authority":        {hospital, of("a", domain.Authority, false), "", true},
		"a centre below a hospital outside":     {centre, of("x", domain.External, false), "", false},
		"a hospital outside below the hospital": {of("x", domain.External, false), hospital, "", false},
		"below one that is closed":              {clinic, of("t", domain.TownshipCentre, true), "", false},
		"still below one that was closed":       {clinic, of("t", domain.TownshipCentre, true), "t", true},
	} {
		if got := c.below.Under(c.above, c.before); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnOrganizationMadeAgainWhatItWasClosesWhatCameSince(t *testing.T) {
	t.Parallel()
	was := organization(t)
	d := was.Data()
	d.Name, d.Disabled = "改名", true
	now, _, err := was.Update(d, []domain.Department{{Code: "50", Name: "中医科"}})
	if err != nil {
		t.Fatal(err)
	}
	again, changed, err := now.As(was)
	if err != nil || !changed || again.Version() != 3 || again.Data() != was.Data() {
		t.Fatalf("got %+v version %d, %v", again.Data(), again.Version(), err)
	}
	if deps := again.Departments(); len(deps) != 2 || deps[0].Disabled || !deps[1].Disabled {
		t.Errorf("departments %+v", deps)
	}
	if _, changed, err := again.As(again); err != nil || changed {
		t.Errorf("the same again: %v, %v", changed, err)
	}
}

func TestAnOrganizationPrintsAsItsID(t *testing.T) {
	t.Parallel()
	if got := organization(t).String(); got != "o-1" {
		t.Errorf("got %q", got)
	}
}
