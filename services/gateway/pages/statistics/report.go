package statistics

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// reportData is what report.html sees.
type reportData struct {
	glanceData
	Month string
	// Months to choose from.
	Choosable []string
	// About is what the report is about: the county by its name, or the chosen organisation.
	About string
	// Issuer is the authority of the county, which names it; "" where the directory has none, and over what a place prints of itself.
	Issuer     string
	Place      []string
	Paragraphs []string
	Written    time.Time
	Author     string
	// Defined are the measures that the report uses, with their definitions.
	Defined []figure
	Earlier string
	Later   string
	// Filling tells that cases of the month are still being added.
	Filling bool
}

// At is the address of the report of another month.
func (d reportData) At(month string) string {
	query := d.place()
	query.Set("month", month)
	return here("/overview/report", query)
}

// report is the month in writing, to be printed or sent.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	now := p.Shell.Now()
	when := reportMonth(query, now)
	d, err := p.draw(r, when, p.chosen(r, query), lateShown)
	if err != nil {
		return err
	}
	visitor, _ := door.VisitorFrom(r.Context())
	data := reportData{
		glanceData: p.glanceOf(r, d), Month: when.Label(), Written: now, Author: visitor.Account.GetName(), About: visitor.Account.GetOrganizationName(),
		Earlier: when.from.AddDate(0, -1, 0).Format("2006-01"),
	}
	if later := when.to; !later.After(monthOf(now)) {
		data.Later = later.Format("2006-01")
	}
	names := p.namer(r, "")
	if d.Within.organization != "" {
		data.About = names("organization", d.Within.organization)
	} else if d.County {
		data.About = p.countyName(r)
	}
	if d.County {
		data.Issuer = p.issuer(r)
	}
	data.Place = p.filters(r, scope{department: d.Within.department, urgency: d.Within.urgency, kind: d.Within.kind}, "")
	for m := monthOf(now); len(data.Choosable) < monthsShown; m = m.AddDate(0, -1, 0) {
		data.Choosable = append(data.Choosable, m.Format("2006-01"))
	}
	t := func(key string, pairs ...any) string { return p.Shell.T(r, key, pairs...) }
	written := p.told(r, data.glanceData)
	written.Moved = p.movers(r, d)
	for _, paragraph := range summary(written) {
		text := ""
		for i, one := range paragraph {
			if i > 0 {
				text += t("report.gap")
			}
			text += one.words(t)
		}
		data.Paragraphs = append(data.Paragraphs, text)
	}
	data.Defined = d.defined()
	for _, h := range d.Heads {
		data.Filling = data.Filling || h.GetFilling()
	}
	return p.Shell.Render(w, r, p.reportSet, shell.Page{Title: "report.title", Nav: "overview", Data: data})
}

// countyName is what the county is called; "the whole county" where the directory has no name.
func (p *Pages) countyName(r *http.Request) string {
	if county, err := p.Shell.Names().County(r.Context()); err == nil && county.Name != "" {
		return county.Name
	}
	return p.Shell.T(r, "discharges.county")
}

// issuer is the name of the county's authority: the visitor's own, where that is one, else the first.
func (p *Pages) issuer(r *http.Request) string {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return ""
	}
	visitor, _ := door.VisitorFrom(r.Context())
	out := ""
	for _, o := range county.Organizations {
		own := o.GetId() == visitor.Account.GetOrganizationId()
		if o.GetType() == directoryv1.OrganizationType_AUTHORITY && !o.GetDisabled() && (out == "" || own) {
			out = county.OrganizationName(p.Shell.Language(r), o.GetId())
		}
	}
	return out
}

// movers are, for each of the two rates that moved, the departments that moved it, the most first. What cannot be had is named among the problems.
func (p *Pages) movers(r *http.Request, d *picture) map[string][]mover {
	out := map[string][]mover{}
	for _, code := range []string{rateA, rateB} {
		h := d.head(code)
		if h == nil || !h.Change.Known || h.Change.By == 0 {
			continue
		}
		moved := p.movement(r, h.Measure, d, "department")
		if moved.Problem != "" {
			d.Problems["moved"] = moved.Problem
		}
		for _, row := range moved.Rows {
			if tenth(row.by) != 0 {
				out[code] = append(out[code], mover{row.Name, row.by})
			}
		}
	}
	return out
}

// reportMonth is the month asked for, else the last whole one. Its days are its name, so that what the report leads to is of the same month.
func reportMonth(query url.Values, now time.Time) period {
	from, err := time.Parse("2006-01", query.Get("month"))
	if err != nil || from.After(now) {
		from = monthOf(now).AddDate(0, -1, 0)
	}
	return period{Name: "custom", from: from, to: from.AddDate(0, 1, 0)}
}

// defined are the measures that a report uses.
func (d *picture) defined() []figure {
	var out []figure
	codes := headlines()
	for _, list := range [][]stageRow{d.Up, d.Down} {
		for i, s := range list {
			if i > 0 { // the first is below the line of the second
				codes = append(codes, s.GetMeasure())
			}
		}
	}
	for _, code := range append(codes, "TIME-ANSWER", "RETURNED-N", "DECLINED-N", "CAND-OPEN", "CAND-DISMISSED-N") {
		if m := find(d.Measures, code); m != nil {
			out = append(out, figureOf(m, first(d.Now, code), d.Within))
		}
	}
	return out
}

// told puts the names to the figures.
func (p *Pages) told(r *http.Request, d glanceData) told {
	out := told{Heads: map[string]headline{}, Saved: d.Saved}
	for _, h := range d.Heads {
		out.Heads[h.Measure.GetCode()] = h
	}
	if f := first(d.Now, "TIME-ANSWER"); f.GetHasValue() {
		out.Answer = f
	}
	for _, s := range d.Up {
		out.Up = append(out.Up, s.Stage)
	}
	for _, s := range d.Down {
		out.Down = append(out.Down, s.Stage)
	}
	for _, one := range d.Reasons {
		into := map[string]*[]tally{"RETURNED-N": &out.Returned, "DECLINED-N": &out.Declined, "CAND-DISMISSED-N": &out.Dismissed}[one.Measure.GetCode()]
		for _, f := range one.Figures {
			if into != nil {
				*into = append(*into, tally{f.Key, f.GetNumerator()})
			}
		}
	}
	for _, w := range d.Waits {
		out.Waiting = append(out.Waiting, tally{w.Place, w.N})
	}
	for _, m := range d.Blocking {
		out.Medicines = append(out.Medicines, tally{m.GetName(), int64(m.GetCount())})
	}
	for _, q := range d.QuietRows {
		days := int64(q.GetDays())
		if q.GetLastDay() == "" {
			days = 0
		}
		out.Quiet = append(out.Quiet, tally{q.Name, days})
	}
	for _, l := range d.Late.GetTotals() {
		out.Late = append(out.Late, tally{p.Shell.T(r, "settings.step."+l.GetStep()), int64(l.GetCount())})
	}
	slices.SortStableFunc(out.Late, func(a, b tally) int { return int(b.N - a.N) })
	return out
}

// all are the figures of every measure, in the order of the definitions.
func (d *picture) all() []figure {
	var out []figure
	for _, m := range d.Measures {
		out = append(out, figureOf(m, first(d.Now, m.GetCode()), d.Within))
	}
	return out
}

// pastOf is the figure of the period before.
func (d *picture) pastOf(code string) *referralv1.Figure { return first(d.Past, code) }
