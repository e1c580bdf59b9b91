package statistics

import (
	"maps"
	"net/http"
	"net/url"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// lateRow is a step that is overdue, with its names.
type lateRow struct {
	*referralv1.LateCase
	caseRow
	// Waiting is whose move it is: organisation and department; Role who usually makes it.
	Waiting, Role string
}

// Row is the row's id on a page. One case may be late with several steps.
func (l lateRow) Row() string { return "late-" + l.GetReferralId() + "-" + l.GetStep() }

// lateData is what late.html sees.
type lateData struct {
	Totals []*referralv1.LateTotal
	Total  int32
	Step   string
	Rows   []waitingRow
	Next   string
	Place  url.Values
	// Of words the filters.
	Of []string
}

// At is the address of the list of one step.
func (d lateData) At(step string) string {
	query := maps.Clone(d.Place)
	if step != "" {
		query.Set("step", step)
	}
	return here("/overview/late", query)
}

// late lists everything that is overdue now.
func (p *Pages) late(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	within := p.chosen(r, query)
	asked := lateOf(within, casesShown)
	asked.Step, asked.PageToken = query.Get("step"), query.Get("page")
	found, err := p.Statistics.ListLate(r.Context(), asked)
	if err != nil {
		return err
	}
	data := lateData{
		Totals: found.GetTotals(), Total: lateTotal(found), Step: query.Get("step"), Rows: p.called(r, p.lateRows(r, found.GetCases())),
		Place: (&picture{Within: within}).place(), Of: p.filters(r, within, ""),
	}
	if next := found.GetNextPageToken(); next != "" {
		further := maps.Clone(data.Place)
		further.Set("page", next)
		if data.Step != "" {
			further.Set("step", data.Step)
		}
		data.Next = here("/overview/late", further)
	}
	return p.Shell.Render(w, r, p.lateSet, shell.Page{Title: "overview.late", Nav: "overview", Data: data})
}

// lateOf asks for what is late within a scope, whatever its period: it is late now.
func lateOf(within scope, size int32) *referralv1.ListLateRequest {
	return &referralv1.ListLateRequest{
		OrganizationId: within.organization, Department: within.department, Urgency: urgencyOf(within.urgency), Kind: kindOf(within.kind), PageSize: size,
	}
}

func lateTotal(l *referralv1.ListLateResponse) int32 {
	var n int32
	for _, t := range l.GetTotals() {
		n += t.GetCount()
	}
	return n
}

func (p *Pages) lateRows(r *http.Request, cases []*referralv1.LateCase) []lateRow {
	names := p.namer(r, "")
	plain := make([]*referralv1.StatisticCase, len(cases))
	for i, c := range cases {
		plain[i] = c.GetCase()
	}
	worded := p.rows(r, plain)
	out := make([]lateRow, len(cases))
	for i, c := range cases {
		out[i] = lateRow{LateCase: c, caseRow: worded[i]}
		if r.URL.Path != courses+c.GetCase().GetReferralId() {
			out[i].At = returning(r, out[i].At, out[i].Row())
		}
		if c.GetWaitingOrganizationId() != "" {
			out[i].Waiting = names("organization", c.GetWaitingOrganizationId())
		}
		if code := c.GetWaitingDepartment(); code != "" {
			out[i].Waiting += " " + names("department", code)
		}
		if role := c.GetWaitingRole(); role != commonv1.Role_UNSPECIFIED {
			out[i].Role = role.String()
		}
	}
	return out
}
