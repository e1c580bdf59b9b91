package schedulefile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// columns are the names of the columns, English and Chinese, in the order in which they are written.
func columns() [][2]string {
	return [][2]string{
		{"id", "编号"}, {"department", "科室代码"}, {"kind", "类型"}, {"grade", "号别"}, {"practitioner_id", "医生编号"}, {"practitioner", "医生"},
		{"equipment", "设备"}, {"location", "地点"}, {"date", "日期"}, {"starts", "开始时间"}, {"ends", "结束时间"}, {"slot_minutes", "每号分钟"},
		{"pattern", "规则"}, {"weekdays", "星期"}, {"every", "间隔"}, {"anchor", "起算日"}, {"digits", "尾数"}, {"first_day", "开始日期"},
		{"last_day", "结束日期"}, {"on_holidays", "节假日出诊"},
	}
}

// needed are the columns without which nothing can be read.
func needed() []string { return []string{"department", "kind", "starts", "ends", "slot_minutes"} }

// ReadCSV reads templates, and single sessions: those with a date.
func ReadCSV(content []byte, o Options) File {
	var f File
	utf, ok := text(content)
	if !ok || len(content) > MaxBytes {
		f.refuse(1, "", domain.FaultInvalid)
		return f
	}
	table := csv.NewReader(bytes.NewReader(utf))
	table.FieldsPerRecord = -1
	header, err := table.Read()
	if err != nil {
		f.refuse(1, "", domain.FaultInvalid)
		return f
	}
	places := f.header(header)
	if len(f.Problems) > 0 {
		return f
	}
	for {
		record, err := table.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return f
		case errors.As(err, &broken):
			f.refuse(broken.StartLine, "", domain.FaultInvalid)
			if errors.Is(broken.Err, csv.ErrQuote) {
				return f // what follows an open quote is one cell
			}
			continue
		case err != nil:
			f.refuse(1, "", domain.FaultInvalid)
			return f
		}
		line, _ := table.FieldPos(0)
		if len(f.Templates)+len(f.Sessions) == MaxSessions {
			f.refuse(line, "", domain.FaultRange)
			return f
		}
		f.row(row{f: &f, line: line, record: record, places: places}, o)
	}
}

func (f *File) header(names []string) map[string]int {
	places := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		for _, c := range columns() {
			if name == c[0] || name == c[1] {
				places[c[0]] = i
			}
		}
	}
	for _, name := range needed() {
		if _, ok := places[name]; !ok {
			f.refuse(1, name, domain.FaultRequired)
		}
	}
	return places
}

// row is a line under the header.
type row struct {
	f      *File
	line   int
	record []string
	places map[string]int
}

// cell is without the mark that keeps spreadsheets from computing it.
func (r row) cell(name string) string {
	i, ok := r.places[name]
	if !ok || i >= len(r.record) {
		return ""
	}
	return unguarded(strings.TrimSpace(r.record[i]))
}

func (f *File) row(r row, o Options) {
	if !slices.ContainsFunc(r.record, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return
	}
	before := len(f.Problems)
	t := domain.Template{ID: r.cell("id"), DepartmentCode: r.cell("department"), Kind: r.word("kind"), Grade: r.word("grade"),
		PractitionerID: r.cell("practitioner_id"), PractitionerName: r.cell("practitioner"), Location: r.cell("location"),
		Starts: r.clock("starts"), Ends: r.clock("ends"), SlotMinutes: r.number("slot_minutes")}
	if t.DepartmentCode == "" {
		f.refuse(r.line, "department", domain.FaultRequired)
	}
	day := r.date("date")
	if day.IsZero() {
		t.Pattern = domain.Pattern{Code: domain.PatternCode(r.word("pattern")), Weekdays: r.numerals("weekdays"), Every: r.number("every"),
			Anchor: r.date("anchor"), Digits: r.numerals("digits")}
		if t.Pattern.Code == "" && len(t.Pattern.Weekdays) > 0 {
			t.Pattern.Code = domain.Weekly
		}
		t.FirstDay, t.LastDay, t.OnHolidays = r.date("first_day"), r.date("last_day"), r.yes("on_holidays")
	}
	if len(f.Problems) > before {
		return
	}
	if day.IsZero() {
		f.Templates = append(f.Templates, Template{Line: r.line, Equipment: r.cell("equipment"), Template: t})
		return
	}
	at := func(minute int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), 0, minute, 0, 0, o.Zone).UTC()
	}
	f.Sessions = append(f.Sessions, Session{Line: r.line, Equipment: r.cell("equipment"), Session: domain.Session{ID: t.ID,
		DepartmentCode: t.DepartmentCode, Kind: t.Kind, Grade: t.Grade, PractitionerID: t.PractitionerID, PractitionerName: t.PractitionerName,
		Location: t.Location, Start: at(t.Starts), End: at(t.Ends), SlotMinutes: t.SlotMinutes}})
}

// words are the codes that people write in Chinese.
func words() map[string]map[string]string {
	return map[string]map[string]string{
		"kind":  {"门诊": domain.KindClinic, "检查": domain.KindExam, "专家下沉": domain.KindExpert, "专家下乡": domain.KindExpert},
		"grade": {"普通": domain.General, "普通号": domain.General, "专家": domain.Expert, "专家号": domain.Expert},
		"pattern": {"每周": string(domain.Weekly), "间隔": string(domain.Interval), "公历尾数": string(domain.SolarDigits),
			"农历尾数": string(domain.LunarDigits)},
	}
}

// word is the code of a cell; what is unknown stays and is refused by the domain.
func (r row) word(name string) string {
	cell := r.cell(name)
	if code, ok := words()[name][cell]; ok {
		return code
	}
	return strings.ToUpper(cell)
}

func (r row) clock(name string) int {
	cell := strings.Replace(r.cell(name), "：", ":", 1)
	if cell == "" {
		r.f.refuse(r.line, name, domain.FaultRequired)
		return 0
	}
	minute, ok := domain.ReadClock(cell)
	if !ok {
		r.f.refuse(r.line, name, domain.FaultInvalid)
	}
	return minute
}

func (r row) number(name string) int {
	cell := r.cell(name)
	if cell == "" {
		return 0
	}
	n, err := strconv.Atoi(cell)
	if err != nil || n < 0 || n > 10000 {
		r.f.refuse(r.line, name, domain.FaultInvalid)
	}
	return n
}

// date is the zero day for an empty cell.
func (r row) date(name string) time.Time {
	cell := r.cell(name)
	if cell == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, "2006/1/2", "2006-1-2", "2006年1月2日", "2006.1.2", "20060102"} {
		if day, err := time.Parse(layout, cell); err == nil && day.Year() >= 1900 {
			return day
		}
	}
	r.f.refuse(r.line, name, domain.FaultInvalid)
	return time.Time{}
}

// numerals reads 1,3,5 and 一三五 and 周一、周三 alike: each numeral is a number of its own.
func (r row) numerals(name string) []int {
	const chinese = "〇一二三四五六七八九"
	var out []int
	for _, c := range r.cell(name) {
		n := -1
		switch at := strings.IndexRune(chinese, c); {
		case c >= '0' && c <= '9':
			n = int(c - '0')
		case at >= 0:
			n = at / len("一")
		case c == '零' || c == '十':
			n = 0
		case (c == '日' || c == '天') && name == "weekdays":
			n = 7
		case strings.ContainsRune(" ,，、;；/周星期逢尾数", c):
			continue
		}
		if n < 0 {
			r.f.refuse(r.line, name, domain.FaultInvalid)
			return nil
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func (r row) yes(name string) bool {
	switch strings.ToLower(r.cell(name)) {
	case "", "否", "false", "0", "no", "n":
		return false
	case "是", "true", "1", "yes", "y":
		return true
	}
	r.f.refuse(r.line, name, domain.FaultInvalid)
	return false
}

// WriteCSV writes sessions, as ReadCSV reads them; with a Chinese header, and so that Excel reads it.
func WriteCSV(sessions []Session, zone *time.Location) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	table := csv.NewWriter(&b)
	header := make([]string, 0, len(columns()))
	for _, c := range columns() {
		header = append(header, c[1])
	}
	if err := table.Write(header); err != nil {
		return nil, err
	}
	for _, s := range sessions {
		day := domain.DayOf(s.Start, zone)
		end := domain.Clock(int(s.End.Sub(time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)).Minutes()))
		start := domain.Clock(int(s.Start.Sub(time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)).Minutes()))
		record := []string{s.ID, s.DepartmentCode, s.Kind, s.Grade, s.PractitionerID, s.PractitionerName, s.EquipmentID, s.Location,
			domain.Date(day), start, end, strconv.Itoa(s.SlotMinutes), "", "", "", "", "", "", "", ""}
		for i := range record {
			record[i] = guarded(record[i])
		}
		if err := table.Write(record); err != nil {
			return nil, err
		}
	}
	table.Flush()
	return b.Bytes(), table.Error()
}

const formula = "=+-@"

// guarded keeps spreadsheets from computing what somebody typed.
func guarded(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); bare != "" && strings.Contains(formula, bare[:1]) {
		return "'" + cell
	}
	return cell
}

func unguarded(cell string) string {
	if bare := strings.TrimLeft(cell, "'"); len(bare) < len(cell) && bare != "" && strings.Contains(formula, bare[:1]) {
		return cell[1:]
	}
	return cell
}
