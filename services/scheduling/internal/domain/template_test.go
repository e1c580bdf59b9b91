package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/workdays"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/lunar"
)

// year is the shipped calendar with exceptions.
func year(t testing.TB, exceptions ...domain.Exception) domain.Year {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	days, err := workdays.China()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exceptions {
		if bad := e.Faults(); len(bad) > 0 {
			t.Fatalf("exception %s: %v", e.ID, bad)
		}
	}
	return domain.Year{Zone: zone, Lunar: lunar.Day, Exceptions: exceptions,
		Holiday: func(day time.Time) bool { return days.Free(domain.Date(day)) }}
}

func clinicTemplate(t testing.TB) domain.Template {
	t.Helper()
	return domain.Template{ID: "t", OrganizationID: "o", DepartmentCode: "0304", Kind: domain.KindClinic, PractitionerID: "p", PractitionerName: "甲",
		Location: "2F", Pattern: domain.Pattern{Code: domain.Weekly, Weekdays: []int{1, 4}}, FirstDay: date(t, "2026-01-01"),
		Starts: 8 * 60, Ends: 12 * 60, SlotMinutes: 15}
}

func TestATemplateThatCannotBeCutIsRefused(t *testing.T) {
	t.Parallel()
	if bad := clinicTemplate(t).Faults(); len(bad) > 0 {
		t.Fatal(bad)
	}
	for name, spoil := range map[string]func(*domain.Template){
		"id": func(x *domain.Template) { x.ID = "" }, "kind": func(x *domain.Template) { x.Kind = "WARD" }, "grade": func(x *domain.Template) { x.Grade = "VIP" },
		"equipment_id": func(x *domain.Template) { x.Kind = domain.KindExam }, "first_day": func(x *domain.Template) { x.FirstDay = time.Time{} },
		"last_day": func(x *domain.Template) { x.LastDay = date(t, "2025-01-01") }, "slot_minutes": func(x *domain.Template) { x.SlotMinutes = 0 },
		"starts": func(x *domain.Template) { x.Starts = -1 }, "ends": func(x *domain.Template) { x.Ends = x.Starts + 10 },
		"digits": func(x *domain.Template) { x.Pattern = domain.Pattern{Code: domain.SolarDigits} },
	} {
		x := clinicTemplate(t)
		spoil(&x)
		if bad := x.Faults(); len(bad) != 1 || bad[0].Field != name {
			t.Errorf("%s: %v", name, bad)
		}
	}
	x := clinicTemplate(t)
	x.EquipmentID = "e"
	if bad := x.Faults(); !slices.Contains(bad, domain.Fault{Field: "equipment_id", Reason: domain.FaultTogether}) {
		t.Errorf("a clinic with a device: %v", bad)
	}
}

func TestADayIsPlannedByTheNarrowestException(t *testing.T) {
	t.Parallel()
	day := func(text string) time.Time { return date(t, text) }
	ex := func(e domain.Exception, from, to string) domain.Exception {
		e.FirstDay, e.LastDay = day(from), day(to)
		if e.ID == "" {
			e.ID = "e"
		}
		if e.ReasonCode == "" && e.Effect != domain.Workday {
			e.ReasonCode = "OTHER"
		}
		return e
	}
	closed := func(e domain.Exception, reason string) domain.Exception {
		e.Effect, e.ReasonCode = domain.Closed, reason
		return ex(e, "2026-06-01", "2026-06-10")
	}
	work := func(e domain.Exception, on string, as int) domain.Exception {
		e.Effect, e.Weekday = domain.Workday, as
		return ex(e, on, on)
	}
	sub := func(e domain.Exception, name string) domain.Exception {
		e.Effect, e.SubstituteID, e.SubstituteName, e.SubstitutePlace = domain.Substitute, name, name, "3F"
		return ex(e, "2026-06-01", "2026-06-30")
	}
	org := domain.Exception{OrganizationID: "o"}
	dept := domain.Exception{OrganizationID: "o", DepartmentCode: "0304"}
	who := domain.Exception{OrganizationID: "o", PractitionerID: "p"}
	template := domain.Exception{OrganizationID: "o", TemplateID: "t"}
	for _, c := range []struct {
		name, day  string
		exceptions []domain.Exception
		has        bool
		closedBy   string
		by         string
	}{
		{"its weekday", "2026-06-04", nil, true, "", "甲"},
		{"another weekday", "2026-06-05", nil, false, "", ""},
		{"before its first day", "2025-12-29", nil, false, "", ""},
		{"a public holiday", "2026-10-01", nil, true, "HOLIDAY", "甲"},
		{"a made-up Saturday is nothing by itself", "2026-10-10", nil, false, "", ""},
		{"a made-up Saturday that works as Thursday", "2026-10-10", []domain.Exception{work(domain.Exception{}, "2026-10-10", 4)}, true, "", "甲"},
		{"… as Friday: not this template's", "2026-10-10", []domain.Exception{work(domain.Exception{}, "2026-10-10", 5)}, false, "", ""},
		{"a holiday on which the organisation works", "2026-10-01", []domain.Exception{work(org, "2026-10-01", 4)}, true, "", "甲"},
		{"the county is closed", "2026-06-04", []domain.Exception{closed(domain.Exception{}, "EPIDEMIC")}, true, "EPIDEMIC", "甲"},
		{"another organisation is closed", "2026-06-04", []domain.Exception{closed(domain.Exception{OrganizationID: "x"}, "OTHER")}, true, "", "甲"},
		{"another department is closed", "2026-06-04", []domain.Exception{closed(domain.Exception{OrganizationID: "o", DepartmentCode: "03"}, "OTHER")}, true, "", "甲"},
		{"the narrower reason is told", "2026-06-04", []domain.Exception{closed(org, "HOLIDAY"), closed(who, "LEAVE"), closed(dept, "TRAINING")}, true, "LEAVE", "甲"},
		{"the department works though the county is closed", "2026-06-06", []domain.Exception{closed(domain.Exception{}, "OTHER"), work(dept, "2026-06-06", 4)}, true, "", "甲"},
		{"the department is closed though the county works", "2026-06-06", []domain.Exception{closed(dept, "TRAINING"), work(domain.Exception{}, "2026-06-06", 6)}, false, "", ""},
		{"a substitute", "2026-06-04", []domain.Exception{sub(template, "乙")}, true, "", "乙"},
		{"the template's substitute before the department's", "2026-06-04", []domain.Exception{sub(template, "乙"), sub(dept, "丙")}, true, "", "乙"},
		{"a substitute does not open a closed county", "2026-06-04", []domain.Exception{sub(template, "乙"), closed(domain.Exception{}, "EPIDEMIC")}, true, "EPIDEMIC", "乙"},
		{"a substitute for the template of somebody on leave", "2026-06-04", []domain.Exception{sub(template, "乙"), closed(who, "LEAVE")}, true, "", "乙"},
		{"a substitute for all of somebody on leave does not stand against that leave", "2026-06-04", []domain.Exception{sub(who, "乙"), closed(who, "LEAVE")}, true, "LEAVE", "乙"},
		{"a substitute does not open a holiday", "2026-06-19", []domain.Exception{sub(who, "乙")}, false, "", ""},
	} {
		p, has := clinicTemplate(t).On(day(c.day), year(t, c.exceptions...))
		if has != c.has || p.ClosedBy != c.closedBy || has && p.Session.PractitionerName != c.by {
			t.Errorf("%s: has %v, closed by %q, by %q; want %v, %q, %q", c.name, has, p.ClosedBy, p.Session.PractitionerName, c.has, c.closedBy, c.by)
		}
	}
	market := clinicTemplate(t)
	market.OnHolidays = true
	if p, has := market.On(day("2026-10-01"), year(t)); !has || p.ClosedBy != "" {
		t.Errorf("a market on a holiday: %v, %q", has, p.ClosedBy)
	}
	p, _ := clinicTemplate(t).On(day("2026-06-04"), year(t))
	if want := time.Date(2026, time.June, 4, 0, 0, 0, 0, time.UTC); !p.Session.Start.Equal(want) || !p.Session.End.Equal(want.Add(4*time.Hour)) {
		t.Errorf("8 to 12 o'clock of the county is %s to %s", p.Session.Start, p.Session.End)
	}
}

func TestAnExceptionWithAGapIsRefused(t *testing.T) {
	t.Parallel()
	whole := domain.Exception{ID: "e", OrganizationID: "o", DepartmentCode: "03", FirstDay: date(t, "2026-06-01"), LastDay: date(t, "2026-06-02"),
		Effect: domain.Closed, ReasonCode: "LEAVE"}
	for name, spoil := range map[string]func(*domain.Exception){
		"id": func(e *domain.Exception) { e.ID = "" }, "organization_id": func(e *domain.Exception) { e.OrganizationID = "" },
		"first_day": func(e *domain.Exception) { e.FirstDay = time.Time{}; e.LastDay = e.FirstDay },
		"last_day":  func(e *domain.Exception) { e.LastDay = date(t, "2026-05-01") },
		"effect":    func(e *domain.Exception) { e.Effect = "HALF" }, "reason_code": func(e *domain.Exception) { e.ReasonCode = "RAIN" },
		"weekday":                    func(e *domain.Exception) { e.Effect = domain.Workday },
		"substitute_practitioner_id": func(e *domain.Exception) { e.Effect = domain.Substitute },
	} {
		e := whole
		spoil(&e)
		if bad := e.Faults(); len(bad) != 1 || bad[0].Field != name {
			t.Errorf("%s: %v", name, bad)
		}
	}
}

func TestTwoTemplatesMeet(t *testing.T) {
	t.Parallel()
	one, other := clinicTemplate(t), clinicTemplate(t)
	if one.Meets(other) {
		t.Error("a template meets itself")
	}
	other.ID = "u"
	if !one.Meets(other) {
		t.Error("the same practitioner at the same time is not seen")
	}
	other.Starts, other.Ends = one.Ends, one.Ends+60
	if one.Meets(other) {
		t.Error("one after the other meet")
	}
	other.Starts, other.PractitionerID = one.Starts, "q"
	if one.Meets(other) {
		t.Error("different practitioners meet")
	}
}

func TestATemplateIsToldAllThatIsMissingAtOnce(t *testing.T) {
	t.Parallel()
	empty := domain.Template{ID: "t", OrganizationID: "o", Kind: domain.KindClinic, Pattern: domain.Pattern{Code: domain.Weekly}, Starts: -1, FirstDay: date(t, "2026-06-01")}
	var got []string
	for _, f := range empty.Faults() {
		got = append(got, f.Field)
	}
	slices.Sort(got)
	if want := []string{"department_code", "slot_minutes", "starts", "weekdays"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
