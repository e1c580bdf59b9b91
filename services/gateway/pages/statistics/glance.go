package statistics

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// lateShown is how many the first page lists of what is late; the list has all.
const lateShown = 10

// choice is what the first page can be narrowed to. All of it stands in the address, so that a view can be shared.
type choice struct {
	Periods       []string
	Organizations []organization
	Departments   []organization
	Urgencies     []string
	Kinds         []string
}

// glanceData is what glance.html sees.
type glanceData struct {
	*picture
	Choice choice
	// Drawings, each with the table behind it.
	MonthsDrawn      pairs
	RateDrawn        rateDrawing
	UpDrawn          drawing
	DownDrawn        drawing
	ReasonsDrawn     []reasonDrawing
	FlowUp, FlowDown sankey
	Waits            []waitRow
	WaitsTotal       int64
	WaitsCases       string
	LateRows         []lateRow
	LateTotal        int32
	QuietRows        []quietRow
	Blocking         []medicineRow
	Silent           silence
	Saved            saving
	Query            url.Values
	Of               []string // words of the filters
	// Address of the report, of the sheets and of the list of what is late, for the same place.
	ReportAt, ExportAt, LateAt string
	Running                    bool
	// Sums say why totals on the page differ; UpAll and DownAll are those of the flows.
	Sums           []string
	UpAll, DownAll figure
}

// waitRow is a department with candidates that nobody has decided on.
type waitRow struct {
	Place, Cases string
	N            int64
}

// quietRow is a centre that went quiet.
type quietRow struct {
	*referralv1.QuietCentre
	Name, Cases string
}

// reasonDrawing is a measure by its reasons.
type reasonDrawing struct {
	grouped
	Drawing drawing
}

// rateDrawing is the rate month by month with the target as a line.
type rateDrawing struct {
	drawing
	Aim            aim
	AimX           int
	AimShown, Name string
}

// saving is what recognition saved.
type saving struct {
	Has      bool
	Avoided  int64
	Yuan     string
	HasYuan  bool
	Unpriced int64
	Rate     string
	Cases    string
}

func (p *Pages) glance(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	within := p.chosen(r, query)
	d, err := p.draw(r, periodOf(query, p.Shell.Now()), within, lateShown)
	if err != nil {
		return err
	}
	data := p.glanceOf(r, d)
	data.Query, data.Of = query, p.filters(r, within, "")
	return p.Shell.Render(w, r, p.glanceSet, shell.Page{Title: "overview.title", Nav: "overview", Data: data})
}

// chosen reads the place from the address. A head of department begins with the own one.
func (p *Pages) chosen(r *http.Request, query url.Values) scope {
	visitor, _ := door.VisitorFrom(r.Context())
	within := scope{
		organization: query.Get("organization"), department: query.Get("department"), urgency: query.Get("urgency"), kind: query.Get("kind"),
		retrospective: query.Get("retrospective") != "",
	}
	if !administers(r) {
		within.organization = visitor.Account.GetOrganizationId()
		if !query.Has("department") && hasRole(visitor.Account, commonv1.Role_DEPARTMENT_HEAD) {
			within.department = visitor.Account.GetDepartmentCode()
		}
	}
	return within
}

func (p *Pages) glanceOf(r *http.Request, d *picture) glanceData {
	data := glanceData{picture: d, Choice: p.choices(r, d), Running: d.When.running(p.Shell.Now())}
	data.UpDrawn, data.DownDrawn = p.stagesDrawn(r, d.Up, "up"), p.stagesDrawn(r, d.Down, "down")
	var labels []string
	var up, down []int64
	for _, m := range d.Months {
		labels, up, down = append(labels, m.Month), append(up, m.Up.GetNumerator()), append(down, m.Down.GetNumerator())
	}
	data.MonthsDrawn = pairsDrawn(labels, up, down)
	data.RateDrawn = p.rateDrawn(r, d)
	for _, one := range d.Reasons {
		data.ReasonsDrawn = append(data.ReasonsDrawn, reasonDrawing{one, reasonsDrawn(one)})
	}
	data.FlowUp, data.FlowDown = p.flowsDrawn(r, d)
	p.waits(r, d, &data)
	data.LateRows, data.LateTotal = p.lateRows(r, d.Late.GetCases()), lateTotal(d.Late)
	data.QuietRows = p.quietRows(r, d)
	data.Blocking, data.Silent = p.medicineRows(r, d), p.silent(r, d)
	data.Saved = savingOf(d)
	data.Sums = reckoned(d.Now, func(key string, pairs ...any) string { return p.Shell.T(r, key, pairs...) })
	for code, into := range map[string]*figure{"UP-N": &data.UpAll, "DN-N": &data.DownAll} {
		if m := find(d.Measures, code); m != nil {
			*into = figureOf(m, first(d.Now, code), d.Within)
		}
	}
	place := d.place()
	data.LateAt = here("/overview/late", place)
	if month := d.When.month(); month != "" {
		place.Set("month", month)
	}
	data.ReportAt = here("/overview/report", place)
	data.ExportAt = here("/overview/export", d.address())
	return data
}

// place is the place of the picture as addresses have it.
func (d *picture) place() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{
		"organization": d.Within.organization, "department": d.Within.department, "urgency": d.Within.urgency, "kind": d.Within.kind,
	} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// address is the place and the period.
func (d *picture) address() url.Values {
	out := d.place()
	out.Set("period", d.When.Name)
	if d.When.Name == "custom" {
		out.Set("from", d.When.From())
		out.Set("to", d.When.Last())
	}
	return out
}

// Department is the chosen one.
func (d *picture) Department() string { return d.Within.department }

// Organization is the chosen one.
func (d *picture) Organization() string { return d.Within.organization }

// Urgency is the chosen one.
func (d *picture) Urgency() string { return d.Within.urgency }

// Kind is the chosen one.
func (d *picture) Kind() string { return d.Within.kind }

// choices are the places and kinds that the visitor may choose among.
func (p *Pages) choices(r *http.Request, d *picture) choice {
	out := choice{
		Periods: periods(), Urgencies: []string{"EMERGENCY", "URGENT", "ROUTINE"},
		Kinds: []string{"OUTPATIENT", "INPATIENT", "EMERGENCY", "EXAM", "ADVICE", "REHABILITATION", "CHRONIC", "POSTOPERATIVE", "PALLIATIVE"},
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return out
	}
	language := p.Shell.Language(r)
	if d.County {
		for _, o := range county.Organizations {
			if t := o.GetType(); !o.GetDisabled() && (t == directoryv1.OrganizationType_COUNTY_HOSPITAL || t == directoryv1.OrganizationType_TOWNSHIP_CENTRE) {
				out.Organizations = append(out.Organizations, organization{o.GetId(), county.OrganizationName(language, o.GetId())})
			}
		}
	}
	for _, o := range county.Organizations {
		if d.Within.organization != "" && o.GetId() != d.Within.organization || o.GetType() != directoryv1.OrganizationType_COUNTY_HOSPITAL {
			continue
		}
		for _, one := range county.Departments(o.GetId()) {
			known := slices.ContainsFunc(out.Departments, func(k organization) bool { return k.ID == one.GetCode() })
			if !known {
				out.Departments = append(out.Departments, organization{one.GetCode(), county.DepartmentName(language, o.GetId(), one.GetCode())})
			}
		}
	}
	return out
}

func (p *Pages) stagesDrawn(r *http.Request, stages []stageRow, class string) drawing {
	var rows []row
	for i, s := range stages {
		one := row{Label: p.stageName(r, s, i), Value: float64(s.GetCount()), Shown: strconv.FormatInt(s.GetCount(), 10), Class: class, Note: shownPercent(s.Share)}
		if s.Lost > 0 {
			one.Note += " · " + p.Shell.T(r, "overview.lost", "n", s.Lost)
		}
		if s.Worst {
			one.Class += " worst"
		}
		rows = append(rows, one)
	}
	return rowsDrawn(rows, 0)
}

// stageName is the name of a stage alone; its measure's names the way before a colon too.
func (p *Pages) stageName(r *http.Request, s stageRow, place int) string {
	if place == 0 {
		return p.Shell.T(r, "overview.stage.sent")
	}
	return p.Shell.T(r, "overview.stage."+s.GetMeasure())
}

func shownPercent(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + "%" }

func (p *Pages) rateDrawn(r *http.Request, d *picture) rateDrawing {
	var rows []row
	for _, m := range d.Months {
		one := row{Label: m.Month, Value: m.Rate.GetValue(), Shown: m.Rate.Shown, Class: "down"}
		if one.Shown == "" {
			one.Shown = "—"
		}
		if m.Rate.Divided {
			one.Note = strconv.FormatInt(m.Rate.GetNumerator(), 10) + "/" + strconv.FormatInt(m.Rate.GetDenominator(), 10)
		}
		rows = append(rows, one)
	}
	out := rateDrawing{drawing: rowsDrawn(rows, 100)}
	if h := d.head(rateA); h != nil {
		out.Aim, out.Name = h.Aim, p.Shell.T(r, "reason-text", "zh", h.Measure.GetName(), "en", h.Measure.GetNameEn())
		out.AimX = int(out.Aim.Value / 100 * rowMost)
		if out.Aim.Set {
			out.clearOf(out.AimX)
		}
		out.AimShown = shownPercent(out.Aim.Value)
	}
	return out
}

// reasonsMost is how many reasons are drawn; the table behind has all.
const reasonsMost = 8

func reasonsDrawn(g grouped) drawing {
	var rows []row
	var total int64
	for _, f := range g.Figures {
		total += f.GetNumerator()
	}
	for _, f := range g.Figures[:min(len(g.Figures), reasonsMost)] {
		rows = append(rows, row{
			Label: f.Key, Value: float64(f.GetNumerator()), Shown: strconv.FormatInt(f.GetNumerator(), 10), Class: "lost", Note: shownPercent(percent(f.GetNumerator(), total)),
		})
	}
	return rowsDrawn(rows, 0)
}

func (p *Pages) flowsDrawn(r *http.Request, d *picture) (up, down sankey) {
	var ups, downs []flow
	for _, f := range d.Flows {
		if f.Up > 0 {
			ups = append(ups, flow{f.CentreName, f.Place, f.Up})
		}
		if f.Down > 0 {
			downs = append(downs, flow{f.Place, f.CentreName, f.Down})
		}
	}
	other := p.Shell.T(r, "overview.others")
	return sankeyOf(ups, other), sankeyOf(downs, other)
}

func (p *Pages) waits(r *http.Request, d *picture, data *glanceData) {
	names := p.namer(r, "")
	within := d.waitingSince(p.Shell.Now())
	data.WaitsCases = within.cases("CAND-OPEN", "NUMERATOR")
	for _, f := range d.Waiting {
		if len(f.GetKey()) != 2 {
			continue
		}
		one := within.of("hospital", f.GetKey()[0]).of("department", f.GetKey()[1])
		place := d.waitsAt(names, f.GetKey()[0], f.GetKey()[1])
		data.Waits = append(data.Waits, waitRow{Place: place, N: f.GetNumerator(), Cases: one.cases("CAND-OPEN", "NUMERATOR")})
		data.WaitsTotal += f.GetNumerator()
	}
}

func (p *Pages) quietRows(r *http.Request, d *picture) []quietRow {
	names := p.namer(r, "")
	var out []quietRow
	for _, q := range d.Quiet.GetCentres() {
		one := quietRow{QuietCentre: q, Name: names("organization", q.GetOrganizationId())}
		if q.GetSent() > 0 {
			within := scope{from: d.Quiet.GetFrom(), to: d.Quiet.GetTo(), organization: q.GetOrganizationId()}
			one.Cases = within.cases("UP-N", "NUMERATOR")
		}
		out = append(out, one)
	}
	return out
}

// savingOf reads what recognition saved.
func savingOf(d *picture) saving {
	if d.Recognition == nil {
		return saving{}
	}
	out := saving{Has: true, HasYuan: d.Recognition.GetHasSaving(), Unpriced: d.Recognition.GetUnpriced(), Yuan: yuan(d.Recognition.GetSaving())}
	query := url.Values{"from": {d.Within.from}, "to": {d.When.Last()}}
	for _, f := range d.Recognition.GetFigures() {
		switch f.GetMeasure() {
		case "AVOIDED":
			out.Avoided = f.GetNumerator()
		case "IND-MR":
			if f.GetHasValue() {
				out.Rate = shownPercent(f.GetValue())
			}
		}
	}
	query.Set("measure", "AVOIDED")
	if d.Within.organization != "" {
		query.Set("organization", d.Within.organization)
	}
	out.Cases = here("/statistics/recognition/cases", query)
	return out
}

// yuan writes fen as yuan.
func yuan(fen int64) string {
	const fenInYuan = 100
	return strconv.FormatFloat(float64(fen)/fenInYuan, 'f', 2, 64)
}
