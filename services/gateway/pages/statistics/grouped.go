package statistics

import (
	"net/http"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// grouped is a measure by one of its dimensions.
type grouped struct {
	Measure *referralv1.Measure
	Figures []figure
	// Total is the figure of all together, which ends the table.
	Total figure
	// Heads sort the table; none where its order is fixed.
	Heads []head
	// Problem says why there is no table.
	Problem string
}

// total takes the figure of all together, of a table that has rows.
func (g *grouped) total(all []*referralv1.Figure, about scope) {
	if len(g.Figures) > 0 {
		g.Total = figureOf(g.Measure, first(all, g.Measure.GetCode()), about)
	}
}

// by is a measure by one dimension, in an order.
func (p *Pages) by(r *http.Request, m *referralv1.Measure, dimension string, about scope, in order) grouped {
	out := grouped{Measure: m, Heads: in.heads(r.URL.Query())}
	found, err := p.query(r, about, []string{m.GetCode()}, dimension)
	if err != nil {
		out.Problem = p.problem(r, err)
		return out
	}
	out.Figures = p.keyed(r, m, dimension, about, p.withNothing(r, m, dimension, found))
	in.sort(out.Figures)
	return out
}

// keyed are the figures of a measure by one dimension with their words and the addresses of their cases.
func (p *Pages) keyed(r *http.Request, m *referralv1.Measure, dimension string, about scope, found []*referralv1.Figure) []figure {
	var out []figure
	if dimension == "condition" {
		p.learn(r, keysOf(found))
	}
	names := p.namer(r, m.GetCode())
	for _, f := range found {
		if len(f.GetKey()) != 1 {
			continue
		}
		within := about.of(dimension, f.GetKey()[0])
		within.unlisted = within.unlisted || elsewhere(r, dimension, f.GetKey()[0])
		one := figureOf(m, f, within)
		one.Key = names(dimension, f.GetKey()[0])
		out = append(out, one)
	}
	return out
}

// keysOf are the first values by which figures are grouped.
func keysOf(figures []*referralv1.Figure) (out []string) {
	for _, f := range figures {
		if key := f.GetKey(); len(key) > 0 {
			out = append(out, key[0])
		}
	}
	return out
}

// elsewhere tells that a value is an organisation whose cases are not the visitor's to list: only administrators look at others.
func elsewhere(r *http.Request, dimension, value string) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.Contains([]string{"organization", "centre", "hospital"}, dimension) && value != visitor.Account.GetOrganizationId() &&
		!slices.Contains(visitor.Account.GetRoles(), commonv1.Role_COUNTY_ADMIN)
}

// problem words why a table is missing: some are kept by whole months only.
func (p *Pages) problem(r *http.Request, err error) string {
	if errs.KindOf(err) == errs.KindInvalid {
		return p.Shell.T(r, "statistics.whole-months")
	}
	return p.Shell.ErrorText(r, err)
}

// dimensions are those by which the figures can be grouped, in the order of the chooser.
func dimensions(measures []*referralv1.Measure) []string {
	var out []string
	for _, name := range []string{"organization", "centre", "hospital", "department", "doctor", "condition", "urgency", "kind"} {
		if len(groupedBy(measures, name)) > 0 {
			out = append(out, name)
		}
	}
	return out
}

func groupedBy(measures []*referralv1.Measure, dimension string) []*referralv1.Measure {
	return slices.DeleteFunc(slices.Clone(measures), func(m *referralv1.Measure) bool { return !slices.Contains(m.GetGroupBy(), dimension) })
}
