package shell

import (
	"net/http"
	"slices"
)

// Standing are those of the values of a form's field that are not on offer: what the field says, and what it said when the form was first drawn. A
// browser would take the first of the list in their place. name words each.
func (f Form) Standing(field string, offered []Named, name func(id string) string) (out []Named) {
	for _, value := range []string{f.Value(field), f.Original(field)} {
		is := func(one Named) bool { return one.ID == value }
		if value != "" && !slices.ContainsFunc(offered, is) && !slices.ContainsFunc(out, is) {
			out = append(out, Named{value, name(value)})
		}
	}
	return out
}

// StandingPlace words an organisation, or a department of it, that may be closed, and says that it is. What is unknown keeps its id.
func (s *Shell) StandingPlace(r *http.Request, county *County, organization, department string) string {
	o, language := county.Organization(organization), s.Language(r)
	if o == nil {
		return organization
	}
	name, closed := county.OrganizationName(language, organization), o.GetDisabled()
	if department != "" {
		name += " · " + county.DepartmentName(language, organization, department)
		closed = closed || county.Department(organization, department).GetDisabled()
	}
	if closed {
		name += " · " + s.T(r, "places.is-closed")
	}
	return name
}
