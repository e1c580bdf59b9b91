package domain

import (
	"slices"
	"strings"
)

// AccountData is what an account says of a person.
type AccountData struct {
	ID             string // UUID text
	County         string
	Login          string // unique in the deployment: signing in names no county
	Name           string
	OrganizationID string
	DepartmentCode string // one of the organisation's, or ""
	Roles          []Role
	Phone          string
	Email          string // as Phone: where messages reach the person unless they say otherwise
	Disabled       bool
	PractitionerID string
}

// Account is a person of staff, or a machine, that may sign in. It keeps its id, county and login for ever.
type Account struct {
	data    AccountData
	version int32
}

// NewAccount is an account of version 1, or Violations; "organizationId" with [ReasonCombination] is a place where one of the roles does not work.
// Roles come out once each, in the order of the contract.
func NewAccount(d AccountData, home Organization) (Account, error) { return newAccount(d, home, nil) }

// newAccount is NewAccount; the roles that the person has at this place already are not asked about.
func newAccount(d AccountData, home Organization, stands []Role) (Account, error) {
	d = d.trimmed()
	d.Login = NormalLogin(d.Login)
	var v Violations
	if d.ID == "" {
		v.add("id", ReasonRequired)
	}
	switch {
	case d.Login == "":
		v.add("login", ReasonRequired)
	case !validLogin(d.Login):
		v.add("login", ReasonInvalid)
	}
	v.text("name", d.Name, true, 60)
	v.text("phone", d.Phone, false, 40)
	v.text("email", d.Email, false, 254)
	if d.Email != "" && !validEmail(d.Email) {
		v.add("email", ReasonInvalid)
	}
	v.text("practitionerId", d.PractitionerID, false, 64)
	if d.OrganizationID == "" || d.OrganizationID != home.data.ID || d.County != home.data.County {
		v.add("organizationId", ReasonUnknown)
	} else {
		if slices.ContainsFunc(d.Roles, func(r Role) bool { return !r.WorksAt(home.data.Type) && !slices.Contains(stands, r) }) {
			v.add("organizationId", ReasonCombination)
		}
		if d.DepartmentCode != "" && !home.HasDepartment(d.DepartmentCode) {
			v.add("departmentCode", ReasonUnknown)
		}
	}
	roles, reason := roleSet(d.Roles)
	if reason != "" {
		v.add("roles", reason)
	}
	if err := v.err(); err != nil {
		return Account{}, err
	}
	d.Roles = roles
	return Account{data: d, version: 1}, nil
}

// RestoreAccount is an account as it was kept.
func RestoreAccount(d AccountData, version int32) Account { return Account{data: d, version: version} }

// Update is the account after what somebody says of it, and whether that differs. Roles that it has where they are refused today may stay at that place:
// a name or phone number is corrected, and the account disabled by an import, all the same.
func (a Account) Update(d AccountData, home Organization) (Account, bool, error) {
	d.ID, d.County, d.Login = a.data.ID, a.data.County, a.data.Login
	var stands []Role
	if home.data.ID == a.data.OrganizationID {
		stands = a.data.Roles
	}
	next, err := newAccount(d, home, stands)
	if err != nil {
		return Account{}, false, err
	}
	if next.equal(a) {
		return a, false, nil
	}
	next.version = a.version + 1
	return next, true, nil
}

// Switch is the account disabled or enabled, and whether it was not.
func (a Account) Switch(disabled bool) (Account, bool) {
	if a.data.Disabled == disabled {
		return a, false
	}
	a.data.Disabled = disabled
	a.version++
	return a, true
}

// Rekeyed is the account with another password, which it does not hold itself.
func (a Account) Rekeyed() Account {
	a.version++
	return a
}

func (a Account) equal(b Account) bool {
	x, y := a.data, b.data
	same := slices.Equal(x.Roles, y.Roles)
	return same && x.ID == y.ID && x.County == y.County && x.Login == y.Login && x.Name == y.Name &&
		x.OrganizationID == y.OrganizationID && x.DepartmentCode == y.DepartmentCode && x.Phone == y.Phone &&
		x.Email == y.Email && x.Disabled == y.Disabled && x.PractitionerID == y.PractitionerID
}

// Data is what the account says of a person.
func (a Account) Data() AccountData {
	d := a.data
	d.Roles = slices.Clone(d.Roles)
	return d
}

// Version grows by one with every change, from 1.
func (a Account) Version() int32 { return a.version }

// String is the id.
func (a Account) String() string { return a.data.ID }

// NormalLogin is the form in which logins are compared: no blanks around, lower case.
func NormalLogin(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// validEmail is a mailbox at a host, without a name beside it.
func validEmail(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(strings.Trim(host, "."), ".") && !strings.ContainsAny(s, " \t\r\n<>,;\"") && !strings.Contains(host, "@")
}

func validLogin(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '.' && r != '-' && r != '_') {
			return false
		}
	}
	return true
}

func (d AccountData) trimmed() AccountData {
	for _, s := range []*string{&d.ID, &d.Name, &d.OrganizationID, &d.DepartmentCode, &d.Phone, &d.Email, &d.PractitionerID} {
		*s = strings.TrimSpace(*s)
	}
	return d
}
