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
	// Instead: the bed is not the one that is booked, which is given up.
	Instead      bool
	Outcome      string
	Reply        Reply
	Plan         *FollowUpPlan
	FamilyDoctor string
	// Visit is the number of the planned visit, 0 for one more.
	Visit    int
	Findings Findings
	// Criteria are the codes of the rules that the patient met when the referral was sent.
	Criteria []string
	// Values, if any, take the place of those of the draft that is sent.
	Values []ClinicalValue
	// Completeness of what is handed over, as judged when the referral is sent.
	Completeness Completeness
	// Written is when the referral was written on a blank form, whose number it then carries.
	Written time.Time
	// Arrival is when a patient came that is recorded afterwards.
	Arrival time.Time
	// Destination is where a patient left the county for, in words.
	Destination string
	// Linked is the referral that an escalation made.
	Linked string
	// Checks are the norms' checks of the referral that are open.
	Checks []NormCheck
	// DecisionDue is until when a department is to decide about a candidate that this brings back onto its list.
	DecisionDue time.Time
	// StayDays is after how many days a stay that begins now is longer than usual; 0 if nothing is known of that.
	StayDays int
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
	if next.State == StateNone && c.Carry.Draft != nil {
		next.Direction, next.Kind = c.Carry.Draft.Direction, c.Carry.Draft.Kind
		if bad := checkPair(next.Direction, next.Kind); bad != nil {
			return refuse(Content, bad...)
		}
	}
	row, ok := find(c.Action, &next)
	if !ok || !slices.Contains(row.Who, c.Side) || !permitted(row, &r.s, c.At) {
		return refuse(NotAvailable)
	}
	change := Change{Action: c.Action, From: r.s.State, By: c.By, At: c.At, Reason: c.Carry.Reason, Note: c.Carry.Note}
	if row.To != StateNone {
		next.State = row.To
	}
	change.Today = cal.Today(c.At)
	var bad []Field
	if slices.Contains(row.Carries, "reason_code") {
		bad = checkReason(c.Action, c.Carry.Reason, c.Carry.Note)
	}
	if bad = append(bad, row.effect(&next, c, &change)...); len(bad) > 0 {
		return refuse(Content, bad...)
	}
	if c.Action == ActionEdit && len(next.edited(&r.s)) == 0 {
		return nil // as it stands: a form that is stored before it is sent, and not sent then, leaves no trace
	}
	next.Version++
	next.UpdateTime = c.At
	r.aside(c, &next, &change, cal)
	next.stayAside(c, &change)
	r.wait(row, &next, &change, cal)
	change.After = next
	r.s = next
	r.changes = append(r.changes, change)
	return nil
}

// wait starts the step of a row and mirrors its limit; a change of state stops what was open before.
func (r *Referral) wait(row Row, next *Snapshot, change *Change, cal Calendar) {
	if change.KeepDeadline || row.starts == StepNone && row.To == StateNone {
		change.KeepDeadline = true
		return
	}
	next.DueTime = time.Time{}
	step := stepOf(row, next)
	if step == StepNone {
		return
	}
	change.Deadline = Deadline{step, cal.due(step, next, change.At)}
	next.MissedSteps = slices.DeleteFunc(slices.Clone(next.MissedSteps), func(missed Step) bool { return missed == step })
	if step.Shown() {
		next.DueTime = change.Deadline.Due
	}
	if row.starts == StepAnswer {
		if next.FirstDue.IsZero() {
			next.FirstDue = change.Deadline.Due
		}
		// A redirect starts the limit anew: the history keeps both.
		if change.Detail == nil {
			change.Detail = map[string]string{}
		}
		change.Detail["dueTime"] = stamp(change.Deadline.Due)
	}
}

// stepOf is the step that a row starts for this referral: after the arrival of a patient who came down the township owes the first
// contact, not a reply, and with the last planned visit done nothing is awaited.
func stepOf(row Row, s *Snapshot) Step {
	switch {
	case row.starts == StepReply && s.Direction == Down:
		return StepFirstContact
	case row.starts == StepVisit && s.Plan.Finished():
		return StepNone
	}
	return row.starts
}

// aside starts and stops what runs beside the main step: the reminder of a consent that comes later, and the checks that the norms ask of
// the township. What was never sent starts nothing.
func (r *Referral) aside(c Command, next *Snapshot, change *Change, cal Calendar) {
	switch was, is := r.s.owesConsent(), next.owesConsent(); {
	case !was && is:
		change.Aside = append(change.Aside, Deadline{StepConsent, cal.due(StepConsent, next, c.At)})
	case was && !is:
		change.Aside = append(change.Aside, Deadline{Step: StepConsent})
	}
	switch c.Action {
	case ActionSubmit:
		if tasks := NormTasks(next.Direction, codesOf(next.Diagnoses)); len(tasks) > 0 {
			for _, task := range tasks {
				// A day ends at midnight: what is due then is due on that day.
				due := cal.NormDue(task, c.At).Add(-time.Microsecond)
				change.Norms = append(change.Norms, NormCheck{task.Code, cal.DayOf(due)})
			}
			change.Aside = append(change.Aside, Deadline{StepNormCheck, cal.NormDue(tasks[0], c.At)})
		}
	case ActionEdit:
		if next.Consent.GivenBy != "" && r.s.Consent.GivenBy == "" && next.Number != "" {
			change.Aside = append(change.Aside, Deadline{Step: StepConsent})
		}
	case ActionBeginFollowUp, ActionRecordVisit:
		does := func(n NormCheck) bool { return doneBy(n.Code, c.Action) }
		for _, n := range c.Carry.Checks {
			if does(n) {
				change.NormsMade = append(change.NormsMade, n.Code)
			}
		}
		change.made(c.Carry.Checks, cal, does)
	case ActionEscalate, ActionComplete:
		change.Aside = append(change.Aside, Deadline{Step: StepNormCheck})
	case ActionDecline, ActionCancel:
		change.Aside = append(change.Aside, Deadline{Step: StepConsent}, Deadline{Step: StepNormCheck})
	}
}

// owesConsent: it was sent with the promise of a consent that has not come yet.
func (s *Snapshot) owesConsent() bool {
	return s.Number != "" && s.Consent.DeferredReason != "" && s.Consent.GivenBy == ""
}

// undoLimit is how long an arrival or admission may be taken back.
const undoLimit = 24 * time.Hour

// permitted: what is taken back is taken back in time, and an arrival only while nothing else stands on it.
func permitted(row Row, s *Snapshot, at time.Time) bool {
	switch row.Action {
	case ActionUndoArrive:
		return at.Sub(s.ArriveTime) <= undoLimit && s.DownReferral == "" && s.Verdict == ""
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
		if found, ok := find(row.Action, &r.s); ok && found.To == row.To && permitted(row, &r.s, at) {
			rows = append(rows, row)
		}
	}
	return rows
}
