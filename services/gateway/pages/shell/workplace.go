package shell

import (
	"net/http"
	"net/url"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Named is something to choose, by id and name.
type Named struct{ ID, Name string }

// Workplace is the organisation that a page is about: the visitor's own, or the one that a county administrator picked.
type Workplace struct {
	ID, Name string
	// Picks are the organisations to choose from; none for who works in one.
	Picks []Named
	// Departments of the organisation; Department is the chosen one, "" for all.
	Departments []Named
	Department  string

	// name words a department, closed or not.
	name func(code string) string
}

// Workplace reads it from the fields organization and department of the request. What is no organisation of the county is NOT_FOUND.
func (s *Shell) Workplace(r *http.Request) (Workplace, error) {
	county, err := s.deps.Names.County(r.Context())
	if err != nil {
		return Workplace{}, err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	language := s.Language(r)
	w := Workplace{ID: visitor.Account.GetOrganizationId(), Department: r.FormValue("department")}
	if has(visitor.Account, commonv1.Role_COUNTY_ADMIN) {
		for _, o := range county.Organizations {
			if t := o.GetType(); !o.GetDisabled() && (t == directoryv1.OrganizationType_COUNTY_HOSPITAL || t == directoryv1.OrganizationType_TOWNSHIP_CENTRE) {
				w.Picks = append(w.Picks, Named{o.GetId(), county.OrganizationName(language, o.GetId())})
			}
		}
		w.ID = picked(county, w, r.FormValue("organization"))
		// A closed one can still be looked at.
		if o := county.Organization(w.ID); o.GetDisabled() {
			w.Picks = append(w.Picks, Named{w.ID, s.StandingPlace(r, county, w.ID, "")})
		}
	}
	if county.Organization(w.ID) == nil {
		return w, errs.NotFound("organization")
	}
	w.Name = county.OrganizationName(language, w.ID)
	w.name = func(code string) string { return county.DepartmentName(language, w.ID, code) }
	for _, d := range county.Departments(w.ID) {
		w.Departments = append(w.Departments, Named{d.GetCode(), county.DepartmentName(language, w.ID, d.GetCode())})
	}
	return w, nil
}

// picked is the organisation asked for, else the own one if it has patients, else the first hospital.
func picked(county *County, w Workplace, wanted string) string {
	if wanted != "" {
		return wanted
	}
	first := ""
	for _, p := range w.Picks {
		if p.ID == w.ID {
			return p.ID
		}
		if first == "" && county.Organization(p.ID).GetType() == directoryv1.OrganizationType_COUNTY_HOSPITAL {
			first = p.ID
		}
	}
	return first
}

// At is an address on this site that stays with the picked organisation. Pairs are names and values of its query; what is empty is left out.
func (w Workplace) At(path string, pairs ...string) string {
	query := url.Values{}
	if len(w.Picks) > 0 {
		query.Set("organization", w.ID)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	path, anchor, found := strings.Cut(path, "#")
	if found {
		anchor = "#" + anchor
	}
	return path + "?" + query.Encode() + anchor
}

// DepartmentName of the organisation, closed or not; the code itself if unknown.
func (w Workplace) DepartmentName(code string) string {
	if w.name == nil {
		return code
	}
	return w.name(code)
}

// Plans tells whether the account plans sessions, beds and their rules; the scheduling service decides.
func Plans(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_BED_MANAGER, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_CENTRE_HEAD, commonv1.Role_COUNTY_ADMIN)
}

// KeepsWards tells whether the account is offered the settings of a ward; the scheduling service decides.
func KeepsWards(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_BED_MANAGER, commonv1.Role_CENTRE_HEAD, commonv1.Role_COUNTY_ADMIN)
}

// AddsWards tells whether the account is offered to add one.
func AddsWards(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_BED_MANAGER, commonv1.Role_COUNTY_ADMIN)
}

// Under puts the refused fields of a request's part under the part's name ("starts" becomes "template.starts"), as a form that is named after the
// part calls them.
func Under(part string, cause error) error {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return cause
	}
	fields := make([]errs.Field, len(e.Fields))
	for i, f := range e.Fields {
		if f.Name != "requestId" && !strings.HasPrefix(f.Name, part+".") && f.Name != part {
			f.Name = part + "." + f.Name
		}
		fields[i] = f
	}
	return errs.Invalid(fields...)
}
