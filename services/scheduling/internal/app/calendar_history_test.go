package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (c *calendar) changes(subject, subjectID string) []app.CalendarChange {
	c.t.Helper()
	list, err := c.Changes(c.t.Context(), c.desk(), app.ChangeQuery{OrganizationID: c.org, Subject: subject, SubjectID: subjectID}, c.clk.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

func (c *calendar) wantActions(list []app.CalendarChange, want ...string) {
	c.t.Helper()
	var got []string
	for _, one := range list {
		got = append(got, one.Action)
	}
	if len(got) != len(want) {
		c.t.Fatalf("%v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			c.t.Fatalf("%v, want %v", got, want)
		}
	}
}

func (c *calendar) restore(sessionID, changeID string) (app.SessionView, error) {
	c.t.Helper()
	s, _ := c.session(sessionID)
	return c.RestoreSession(c.t.Context(), c.desk(), app.Restoration{SessionID: sessionID, Version: s.Version, ChangeID: changeID})
}

func TestEveryVersionOfATemplateIsKeptAndAnOlderOneIsWrittenAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		by := c.desk()
		by.Name = "王主任"
		first := c.template()
		saved, _, err := c.SaveTemplate(c.t.Context(), by, first)
		if err != nil {
			c.t.Fatal(err)
		}
		made := len(c.sessions())
		saved.PractitionerName, saved.Starts, saved.Ends = "乙", 15*60, 16*60
		now, _ := c.save(saved)
		list := c.changes(app.SubjectTemplate, first.ID)
		c.wantActions(list, app.ChangeSaved, app.ChangeSaved)
		if list[0].Template.PractitionerName != "乙" || list[1].Template.PractitionerName != "甲" || list[1].AccountName != "王主任" || !list[1].Time.Equal(c.clk.Now()) {
			c.t.Errorf("%+v", list)
		}
		// Somebody has a place by the new version: it stays theirs when the old one stands again.
		booked := c.sessions()[1]
		_, uses := c.session(booked.ID)
		booking, _ := c.book(freeCommon(uses))
		back := list[1].Template
		back.Version = now.Version
		_, out := c.save(back)
		if len(out.Conflicts) != 1 || out.Conflicts[0].ID != booked.ID {
			c.t.Errorf("%+v", out)
		}
		if got := c.sessions(); len(got) != made || got[0].PractitionerName != "甲" {
			c.t.Errorf("%d sessions, want %d; %+v", len(got), made, got[0])
		}
		c.wantState(booking.ID, domain.Live)
		c.oneEach()
		_, err = c.Changes(c.t.Context(), app.Planning{Caller: app.Caller{County: county, AccountID: "x", OrganizationID: id.New()}},
			app.ChangeQuery{OrganizationID: c.org}, c.clk.Now())
		c.wantReason(err, errs.ReasonRole, "another organisation")
	})
}

func TestAnExceptionThatWasRemovedIsSetAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		c.save(c.template())
		e := domain.Exception{ID: id.New(), OrganizationID: c.org, DepartmentCode: "0304", FirstDay: c.day(1), LastDay: c.day(1), Effect: domain.Closed, ReasonCode: "LEAVE"}
		saved, _, err := c.SaveException(c.t.Context(), c.desk(), e)
		if err != nil {
			c.t.Fatal(err)
		}
		without := len(c.sessions())
		if _, _, err := c.RemoveException(c.t.Context(), c.desk(), e.ID, saved.Version); err != nil {
			c.t.Fatal(err)
		}
		list := c.changes("", "")
		c.wantActions(list, app.ChangeRemoved, app.ChangeSaved, app.ChangeSaved)
		again := list[0].Exception
		again.Version = 0
		if _, _, err := c.SaveException(c.t.Context(), c.desk(), again); err != nil {
			c.t.Fatal(err)
		}
		if n := len(c.sessions()); n != without {
			c.t.Errorf("%d sessions, want %d", n, without)
		}
		c.wantActions(c.changes(app.SubjectException, e.ID), app.ChangeSaved, app.ChangeRemoved, app.ChangeSaved)
	})
}

func TestASubstitutionIsUndoneAndTheSessionFollowsItsTemplateAgain(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		tmpl, _ := c.save(c.template())
		s := c.sessions()[1]
		_, uses := c.session(s.ID)
		booking, _ := c.book(freeCommon(uses))
		if _, err := c.Substitute(c.t.Context(), c.desk(), app.Substitution{SessionID: s.ID, Version: s.Version, PractitionerName: "乙", Location: "5F"}); err != nil {
			c.t.Fatal(err)
		}
		list := c.changes(app.SubjectSession, s.ID)
		c.wantActions(list, app.ChangeSubstituted, app.ChangeBefore)
		if list[1].AccountID != "" || list[1].Session.PractitionerName != "甲" {
			c.t.Errorf("%+v", list[1])
		}
		got, err := c.restore(s.ID, list[1].ID)
		if err != nil || got.PractitionerName != "甲" || got.PractitionerID != "p" || got.Location != "2F" || got.ByHand {
			c.t.Fatalf("%+v, %v", got, err)
		}
		c.wantFacts("booking_moved", 2)
		c.wantState(booking.ID, domain.Live)
		// The template changes: what it does not say any more stands by hand alone.
		tmpl.PractitionerID, tmpl.PractitionerName = "q", "丙"
		c.save(tmpl)
		if got, err := c.restore(s.ID, list[1].ID); err != nil || !got.ByHand || got.PractitionerName != "甲" {
			c.t.Errorf("%+v, %v", got, err)
		}
		_, err = c.restore(s.ID, id.New())
		c.wantReason(err, errs.ReasonNotFound, "no such change")
		_, err = c.RestoreSession(c.t.Context(), c.desk(), app.Restoration{SessionID: s.ID, Version: 1, ChangeID: list[1].ID})
		c.wantReason(err, errs.ReasonStaleVersion, "an old version")
		_, err = c.RestoreSession(c.t.Context(), c.head("03"), app.Restoration{SessionID: s.ID, Version: 4, ChangeID: list[1].ID})
		c.wantReason(err, errs.ReasonRole, "another department")
		c.wantAudit("session.restore", 2)
		c.oneEach()
	})
}

func TestACancellationIsUndoneOnlyWhileNobodyWasGivenAnotherPlace(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(2, 4, nil)
		c.exec("UPDATE slot SET pool = 'COMMON'")
		if _, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: []string{uses[3].Slot.ID}, ReasonCode: "OWN_PATIENT"}); err != nil {
			c.t.Fatal(err)
		}
		c.hold(uses[0].Slot.ID) // of no referral yet: it ends
		c.cancel(s)
		list := c.changes(app.SubjectSession, s.ID)
		c.wantActions(list, app.ChangeCancelled, app.ChangeBefore, app.ChangeBlocked)
		if !list[0].Undoable {
			c.t.Fatal("it cannot be undone")
		}
		_, err := c.restore(s.ID, list[0].ID)
		wantField(c.t, err, "changeId")
		_, err = c.restore(s.ID, list[2].ID)
		wantField(c.t, err, "changeId")
		got, err := c.restore(s.ID, list[1].ID)
		if err != nil || got.Cancelled || got.Free != 3 || got.Blocked != 1 || got.ReasonCode != "" {
			c.t.Fatalf("%+v, %v", got, err)
		}
		_, after := c.session(s.ID)
		if after[3].Slot.ClosedBy != "OWN_PATIENT" || after[0].Slot.ClosedBy != "" {
			c.t.Errorf("%+v", after)
		}
		booking, _ := c.book(after[0].Slot.ID)
		c.wantState(booking.ID, domain.Live)
		// Now somebody has a place: cancelled again they are moved, and nothing is undone.
		c.single(4, 1, nil)
		s, _ = c.session(s.ID)
		c.cancel(s)
		by := c.changes(app.SubjectSession, s.ID)
		if by[0].Undoable {
			c.t.Error("it can be undone though somebody was moved")
		}
		_, err = c.restore(s.ID, by[1].ID)
		c.wantReason(err, errs.ReasonActionNotAvailable, "somebody was moved")
		if v, _ := c.session(s.ID); !v.Cancelled {
			c.t.Error("the session takes place again")
		}
		c.oneEach()
	})
}

func TestACancelledSessionIsOpenedAgainOnlyWhileItsTemplateHasIt(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		tmpl, _ := c.save(c.template())
		s := c.sessions()[2]
		c.cancel(s)
		list := c.changes(app.SubjectSession, s.ID)
		c.wantActions(list, app.ChangeCancelled, app.ChangeBefore)
		tmpl.LastDay = c.day(1)
		c.save(tmpl)
		_, err := c.restore(s.ID, list[1].ID)
		c.wantReason(err, errs.ReasonActionNotAvailable, "the template has ended")
		tmpl.Version, tmpl.LastDay = tmpl.Version+1, time.Time{}
		c.save(tmpl)
		got, err := c.restore(s.ID, list[1].ID)
		if err != nil || got.Cancelled || got.Free != 4 {
			c.t.Fatalf("%+v, %v", got, err)
		}
		c.work()
		if v, _ := c.session(s.ID); v.Cancelled || v.Free != 4 {
			c.t.Errorf("the plan took it back: %+v", v)
		}
	})
}

func TestABlockingIsUndoneByItsOpposite(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(1, 3, nil)
		c.exec("UPDATE slot SET pool = 'COMMON'")
		ids := []string{uses[1].Slot.ID, uses[2].Slot.ID}
		if _, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: ids, ReasonCode: "BREAK"}); err != nil {
			c.t.Fatal(err)
		}
		if _, err := c.UnblockSlots(c.t.Context(), c.desk(), ids); err != nil {
			c.t.Fatal(err)
		}
		list := c.changes(app.SubjectSession, s.ID)
		c.wantActions(list, app.ChangeUnblocked, app.ChangeBlocked)
		for _, one := range list {
			if len(one.Session.Slots) != 2 || one.Session.Slots[0].Reason != "BREAK" || one.Session.Slots[0].Start.IsZero() {
				c.t.Errorf("%+v", one)
			}
		}
		// Somebody took one meanwhile: it stays theirs.
		booking, _ := c.book(ids[0])
		_, err := c.BlockSlots(c.t.Context(), c.desk(), app.Blocking{SlotIDs: ids, ReasonCode: list[0].Session.Slots[0].Reason})
		c.wantReason(err, errs.ReasonSlotTaken, "somebody has one")
		c.wantState(booking.ID, domain.Live)
	})
}
