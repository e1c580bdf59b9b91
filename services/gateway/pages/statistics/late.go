package statistics

import (
	"net/http"
	"net/url"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// lateRow is a step that is overdue, with its names.
type lateRow struct {
	*referralv1.LateCase
	caseRow
	Waiting string
}

// lateData is what late.html sees.
type lateData struct {
	Totals []*referralv1.LateTotal
	Total  int32
	Step   string
	Rows   []lateRow
	Links  bool
	Next   string
	Query  url.Values
}

// At is the address of the list of one step.
func (d lateData) At(step string) string {
	query := url.Values{}
	if organization := d.Query.Get("organization"); organization != "" {
		query.Set("organization", organization)
	}
	if step != "" {
		query.Set("step", step)
	}
	return here("/overview/late", query)
}

// late lists everything that is overdue now.
func (p *Pages) late(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	visitor, _ := door.VisitorFrom(r.Context())
	within := p.chosen(r, query)
	found, err := p.Statistics.ListLate(r.Context(), &referralv1.ListLateRequest{
		OrganizationId: within.organization, Step: query.Get("step"), PageSize: casesShown, PageToken: query.Get("page"),
	})
	if err != nil {
		return err
	}
	data := lateData{
		Totals: found.GetTotals(), Total: lateTotal(found), Step: query.Get("step"), Rows: p.lateRows(r, found.GetCases()), Query: query,
		Links: shell.IsCounty(visitor.Account) || shell.IsTownship(visitor.Account),
	}
	if next := found.GetNextPageToken(); next != "" {
		query.Set("page", next)
		data.Next = here("/overview/late", query)
	}
	return p.Shell.Render(w, r, p.lateSet, shell.Page{Title: "overview.late", Nav: "overview", Data: data})
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
		if c.GetWaitingOrganizationId() != "" {
			out[i].Waiting = names("organization", c.GetWaitingOrganizationId())
		}
	}
	return out
}
