package domain

import (
	"errors"
	"slices"
	"time"
)

// ErrAlarm says that an alarm lacks its referral, or is of no emergency.
var ErrAlarm = errors.New("an alarm needs an id, and the fact of an emergency that waits")

// States of an alarm.
const (
	AlarmRinging      = "RINGING"
	AlarmAcknowledged = "ACKNOWLEDGED"
	AlarmEnded        = "ENDED" // the referral waits no more
)

// Where an alarm was acknowledged.
const (
	InInbox = "INBOX"
	ByLink  = "LINK"
	ByCall  = "CALL"
)

// By is who acknowledges, and where.
type By struct{ AccountID, Channel string }

// AlarmData is an alarm as it is kept and shown. About is the fact that began the wait, without what only its telling needs.
type AlarmData struct {
	County, ID         string
	About              Fact
	State              string
	CreateTime         time.Time
	Rings              int
	Level              int32
	LastRing, NextRing time.Time
	CallTime           time.Time
	CallID             string
	AcknowledgeTime    time.Time // or when it ended; zero while it rings
	AcknowledgeAccount string
	AcknowledgeChannel string
	Fence              int64 // of the claim under which it rings
}

// String is the id: an alarm never formats as more.
func (d AlarmData) String() string { return "alarm " + d.ID }

// Version grows with every ring and with the end.
func (d AlarmData) Version() int32 {
	n := d.Rings + 1
	if d.State != AlarmRinging {
		n++
	}
	return int32(n)
}

// Alarm is the aggregate: an emergency that rings until somebody acknowledges, or the referral waits no more. Not for concurrent use.
type Alarm struct {
	d            AlarmData
	fresh, dirty bool
}

// Alarms tells whether a fact begins a wait that rings: an emergency was sent, sent again, or to somebody else.
func Alarms(f Fact) bool {
	return f.Urgency == UrgencyEmergency && slices.Contains([]string{"submitted", "resubmitted", "redirected"}, f.Event)
}

// NewAlarm has not rung yet. The id must follow from the referral and the fact, so that a round has one.
func NewAlarm(county, id string, f Fact, rules CountyRules, now time.Time) (*Alarm, error) {
	if county == "" || id == "" || f.ReferralID == "" || f.ID == "" || !Alarms(f) {
		return nil, ErrAlarm
	}
	return &Alarm{fresh: true, dirty: true, d: AlarmData{
		County: county, ID: id, About: f, State: AlarmRinging, CreateTime: now, NextRing: now,
		CallTime: now.Add(time.Duration(rules.CallMinutes) * time.Minute),
	}}, nil
}

// RestoreAlarm is the alarm that was kept.
func RestoreAlarm(d AlarmData) *Alarm { return &Alarm{d: d} }

// Data is the alarm now.
func (a *Alarm) Data() AlarmData { return a.d }

// Changes tells whether the alarm is new, and whether it differs from what was restored.
func (a *Alarm) Changes() (fresh, dirty bool) { return a.fresh, a.dirty }

// Ringing tells that nobody has acknowledged, and the referral waits.
func (a *Alarm) Ringing() bool { return a.d.State == AlarmRinging }

// Ring is the fact of the next ring. Another follows after the pause, counted from now: what was missed is not made up for.
func (a *Alarm) Ring(rules CountyRules, now time.Time) Fact {
	a.d.Rings++
	a.d.LastRing, a.d.NextRing = now, now.Add(time.Duration(rules.RingSeconds)*time.Second)
	a.dirty = true
	f := a.d.About
	f.Event = AlarmRang
	f.Ring = Ring{AlarmID: a.d.ID, Number: a.d.Rings, Level: a.d.Level}
	return f
}

// SetBack is by how much a clock must have been set back for a ring to be due that has its time in the future: more than clocks differ.
const SetBack = time.Minute

// RingIsDue tells whether it is time for the next ring. An alarm whose last ring is in the future does not wait for that: the clock was set back.
func (a *Alarm) RingIsDue(now time.Time) bool {
	return !now.Before(a.d.NextRing) || now.Add(SetBack).Before(a.d.LastRing)
}

// Hasten has it ring again at once, if it rings: at whom it was to ring is not there any more.
func (a *Alarm) Hasten(now time.Time) {
	if a.Ringing() && now.Before(a.d.NextRing) {
		a.d.NextRing, a.dirty = now, true
	}
}

// Climb follows the ladder of the answer that is overdue.
func (a *Alarm) Climb(level int32) {
	if level > a.d.Level {
		a.d.Level, a.dirty = level, true
	}
}

// CallIsDue tells that the telephone is next and there is no task for it yet.
func (a *Alarm) CallIsDue(now time.Time) bool {
	return a.Ringing() && a.d.CallID == "" && !now.Before(a.d.CallTime)
}

// Called notes the task.
func (a *Alarm) Called(callID string) { a.d.CallID, a.dirty = callID, true }

// StoppedBy tells whether an acknowledgement of somebody of an organisation stops it. Of who sent the patient it does not: they know of the emergency,
// and nobody has said yet that the patient is taken in.
func (a *Alarm) StoppedBy(organizationID string) bool {
	f := a.d.About
	return organizationID == f.ReceiverOrganizationID || organizationID != f.OriginatorOrganizationID
}

// Acknowledge stops it; false when it had stopped.
func (a *Alarm) Acknowledge(account, channel string, now time.Time) bool {
	if !a.Ringing() {
		return false
	}
	a.d.State, a.d.AcknowledgeTime, a.d.AcknowledgeAccount, a.d.AcknowledgeChannel = AlarmAcknowledged, now, account, channel
	a.dirty = true
	return true
}

// End stops it since the referral waits no more; false when it had stopped.
func (a *Alarm) End(now time.Time) bool {
	if !a.Ringing() {
		return false
	}
	a.d.State, a.d.AcknowledgeTime, a.dirty = AlarmEnded, now, true
	return true
}
