package domain

import "slices"

// Meant is as whom somebody is told: a recipient of the tables, and whether it was found as being on duty.
type Meant struct {
	Recipient
	OnDuty bool
}

// Means tells whether an account is still one: it works where it was looked for, and holds a role that was asked for. Who was on duty, or is named, needs none.
func (m Meant) Means(a Account) bool {
	atPost := slices.ContainsFunc(m.Posts, func(p Post) bool { return p.OrganizationID == a.OrganizationID })
	switch {
	case a.Disabled, !m.Anywhere && m.OrganizationID != a.OrganizationID && !(m.OnDuty && atPost):
		return false
	case m.OnDuty, m.AccountID == a.ID:
		return true
	}
	return (m.DepartmentCode == "" || m.DepartmentCode == a.DepartmentCode) &&
		slices.ContainsFunc(m.Roles, func(role string) bool { return slices.Contains(a.Roles, role) })
}

// Instead is whom to look for when the account is not one any more: who is on duty at the posts of the place, before all who hold the role.
func (m Meant) Instead() Recipient {
	r := m.Recipient
	if r.Line = 0; len(r.Posts) == 0 && r.OrganizationID != "" {
		r.Posts = []Post{{r.OrganizationID, DeskPost}, {OrganizationID: r.OrganizationID}}
		if r.DepartmentCode != "" {
			r.Posts = append(r.Posts, Post{r.OrganizationID, r.DepartmentCode})
		}
	}
	return r
}

// StillFor tells whether whom a message is for is still one of those who are to be told. Of a message that does not say as whom they were told, whoever is
// not disabled is.
func (d Dispatch) StillFor(a Account) bool {
	if len(d.Meant) == 0 {
		return !a.Disabled
	}
	return slices.ContainsFunc(d.Meant, func(m Meant) bool { return m.Means(a) })
}
