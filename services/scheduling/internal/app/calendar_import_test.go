package app_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const importTable = `科室代码,类型,号别,医生,设备,地点,日期,开始时间,结束时间,每号分钟,规则,星期,尾数,开始日期,节假日出诊
0304,门诊,专家号,陈医生,,3F,,14:00,16:00,15,,一三,,2026-03-01,
0304,专家下乡,,李医生,,兴坪,,09:00,11:00,10,农历尾数,,369,2026-03-01,是
0304,门诊,,陈医生,,3F,2026-03-21,14:00,16:00,20,,,,,
0304,门诊,,陈医生,,3F,2026-03-21,14:00,16:00,20,,,,,
3202,检查,,,没有的设备,,2026-03-21,14:00,16:00,20,,,,,
0304,门诊,,陈医生,,3F,2026-03-01,14:00,16:00,20,,,,,
0304,门诊,,陈医生,,3F,,14:00,13:00,20,,一,,2026-03-01,
0304,门诊,,王医生,,3F,2026-03-22,14:00,14:10,20,,,,,
`

func (c *calendar) load(by app.Planning, in app.Import) app.Imported {
	c.t.Helper()
	in.OrganizationID = c.org
	out, err := c.ImportSchedules(c.t.Context(), by, in, c.clk.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

func TestAFileIsImportedOnceAndItsMistakesAreNamed(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		in := app.Import{Format: "CSV", Content: []byte(importTable), DryRun: true}
		out := c.load(c.desk(), in)
		var problems []string
		for _, p := range out.Problems {
			problems = append(problems, string(rune('0'+p.Line))+" "+p.Field+" "+p.Reason)
		}
		const want = "5  FIELD_COMBINATION, 6 equipment FIELD_UNKNOWN, 7 date FIELD_OUT_OF_RANGE, 8 ends FIELD_OUT_OF_RANGE, 9 ends FIELD_OUT_OF_RANGE"
		if got := strings.Join(problems, ", "); got != want || out.Templates != 2 || out.Sessions != 1 {
			c.t.Fatalf("%s\n%+v", got, out)
		}
		if n := c.count("SELECT count(*) FROM session") + c.count("SELECT count(*) FROM schedule_template"); n != 0 {
			c.t.Errorf("a dry run wrote %d rows", n)
		}
		in.DryRun = false
		if out = c.load(c.desk(), in); out.Templates != 2 || out.Sessions != 1 || out.Unchanged != 0 {
			c.t.Errorf("%+v", out)
		}
		// Lunar 3, 6, 9, 13, 16, 19, 23, 26, 29 in the horizon, and Mondays and Wednesdays.
		before := c.count("SELECT count(*) FROM session")
		if out = c.load(c.desk(), in); out.Templates != 0 || out.Sessions != 0 || out.Unchanged != 3 || c.count("SELECT count(*) FROM session") != before {
			c.t.Errorf("again: %+v", out)
		}
		if out = c.load(c.head("3202"), in); out.Unchanged != 0 || len(out.Problems) != 8 {
			c.t.Errorf("another department's head: %+v", out)
		}
		_, err := c.ImportSchedules(c.t.Context(), app.Planning{Caller: app.Caller{County: county, AccountID: "x", OrganizationID: id.New()}},
			app.Import{OrganizationID: c.org, Format: "CSV", Content: in.Content}, c.clk.Now())
		c.wantReason(err, errs.ReasonRole, "another organisation")
	})
}

func TestWhatIsExportedIsImportedAsTheSame(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		device, err := c.SaveEquipment(c.t.Context(), c.desk(), domain.Equipment{ID: id.New(), OrganizationID: c.org, DepartmentCode: "3202", Modality: "CT",
			Name: "CT", InService: true})
		if err != nil {
			c.t.Fatal(err)
		}
		c.save(c.template())
		_, uses := c.single(3, 2, func(s *domain.Session) {
			s.DepartmentCode, s.Kind, s.EquipmentID, s.PractitionerName, s.Location = "3202", domain.KindExam, device.ID, "甲, 乙; \"丙\"", "=A1"
		})
		gone, _ := c.single(4, 2, nil)
		c.cancel(gone)
		c.book(uses[0].Slot.ID)
		for _, format := range []string{"CSV", "ICS"} {
			file, err := c.ExportSchedules(c.t.Context(), c.desk(), app.Export{Span: app.Span{OrganizationID: c.org}, Format: format}, c.clk.Now())
			if err != nil || !strings.HasSuffix(file.FileName, strings.ToLower(format)) || strings.Contains(string(file.Content), c.patient) {
				c.t.Fatalf("%s, %v", file.FileName, err)
			}
			before := c.sessions()
			if out := c.load(c.desk(), app.Import{Format: format, Content: file.Content}); out.Unchanged != len(before)-1 || out.Sessions != 0 || len(out.Problems) != 0 {
				c.t.Errorf("%s into the same: %+v, %d before", format, out, len(before))
			}
			// Into a county that lost them, they are as they were.
			c.exec("DELETE FROM occupancy")
			c.exec("DELETE FROM slot WHERE closed_by = ''")
			c.exec("DELETE FROM session WHERE state = 'OPEN'")
			if out := c.load(c.desk(), app.Import{Format: format, Content: file.Content}); out.Sessions != len(before)-1 || len(out.Problems) != 0 {
				c.t.Fatalf("%s: %+v", format, out)
			}
			for i, after := range c.sessions() {
				want := before[i].Session
				if after.Session.TemplateID = want.TemplateID; after.Session != want || after.Slots != before[i].Slots {
					c.t.Errorf("%s:\n%+v, want\n%+v", format, after.Session, want)
				}
			}
		}
	})
}
