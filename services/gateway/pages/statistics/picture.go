package statistics

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// headline is a figure with the period before and its target.
type headline struct {
	figure
	Before figure
	Change change
	Aim    aim
	// TargetAt is where the visitor may set a target; "" for who may not.
	TargetAt string
}

// Class colours the direction that the measure is of.
func (h headline) Class() string {
	switch h.Measure.GetCode() {
	case "UP-N":
		return "up"
	case "DN-N", rateA, rateB:
		return "down"
	}
	return ""
}

// Good tells whether the change is for the better: 1 yes, -1 no, 0 neither.
func (h headline) Good() int {
	sign := map[string]int{"HIGHER_BETTER": 1, "LOWER_BETTER": -1}[h.Measure.GetDirection()]
	switch {
	case !h.Change.Known || h.Change.By == 0:
		return 0
	case h.Change.By > 0:
		return sign
	}
	return -sign
}

// Points tells that the change is in percentage points.
func (h headline) Points() bool { return h.Measure.GetUnit() == "PERCENT" }

// headlines are what the first page begins with, and what the report is about, in their order.
func headlines() []string { return []string{rateA, rateB, "IND-ACK", "UP-N", "DN-N", "BOUNCE"} }

// picture is all that the first page, the report and the sheets show of one period and place. A part that could not be had is named among the
// problems; the others stand.
type picture struct {
	When, Prior period
	Within      scope
	Measures    []*referralv1.Measure
	Now, Past   []*referralv1.Figure
	Heads       []headline
	Months      []monthRow
	// Since is the first of Months when the ones before it have no case and are left out.
	Since       string
	Up, Down    []stageRow
	Waiting     []*referralv1.Figure // candidates by hospital and department
	Reasons     []grouped
	Flows       []flowRow
	Late        *referralv1.ListLateResponse
	Medicines   *referralv1.ListBlockingMedicinesResponse
	Recognition *patientrecordv1.GetRecognitionStatisticsResponse
	Quiet       *referralv1.ListQuietCentresResponse
	// Problems are the parts that are missing, by their name, in words.
	Problems map[string]string
	// Withheld are the parts that the visitor's role does not see: no fault, and nothing to wait for.
	Withheld map[string]bool
	// County tells that it is of the whole county, as administrators see it.
	County bool
}

// monthRow is one month with the two counts and the rate.
type monthRow struct {
	Month          string
	Up, Down, Rate figure
}

// stageRow is a stage with the address of its cases.
type stageRow struct {
	*referralv1.Stage
	Defined *referralv1.Measure
	Cases   string
}

// flowRow is how many a centre and a department sent each other.
type flowRow struct {
	Centre, Hospital, Department string // ids and code
	CentreName, Place            string
	Up, Down                     int64
	UpCases, DownCases           string
}

// asks are the questions of a picture that may fail alone.
type ask struct {
	name string
	do   func() error
	// some: not every role that sees the page may see this part, which is left out for the others.
	some bool
}

// waitingDays is how far back candidates are counted that nobody has decided on.
const waitingDays = 365

// draw asks for everything at once, and for so many of what is late.
func (p *Pages) draw(r *http.Request, when period, within scope, late int32) (*picture, error) {
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return nil, err
	}
	now := p.Shell.Now()
	within.from, within.to = when.From(), when.To()
	d := &picture{When: when, Prior: when.before(now), Within: within, Problems: map[string]string{}, Withheld: map[string]bool{}, County: administers(r)}
	d.Measures, _ = derived(definitions.GetMeasures())
	aimed := within
	aimed.targets = true
	if d.Now, err = p.query(r, aimed, nil); err != nil {
		return nil, err
	}
	earlier := within
	earlier.from, earlier.to = d.Prior.From(), d.Prior.To()
	asks := []ask{
		{name: "before", do: func() (err error) { d.Past, err = p.query(r, earlier, nil); return err }},
		{name: "months", do: func() error { return p.drawMonths(r, d, now) }},
		{name: "candidates", do: func() error { return p.drawWaiting(r, d, now) }},
		{name: "flows", do: func() error { return p.drawFlows(r, d) }},
		{name: "stages", do: func() error { return p.drawStages(r, d) }},
		{name: "reasons", do: func() error { return p.drawReasons(r, d) }},
		{name: "late", do: func() (err error) { d.Late, err = p.Statistics.ListLate(r.Context(), lateOf(within, late)); return err }},
		{name: "medicines", do: func() (err error) {
			d.Medicines, err = p.Statistics.ListBlockingMedicines(r.Context(), &referralv1.ListBlockingMedicinesRequest{
				From: within.from, To: within.to, OrganizationId: within.organization, Department: within.department,
			})
			return err
		}},
		{name: "recognition", some: true, do: func() (err error) {
			d.Recognition, err = p.Recognition.GetRecognitionStatistics(r.Context(), &patientrecordv1.GetRecognitionStatisticsRequest{
				From: within.from, To: within.to, OrganizationId: within.organization,
			})
			return err
		}},
	}
	if d.County && within.organization == "" {
		asks = append(asks, ask{name: "quiet", do: func() (err error) {
			d.Quiet, err = p.Statistics.ListQuietCentres(r.Context(), &referralv1.ListQuietCentresRequest{})
			return err
		}})
	}
	p.askAll(r, d, asks)
	d.Heads = d.heads()
	return d, nil
}

// askAll asks several questions at the same time; each that fails is noted in words.
func (p *Pages) askAll(r *http.Request, d *picture, asks []ask) {
	failed := make([]error, len(asks))
	var group errgroup.Group
	for i, one := range asks {
		group.Go(func() error { failed[i] = one.do(); return nil })
	}
	_ = group.Wait() // the functions keep their errors
	for i, err := range failed {
		switch {
		case asks[i].some && errs.KindOf(err) == errs.KindDenied:
			d.Withheld[asks[i].name] = true
		case err != nil:
			d.Problems[asks[i].name] = p.Shell.ErrorText(r, err)
		}
	}
}

// administers tells whether the visitor sees the whole county.
func administers(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.Contains(visitor.Account.GetRoles(), commonv1.Role_COUNTY_ADMIN)
}

func (p *Pages) drawStages(r *http.Request, d *picture) error {
	found, err := p.Statistics.ListStages(r.Context(), &referralv1.ListStagesRequest{
		From: d.Within.from, To: d.Within.to, OrganizationId: d.Within.organization, Department: d.Within.department,
		Urgency: urgencyOf(d.Within.urgency), Kind: kindOf(d.Within.kind), WithRetrospective: d.Within.retrospective,
	})
	d.Up, d.Down = d.stages(found.GetUp()), d.stages(found.GetDown())
	return err
}

func (d *picture) stages(list []*referralv1.Stage) []stageRow {
	var out []stageRow
	for i, one := range list {
		row := stageRow{Stage: one, Defined: find(d.Measures, one.GetMeasure()), Cases: d.Within.cases(one.GetMeasure(), "NUMERATOR")}
		if row.Defined == nil {
			return nil
		}
		if i == 0 {
			row.Cases = d.Within.cases(one.GetMeasure(), "DENOMINATOR")
		}
		out = append(out, row)
	}
	return out
}

func (d *picture) heads() []headline {
	var out []headline
	for _, code := range headlines() {
		m := find(d.Measures, code)
		if m == nil {
			continue
		}
		one := d.headOf(m)
		one.MovedAt = measureAt(code, d.When, d.Within)
		out = append(out, one)
	}
	return out
}

// headOf is a measure with the period before and its target.
func (d *picture) headOf(m *referralv1.Measure) headline {
	f, was := first(d.Now, m.GetCode()), first(d.Past, m.GetCode())
	count := m.GetUnit() == "COUNT"
	one := headline{figure: figureOf(m, f, d.Within), Before: figureOf(m, was, d.earlier()), Aim: aimOf(f)}
	now, before := f.GetValue(), was.GetValue()
	if count {
		now, before = float64(f.GetNumerator()), float64(was.GetNumerator())
	}
	one.Change = changeOf(now, before, count || f.GetHasValue(), d.Past != nil && (count || was.GetHasValue()), !count)
	if d.County {
		one.TargetAt = "/settings/targets"
	}
	return one
}

func (d *picture) earlier() scope {
	out := d.Within
	out.from, out.to = d.Prior.From(), d.Prior.To()
	return out
}

// head is a headline by its code; nil when there is none.
func (d *picture) head(code string) *headline {
	i := slices.IndexFunc(d.Heads, func(h headline) bool { return h.Measure.GetCode() == code })
	if i < 0 {
		return nil
	}
	return &d.Heads[i]
}

func (p *Pages) drawMonths(r *http.Request, d *picture, now time.Time) error {
	span := d.When.months(now)
	within := d.Within
	within.from, within.to = span.From(), span.To()
	codes := []string{"UP-N", "DN-N", rateA}
	found, err := p.query(r, within, codes, "month")
	if err != nil {
		return err
	}
	for month, ok := monthFrom(within.from); ok && month.To() <= within.to; month, ok = monthFrom(month.To()) {
		one := within
		one.from, one.to = month.From(), month.To()
		row := monthRow{Month: month.Label()}
		for i, into := range []*figure{&row.Up, &row.Down, &row.Rate} {
			f := &referralv1.Figure{Measure: codes[i], Period: month.From()}
			if at := slices.IndexFunc(found, func(f *referralv1.Figure) bool { return f.GetMeasure() == codes[i] && f.GetPeriod() == month.From() }); at >= 0 {
				f = found[at]
			}
			if m := find(d.Measures, codes[i]); m != nil {
				*into = figureOf(m, f, one)
			}
		}
		d.Months = append(d.Months, row)
	}
	if d.Months = begun(d.Months, monthRow.counted); len(d.Months) > 0 && d.Months[0].Month > span.Label() {
		d.Since = d.Months[0].Month
	}
	return nil
}

func (p *Pages) drawWaiting(r *http.Request, d *picture, now time.Time) error {
	found, err := p.query(r, d.waitingSince(now), []string{"CAND-OPEN"}, "hospital", "department")
	d.Waiting = ranked(found, "CAND-OPEN")
	return err
}

// waitingSince is the scope of candidates that wait now: whatever the period, the year that ends today.
func (d *picture) waitingSince(now time.Time) scope {
	out := d.Within
	out.from, out.to = dayOf(now).AddDate(0, 0, 1-waitingDays).Format(time.DateOnly), dayOf(now).AddDate(0, 0, 1).Format(time.DateOnly)
	return out
}

func (p *Pages) drawFlows(r *http.Request, d *picture) error {
	found, err := p.query(r, d.Within, []string{"UP-N", "DN-N"}, "centre", "hospital", "department")
	if err != nil {
		return err
	}
	names := p.namer(r, "")
	for _, f := range found {
		key := f.GetKey()
		if len(key) != 3 || f.GetNumerator() == 0 {
			continue
		}
		i := slices.IndexFunc(d.Flows, func(known flowRow) bool {
			return known.Centre == key[0] && known.Hospital == key[1] && known.Department == key[2]
		})
		if i < 0 {
			i = len(d.Flows)
			d.Flows = append(d.Flows, flowRow{Centre: key[0], Hospital: key[1], Department: key[2], CentreName: names("organization", key[0])})
		}
		// Cases are asked for by one organisation and the department of the hospital.
		within := d.Within.of("centre", key[0]).of("hospital", key[1]).of("department", key[2])
		if f.GetMeasure() == "UP-N" {
			d.Flows[i].Up, d.Flows[i].UpCases = f.GetNumerator(), within.cases("UP-N", "NUMERATOR")
		} else {
			d.Flows[i].Down, d.Flows[i].DownCases = f.GetNumerator(), within.cases("DN-N", "NUMERATOR")
		}
	}
	d.placesNamed(names)
	slices.SortStableFunc(d.Flows, func(a, b flowRow) int { return int(b.Up + b.Down - a.Up - a.Down) })
	return nil
}

// placesNamed words the departments; with several hospitals each is called by both names.
func (d *picture) placesNamed(names func(dimension, value string) string) {
	several := slices.ContainsFunc(d.Flows, func(f flowRow) bool { return f.Hospital != d.Flows[0].Hospital })
	for i := range d.Flows {
		f := &d.Flows[i]
		f.Place = names("department", f.Department)
		if several {
			f.Place = strings.TrimSpace(names("organization", f.Hospital) + " " + f.Place)
		}
	}
}

// drawReasons ranks why referrals were returned, declined and cancelled, and candidates dismissed.
func (p *Pages) drawReasons(r *http.Request, d *picture) error {
	var measures []*referralv1.Measure
	for _, code := range []string{"RETURNED-N", "DECLINED-N", "CAND-DISMISSED-N", "CANCELLED-N"} {
		if m := find(d.Measures, code); m != nil {
			measures = append(measures, m)
		}
	}
	var err error
	d.Reasons, err = p.byReason(r, measures, d.Within)
	for i := range d.Reasons {
		d.Reasons[i].Figures = slices.DeleteFunc(d.Reasons[i].Figures, func(f figure) bool { return f.GetNumerator() == 0 })
		d.Reasons[i].total(d.Now, d.Within)
	}
	return err
}

// Failed tells that a part could not be had: then it is not empty, but unknown.
func (d *picture) Failed(part string) bool { return d.Problems[part] != "" }
