package domain

import (
	"slices"
	"strconv"
	"time"
)

// Step is what a referral waits for.
type Step string

// The steps that have a limit. A referral waits for at most one of the main ones; a step aside runs beside it, and a change of state
// leaves it alone.
const (
	StepNone               Step = ""
	StepAnswer             Step = "ANSWER"
	StepMissingInformation Step = "MISSING_INFORMATION"
	StepArrival            Step = "ARRIVAL"
	StepReply              Step = "REPLY"
	StepFirstContact       Step = "FIRST_CONTACT"
	StepVisit              Step = "VISIT"
	StepAcknowledge        Step = "ACKNOWLEDGE"

	// StepConsent is the consent that an emergency gives later, StepDownDecision whether a patient who could go down does, StepNormCheck
	// the follow-up that a national norm asks for, StepStay the prompt of a long stay.
	StepConsent      Step = "CONSENT"
	StepDownDecision Step = "DOWN_DECISION"
	StepNormCheck    Step = "NORM_CHECK"
	StepStay         Step = "STAY"
)

// MainSteps are those of which a referral waits for at most one.
func MainSteps() []Step {
	return []Step{StepAnswer, StepMissingInformation, StepArrival, StepReply, StepFirstContact, StepVisit, StepAcknowledge}
}

// Aside tells whether the step runs beside the main one.
func (s Step) Aside() bool { return s != StepNone && !slices.Contains(MainSteps(), s) }

// Shown tells whether the step's end is the referral's due time. The other limits are watched, but no clock runs on the lists.
func (s Step) Shown() bool {
	return slices.Contains([]Step{StepAnswer, StepMissingInformation, StepArrival, StepFirstContact, StepVisit}, s)
}

// Expires is the action that the system takes when the limit has passed; "" for a step that makes noise and waits on.
func (s Step) Expires() Action {
	switch s {
	case StepArrival:
		return ActionNoShow
	case StepAcknowledge:
		return ActionAcknowledge
	default:
		return ""
	}
}

const (
	day = 24 * time.Hour
	// stayReminder stands in for a discharge fact where the hospital has no feed.
	stayReminder = 14 * day
	// tbContact is the first contact with a tuberculosis patient after the notice, as the national norm has it; see [NormTBNotice].
	tbContact = 72 * time.Hour
)

// due is when a step that begins at an instant runs out. A day that is over already runs out with today. Zero for a step whose end
// whoever starts it gives: that of a norm's task, of a usual stay.
func (c Calendar) due(step Step, s *Snapshot, at time.Time) time.Time {
	switch due := c.end(step, s, at); {
	case due.IsZero(), !due.Before(at):
		return due
	default:
		return c.endOfDay(at)
	}
}

func (c Calendar) end(step Step, s *Snapshot, at time.Time) time.Time {
	l := c.limit(step, s)
	switch step {
	case StepAnswer, StepMissingInformation, StepAcknowledge, StepConsent, StepDownDecision:
		return c.after(l, at)
	case StepArrival:
		if s.Urgency == UrgencyEmergency {
			return c.after(l, at)
		}
		// The window is half-open: one that ends at midnight ends with the day before.
		return c.endOfDay(s.Expected.To.Add(-time.Microsecond))
	case StepReply:
		if s.State == StateAdmitted {
			return s.AdmitTime.Add(stayReminder)
		}
		return c.after(l, c.endOfDay(s.ArriveTime))
	case StepFirstContact:
		if len(s.Diagnoses) > 0 && InCategories(s.Diagnoses[0].Code, []string{"A15-A16", "A19"}) {
			return at.Add(tbContact)
		}
		return c.after(l, at)
	case StepVisit:
		if visit, more := s.Plan.Next(); more {
			if day, ok := c.Day(visit.Due); ok {
				return day.To
			}
		}
	case StepNormCheck, StepStay, StepNone:
	}
	return time.Time{}
}

// limit is the county's row for a step of a referral. Where the table has none for its urgency, as for a direction that has no
// emergencies, the slowest counts.
func (c Calendar) limit(step Step, s *Snapshot) Limit {
	var found Limit
	for _, l := range c.settings.Limits {
		if l.Step == step && l.Direction == s.Direction {
			if found = l; l.Urgency == s.Urgency {
				break
			}
		}
	}
	return found
}

// after applies a limit: minutes run at all hours, working days by the calendar.
func (c Calendar) after(l Limit, at time.Time) time.Time {
	if l.WorkingDays > 0 {
		return c.workingDaysLater(at, l.WorkingDays)
	}
	return at.Add(time.Duration(l.Minutes) * time.Minute)
}

// AnswerDue is when the answer to a referral submitted at an instant is due.
func (c Calendar) AnswerDue(d Direction, u Urgency, at time.Time) time.Time {
	return c.due(StepAnswer, &Snapshot{Direction: d, Urgency: u}, at)
}

// ConsentDue is when the consent is due that a referral sent at an instant puts off; zero if it owes none.
func (c Calendar) ConsentDue(s Snapshot, sent time.Time) time.Time {
	if !s.owesConsent() {
		return time.Time{}
	}
	return c.due(StepConsent, &s, sent)
}

// Anew is the limit of a step that began before limits were told, and when its first rung is: one that is still to come stays as it was;
// one that passed unnoticed keeps its time and is told when a whole limit is over after the next opening. A reply and a consent had none:
// theirs begins now. Zero: the referral does not wait for this.
func (c Calendar) Anew(step Step, s Snapshot, due, now time.Time) (limit, next time.Time) {
	switch {
	case step == StepConsent && !s.owesConsent():
		return time.Time{}, time.Time{}
	case step == StepConsent, step == StepAcknowledge:
		limit = c.due(step, &s, now)
		return limit, limit
	case due.After(now):
		return due, due
	}
	l := c.limit(step, &s)
	if l.Minutes == 0 {
		l.WorkingDays = max(l.WorkingDays, 1)
	}
	return due, c.after(l, c.opening(now.In(c.zone))).UTC()
}

// maxLevel is the last rung of a ladder: the desk again, its head, the administrator. Then it is quiet; the step stays open.
const maxLevel = 3

// Rung is one rung of the ladder of a step: level 1 is when the limit passed.
type Rung struct {
	Step  Step
	Level int
	// Due is when the rung was due.
	Due time.Time
}

// NextRung is when the rung after one that is told now is due; zero after the last. What was told late does not hurry the rest.
func (c Calendar) NextRung(s Snapshot, told Rung, now time.Time) time.Time {
	if told.Level >= maxLevel || told.Step.Expires() != "" {
		return time.Time{}
	}
	l := c.limit(told.Step, &s)
	if next := c.repeat(l, told.Due); next.After(now) {
		return next
	}
	return c.repeat(l, now)
}

func (c Calendar) repeat(l Limit, at time.Time) time.Time {
	if l.RepeatMinutes == 0 {
		return c.workingDaysLater(at, 1)
	}
	return at.Add(time.Duration(l.RepeatMinutes) * time.Minute)
}

// Expire notes that a rung was reached and takes the action that the step has for it, if any. It answers when the next rung is due, zero
// for none. The step must be open.
func (r *Referral) Expire(told Rung, by Actor, at time.Time, cal Calendar) time.Time {
	next := r.s
	if !told.Step.Aside() && !next.Missed(told.Step) {
		next.MissedSteps = append(slices.Clone(next.MissedSteps), told.Step)
	}
	r.note(next, Change{
		Action: MarkDeadlinePassed, Mark: true, From: r.s.State, By: by, At: at, KeepDeadline: true,
		Detail: detail("step", string(told.Step), "level", strconv.Itoa(told.Level)),
	})
	if action := told.Step.Expires(); action != "" {
		// A referral that will not have it only makes noise.
		_ = r.Decide(Command{Action: action, Version: r.s.Version, Side: System, By: by, At: at}, cal)
	}
	return cal.NextRung(r.s, told, at)
}
