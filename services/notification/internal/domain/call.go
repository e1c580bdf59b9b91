package domain

import (
	"errors"
	"slices"
	"time"
)

// ErrCallOver says that nobody has to be called any more.
var ErrCallOver = errors.New("the call is done, or no longer needed")

// States of a call.
const (
	CallOpen     = "OPEN"
	CallDone     = "DONE"
	CallObsolete = "OBSOLETE"
)

// Reached is the outcome that ends a call; NO_ANSWER, BUSY and WRONG_NUMBER leave it open.
const Reached = "REACHED"

// Telephoned is what who sent the patient says: somebody at the receiver was telephoned. It ends nothing, as nobody has said that the patient is taken in.
const Telephoned = "TELEPHONED"

// As what somebody is called.
const (
	AsOnDuty      = "ON_DUTY"
	AsSecondLine  = "SECOND_LINE"
	AsHead        = "HEAD"
	AsSwitchboard = "SWITCHBOARD"
)

// Callee is whom to call; a switchboard has no account. Numbers are not kept: they are asked for when somebody looks.
type Callee struct{ AccountID, As string }

// CallRecord is what became of one call.
type CallRecord struct {
	Outcome, ReachedAccount, ReachedName, Note string
	Account                                    string
	Time                                       time.Time
}

// CallData is a call to be made, as it is kept and shown.
type CallData struct {
	County, ID                 string
	Version                    int32
	State                      string
	AlarmID                    string
	ReferralID, ReferralNumber string
	Urgency, Step              string
	OrganizationID             string // which does not answer
	OriginatorOrganizationID   string // which sent the patient, and may telephone too
	Callees                    []Callee
	CreateTime                 time.Time
	Records                    []CallRecord
}

// String is the id: a call never formats as more.
func (d CallData) String() string { return "call " + d.ID }

// Call is the aggregate. Not for concurrent use.
type Call struct {
	d            CallData
	fresh, dirty bool
}

// NewCall is the last step of an alarm. The switchboard of the organisation comes last.
func NewCall(id string, a AlarmData, callees []Callee, now time.Time) *Call {
	return &Call{fresh: true, dirty: true, d: CallData{
		County: a.County, ID: id, Version: 1, State: CallOpen, AlarmID: a.ID, ReferralID: a.About.ReferralID, ReferralNumber: a.About.ReferralNumber,
		Urgency: a.About.Urgency, Step: "ANSWER", OrganizationID: a.About.ReceiverOrganizationID,
		OriginatorOrganizationID: a.About.OriginatorOrganizationID,
		Callees:                  append(callees, Callee{As: AsSwitchboard}), CreateTime: now,
	}}
}

// RestoreCall is the call that was kept.
func RestoreCall(d CallData) *Call { return &Call{d: d} }

// Data is the call now.
func (c *Call) Data() CallData { return c.d }

// Changes tells whether the call is new, and whether it differs from what was restored.
func (c *Call) Changes() (fresh, dirty bool) { return c.fresh, c.dirty }

// Due is the fact that somebody is to telephone now, about the wait that the alarm is of; it comes from whoever does not answer.
func (d CallData) Due(a AlarmData, now time.Time) Fact {
	f := a.About
	f.ID, f.Event, f.OccurTime, f.ActorOrganizationID = d.ID, CallDue, now, f.ReceiverOrganizationID
	return f
}

// earlyCall is how long before the task somebody may have telephoned: a doctor often does before the form is filled in.
const earlyCall = 2 * time.Hour

// Record writes what became of it, or answers ErrCallOver. Who reached somebody says whom: one of the callees, or a name.
func (c *Call) Record(r CallRecord) error {
	if c.d.State != CallOpen {
		return ErrCallOver
	}
	if r.Outcome == Reached && r.ReachedAccount == "" && r.ReachedName == "" {
		return Violations{{Field: "reachedName"}}
	}
	if r.ReachedAccount != "" && !slices.ContainsFunc(c.d.Callees, func(one Callee) bool { return one.AccountID == r.ReachedAccount }) {
		return Violations{{Field: "reachedAccountId"}}
	}
	if r.Outcome == Telephoned && r.Time.Before(c.d.CreateTime.Add(-earlyCall)) {
		return Violations{{Field: "time"}}
	}
	c.d.Records = append(c.d.Records, r)
	c.d.Version++
	c.dirty = true
	if r.Outcome == Reached {
		c.d.State = CallDone
	}
	return nil
}

// Drop ends a call that nobody needs any more.
func (c *Call) Drop() {
	if c.d.State == CallOpen {
		c.d.State, c.dirty = CallObsolete, true
		c.d.Version++
	}
}
