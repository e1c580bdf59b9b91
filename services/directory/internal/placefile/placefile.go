// Package placefile reads tables of organisations, departments, capabilities and medicines: CSV, as spreadsheets write it.
//
// Owns: the columns and the words in them, Chinese and English; the encodings. Refuses: to decide what may be said; that is the domain's. What
// cannot be read is named by line and column, never by its content.
package placefile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// MaxBytes is the most that one table may have.
const MaxBytes = 1 << 20

// Kind is what a table is of; the words are those of the contract.
type Kind string

// The kinds.
const (
	Organizations Kind = "ORGANIZATIONS"
	Departments   Kind = "DEPARTMENTS"
	Capabilities  Kind = "CAPABILITIES"
	Formulary     Kind = "FORMULARY"
)

// Reasons of a Problem beside those of the domain.
const (
	Duplicate     = "DUPLICATE"      // of the line First
	ColumnMissing = "COLUMN_MISSING" // the header has none of the name
	NotText       = "NOT_TEXT"       // neither UTF-8 nor GB18030, or no table at all
	CutOff        = "CUT_OFF"        // fewer or more cells than the header
	Required      = "FIELD_REQUIRED"
	Invalid       = "FIELD_INVALID"
)

// Problem is what is wrong with a line: a column, empty for the whole line, and a reason.
type Problem struct {
	Line          int
	Field, Reason string
	First         int // with Duplicate
	Max           int // with FIELD_TOO_LONG
}

// Table is what was read, in the order of the lines.
type Table struct {
	Rows     []Row
	Problems []Problem
}

// column of a table: its names, and whether a table without it says nothing.
type column struct {
	name, chinese string
	needed        bool
}

func columns(k Kind) []column {
	home := column{"organization_code", "机构编码", true}
	switch k {
	case Organizations:
		return []column{
			{"code", "机构编码", true}, {"name", "机构名称", true}, {"type", "类型", true}, {"name_en", "英文名", false}, {"parent_code", "上级机构编码", false},
			{"phone", "电话", false}, {"address", "地址", false}, {"closed", "停用", false},
		}
	case Departments:
		return []column{
			home, {"code", "科室代码", true}, {"name", "科室名称", true}, {"name_en", "英文名", false}, {"location", "位置", false}, {"phone", "电话", false},
			{"has_beds", "有床位", false}, {"closed", "停用", false},
		}
	case Capabilities:
		return []column{home, {"capability", "能做的项目", true}, {"note", "说明", false}}
	case Formulary:
		return []column{
			home, {"name", "药名", true}, {"specification", "规格", true}, {"stock", "库存", true}, {"atc", "ATC编码", false}, {"orderable", "可调配", false},
			{"restricted_class", "特殊管理", false}, {"removed", "移出目录", false},
		}
	}
	return nil
}

// key are the columns that tell one line from another.
func key(k Kind) []string {
	return map[Kind][]string{
		Organizations: {"code"}, Departments: {"organization_code", "code"}, Capabilities: {"organization_code", "capability"},
		Formulary: {"organization_code", "name", "specification"},
	}[k]
}

// words are the codes that people write in Chinese.
func words() map[string]map[string]string {
	yes := map[string]string{"是": "true", "有": "true", "√": "true", "1": "true", "y": "true", "yes": "true", "true": "true", "否": "false", "无": "false", "0": "false", "n": "false", "no": "false", "false": "false", "": ""}
	return map[string]map[string]string{
		"closed": yes, "removed": yes, "has_beds": yes, "orderable": yes,
		"type": {
			"县医院": "COUNTY_HOSPITAL", "牵头医院": "COUNTY_HOSPITAL", "乡镇卫生院": "TOWNSHIP_CENTRE", "卫生院": "TOWNSHIP_CENTRE", "村卫生室": "VILLAGE_CLINIC",
			"县外医院": "EXTERNAL", "卫健局": "AUTHORITY", "医共体办": "AUTHORITY", "主管部门": "AUTHORITY",
		},
		"capability": {
			"康复": "REHABILITATION", "透析": "DIALYSIS", "伤口换药": "WOUND_CARE", "中医": "TCM", "检验": "LABORATORY", "心电图": "ECG", "超声": "ULTRASOUND",
			"放射": "XRAY", "输液": "INFUSION", "上门服务": "HOME_VISIT", "安宁疗护": "PALLIATIVE",
		},
		"stock": {"有货": "IN_STOCK", "有": "IN_STOCK", "缺货": "OUT_OF_STOCK", "无": "OUT_OF_STOCK"},
		"restricted_class": {
			"抗菌药物": "ANTIMICROBIAL", "麻醉药品": "NARCOTIC", "精神药品": "PSYCHOTROPIC", "医疗用毒性药品": "TOXIC", "放射性药品": "RADIOACTIVE",
			"易制毒": "PRECURSOR", "特殊储存": "SPECIAL_STORAGE", "无": "",
		},
	}
}

// Row is a line below the header.
type Row struct {
	Line  int
	cells map[string]string
}

// Has tells whether the table has the column.
func (r Row) Has(name string) bool { _, ok := r.cells[name]; return ok }

// Cell is what stands in a column, the code of a word; "" where there is no such column.
func (r Row) Cell(name string) string { return r.cells[name] }

// Yes tells whether a column says so.
func (r Row) Yes(name string) bool { return r.cells[name] == "true" }

// Set puts what the column says into field, if the table has the column.
func (r Row) Set(name string, field *string) {
	if text, ok := r.cells[name]; ok {
		*field = text
	}
}

// SetYes is as Set; an empty cell leaves the field.
func (r Row) SetYes(name string, field *bool) {
	if r.cells[name] != "" {
		*field = r.Yes(name)
	}
}

// Read reads a table of the kind.
func Read(k Kind, content []byte) (t Table) {
	utf, ok := text(content)
	if !ok || len(content) > MaxBytes {
		t.refuse(1, "", NotText)
		return t
	}
	table := csv.NewReader(bytes.NewReader(utf))
	table.FieldsPerRecord = -1
	header, err := table.Read()
	if err != nil {
		t.refuse(1, "", NotText)
		return t
	}
	places := t.header(k, header)
	seen := map[string]int{}
	for len(places) > 0 {
		record, err := table.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return t
		case errors.As(err, &broken):
			t.refuse(broken.StartLine, "", Invalid)
			if errors.Is(broken.Err, csv.ErrQuote) {
				return t // what follows an open quote is one cell
			}
			continue
		case err != nil:
			t.refuse(1, "", NotText)
			return t
		}
		line, _ := table.FieldPos(0)
		if row, ok := t.row(line, record, places, len(header)); ok {
			t.add(k, row, seen)
		}
	}
	return t
}

// header answers where each column stands; nothing if a needed one is missing.
func (t *Table) header(k Kind, names []string) map[string]int {
	places := map[string]int{}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		for _, c := range columns(k) {
			if _, taken := places[c.name]; !taken && (name == c.name || name == strings.ToLower(c.chinese)) {
				places[c.name] = i
			}
		}
	}
	for _, c := range columns(k) {
		if _, ok := places[c.name]; !ok && c.needed {
			t.refuse(1, c.name, ColumnMissing)
		}
	}
	if len(t.Problems) > 0 {
		return nil
	}
	return places
}

// row is a line; false for one that is empty or cannot be read.
func (t *Table) row(line int, record []string, places map[string]int, width int) (Row, bool) {
	blank := func(cell string) bool { return strings.TrimSpace(cell) == "" }
	switch {
	case !slices.ContainsFunc(record, func(cell string) bool { return !blank(cell) }):
		return Row{}, false
	case len(record) < width, slices.ContainsFunc(record[min(width, len(record)):], func(cell string) bool { return !blank(cell) }):
		t.refuse(line, "", CutOff)
		return Row{}, false
	}
	r := Row{Line: line, cells: map[string]string{}}
	before := len(t.Problems)
	for name, i := range places {
		cell := strings.TrimSpace(record[i])
		known := words()[name]
		code, ok := known[strings.ToLower(cell)]
		switch {
		case ok:
			cell = code
		case known["是"] != "":
			t.refuse(line, name, Invalid)
		case known != nil:
			cell = strings.ToUpper(cell)
		}
		r.cells[name] = cell
	}
	return r, len(t.Problems) == before
}

// add keeps the row unless a line before says the same.
func (t *Table) add(k Kind, r Row, seen map[string]int) {
	names := key(k)
	id := make([]string, len(names))
	for i, name := range names {
		id[i] = r.cells[name]
	}
	joined, own := strings.Join(id, "\n"), min(1, len(names)-1)
	if first, twice := seen[joined]; twice && id[own] != "" {
		t.Problems = append(t.Problems, Problem{Line: r.Line, Field: names[own], Reason: Duplicate, First: first})
		return
	}
	seen[joined] = r.Line
	t.Rows = append(t.Rows, r)
}

func (t *Table) refuse(line int, field, reason string) {
	t.Problems = append(t.Problems, Problem{Line: line, Field: field, Reason: reason})
}

// text is the content as UTF-8; false if it is neither that nor GB18030.
func text(content []byte) ([]byte, bool) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // Excel begins UTF-8 with it
	if utf8.Valid(content) {
		return content, true
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(content)
	if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
		return nil, false
	}
	return decoded, true
}
