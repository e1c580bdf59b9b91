package statistics

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// export answers everything that the first page shows of a period and place: a workbook of all tables, or one of them as CSV.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	format := query.Get("format")
	if format != "xlsx" && format != "csv" {
		return errs.Invalid(errs.Bad("format", errs.ReasonFieldUnknown, "allowed", "xlsx csv"))
	}
	when := periodOf(query, p.Shell.Now())
	if query.Has("month") {
		when = reportMonth(query, p.Shell.Now())
	}
	d, err := p.draw(r, when, p.chosen(r, query), lateExported)
	if err != nil {
		return err
	}
	tables := p.tables(r, p.glanceOf(r, d))
	name := fileName{
		Plain: "tongzhen-" + d.When.From() + "-" + d.When.Last() + "." + format,
		Words: p.Shell.T(r, "export.file", "from", d.When.From(), "to", d.When.Last()) + "." + format,
	}
	if format == "csv" {
		i := slices.IndexFunc(tables, func(t table) bool { return t.code == query.Get("table") })
		return send(w, name, "text/csv; charset=utf-8", func(b *bytes.Buffer) error { return sheets.CSV(b, tables[max(i, 0)].Table) })
	}
	plain := make([]sheets.Table, len(tables))
	for i, t := range tables {
		plain[i] = t.Table
	}
	return send(w, name, sheets.MediaType, func(b *bytes.Buffer) error { return sheets.Workbook(b, plain, p.Shell.Now()) })
}

// send answers a file, whole or not at all.
func send(w http.ResponseWriter, name fileName, kind string, write func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", name.attachment())
	w.Header().Set("Cache-Control", "no-store")
	_, err := b.WriteTo(w)
	return err
}

// lateExported is how many of what is late a sheet lists: as many as the service answers at once; the note above says how many there are.
const lateExported = 200

// table is a sheet with the name by which an address asks for it.
type table struct {
	code string
	sheets.Table
}

// tabler makes the tables of a picture in the visitor's language.
type tabler struct {
	d     glanceData
	t     func(key string, pairs ...any) string
	both  func(zh, en string) string
	notes []string
}

func (p *Pages) tables(r *http.Request, d glanceData) []table {
	b := tabler{d: d, t: func(key string, pairs ...any) string { return p.Shell.T(r, key, pairs...) }}
	b.both = func(zh, en string) string { return b.t("reason-text", "zh", zh, "en", en) }
	note := b.t("statistics.span", "from", d.When.From(), "to", d.When.Last())
	if place := p.filters(r, d.Within, ""); len(place) > 0 {
		note += " · " + strings.Join(place, " · ")
	}
	b.notes = []string{note}
	for part, text := range d.Problems {
		b.notes = append(b.notes, b.t("overview.problems")+" "+b.t("overview.part."+part)+" — "+text)
	}
	slices.Sort(b.notes[1:])
	now := p.Shell.Now()
	return []table{
		b.measures(), b.months(), b.stages("stages-up", "overview.stages.up", d.Up), b.stages("stages-down", "overview.stages.down", d.Down), b.reasons(), b.flows(),
		b.asOf(b.waiting(), now), b.asOf(b.lateTable(now), now), b.medicines(), b.silent(), b.asOf(b.quiet(), now), b.recognition(), b.definitions(),
	}
}

// of begins a table; heads are text keys.
func (b tabler) of(code, title string, heads ...string) table {
	out := table{code, sheets.Table{Name: b.t(title), Title: b.t(title), Notes: b.notes}}
	for _, h := range heads {
		out.Heads = append(out.Heads, b.t(h))
	}
	return out
}

// asOf says of a table of what stands now that the period is not its own.
func (b tabler) asOf(of table, now time.Time) table {
	of.Notes = append(slices.Clone(of.Notes), b.t("export.as-of", "at", now.Format("2006-01-02 15:04")))
	return of
}

// value is a figure as a cell.
func value(m *referralv1.Measure, f *referralv1.Figure) any {
	switch {
	case m.GetUnit() == "COUNT":
		return f.GetNumerator()
	case !f.GetHasValue():
		return nil
	case m.GetUnit() == "PERCENT":
		return sheets.Percent(tenth(f.GetValue()))
	case m.GetUnit() == "DURATION":
		return tenth(f.GetMedian())
	}
	return f.GetValue()
}

// differs is how a figure changed, in its own unit: points of a share, minutes of a time; nil when one of both is not known.
func differs(m *referralv1.Measure, now, before *referralv1.Figure) any {
	switch {
	case m.GetUnit() == "COUNT":
		return now.GetNumerator() - before.GetNumerator()
	case !now.GetHasValue() || !before.GetHasValue():
		return nil
	case m.GetUnit() == "DURATION":
		return tenth(now.GetMedian() - before.GetMedian())
	case m.GetUnit() == "RATIO":
		return now.GetValue() - before.GetValue()
	}
	return tenth(now.GetValue() - before.GetValue())
}

// below is the denominator as a cell, of what has one.
func below(f figure) any {
	if !f.Divided {
		return nil
	}
	return f.GetDenominator()
}

func (b tabler) measures() table {
	out := b.of("measures", "overview.sheet.measures", "statistics.what", "statistics.value", "overview.before", "export.change", "export.unit",
		"statistics.numerator", "statistics.denominator", "export.ninety", "overview.target", "statistics.code")
	out.Notes = slices.Concat(out.Notes, b.d.Sums)
	for _, f := range b.d.all() {
		m, past := f.Measure, b.d.pastOf(f.Measure.GetCode())
		row := []any{
			b.both(m.GetName(), m.GetNameEn()), value(m, f.Figure), value(m, past), differs(m, f.Figure, past), b.t("export.unit." + m.GetUnit()),
			f.GetNumerator(), below(f), nil, nil, m.GetCode(),
		}
		if m.GetUnit() == "DURATION" && f.GetHasValue() {
			row[7] = tenth(f.GetPercentile_90())
		}
		if h := b.d.head(m.GetCode()); h != nil && h.Aim.Set {
			row[8] = h.Aim.Value
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (b tabler) months() table {
	out := b.of("months", "overview.section.trend", "statistics.month", "export.up", "export.down", "export.rate", "statistics.numerator", "statistics.denominator")
	for _, m := range b.d.Months {
		at, _ := time.Parse("2006-01", m.Month) // a label of monthRow
		out.Rows = append(out.Rows, []any{
			sheets.Day(at), m.Up.GetNumerator(), m.Down.GetNumerator(), value(m.Rate.Measure, m.Rate.Figure), m.Rate.GetNumerator(), m.Rate.GetDenominator(),
		})
	}
	return out
}

func (b tabler) stages(code, title string, stages []stageRow) table {
	out := b.of(code, title, "overview.stage", "statistics.cases.n", "overview.share", "overview.lost.n")
	for i, s := range stages {
		name := b.t("overview.stage.sent")
		if i > 0 {
			name = b.t("overview.stage." + s.GetMeasure())
		}
		out.Rows = append(out.Rows, []any{name, s.GetCount(), sheets.Percent(tenth(s.Share)), s.Lost})
	}
	return out
}

func (b tabler) reasons() table {
	out := b.of("reasons", "overview.section.reasons", "statistics.what", "overview.reason", "statistics.cases.n")
	for _, one := range b.d.Reasons {
		for _, f := range one.Figures {
			out.Rows = append(out.Rows, []any{b.both(one.Measure.GetName(), one.Measure.GetNameEn()), f.Key, f.GetNumerator()})
		}
		if len(one.Figures) > 0 {
			out.Rows = append(out.Rows, []any{b.both(one.Measure.GetName(), one.Measure.GetNameEn()), b.t("statistics.sum"), one.Total.GetNumerator()})
		}
	}
	return out
}

func (b tabler) flows() table {
	out := b.of("flows", "overview.section.flows", "overview.quiet.centre", "overview.department", "export.up", "export.down")
	for _, f := range b.d.Flows {
		out.Rows = append(out.Rows, []any{f.CentreName, f.Place, f.Up, f.Down})
	}
	if len(out.Rows) > 0 {
		out.Rows = append(out.Rows, []any{b.t("statistics.sum"), nil, b.d.UpAll.GetNumerator(), b.d.DownAll.GetNumerator()})
	}
	return out
}

func (b tabler) waiting() table {
	out := b.of("waiting", "overview.waits", "overview.department", "overview.waits.n")
	for _, w := range b.d.Waits {
		out.Rows = append(out.Rows, []any{w.Place, w.N})
	}
	if len(out.Rows) > 0 {
		out.Rows = append(out.Rows, []any{b.t("statistics.sum"), b.d.WaitsTotal})
	}
	return out
}

func (b tabler) lateTable(now time.Time) table {
	out := b.of("late", "overview.late", "field.number", "overview.late.step", "overview.late.who", "overview.late.role", "list.from", "list.to", "export.due")
	if more := int(b.d.LateTotal) - len(b.d.LateRows); more > 0 {
		out.Notes = append(slices.Clone(out.Notes), b.t("export.late.more", "n", more))
	}
	for _, l := range b.d.LateRows {
		out.Rows = append(out.Rows, []any{l.GetNumber(), b.t("settings.step." + l.GetStep()), l.Waiting, b.role(l.Role), l.From, l.To, l.GetDueTime().AsTime().In(now.Location())})
	}
	return out
}

func (b tabler) role(role string) string {
	if role == "" {
		return ""
	}
	return b.t("overview.role." + role)
}

func (b tabler) medicines() table {
	out := b.of("medicines", "overview.section.medicines", "overview.medicine", "export.state", "overview.medicine.where", "overview.waits.n")
	for _, m := range b.d.Blocking {
		out.Rows = append(out.Rows, []any{m.GetName(), b.t("overview.medicine." + m.GetAvailability()), m.names(func(availability string) string { return b.t("overview.medicine." + availability) }), int64(m.GetCount())})
	}
	return out
}

// silent are the places that did nothing in the period.
func (b tabler) silent() table {
	out := b.of("silent", "export.silent", "statistics.what", "export.place", "overview.waits")
	for _, c := range b.d.Silent.Centres {
		out.Rows = append(out.Rows, []any{b.t("overview.silent.centres." + b.d.When.Name), c.Name, nil})
	}
	for _, w := range b.d.Silent.Departments {
		out.Rows = append(out.Rows, []any{b.t("overview.silent.departments." + b.d.When.Name), w.Place, w.N})
	}
	return out
}

func (b tabler) quiet() table {
	out := b.of("quiet", "overview.quiet", "overview.quiet.centre", "overview.quiet.last", "export.days", "overview.quiet.usual")
	for _, q := range b.d.QuietRows {
		row := []any{q.Name, nil, nil, q.GetSent()}
		if at, err := time.Parse(time.DateOnly, q.GetLastDay()); err == nil {
			row[1], row[2] = sheets.Day(at), q.GetDays()
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (b tabler) recognition() table {
	out := b.of("recognition", "overview.section.recognition", "statistics.what", "statistics.value", "statistics.numerator", "statistics.denominator")
	for _, m := range b.d.Recognition.GetDefinitions() {
		for _, f := range b.d.Recognition.GetFigures() {
			if f.GetMeasure() != m.GetCode() {
				continue
			}
			row := []any{b.both(m.GetName(), m.GetNameEn()), f.GetNumerator(), nil, nil}
			if f.GetDenominator() > 0 {
				row = []any{row[0], sheets.Percent(tenth(f.GetValue())), f.GetNumerator(), f.GetDenominator()}
			}
			out.Rows = append(out.Rows, row)
		}
	}
	if b.d.Saved.HasYuan {
		out.Rows = append(out.Rows, []any{b.t("overview.recognition.saving"), float64(b.d.Recognition.GetSaving()) / 100, nil, nil})
	}
	return out
}

func (b tabler) definitions() table {
	out := b.of("definitions", "report.definitions", "statistics.what", "statistics.numerator", "statistics.denominator", "statistics.counted-on", "statistics.source",
		"statistics.note", "statistics.code")
	for _, m := range b.d.Measures {
		var divisors []string
		for _, d := range m.GetDenominators() {
			divisors = append(divisors, b.both(d.GetText(), d.GetTextEn()))
		}
		note := ""
		if m.GetNote() != "" {
			note = b.both(m.GetNote(), m.GetNoteEn())
		}
		out.Rows = append(out.Rows, []any{
			b.both(m.GetName(), m.GetNameEn()), b.both(m.GetNumerator(), m.GetNumeratorEn()), strings.Join(divisors, " / "),
			b.both(m.GetCountedOn(), m.GetCountedOnEn()), m.GetSource(), note, m.GetCode(),
		})
	}
	return out
}
