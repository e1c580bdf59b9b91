package statistics

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/sheets"
)

// casesExported is how many cases a sheet lists at most; a note says when there are more.
const casesExported = 2000

// exportCases answers the cases behind a figure as a workbook, each with the ground on which it counts or does not.
func (p *Pages) exportCases(w http.ResponseWriter, r *http.Request) error {
	data, within, err := p.casesOf(r)
	if err != nil {
		return err
	}
	var rows []caseRow
	next := ""
	for more := true; more && len(rows) < casesExported; more = next != "" {
		found, after, err := p.page(r, data.Measure.GetCode(), data.Part, within, next)
		if err != nil {
			return err
		}
		rows, next = append(rows, p.rows(r, found)...), after
	}
	p.wordOwn(r, data.Measure.GetCode(), rows)
	table := p.casesTable(r, data, rows)
	if next != "" {
		table.Notes = append(table.Notes, p.Shell.T(r, "export.cases.more", "n", len(rows)))
	}
	name := fileName{
		Plain: "tongzhen-" + data.Measure.GetCode() + "-" + strings.ToLower(data.Part) + "-" + data.From + "-" + data.Last + ".xlsx",
		Words: p.Shell.T(r, "export.file.cases", "name", p.Shell.T(r, "reason-text", "zh", data.Measure.GetName(), "en", data.Measure.GetNameEn()),
			"part", p.Shell.T(r, "statistics.part."+data.Part), "from", data.From, "to", data.Last) + ".xlsx",
	}
	return send(w, name, sheets.MediaType, func(b *bytes.Buffer) error { return sheets.Workbook(b, []sheets.Table{table}, p.Shell.Now()) })
}

func (p *Pages) casesTable(r *http.Request, data casesData, rows []caseRow) sheets.Table {
	t := func(key string, pairs ...any) string { return p.Shell.T(r, key, pairs...) }
	word := func(kind, code string) string {
		if code == "" {
			return ""
		}
		return t(kind + "." + code)
	}
	both := func(zh, en string) string { return t("reason-text", "zh", zh, "en", en) }
	m := data.Measure
	out := sheets.Table{
		Name: t("statistics.cases"), Title: both(m.GetName(), m.GetNameEn()) + " · " + t("statistics.part."+data.Part),
		Notes: []string{
			t("statistics.span", "from", data.From, "to", data.Last) + strings.Join(append([]string{""}, data.Of...), " · "),
			t("statistics.numerator") + ": " + both(m.GetNumerator(), m.GetNumeratorEn()),
		},
	}
	if data.Divisor != nil {
		out.Notes = append(out.Notes, t("statistics.denominator")+": "+both(data.Divisor.GetText(), data.Divisor.GetTextEn()))
	}
	for _, head := range []string{
		"field.number", "export.direction", "field.kind", "list.state", "list.from", "list.to", "statistics.by.condition", "statistics.day", "statistics.cases.n",
		"statistics.ground", "statistics.ground.why", "statistics.cases.department",
	} {
		out.Heads = append(out.Heads, t(head))
	}
	for _, c := range rows {
		cells := []any{c.GetNumber(), "", "", "", c.From, c.To, c.ConditionName, nil, int64(c.GetCount()), "", "", c.Department}
		if c.GetStayId() == "" {
			cells[1], cells[2] = word("direction", c.GetDirection().String()), word("kind", c.GetKind().String())
			cells[3] = word("state", c.GetState().String())
		} else {
			cells[0] = t("statistics.stay")
		}
		if at, err := time.Parse(time.DateOnly, c.GetDay()); err == nil {
			cells[7] = sheets.Day(at)
		}
		cells[9], cells[10] = word("statistics.place", c.GetGround().GetPlace()), word("statistics.fact", c.GetGround().GetFact())
		out.Rows = append(out.Rows, cells)
	}
	return out
}
