package schedulefile_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/schedulefile"
)

func options() schedulefile.Options {
	zone := time.FixedZone("county", 8*60*60)
	return schedulefile.Options{Zone: zone, From: time.Date(2026, 3, 18, 0, 0, 0, 0, zone), To: time.Date(2026, 5, 17, 0, 0, 0, 0, zone)}
}

const table = `科室代码,类型,号别,医生,设备,地点,日期,开始时间,结束时间,每号分钟,规则,星期,间隔,起算日,尾数,开始日期,结束日期,节假日出诊
0304,门诊,专家号,陈医生,,门诊楼3层,,08:00,12:00,15,,周一、周三,,,,2026-03-01,2026-12-31,
02,专家下乡,,李医生,,兴坪镇,,9:00,11:00,10,农历尾数,,,,逢三六九,2026年3月1日,,是
3202,检查,,,CT 一号机,,,08:00,12:00,15,间隔,,5,2026/1/1,,2026-03-01,,
0304,门诊,普通号,陈医生,,门诊楼3层,2026-03-20,14：00,16:00,20,,,,,,,,
`

func TestTheColumnsAreReadInChineseAndInBothEncodings(t *testing.T) {
	t.Parallel()
	gb, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"UTF-8": []byte(table), "with a mark": []byte("\ufeff" + table), "GB18030": gb} {
		f := schedulefile.ReadCSV(content, options())
		if len(f.Problems) > 0 || len(f.Templates) != 3 || len(f.Sessions) != 1 {
			t.Fatalf("%s: %+v", name, f)
		}
		if x := f.Templates[0]; x.Kind != "CLINIC" || x.Grade != "EXPERT" || x.PractitionerName != "陈医生" || x.Pattern.Code != domain.Weekly ||
			!slices.Equal(x.Pattern.Weekdays, []int{1, 3}) || x.Starts != 480 || x.Ends != 720 || domain.Date(x.LastDay) != "2026-12-31" || x.Line != 2 {
			t.Errorf("%s: %+v", name, x)
		}
		if x := f.Templates[1]; x.Kind != "EXPERT" || x.Pattern.Code != domain.LunarDigits || !slices.Equal(x.Pattern.Digits, []int{3, 6, 9}) || !x.OnHolidays {
			t.Errorf("%s: %+v", name, x)
		}
		if x := f.Templates[2]; x.Equipment != "CT 一号机" || x.Pattern.Code != domain.Interval || x.Pattern.Every != 5 || domain.Date(x.Pattern.Anchor) != "2026-01-01" {
			t.Errorf("%s: %+v", name, x)
		}
		if x := f.Sessions[0]; x.Line != 5 || x.Grade != "GENERAL" || !x.Start.Equal(time.Date(2026, 3, 20, 6, 0, 0, 0, time.UTC)) || x.End.Sub(x.Start) != 2*time.Hour {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestWhatCannotBeReadIsNamedByLineAndField(t *testing.T) {
	t.Parallel()
	const header = "department,kind,starts,ends,slot_minutes,date,weekdays,every,on_holidays\n"
	for name, c := range map[string]struct {
		text string
		want schedulefile.Problem
	}{
		"a missing column":  {"department,kind,starts,ends\n", schedulefile.Problem{Line: 1, Field: "slot_minutes", Reason: "FIELD_REQUIRED"}},
		"no department":     {header + "\n,CLINIC,08:00,09:00,10,2026-03-20,,,\n", schedulefile.Problem{Line: 3, Field: "department", Reason: "FIELD_REQUIRED"}},
		"no time":           {header + "03,CLINIC,,09:00,10,2026-03-20,,,\n", schedulefile.Problem{Line: 2, Field: "starts", Reason: "FIELD_REQUIRED"}},
		"what is no time":   {header + "03,CLINIC,8h,09:00,10,2026-03-20,,,\n", schedulefile.Problem{Line: 2, Field: "starts", Reason: "FIELD_INVALID"}},
		"what is no date":   {header + "03,CLINIC,08:00,09:00,10,2026-13-20,,,\n", schedulefile.Problem{Line: 2, Field: "date", Reason: "FIELD_INVALID"}},
		"what is no number": {header + "03,CLINIC,08:00,09:00,x,2026-03-20,,,\n", schedulefile.Problem{Line: 2, Field: "slot_minutes", Reason: "FIELD_INVALID"}},
		"no weekdays":       {header + "03,CLINIC,08:00,09:00,10,,Monday,,\n", schedulefile.Problem{Line: 2, Field: "weekdays", Reason: "FIELD_INVALID"}},
		"neither yes nor no": {header + "03,CLINIC,08:00,09:00,10,,1,,maybe\n",
			schedulefile.Problem{Line: 2, Field: "on_holidays", Reason: "FIELD_INVALID"}},
		"a broken quote": {header + "\"03,CLINIC\n", schedulefile.Problem{Line: 2, Reason: "FIELD_INVALID"}},
		"no text":        {"\xff\xff\xff", schedulefile.Problem{Line: 1, Reason: "FIELD_INVALID"}},
	} {
		f := schedulefile.ReadCSV([]byte(c.text), options())
		if len(f.Problems) != 1 || f.Problems[0] != c.want || len(f.Sessions)+len(f.Templates) != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	short := schedulefile.ReadCSV([]byte(header+"03,CLINIC,08:00,09:00,10\n03,CLINIC,08:00,09:00,10,2026-03-20\n"), options())
	if len(short.Problems) != 0 || len(short.Sessions) != 1 || len(short.Templates) != 1 {
		t.Errorf("short lines: %+v", short)
	}
}

// written are sessions with whatever may stand in their texts.
func written() []schedulefile.Session {
	start := time.Date(2026, 3, 20, 0, 30, 0, 0, time.UTC)
	return []schedulefile.Session{
		{Session: domain.Session{ID: "0197a000-0000-7000-8000-000000000001", DepartmentCode: "0304", Kind: "CLINIC", Grade: "EXPERT", PractitionerID: "p", PractitionerName: "陈医生, \"主任\"; a\\b",
			Location: "门诊楼3层,西", Start: start, End: start.Add(3 * time.Hour), SlotMinutes: 15}},
		{Session: domain.Session{ID: "0197a000-0000-7000-8000-000000000002", DepartmentCode: "3202", Kind: "EXAM", Grade: "GENERAL", EquipmentID: "0197a000-0000-7000-8000-0000000000aa", PractitionerName: "=1+1",
			Location: "'-x", Start: start.Add(7 * time.Hour), End: start.Add(15*time.Hour + 30*time.Minute), SlotMinutes: 30}},
	}
}

func same(t *testing.T, what string, f schedulefile.File) {
	t.Helper()
	if len(f.Problems) > 0 || len(f.Sessions) != 2 {
		t.Fatalf("%s: %+v", what, f)
	}
	for i, want := range written() {
		got := f.Sessions[i]
		if got.Equipment != want.EquipmentID {
			t.Errorf("%s: device %q", what, got.Equipment)
		}
		got.Session.EquipmentID = got.Equipment
		if got.Session != want.Session {
			t.Errorf("%s:\n%+v, want\n%+v", what, got.Session, want.Session)
		}
	}
}

func TestWhatWasWrittenIsReadAsTheSame(t *testing.T) {
	t.Parallel()
	content, err := schedulefile.WriteCSV(written(), options().Zone)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "CSV", schedulefile.ReadCSV(content, options()))
	if !bytes.Contains(content, []byte("'=1+1")) {
		t.Error("a spreadsheet would compute a cell")
	}
	same(t, "iCalendar", schedulefile.ReadICS(schedulefile.WriteICS(written(), nil, time.Unix(0, 0).UTC()), options()))
	cancelled := schedulefile.ReadICS(schedulefile.WriteICS(written(), map[string]bool{written()[0].ID: true}, time.Unix(0, 0).UTC()), options())
	if len(cancelled.Sessions) != 1 {
		t.Errorf("a cancelled session is one: %+v", cancelled)
	}
}

func calendar(events ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Asia/Shanghai\r\nEND:VTIMEZONE\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n")
}

func vevent(lines ...string) string {
	return "BEGIN:VEVENT\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

func TestARuleMakesTheSessionsOfTheSpan(t *testing.T) {
	t.Parallel()
	o := options()
	o.DepartmentCode, o.SlotMinutes = "0304", 10
	f := schedulefile.ReadICS(calendar(
		vevent("UID:weekly", "SUMMARY:陈医生\\, 主任", "LOCATION:2F", "DTSTART;TZID=Asia/Shanghai:20260105T080000", "DTEND;TZID=Asia/Shanghai:20260105T120000",
			"RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20260410T000000Z", "EXDATE;TZID=Asia/Shanghai:20260323T080000,20260326T080000"),
		// Thursday the 19th is at another time, and Monday the 30th does not take place.
		vevent("UID:weekly", "RECURRENCE-ID;TZID=Asia/Shanghai:20260319T080000", "DTSTART:20260319T060000Z", "DTEND:20260319T070000Z"),
		vevent("UID:weekly", "RECURRENCE-ID;TZID=Asia/Shanghai:20260330T080000", "STATUS:CANCELLED", "DTSTART:20260330T000000Z", "DTEND:20260330T040000Z"),
		vevent("UID:once", "DTSTART:20260401T080000", "DTEND:20260401T090000"),
	), o)
	if len(f.Problems) > 0 {
		t.Fatalf("%+v", f.Problems)
	}
	var got []string
	for _, s := range f.Sessions {
		got = append(got, s.Start.In(o.Zone).Format("01-02 15:04"))
		if s.DepartmentCode != "0304" || s.SlotMinutes != 10 || s.Kind != "CLINIC" || s.Key == "" {
			t.Errorf("%+v", s)
		}
	}
	if want := []string{"04-02 08:00", "04-06 08:00", "04-09 08:00", "03-19 14:00", "04-01 08:00"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s := f.Sessions[0]; s.PractitionerName != "陈医生, 主任" || s.Location != "2F" || s.Line != 7 || s.End.Sub(s.Start) != 4*time.Hour {
		t.Errorf("%+v", s)
	}
}

func TestAnEventThatIsNoSessionIsNamed(t *testing.T) {
	t.Parallel()
	o := options()
	o.DepartmentCode, o.SlotMinutes = "0304", 10
	times := []string{"DTSTART:20260320T000000Z", "DTEND:20260320T010000Z"}
	for name, c := range map[string]struct {
		lines []string
		field string
	}{
		"a whole day":     {[]string{"UID:x", "DTSTART;VALUE=DATE:20260320", "DTEND;VALUE=DATE:20260321"}, "DTSTART"},
		"no end":          {[]string{"UID:x", "DTSTART:20260320T000000Z"}, "DTEND"},
		"backwards":       {[]string{"UID:x", "DTSTART:20260320T010000Z", "DTEND:20260320T000000Z"}, "DTEND"},
		"a broken rule":   {append([]string{"UID:x", "RRULE:FREQ=NEVER"}, times...), "RRULE"},
		"every second":    {append([]string{"UID:x", "RRULE:FREQ=SECONDLY"}, times...), "RRULE"},
		"since long ago":  {[]string{"UID:x", "RRULE:FREQ=DAILY", "DTSTART:19000320T000000Z", "DTEND:19000320T010000Z"}, "RRULE"},
		"no slot minutes": {append([]string{"UID:x", "X-TONGZHEN-SLOT-MINUTES:0"}, times...), "X-TONGZHEN-SLOT-MINUTES"},
	} {
		f := schedulefile.ReadICS(calendar(vevent(c.lines...)), o)
		if len(f.Problems) != 1 || f.Problems[0].Field != c.field || f.Problems[0].Line != 7 || len(f.Sessions) != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := schedulefile.ReadICS([]byte("BEGIN:VCALENDAR"), o); len(f.Problems) != 1 && len(f.Sessions) != 0 {
		t.Errorf("half a calendar: %+v", f)
	}
	bare := schedulefile.ReadICS(calendar(vevent(append([]string{"UID:x"}, times...)...)), options())
	if len(bare.Problems) != 1 || bare.Problems[0].Field != "X-TONGZHEN-DEPARTMENT" {
		t.Errorf("no department: %+v", bare)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte(table))
	f.Add([]byte("department,kind,starts,ends,slot_minutes,date\n03,CLINIC,08:00,09:00,10,2026-03-20\n\"x"))
	f.Fuzz(func(t *testing.T, content []byte) { bounded(t, schedulefile.ReadCSV(content, options())) })
}

func FuzzReadICS(f *testing.F) {
	f.Add(schedulefile.WriteICS(written(), nil, time.Unix(0, 0).UTC()))
	f.Add(calendar(vevent("UID:w", "DTSTART;TZID=Asia/Shanghai:20260105T080000", "DTEND;TZID=Asia/Shanghai:20260105T120000",
		"RRULE:FREQ=MONTHLY;BYDAY=1MO,-1FR;BYSETPOS=1;COUNT=4", "EXDATE:20260323T000000Z")))
	f.Fuzz(func(t *testing.T, content []byte) {
		o := options()
		o.DepartmentCode, o.SlotMinutes = "0304", 10
		bounded(t, schedulefile.ReadICS(content, o))
	})
}

// bounded: whatever a file says, it is no more than a file's worth, and problems hold no content.
func bounded(t *testing.T, f schedulefile.File) {
	t.Helper()
	if len(f.Sessions)+len(f.Templates) > schedulefile.MaxSessions {
		t.Errorf("%d sessions", len(f.Sessions))
	}
	for _, p := range f.Problems {
		if p.Line < 1 || !strings.HasPrefix(p.Reason, "FIELD_") {
			t.Errorf("%+v", p)
		}
	}
	for _, s := range f.Sessions {
		if !s.End.After(s.Start) && s.DepartmentCode == "" {
			t.Errorf("%+v", s)
		}
	}
}
