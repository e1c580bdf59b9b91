package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestATemplateMakesItsSessionsUpToTheHorizonOnce(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		saved, out := c.save(c.template())
		// Wednesday 18 March to Tuesday 7 April, without 6 April, which is a holiday with its weekend.
		if saved.Version != 1 || out.Made != 14 || out.Removed != 0 || len(out.Conflicts) != 0 {
			c.t.Fatalf("%+v, %+v", saved, out)
		}
		list := c.sessions()
		if len(list) != 14 || list[0].Slots != 4 || list[0].Free != 4 || list[0].TemplateID != saved.ID || list[0].Day != "2026-03-18" {
			c.t.Fatalf("%d sessions, the first %+v", len(list), list[0])
		}
		c.work()
		c.work()
		if again := c.sessions(); len(again) != 14 || again[0].ID != list[0].ID || again[0].Version != 1 {
			c.t.Errorf("made again: %d sessions", len(again))
		}
		c.clk.Advance(24 * time.Hour)
		c.work()
		if n := c.count("SELECT count(*) FROM session"); n != 15 {
			c.t.Errorf("a day later %d sessions", n)
		}
		c.wantAudit("template.save", 1)
		c.wantAudit("template.plan", 2)
	})
}

func TestAChangeMakesFreeSessionsAnewAndLeavesBookedOnes(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		saved, _ := c.save(c.template())
		list := c.sessions()
		_, uses := c.session(list[2].ID)
		hold, _ := c.book(uses[1].Slot.ID)
		_, uses = c.session(list[3].ID)
		if _, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{freeCommon(uses)}, ReasonCode: "OWN_PATIENT"}); err != nil {
			c.t.Fatal(err)
		}
		saved.Starts += 30
		saved.Ends += 30
		changed, out := c.save(saved)
		if changed.Version != 2 || out.Made != 12 || out.Removed != 12 || len(out.Conflicts) != 2 ||
			out.Conflicts[0].ID != list[2].ID || out.Conflicts[1].ID != list[3].ID {
			c.t.Fatalf("%+v", out)
		}
		if c.place(hold.ID) == "" || c.count("SELECT count(*) FROM session") != 14 {
			c.t.Error("a booking was touched")
		}
		// The last day of a template ends it.
		changed.LastDay = c.day(1)
		_, out = c.save(changed)
		if out.Made != 0 || out.Removed != 10 || len(out.Conflicts) != 2 {
			c.t.Errorf("ended: %+v", out)
		}
		c.oneEach()
	})
}

func freeCommon(uses []app.SlotUse) string {
	for _, use := range uses {
		if use.Slot.Pool == domain.Common && use.Hold.ID == "" {
			return use.Slot.ID
		}
	}
	return ""
}

func TestAnExceptionTakesSessionsBackAndItsEndMakesThemAnew(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		c.save(c.template())
		list := c.sessions()
		_, uses := c.session(list[1].ID)
		c.book(uses[0].Slot.ID)
		e := domain.Exception{ID: id.New(), OrganizationID: c.org, PractitionerID: "p", FirstDay: c.day(1), LastDay: c.day(2), Effect: domain.Closed, ReasonCode: "LEAVE"}
		saved, out, err := c.SaveException(c.t.Context(), c.desk(), e)
		if err != nil || saved.Version != 1 || out.Removed != 1 || out.Made != 0 || len(out.Conflicts) != 1 || out.Conflicts[0].ID != list[1].ID {
			c.t.Fatalf("%+v, %+v, %v", saved, out, err)
		}
		_, _, err = c.RemoveException(c.t.Context(), c.desk(), e.ID, 7)
		c.wantReason(err, errs.ReasonStaleVersion, "an old version")
		if _, out, err = c.RemoveException(c.t.Context(), c.desk(), e.ID, 1); err != nil || out.Made != 1 || out.Removed != 0 || len(out.Conflicts) != 0 {
			c.t.Errorf("removed: %+v, %v", out, err)
		}
		_, _, err = c.RemoveException(c.t.Context(), c.desk(), e.ID, 1)
		c.wantReason(err, errs.ReasonNotFound, "removed again")

		work := domain.Exception{ID: id.New(), FirstDay: c.day(3), LastDay: c.day(3), Effect: domain.Workday, Weekday: 1}
		_, _, err = c.SaveException(c.t.Context(), c.desk(), work)
		c.wantReason(err, errs.ReasonRole, "the county's own by a desk")
		if _, out, err = c.SaveException(c.t.Context(), c.admin(), work); err != nil || out.Made != 1 {
			c.t.Errorf("a Saturday that works as Monday: %+v, %v", out, err)
		}
		if all, err := c.Exceptions(c.t.Context(), c.desk(), app.Span{OrganizationID: c.org}, c.clk.Now()); err != nil || len(all) != 1 {
			c.t.Errorf("%+v, %v", all, err)
		}
		c.wantAudit("exception.save", 2)
		c.wantAudit("exception.remove", 1)
	})
}

func TestASubstitutionByHandOutlivesThePlan(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		saved, _ := c.save(c.template())
		s := c.sessions()[0]
		_, uses := c.session(s.ID)
		hold, referral := c.book(uses[0].Slot.ID)
		in := app.Substitution{SessionID: s.ID, Version: s.Version, PractitionerID: "q", PractitionerName: "乙"}
		by := c.desk()
		by.RequestID = id.New()
		for range 2 {
			v, err := c.Substitute(c.t.Context(), by, in)
			if err != nil || v.PractitionerName != "乙" || v.Location != "2F" || v.Version != 2 {
				c.t.Fatalf("%+v, %v", v, err)
			}
		}
		c.wantFacts("booking_moved", 1)
		if v, _ := c.GetHold(c.t.Context(), c.caller("desk"), hold.ID); v.PractitionerName != "乙" || v.ReferralID != referral || v.State != domain.Live {
			c.t.Errorf("%+v", v)
		}
		saved.Location = "3F"
		_, out := c.save(saved)
		if out.Made != 13 || out.Removed != 13 || len(out.Conflicts) != 0 {
			c.t.Errorf("%+v", out)
		}
		if v, _ := c.session(s.ID); v.PractitionerName != "乙" {
			c.t.Errorf("the plan changed it back: %+v", v)
		}
		_, err := c.Substitute(c.t.Context(), c.desk(), in)
		c.wantReason(err, errs.ReasonStaleVersion, "an old version")
		c.wantAudit("session.substitute", 1)
	})
}

func TestWritesOfTheCalendarKeepToTheirRules(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		x := c.template()
		by := c.desk()
		by.RequestID = id.New()
		first, out, err := c.SaveTemplate(c.t.Context(), by, x)
		if err != nil || out.Made == 0 {
			c.t.Fatal(err)
		}
		if again, _, err := c.SaveTemplate(c.t.Context(), by, x); err != nil || again.Version != first.Version {
			c.t.Errorf("the same request: %+v, %v", again, err)
		}
		other := x
		other.Location = "9F"
		_, _, err = c.SaveTemplate(c.t.Context(), by, other)
		c.wantReason(err, errs.ReasonRequestIDReused, "another body")
		_, _, err = c.SaveTemplate(c.t.Context(), c.desk(), x)
		c.wantReason(err, errs.ReasonStaleVersion, "added again")
		for what, planning := range map[string]app.Planning{
			"another department": c.head("03"), "another organisation": {Caller: app.Caller{County: county, AccountID: "x", OrganizationID: id.New()}},
			"no organisation": {Caller: app.Caller{County: county, AccountID: "x"}},
		} {
			_, _, err = c.SaveTemplate(c.t.Context(), planning, first)
			c.wantReason(err, errs.ReasonRole, what)
		}
		away := first
		away.DepartmentCode = "03"
		_, _, err = c.SaveTemplate(c.t.Context(), c.head("03"), away)
		c.wantReason(err, errs.ReasonRole, "taken from another department")
		first.SlotMinutes = 0
		_, _, err = c.SaveTemplate(c.t.Context(), c.head("0304"), first)
		wantField(c.t, err, "template.slotMinutes")
		stranger := app.Planning{Caller: app.Caller{County: county, AccountID: "x", OrganizationID: id.New()}}
		_, _, err = c.Session(c.t.Context(), stranger, c.sessions()[0].ID, c.clk.Now())
		c.wantReason(err, errs.ReasonNotFound, "another organisation's session")
		_, err = c.Sessions(c.t.Context(), stranger, app.SessionQuery{OrganizationID: c.org}, c.clk.Now())
		c.wantReason(err, errs.ReasonRole, "another organisation's sessions")
		if list, err := c.Templates(c.t.Context(), c.desk(), app.TemplateQuery{OrganizationID: c.org}, c.clk.Now()); err != nil || len(list) != 1 {
			c.t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestADeviceOutOfServiceHasNoNewSessions(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		device := domain.Equipment{ID: id.New(), OrganizationID: c.org, DepartmentCode: "3202", Modality: "CT", Name: "CT 一号机", Location: "影像楼",
			Preparation: "检查前 4 小时禁食", InService: true}
		device, err := c.SaveEquipment(c.t.Context(), c.desk(), device)
		if err != nil || device.Version != 1 {
			c.t.Fatal(err)
		}
		x := c.template()
		x.DepartmentCode, x.Kind, x.EquipmentID, x.PractitionerID, x.PractitionerName, x.Location = "3202", domain.KindExam, id.New(), "", "", ""
		_, _, err = c.SaveTemplate(c.t.Context(), c.desk(), x)
		wantField(c.t, err, "template.equipmentId")
		x.EquipmentID = device.ID
		c.save(x)
		s := c.sessions()[0]
		if s.Equipment.Name != device.Name || s.Location != "影像楼" || s.Equipment.Preparation != device.Preparation {
			c.t.Errorf("%+v", s)
		}
		device.InService = false
		if device, err = c.SaveEquipment(c.t.Context(), c.desk(), device); err != nil || device.Version != 2 {
			c.t.Fatal(err)
		}
		before := len(c.sessions())
		c.clk.Advance(24 * time.Hour)
		c.work()
		if after := c.count("SELECT count(*) FROM session"); after != before {
			c.t.Errorf("%d sessions, %d before", after, before)
		}
		device.InService = true
		if device, err = c.SaveEquipment(c.t.Context(), c.desk(), device); err != nil || c.count("SELECT count(*) FROM session") != before+1 {
			c.t.Errorf("back in service: %v", err)
		}
		device.Modality = "MR"
		_, err = c.SaveEquipment(c.t.Context(), c.desk(), device)
		wantField(c.t, err, "equipment.modality")
		if list, err := c.Equipment(c.t.Context(), county, c.org); err != nil || len(list) != 1 || list[0].Version != 3 {
			c.t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestAPreviewTellsWhatWouldBeAndWritesNothing(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		saved, _ := c.save(c.template())
		x := c.template()
		x.Pattern.Weekdays, x.Starts, x.Ends = []int{1}, 14*60+30, 16*60
		days, err := c.Preview(c.t.Context(), c.desk(), app.PreviewQuery{Template: x, From: "2026-03-30", Days: 14}, c.clk.Now())
		if err != nil || len(days) != 2 || days[0].Conflicts != saved.ID || days[0].ClosedBy != "" || days[1].ClosedBy != "HOLIDAY" || days[1].Session.Day != "2026-04-06" {
			c.t.Fatalf("%+v, %v", days, err)
		}
		if n := c.count("SELECT count(*) FROM schedule_template"); n != 1 {
			c.t.Errorf("%d templates", n)
		}
	})
}

func TestTheReserveOfADayFollowsPolicyAndLeavesTakenSlots(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		x := c.template()
		x.Starts, x.Ends, x.SlotMinutes = 14*60, 16*60+30, 15 // ten slots
		x.FirstDay = c.day(2)
		c.save(x)
		s, uses := c.session(c.sessions()[0].ID)
		if s.Slots != 10 || s.Reserved != 3 {
			c.t.Fatalf("%d of %d reserved", s.Reserved, s.Slots)
		}
		for _, use := range uses {
			if use.Slot.Pool == domain.Reserved {
				c.hold(use.Slot.ID)
				break
			}
		}
		// Experts of the same day take half of what is reserved: 6 of 20.
		e := c.template()
		e.Grade, e.Starts, e.Ends, e.SlotMinutes = domain.Expert, 8*60, 10*60+30, 15
		e.FirstDay = c.day(5)
		c.save(e)
		for _, v := range c.sessions() {
			if v.Day == domain.Date(c.day(5)) && v.Reserved != 3 {
				c.t.Errorf("grade %s has %d", v.Grade, v.Reserved)
			}
		}
		b, err := c.Policy(c.t.Context(), county, c.org)
		if err != nil || b.Version != 0 || b.ReservePercent != 30 {
			c.t.Fatalf("%+v, %v", b, err)
		}
		_, err = c.SetPolicy(c.t.Context(), c.desk(), b)
		c.wantReason(err, errs.ReasonRole, "a desk")
		b.ReservePercent = 101
		_, err = c.SetPolicy(c.t.Context(), c.admin(), b)
		wantField(c.t, err, "policy")
		b.ReservePercent = 0
		if b, err = c.SetPolicy(c.t.Context(), c.admin(), b); err != nil || b.Version != 1 || b.OrganizationID != "" {
			c.t.Fatalf("%+v, %v", b, err)
		}
		if s, _ = c.session(s.ID); s.Reserved != 1 {
			c.t.Errorf("%d reserved: only the taken one keeps its place", s.Reserved)
		}
		own := b
		own.OrganizationID, own.ReservePercent, own.Version = c.org, 100, 0
		if _, err = c.SetPolicy(c.t.Context(), c.admin(), own); err != nil {
			c.t.Fatal(err)
		}
		if s, _ = c.session(s.ID); s.Reserved != 10 {
			c.t.Errorf("%d reserved by the organisation's own policy", s.Reserved)
		}
		b.ReservePercent = 50
		if _, err = c.SetPolicy(c.t.Context(), c.admin(), b); err != nil {
			c.t.Fatal(err)
		}
		if s, _ = c.session(s.ID); s.Reserved != 10 {
			c.t.Errorf("the county's policy took the organisation's place: %d", s.Reserved)
		}
		_, err = c.SetPolicy(c.t.Context(), c.admin(), b)
		c.wantReason(err, errs.ReasonStaleVersion, "an old version")
		if n := c.count("SELECT count(*) FROM spread_due"); n != 0 {
			c.t.Errorf("%d reserves are left to spread", n)
		}
	})
}
