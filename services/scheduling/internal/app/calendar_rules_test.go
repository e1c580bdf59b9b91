package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestEveryVersionOfADeviceIsKeptAndAnOlderOneIsWrittenAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		first := domain.Equipment{ID: id.New(), OrganizationID: c.org, DepartmentCode: "3202", Modality: "CT", Name: "CT", Preparation: "空腹", InService: true}
		device, err := c.SaveEquipment(c.t.Context(), c.desk(), first)
		if err != nil {
			c.t.Fatal(err)
		}
		device.Preparation, device.InService = "", false
		if device, err = c.SaveEquipment(c.t.Context(), c.desk(), device); err != nil {
			c.t.Fatal(err)
		}
		list := c.changes(app.SubjectEquipment, first.ID)
		c.wantActions(list, app.ChangeSaved, app.ChangeSaved)
		if list[0].AccountID != "desk" || list[0].Equipment.InService || list[1].Equipment.Preparation != "空腹" || list[1].DepartmentCode != "3202" {
			c.t.Errorf("%+v", list)
		}
		back := list[1].Equipment
		if _, err = c.SaveEquipment(c.t.Context(), c.desk(), back); errs.KindOf(err) != errs.KindStale {
			c.t.Errorf("on an older version: %v", err)
		}
		back.Version = device.Version
		if back, err = c.SaveEquipment(c.t.Context(), c.desk(), back); err != nil || !back.InService || back.Preparation != "空腹" {
			c.t.Errorf("%+v, %v", back, err)
		}
		c.wantActions(c.changes("", ""), app.ChangeSaved, app.ChangeSaved, app.ChangeSaved)
	})
}

func TestWhatAWardWasBeforeItsFirstChangeIsKept(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		ward := c.ward("0304", 1)
		set := func(class string, minutes int) {
			c.t.Helper()
			_, err := c.SetWard(c.t.Context(), c.manager(), app.WardChange{ID: ward.ID, Version: c.board("0304").Version, Class: class, CleaningMinutes: minutes})
			if err != nil {
				c.t.Fatal(err)
			}
		}
		set("ICU", 30)
		list := c.changes(app.SubjectWard, ward.ID)
		c.wantActions(list, app.ChangeSaved, app.ChangeBefore)
		was := list[1].Ward
		if list[0].Ward.Class != "ICU" || list[0].AccountID != "manager" || was.Class != "GENERAL" || was.CleaningMinutes != domain.DefaultCleaning || list[1].AccountID != "" {
			c.t.Errorf("%+v", list)
		}
		set(was.Class, was.CleaningMinutes)
		c.wantActions(c.changes(app.SubjectWard, ward.ID), app.ChangeSaved, app.ChangeSaved, app.ChangeBefore)
		if now := c.board("0304"); now.Class != "GENERAL" || now.CleaningMinutes != domain.DefaultCleaning {
			c.t.Errorf("%+v", now.WardData)
		}
	})
}

func TestAnOrganisationThatHadItsOwnPolicyFollowsTheCountysAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		set := func(b app.BookingPolicy) app.BookingPolicy {
			c.t.Helper()
			got, err := c.SetPolicy(c.t.Context(), c.admin(), b)
			if err != nil {
				c.t.Fatal(err)
			}
			return got
		}
		whole := app.BookingPolicy{Policy: domain.DefaultPolicy()}
		whole.ReservePercent = 40
		set(whole)
		own := app.BookingPolicy{Policy: domain.DefaultPolicy(), OrganizationID: c.org}
		own.ReservePercent = 60
		own = set(own)
		list := c.changes(app.SubjectPolicy, c.org)
		c.wantActions(list, app.ChangeSaved, app.ChangeBefore)
		if was := list[1].Policy; !was.Inherited || was.ReservePercent != 40 || list[0].Policy.ReservePercent != 60 || list[0].Policy.Inherited {
			c.t.Errorf("%+v", list)
		}
		theirs := c.changes(app.SubjectPolicy, app.CountyPolicy)
		c.wantActions(theirs, app.ChangeSaved, app.ChangeBefore)
		if was := theirs[1].Policy; was.Inherited || was.ReservePercent != 30 || was.OrganizationID != "" {
			c.t.Errorf("%+v", was)
		}
		back := list[1].Policy
		_, err := c.SetPolicy(c.t.Context(), c.admin(), back)
		if errs.KindOf(err) != errs.KindStale {
			c.t.Errorf("on an older version: %v", err)
		}
		back.Version = own.Version
		if now := set(back); now.OrganizationID != "" || now.ReservePercent != 40 {
			c.t.Errorf("%+v", now)
		}
		// What the county changes holds there again.
		whole.Version, whole.ReservePercent = 1, 20
		set(whole)
		if now, err := c.Policy(c.t.Context(), county, c.org); err != nil || now.ReservePercent != 20 {
			c.t.Errorf("%+v, %v", now, err)
		}
		if again := c.changes(app.SubjectPolicy, c.org); !again[0].Policy.Inherited || again[0].Policy.ReservePercent != 40 {
			c.t.Errorf("%+v", again[0])
		}
		_, err = c.SetPolicy(c.t.Context(), c.admin(), app.BookingPolicy{Policy: domain.DefaultPolicy(), Version: 2, Inherited: true})
		wantField(c.t, err, "policy.inherited")
	})
}
