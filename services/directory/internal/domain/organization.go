package domain

import (
	"slices"
	"strings"
)

// OrganizationType is what kind of place an organisation is; the words are those of the contract.
type OrganizationType string

// The types.
const (
	CountyHospital OrganizationType = "COUNTY_HOSPITAL"
	TownshipCentre OrganizationType = "TOWNSHIP_CENTRE"
	VillageClinic  OrganizationType = "VILLAGE_CLINIC"
	External       OrganizationType = "EXTERNAL"
	Authority      OrganizationType = "AUTHORITY"
)

// OrganizationTypes lists every type.
func OrganizationTypes() []OrganizationType {
	return []OrganizationType{CountyHospital, TownshipCentre, VillageClinic, External, Authority}
}

// OrganizationData is what an organisation says of itself.
type OrganizationData struct {
	ID       string // UUID text
	County   string
	Code     string // unique within the county
	Name     string
	NameEn   string
	Type     OrganizationType
	Address  string
	Phone    string
	Disabled bool
	ParentID string // the organisation above; "" for none
}

// Department is a part of an organisation. Code is the national one without dots (2, 4 or 6 digits).
type Department struct {
	Code     string
	Name     string
	NameEn   string
	Location string
	Phone    string
	HasBeds  bool
	Disabled bool // no longer offered
}

// Organization is an organisation with its departments. It keeps its id, county and code for ever.
type Organization struct {
	data        OrganizationData
	departments []Department // by code
	version     int32
}

// NewOrganization is an organisation of version 1, or Violations.
func NewOrganization(d OrganizationData, departments []Department) (Organization, error) {
	d = d.trimmed()
	var v Violations
	if d.ID == "" {
		v.add("id", ReasonRequired)
	}
	if !ValidCounty(d.County) {
		v.add("county", ReasonInvalid)
	}
	v.text("code", d.Code, true, 32)
	v.text("name", d.Name, true, 100)
	v.text("nameEn", d.NameEn, false, 200)
	if !slices.Contains(OrganizationTypes(), d.Type) {
		v.add("type", ReasonRequired)
	}
	v.text("address", d.Address, false, 200)
	v.text("phone", d.Phone, false, 40)
	if d.ParentID == d.ID && d.ID != "" {
		v.add("parentId", ReasonInvalid)
	}
	deps := v.departments(departments)
	if err := v.err(); err != nil {
		return Organization{}, err
	}
	return Organization{data: d, departments: deps, version: 1}, nil
}

func (v *Violations) departments(in []Department) []Department {
	out := make([]Department, 0, len(in))
	seen := make(map[string]bool, len(in))
	for i, d := range in {
		d = d.trimmed()
		if n := len(d.Code); !digits(d.Code) || n != 2 && n != 4 && n != 6 || seen[d.Code] {
			v.add(at("departments", i, "code"), ReasonInvalid)
		}
		seen[d.Code] = true
		v.text(at("departments", i, "name"), d.Name, true, 100)
		v.text(at("departments", i, "nameEn"), d.NameEn, false, 200)
		v.text(at("departments", i, "location"), d.Location, false, 100)
		v.text(at("departments", i, "phone"), d.Phone, false, 40)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Department) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// RestoreOrganization is an organisation as it was kept. Departments are in the order of their codes.
func RestoreOrganization(d OrganizationData, departments []Department, version int32) Organization {
	return Organization{data: d, departments: departments, version: version}
}

// Update is the organisation after what an import says of it, and whether that differs. Departments that the import
// does not name stay: referrals point at them.
func (o Organization) Update(d OrganizationData, departments []Department) (Organization, bool, error) {
	d.ID, d.County, d.Code = o.data.ID, o.data.County, o.data.Code
	merged := slices.Clone(departments)
	for _, have := range o.departments {
		if !slices.ContainsFunc(departments, func(n Department) bool { return strings.TrimSpace(n.Code) == have.Code }) {
			merged = append(merged, have)
		}
	}
	next, err := NewOrganization(d, merged)
	if err != nil {
		return Organization{}, false, err
	}
	if next.data == o.data && slices.Equal(next.departments, o.departments) {
		return o, false, nil
	}
	next.version = o.version + 1
	return next, true, nil
}

// Under tells whether the organisation may stand below parent: of a kind above its own, a village clinic below a centre, and one that is open. An
// organisation that stands there already stays.
func (o Organization) Under(parent Organization, before string) bool {
	rank := map[OrganizationType]int{Authority: 1, CountyHospital: 2, TownshipCentre: 3, VillageClinic: 4}
	above, own := rank[parent.data.Type], rank[o.data.Type]
	switch {
	case above == 0 || above >= own, o.data.Type == VillageClinic && parent.data.Type != TownshipCentre:
		return false
	}
	return !parent.data.Disabled || parent.data.ID == before
}

// As is the organisation made again what it was, and whether that differs. It keeps id, county and code; departments that came since are closed.
func (o Organization) As(was Organization) (Organization, bool, error) {
	departments := was.Departments()
	for _, d := range o.departments {
		if !was.HasDepartment(d.Code) {
			d.Disabled = true
			departments = append(departments, d)
		}
	}
	return o.Update(was.data, departments)
}

// Data is what the organisation says of itself.
func (o Organization) Data() OrganizationData { return o.data }

// Departments are in the order of their codes.
func (o Organization) Departments() []Department { return slices.Clone(o.departments) }

// HasDepartment tells whether code is one of its departments.
func (o Organization) HasDepartment(code string) bool {
	return slices.ContainsFunc(o.departments, func(d Department) bool { return d.Code == code })
}

// Version grows by one with every change, from 1.
func (o Organization) Version() int32 { return o.version }

// String is the id.
func (o Organization) String() string { return o.data.ID }

func (d OrganizationData) trimmed() OrganizationData {
	for _, s := range []*string{&d.ID, &d.Code, &d.Name, &d.NameEn, &d.Address, &d.Phone, &d.ParentID} {
		*s = strings.TrimSpace(*s)
	}
	return d
}

func (d Department) trimmed() Department {
	for _, s := range []*string{&d.Code, &d.Name, &d.NameEn, &d.Location, &d.Phone} {
		*s = strings.TrimSpace(*s)
	}
	return d
}
