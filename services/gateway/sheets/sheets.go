// Package sheets writes tables as an Excel workbook or as CSV, so that figures can be worked on elsewhere: one sheet a table, real numbers and
// real dates, the heads fixed. Owns no figure and no word. Pure: no clock, no state.
package sheets

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// MediaType is that of a workbook.
const MediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Percent is a share in percent, 0 to 100: shown with a sign and one decimal, kept as a number.
type Percent float64

// Day is a local day: shown as a date, kept as one. The zero Day is an empty cell.
type Day time.Time

// Table is one sheet. A cell is nil, text, an int, int32, int64 or float64, a Percent, a Day or a time with its hour.
type Table struct {
	// Name is on the tab: at most 31 characters.
	Name string
	// Title and Notes stand above the heads: what it is of.
	Title string
	Notes []string
	Heads []string
	Rows  [][]any
}

// The formats of Excel by number: 14 is a date, 22 a date with an hour.
const (
	dateFormat = "yyyy-mm-dd"
	timeFormat = "yyyy-mm-dd hh:mm"
)

// product is the name under which a workbook is filed.
const product = "通诊"

// styles are those of a workbook.
type styles struct{ head, title, percent, day, hour, text int }

// Workbook writes tables as one workbook, which says when it was written and by which product.
func Workbook(w io.Writer, tables []Table, written time.Time) (err error) {
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	at := written.UTC().Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Creator: product, LastModifiedBy: product, Created: at, Modified: at}); err != nil {
		return fmt.Errorf("properties of the workbook: %w", err)
	}
	s, err := stylesOf(f)
	if err != nil {
		return fmt.Errorf("styles of the workbook: %w", err)
	}
	for i, t := range tables {
		name := tabName(t.Name)
		if i == 0 {
			err = f.SetSheetName(f.GetSheetName(0), name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err == nil {
			err = write(f, s, name, t)
		}
		if err != nil {
			return fmt.Errorf("sheet %s: %w", name, err)
		}
	}
	_, err = f.WriteTo(w)
	return err
}

func stylesOf(f *excelize.File) (s styles, err error) {
	day, hour := dateFormat, timeFormat
	percent := `0.0"%"`
	for _, one := range []struct {
		into  *int
		style excelize.Style
	}{
		{&s.title, excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}}},
		{&s.head, excelize.Style{
			Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E0F0F1"}},
			Alignment: &excelize.Alignment{WrapText: true, Vertical: "center"},
		}},
		{&s.percent, excelize.Style{CustomNumFmt: &percent}}, {&s.day, excelize.Style{CustomNumFmt: &day}}, {&s.hour, excelize.Style{CustomNumFmt: &hour}},
		{&s.text, excelize.Style{Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
	} {
		if *one.into, err = f.NewStyle(&one.style); err != nil {
			return s, err
		}
	}
	return s, nil
}

func write(f *excelize.File, s styles, sheet string, t Table) error {
	w, err := f.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	for i := range t.Heads {
		if err := w.SetColWidth(i+1, i+1, width(t, i)); err != nil {
			return err
		}
	}
	heads := len(t.Notes) + 2
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: heads, TopLeftCell: "A" + strconv.Itoa(heads+1), ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	line := 0
	next := func(cells ...any) error {
		line++
		return w.SetRow("A"+strconv.Itoa(line), cells)
	}
	if err := next(excelize.Cell{StyleID: s.title, Value: t.Title}); err != nil {
		return err
	}
	for _, note := range t.Notes {
		if err := next(note); err != nil {
			return err
		}
	}
	var row []any
	for _, h := range t.Heads {
		row = append(row, excelize.Cell{StyleID: s.head, Value: h})
	}
	if err := next(row...); err != nil {
		return err
	}
	for _, cells := range t.Rows {
		row = row[:0]
		for _, c := range cells {
			row = append(row, s.cell(c))
		}
		if err := next(row...); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (s styles) cell(v any) any {
	switch v := v.(type) {
	case Percent:
		return excelize.Cell{StyleID: s.percent, Value: float64(v)}
	case Day:
		if time.Time(v).IsZero() {
			return nil
		}
		return excelize.Cell{StyleID: s.day, Value: wall(time.Time(v))}
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return excelize.Cell{StyleID: s.hour, Value: wall(v)}
	case string:
		return excelize.Cell{StyleID: s.text, Value: v}
	}
	return v
}

// wall is the clock on the wall: a workbook knows no zones.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

const (
	narrowest = 10
	widest    = 60
	tabMost   = 31
)

// width fits the words of a column; a Chinese character is two wide.
func width(t Table, column int) float64 {
	most := len([]rune(t.Heads[column])) * 2
	for _, row := range t.Rows {
		if column >= len(row) {
			continue
		}
		n := 12
		if text, ok := row[column].(string); ok {
			n = utf8.RuneCountInString(text)
			n += (len(text) - n) / 2
		}
		most = max(most, n)
	}
	return float64(min(max(most+2, narrowest), widest))
}

// tabName leaves out what a tab may not have.
func tabName(name string) string {
	name = strings.NewReplacer("[", "(", "]", ")", ":", " ", "*", " ", "?", " ", "/", " ", `\`, " ").Replace(name)
	if r := []rune(name); len(r) > tabMost {
		name = string(r[:tabMost])
	}
	return name
}

// CSV writes one table, with the mark by which Excel knows its letters.
func CSV(w io.Writer, t Table) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(t.Heads); err != nil {
		return err
	}
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = text(c)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// text is a cell in CSV. Text that a spreadsheet would take for a formula is kept from being one.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case Percent:
		return strconv.FormatFloat(float64(v), 'f', 1, 64)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case Day:
		if time.Time(v).IsZero() {
			return ""
		}
		return time.Time(v).Format(time.DateOnly)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.Format("2006-01-02 15:04")
	case string:
		return Plain(v)
	}
	return fmt.Sprint(v)
}

// Plain is a text as a cell that no spreadsheet takes for a formula.
func Plain(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
