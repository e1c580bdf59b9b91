package statistics

import (
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// namesAsked is how many conditions a page looks up; a longer table shows the codes of the rest.
const namesAsked = 60

// namer words the values of dimensions for one answer; reasons are those of the measure's action.
func (p *Pages) namer(r *http.Request, measure string) func(dimension, value string) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		county = nil
	}
	asked := 0
	var reasons func(code string) string
	return func(dimension, value string) string {
		switch dimension {
		case "organization", "centre", "hospital":
			return p.organization(r, county, value)
		case "department":
			return p.department(r, county, value)
		case "doctor":
			return p.doctor(r, value)
		case "condition":
			if found, known := p.conditions.Load(value); known {
				if name, isText := found.(string); isText {
					return name
				}
			}
			if asked++; asked > namesAsked {
				return value
			}
			return p.condition(r, value)
		case "reason":
			if reasons == nil && reasonAction(measure) != "" {
				reasons = p.Shell.Reasons(r, reasonAction(measure))
			}
			if reasons == nil {
				return value
			}
			return reasons(value)
		case "urgency", "kind":
			return p.Shell.T(r, dimension+"."+value)
		}
		return value
	}
}

// namesAtOnce is how many conditions are looked up at the same time.
const namesAtOnce = 8

// learn looks up the conditions that a list will name, several at a time, so that wording them asks nobody.
func (p *Pages) learn(r *http.Request, codes []string) {
	codes = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(codes))), func(code string) bool {
		_, known := p.conditions.Load(code)
		return known || code == ""
	})
	var group errgroup.Group
	group.SetLimit(namesAtOnce)
	for _, code := range codes[:min(len(codes), namesAsked)] {
		group.Go(func() error {
			p.condition(r, code)
			return nil
		})
	}
	_ = group.Wait() // what cannot be had goes by its code
}

func (p *Pages) organization(r *http.Request, county *shell.County, id string) string {
	if county == nil || county.Organization(id) == nil {
		return p.Shell.T(r, "statistics.unknown")
	}
	return county.OrganizationName(p.Shell.Language(r), id)
}

// department is the name that any hospital of the county has for a national code.
func (p *Pages) department(r *http.Request, county *shell.County, code string) string {
	if county != nil {
		for _, o := range county.Organizations {
			if county.Department(o.GetId(), code) != nil {
				return county.DepartmentName(p.Shell.Language(r), o.GetId(), code)
			}
		}
	}
	return code
}

// doctor names the visitor alone: the names of other accounts are not this page's to know, so they go by the end of their id.
func (p *Pages) doctor(r *http.Request, id string) string {
	visitor, _ := door.VisitorFrom(r.Context())
	if visitor.Account.GetId() == id {
		return visitor.Account.GetName()
	}
	const shown = 6
	return p.Shell.T(r, "statistics.doctor", "id", id[max(0, len(id)-shown):])
}

// condition is a category of ICD-10 with its name; the code alone when nobody can say it.
func (p *Pages) condition(r *http.Request, code string) string {
	if code == "" {
		return p.Shell.T(r, "statistics.unknown")
	}
	found, err := p.Referral.SearchDiagnoses(r.Context(), &referralv1.SearchDiagnosesRequest{Query: code})
	if err != nil {
		return code
	}
	for _, d := range found.GetDiagnoses() {
		if d.GetCode() == code {
			name := code + " " + d.GetDisplay()
			p.conditions.Store(code, name)
			return name
		}
	}
	return code
}
