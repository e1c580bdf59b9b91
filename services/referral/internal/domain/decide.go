package domain

import (
	"slices"
	"time"
)

// Command is one wish: an action, by whom, when, on which version, and what it carries.
type Command struct {
	Action  Action
	Version int32
	Side    Side
	By      Actor
	At      time.Time
	Carry   Carry
}

// Carry is what an action may bring; a row looks only at what its own effect reads.
type Carry struct {
	Draft *Draft
	// Complete: a new referral is to be submitted at once, so it is judged as submit will judge it.
	Complete     bool
	Fields       []string
	Number       Number
	Consent      *Consent
	HoldID       string
	HoldLost     bool
	Booking      Booking
	WalkIn       bool
	Expected     Window
	Receiver     Party
	ReceiverName string
	Reason, Note string
	Ward, Bed    string
	Outcome      string
	Reply        Reply
}

// Decide applies one row of the table or refuses with a [*Refusal], in the order version, state, content. A refusal changes nothing.
func (r *Referral) Decide(c Command, cal Calendar) error {
	refuse := func(why Why, fields ...Field) error {
		return &Refusal{Why: why, Action: c.Action, State: r.s.State, Version: r.s.Version, Fields: fields}
	}
	if r.s.State != StateNone {
		if c.Version == 0 {
			return refuse(NoVersion)
		}
		if c.Version != r.s.Version {
			return refuse(Stale)
		}
	}
	next := r.s
	if c.Action == ActionCreate && c.Carry.Draft != nil && next.State == StateNone {
		next.Direction, next.Kind = c.Carry.Draft.Direction, c.Carry.Draft.Kind
		if bad := checkServed(next.Direction, next.Kind); bad != nil {
			return refuse(Content, bad...)
		}
	}
	row, ok := find(c.Action, &next)
	if !ok || !slices.Contains(row.Who, c.Side) || !inTime(row, &r.s, c.At) {
		return refuse(NotAvailable)
	}
	change := Change{Action: c.Action, From: r.s.State, By: c.By, At: c.At, Reason: c.Carry.Reason, Note: c.Carry.Note}
	if row.To != StateNone {
		next.State = row.To
	}
	var bad []Field
	if slices.Contains(row.Carries, "reason_code") {
		bad = checkReason(c.Action, c.Carry.Reason, c.Carry.Note)
	}
	if bad = append(bad, row.effect(&next, c, &change)...); len(bad) > 0 {
		return refuse(Content, bad...)
	}
	next.Version++
	next.UpdateTime = c.At
	r.wait(row, &next, &change, cal)
	change.After = next
	r.s = next
	r.changes = append(r.changes, change)
	return nil
}

// wait starts the step of a row and mirrors its limit; a change of state stops what was open before.
func (r *Referral) wait(row Row, next *Snapshot, change *Change, cal Calendar) {
	if row.starts == StepNone && row.To == StateNone {
		change.KeepDeadline = true
		return
	}
	next.DueTime = time.Time{}
	if row.starts == StepNone {
		return
	}
	change.Deadline = Deadline{row.starts, cal.due(row.starts, next, change.At)}
	if row.starts.Shown() {
		next.DueTime = change.Deadline.Due
	}
}

// undoLimit is how long an arrival or admission may be taken back.
const undoLimit = 24 * time.Hour

func inTime(row Row, s *Snapshot, at time.Time) bool {
	switch row.Action {
	case ActionUndoArrive:
		return at.Sub(s.ArriveTime) <= undoLimit
	case ActionUndoAdmit:
		return at.Sub(s.AdmitTime) <= undoLimit
	default:
		return true
	}
}

// Actions are the rows that a side may use on the referral now. It reads the same table as [Referral.Decide].
func (r *Referral) Actions(side Side, at time.Time) []Row {
	var rows []Row
	for _, row := range lifecycle {
		if !slices.Contains(row.From, r.s.State) || !slices.Contains(row.Who, side) {
			continue
		}
		if found, ok := find(row.Action, &r.s); ok && found.To == row.To && inTime(row, &r.s, at) {
			rows = append(rows, row)
		}
	}
	return rows
}
