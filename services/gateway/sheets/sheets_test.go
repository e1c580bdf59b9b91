package sheets_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tongzhen/tongzhen/services/gateway/sheets"
)

func sample() sheets.Table {
	zone := time.FixedZone("CST", 8*3600)
	return sheets.Table{
		Name: "指标/本月", Title: "转诊指标", Notes: []string{"2026-11-01 至 2026-11-30"}, Heads: []string{"指标", "数值", "比例", "日期", "时间"},
		Rows: [][]any{
			{"上转人次", int64(12), sheets.Percent(33.3), sheets.Day(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)), time.Date(2026, 11, 30, 9, 30, 0, 0, zone)},
			{"=1+1", 1.5, nil, sheets.Day{}, time.Time{}},
		},
	}
}

func TestAWorkbookHasRealNumbersAndDates(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	second := sample()
	second.Name = "第二"
	if err := sheets.Workbook(&b, []sheets.Table{sample(), second}, time.Date(2026, 11, 30, 9, 30, 0, 0, time.FixedZone("CST", 8*3600))); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	if props, err := f.GetDocProps(); err != nil || props.Creator != "通诊" || props.Created != "2026-11-30T01:30:00Z" || props.Modified != props.Created {
		t.Errorf("it is filed as %+v, %v", props, err)
	}
	if tabs := f.GetSheetList(); len(tabs) != 2 || tabs[0] != "指标 本月" {
		t.Fatalf("%q", tabs)
	}
	for cell, want := range map[string]string{
		"A1": "转诊指标", "A2": "2026-11-01 至 2026-11-30", "A3": "指标", "B4": "12", "C4": "33.3%", "D4": "2026-11-30", "E4": "2026-11-30 09:30", "A5": "=1+1",
		"B5": "1.5", "C5": "", "D5": "",
	} {
		if got, err := f.GetCellValue("指标 本月", cell); err != nil || got != want {
			t.Errorf("%s shows %q, not %q, %v", cell, got, want, err)
		}
	}
	for cell, want := range map[string]string{"B4": "12", "C4": "33.3", "D4": "46356"} { // the days since 1899-12-30
		if got, err := f.GetCellValue("指标 本月", cell, excelize.Options{RawCellValue: true}); err != nil || got != want {
			t.Errorf("%s holds %q, not %q, %v", cell, got, want, err)
		}
	}
	if formula, err := f.GetCellFormula("指标 本月", "A5"); err != nil || formula != "" {
		t.Errorf("a text became the formula %q", formula)
	}
}

func TestCSVIsReadableByExcelAndHoldsNoFormula(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := sheets.CSV(&b, sample()); err != nil {
		t.Fatal(err)
	}
	want := "\uFEFF指标,数值,比例,日期,时间\n上转人次,12,33.3,2026-11-30,2026-11-30 09:30\n'=1+1,1.5,,,\n"
	if b.String() != want {
		t.Errorf("%q, not %q", b.String(), want)
	}
}
