package statistics

import (
	"net/http"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// reconciled is a case of the report with its names.
type reconciled struct {
	*referralv1.ReconciledCase
	HospitalName, DepartmentName, Centre, ConditionName string
}

// organization is an entry of the list of organisations.
type organization struct{ ID, Name string }

// dischargesData is what discharges.html sees.
type dischargesData struct {
	Period  period
	Periods []string
	// Organizations to choose from, for administrators; Organization is the chosen one.
	Organizations []organization
	Organization  string
	*referralv1.ReconcileDischargesResponse
	// Unsent are discharges without a down-referral, Otherwise down-referrals without a discharge to a centre.
	Unsent, Otherwise []reconciled
	// Links tells that the visitor may open cases: administrators see figures, not records.
	Links bool
	Next  string
}

// discharges holds what hospitals' systems said of discharges against the down-referrals.
func (p *Pages) discharges(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	visitor, _ := door.VisitorFrom(r.Context())
	data := dischargesData{
		Period: periodOf(query, p.Shell.Now()), Periods: periods(), Organization: query.Get("organization"),
		Links: shell.IsCounty(visitor.Account) || shell.IsTownship(visitor.Account),
	}
	var err error
	data.ReconcileDischargesResponse, err = p.Statistics.ReconcileDischarges(r.Context(), &referralv1.ReconcileDischargesRequest{
		From: data.Period.From(), To: data.Period.To(), OrganizationId: data.Organization, PageSize: casesShown, PageToken: query.Get("page"),
	})
	if err != nil {
		return err
	}
	var conditions []string
	for _, c := range data.GetCases() {
		conditions = append(conditions, c.GetCondition())
	}
	p.learn(r, conditions)
	names := p.namer(r, "")
	county, cerr := p.Shell.Names().County(r.Context())
	for _, c := range data.GetCases() {
		row := reconciled{
			ReconciledCase: c, HospitalName: names("organization", c.GetHospital().GetOrganizationId()), DepartmentName: c.GetHospital().GetDepartmentCode(),
			ConditionName: names("condition", c.GetCondition()),
		}
		if cerr == nil {
			row.DepartmentName = county.DepartmentName(p.Shell.Language(r), c.GetHospital().GetOrganizationId(), c.GetHospital().GetDepartmentCode())
		}
		if c.GetCentreId() != "" {
			row.Centre = names("organization", c.GetCentreId())
		}
		if c.GetReferralId() == "" {
			data.Unsent = append(data.Unsent, row)
		} else {
			data.Otherwise = append(data.Otherwise, row)
		}
	}
	if cerr == nil && hasRole(visitor.Account, commonv1.Role_COUNTY_ADMIN) {
		for _, o := range county.Organizations {
			if o.GetType() != directoryv1.OrganizationType_EXTERNAL && !o.GetDisabled() {
				data.Organizations = append(data.Organizations, organization{o.GetId(), county.OrganizationName(p.Shell.Language(r), o.GetId())})
			}
		}
	}
	if next := data.GetNextPageToken(); next != "" {
		query.Set("page", next)
		data.Next = here("/statistics/discharges", query)
	}
	return p.Shell.Render(w, r, p.dischargesSet, shell.Page{Title: "discharges.title", Nav: "statistics", Data: data})
}

func hasRole(a *directoryv1.Account, want commonv1.Role_Code) bool {
	for _, held := range a.GetRoles() {
		if held == want {
			return true
		}
	}
	return false
}
