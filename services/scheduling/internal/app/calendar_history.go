package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// What a change of the calendar is about, and what was done; the words are stored.
const (
	SubjectTemplate  = "TEMPLATE"
	SubjectException = "EXCEPTION"
	SubjectSession   = "SESSION"
	SubjectEquipment = "EQUIPMENT"
	SubjectWard      = "WARD"
	SubjectPolicy    = "POLICY"

	ChangeBefore      = "BEFORE" // as it was before changes were kept: by nobody known
	ChangeSaved       = "SAVED"
	ChangeRemoved     = "REMOVED"
	ChangeSubstituted = "SUBSTITUTED"
	ChangeCancelled   = "CANCELLED"
	ChangeRestored    = "RESTORED"
	ChangeBlocked     = "BLOCKED"
	ChangeUnblocked   = "UNBLOCKED"
)

// CountyPolicy stands for the id of the county's own policy, which is no organisation's.
const CountyPolicy = "county"

// CalendarChange is what somebody did, with what it was done to as it was after it: one of the six, by the subject.
type CalendarChange struct {
	ID, Subject, SubjectID, Action string
	OrganizationID, DepartmentCode string
	AccountID, AccountName         string
	Time                           time.Time
	Template                       domain.Template
	Exception                      domain.Exception
	Session                        SessionThen
	Equipment                      domain.Equipment
	Ward                           domain.WardData
	Policy                         BookingPolicy
	// Undoable: a cancellation that stands and can be undone, when the changes of one session were asked for.
	Undoable bool
}

// SessionThen is a session as it was. Slots are those that were closed: by a change that closes or opens some these, else all but by the cancellation.
type SessionThen struct {
	domain.Session
	ByHand, Cancelled bool
	ReasonCode, Note  string
	Slots             []ClosedSlot
}

// ClosedSlot is a slot and why nobody may take it.
type ClosedSlot struct {
	ID     string
	Start  time.Time
	Reason string
}

func changeOfTemplate(action string, t domain.Template) CalendarChange {
	return CalendarChange{Subject: SubjectTemplate, SubjectID: t.ID, Action: action, OrganizationID: t.OrganizationID, DepartmentCode: t.DepartmentCode, Template: t}
}

func changeOfException(action string, e domain.Exception) CalendarChange {
	return CalendarChange{Subject: SubjectException, SubjectID: e.ID, Action: action, OrganizationID: e.OrganizationID, DepartmentCode: e.DepartmentCode, Exception: e}
}

func changeOfSession(action string, s SessionView, slots ...ClosedSlot) CalendarChange {
	return CalendarChange{Subject: SubjectSession, SubjectID: s.ID, Action: action, OrganizationID: s.OrganizationID, DepartmentCode: s.DepartmentCode,
		Session: SessionThen{Session: s.Session, ByHand: s.ByHand, Cancelled: s.Cancelled, ReasonCode: s.ReasonCode, Note: s.Note, Slots: slots}}
}

func changeOfEquipment(action string, e domain.Equipment) CalendarChange {
	return CalendarChange{Subject: SubjectEquipment, SubjectID: e.ID, Action: action, OrganizationID: e.OrganizationID, DepartmentCode: e.DepartmentCode, Equipment: e}
}

func changeOfWard(action string, w domain.WardData) CalendarChange {
	return CalendarChange{Subject: SubjectWard, SubjectID: w.ID, Action: action, OrganizationID: w.OrganizationID, DepartmentCode: w.DepartmentCode, Ward: w}
}

func changeOfPolicy(action string, b BookingPolicy) CalendarChange {
	return CalendarChange{Subject: SubjectPolicy, SubjectID: cmp.Or(b.OrganizationID, CountyPolicy), Action: action, OrganizationID: b.OrganizationID, Policy: b}
}

// ChangeQuery selects changes of an organisation and of what is the county's own, or of one subject.
type ChangeQuery struct {
	County, OrganizationID string
	Subject, SubjectID     string // both or none
	Limit                  int
}

const changesShown = 100

// Changes of the calendar, the newest first. ROLE for another organisation's, NOT_FOUND for a subject that is none of it.
func (p *Planner) Changes(ctx context.Context, by Planning, q ChangeQuery, now time.Time) ([]CalendarChange, error) {
	if err := by.read(q.OrganizationID); err != nil {
		return nil, err
	}
	if (q.Subject == "") != (q.SubjectID == "") {
		return nil, errs.Invalid(errs.Bad("id", errs.ReasonFieldCombination))
	}
	q.County, q.Limit = by.County, changesShown
	out, err := p.app.store.CalendarChanges(ctx, q)
	if err != nil || q.Subject != SubjectSession {
		return out, err
	}
	for i := range out {
		if out[i].Action == ChangeBlocked || out[i].Action == ChangeUnblocked {
			continue
		}
		if out[i].Action == ChangeCancelled {
			out[i].Undoable, err = p.undoable(ctx, by.County, q.SubjectID, now)
		}
		break
	}
	return out, err
}

// undoable tells whether a session is cancelled and may be opened again.
func (p *Planner) undoable(ctx context.Context, county, sessionID string, now time.Time) (bool, error) {
	s, err := absent(p.app.store.Session(ctx, county, sessionID))
	if err != nil || !s.Cancelled || s.Rebooking || !now.Before(s.Start) {
		return false, err
	}
	moved, err := p.app.store.Rebooked(ctx, county, sessionID)
	return !somebodyMoved(moved), err
}

// somebodyMoved tells whether somebody was given another place, or lost one without: who comes elsewhere now, or waits, is not put back.
func somebodyMoved(moved []Rebooked) bool {
	for _, m := range moved {
		if m.Outcome != OutcomeEnded {
			return true
		}
	}
	return false
}

// Restoration gives a session what it was by a change.
type Restoration struct {
	SessionID string
	Version   int32
	ChangeID  string
}

// RestoreSession gives a session that is not over the practitioner and room of then, and opens it if it is cancelled: only if nobody in it was moved or
// displaced, and its template has the session still. STALE_VERSION, ROLE, ACTION_NOT_AVAILABLE, NOT_FOUND for another's change.
func (p *Planner) RestoreSession(ctx context.Context, by Planning, in Restoration) (SessionView, error) {
	if err := by.checkRequest(); err != nil {
		return SessionView{}, err
	}
	known, err := p.app.store.Session(ctx, by.County, in.SessionID)
	if err != nil {
		return known, err
	}
	var opened bool
	err = p.write(ctx, by.command("RestoreSession", in), in.SessionID, func(u Unit) (err error) {
		opened, err = p.restore(ctx, u, by, in, known.TemplateID)
		return err
	})
	if err != nil {
		return SessionView{}, err
	}
	if opened {
		d := Department{County: by.County, OrganizationID: known.OrganizationID, Code: known.DepartmentCode}
		if err := p.spread(ctx, by.Caller, d); err != nil {
			return SessionView{}, err
		}
	}
	return p.app.store.Session(ctx, by.County, in.SessionID)
}

// restore is RestoreSession within a change; it answers whether the session was opened. Of the template it locks what a plan does, before the session.
func (p *Planner) restore(ctx context.Context, u Unit, by Planning, in Restoration, templateID string) (opened bool, err error) {
	var want map[string]domain.Session
	if templateID != "" {
		t, err := u.Template(ctx, templateID)
		if err != nil {
			return false, err
		}
		if want, err = p.wanted(ctx, u, t); err != nil {
			return false, err
		}
	}
	s, err := u.LockSession(ctx, in.SessionID)
	if err != nil {
		return false, err
	}
	if err := by.check(s.OrganizationID, s.DepartmentCode); err != nil {
		return false, err
	}
	if err := version(in.Version, s.Version); err != nil {
		return false, err
	}
	if !u.Now().Before(s.End) {
		return false, errs.WrongState("restore", "PAST")
	}
	then, err := u.ChangeOf(ctx, SubjectSession, in.SessionID, in.ChangeID)
	if err != nil {
		return false, err
	}
	if then.Session.Cancelled || then.Action == ChangeBlocked || then.Action == ChangeUnblocked {
		return false, errs.Invalid(errs.Bad("changeId", errs.ReasonFieldCombination))
	}
	was := s
	s.PractitionerID, s.PractitionerName, s.Location, s.ByHand = then.Session.PractitionerID, then.Session.PractitionerName, then.Session.Location, false
	w, wanted := want[s.Day]
	if templateID == "" || !wanted || !fits(s, w) {
		s.ByHand = then.Session.ByHand || templateID != "" // what the template does not say stands by hand alone
	}
	if was.Cancelled {
		if !u.Now().Before(s.Start) {
			return false, errs.WrongState("restore", "PAST")
		}
		if templateID != "" && (!wanted || !fits(s, w)) {
			return false, errs.WrongState("restore", "PLAN_CHANGED")
		}
		if err := p.reopen(ctx, u, s); err != nil {
			return false, err
		}
	}
	return was.Cancelled, p.putRestored(ctx, u, was, s)
}

// reopen opens the slots of a cancelled session but those that were blocked before.
func (p *Planner) reopen(ctx context.Context, u Unit, s SessionView) error {
	moved, err := u.RebookedIn(ctx, s.ID)
	if err != nil {
		return err
	}
	if s.Rebooking || somebodyMoved(moved) {
		return errs.WrongState("restore", "REBOOKED")
	}
	end, err := u.LastChange(ctx, SubjectSession, s.ID, ChangeCancelled)
	if err != nil {
		return err
	}
	if err := u.LockPlaces(ctx, s.ID, nil); err != nil {
		return err
	}
	if err := u.OpenSlots(ctx, s.ID); err != nil {
		return err
	}
	blocked := map[string][]string{}
	for _, slot := range end.Session.Slots {
		blocked[slot.Reason] = append(blocked[slot.Reason], slot.ID)
	}
	for reason, ids := range blocked {
		if err := u.Close(ctx, ids, reason); err != nil {
			return err
		}
	}
	_, err = u.SpreadLater(ctx, []domain.Session{s.Session})
	return err
}

func (p *Planner) putRestored(ctx context.Context, u Unit, was, s SessionView) error {
	s.Cancelled, s.ReasonCode, s.Note = false, "", ""
	u.Note("session.restore", "session", s.ID, "")
	if err := u.Restore(ctx, s); err != nil {
		return err
	}
	if err := u.Record(ctx, changeOfSession(ChangeBefore, was), changeOfSession(ChangeRestored, s)); err != nil {
		return err
	}
	return tellAll(ctx, u, s.ID)
}
