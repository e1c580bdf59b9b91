package domain

import (
	"slices"
	"time"
)

// The marks: they change no state and no version, and are no rows of the table.
const (
	MarkSeen           Action = "seen"
	MarkDepart         Action = "depart"
	MarkMessage        Action = "message"
	MarkAssess         Action = "assess"
	MarkCorrect        Action = "correct"
	MarkConsent        Action = "record_consent"
	MarkConvert        Action = "convert"
	MarkBounceBack     Action = "bounce_back"
	MarkAnsweredBy     Action = "answered_by"
	MarkDeadlinePassed Action = "deadline_passed"
	MarkNormCheck      Action = "norm_check"
	MarkPersonMerged   Action = "person_merged"
	// MarkMoved: scheduling gave the booking another time. MarkSubstituted: the same time with another practitioner or room. MarkDisplaced: its
	// session was cancelled, and no other place was free yet.
	MarkMoved       Action = "moved"
	MarkSubstituted Action = "substituted"
	MarkDisplaced   Action = "displaced"
	// MarkDischarged: the hospital's system told that the patient has left the bed that was booked.
	MarkDischarged      Action = "discharged"
	markBouncedBy       Action = "bounced_by"
	markBounceUndone    Action = "bounce_back_undone"
	markReopenedAnswers Action = "answered_by_undone"
)

// Mark is one row of the table of marks: who may set it, and when.
type Mark struct {
	Action  Action
	In      []State
	Who     []Side
	Carries []string
	Applies Scope
}

// Marks is the table of what people may mark; the other marks are the system's.
func Marks() []Mark {
	sent := slices.DeleteFunc(States(), func(s State) bool { return s == StateDraft })
	both := []Side{Originator, Receiver}
	return []Mark{
		{MarkDepart, []State{StateSubmitted, StateAccepted, StateNoShow}, originator(), []string{"transport"}, allButAdvice()},
		{MarkMessage, sent, both, []string{"text"}, allButOut()},
		{MarkAssess, []State{StateArrived, StateAdmitted, StateConcluded, StateClosed, StateDeclined}, receiver(), []string{"verdict"}, visit()},
		{MarkCorrect, slices.DeleteFunc(slices.Clone(sent), func(s State) bool { return s == StateReturned }), both, []string{"fields", "reason_code", "note"}, all()},
		{MarkConsent, sent, originator(), []string{"consent"}, greenChannel()},
		{MarkConvert, []State{StateSubmitted, StateReturned, StateConcluded, StateClosed, StateDeclined}, originator(), []string{"kind"}, Scope{[]Direction{Up}, []Kind{KindAdvice}}},
	}
}

// Verdict is what the county thinks of an up-referral, to teach and not to punish.
type Verdict string

// The verdicts: necessary, could be managed in the township with advice, too late, wrong department.
const (
	VerdictNecessary       Verdict = "NECESSARY"
	VerdictManageable      Verdict = "MANAGEABLE_WITH_ADVICE"
	VerdictTooLate         Verdict = "TOO_LATE"
	VerdictWrongDepartment Verdict = "WRONG_DEPARTMENT"
)

// Verdicts lists them in the order shown.
func Verdicts() []Verdict {
	return []Verdict{VerdictNecessary, VerdictManageable, VerdictTooLate, VerdictWrongDepartment}
}

// MarkCommand is a mark that somebody wants to set. Each mark looks only at what it carries.
type MarkCommand struct {
	Action Action
	Side   Side
	By     Actor
	At     time.Time

	Transport string
	Expected  time.Time
	// ExpectedIn, if set, takes the place of Expected: it counts from At.
	ExpectedIn *time.Duration
	// Text of a message. It is kept with the mark.
	Text         string
	Verdict      Verdict
	Reason, Note string
	Consent      Consent
	// Fields are paths of update masks, Content what they are to be.
	Fields  []string
	Content Correction
}

// Correction is new content: what the fields of a command name is taken from it.
type Correction struct {
	Form      Form
	Reply     Reply
	Diagnoses []Diagnosis
	Outcome   string
}

// Mark sets a mark or refuses with a [*Refusal]. A refusal changes nothing.
func (r *Referral) Mark(c MarkCommand) error {
	refuse := func(why Why, fields ...Field) error {
		return &Refusal{Why: why, Action: c.Action, State: r.s.State, Version: r.s.Version, Fields: fields}
	}
	if !r.s.mayMark(c.Action, c.Side) {
		return refuse(NotAvailable)
	}
	next := r.s
	change := Change{Action: c.Action, Mark: true, From: r.s.State, By: c.By, At: c.At, Reason: c.Reason, Note: c.Note, KeepDeadline: true}
	if bad := next.mark(c, &change); len(bad) > 0 {
		return refuse(Content, bad...)
	}
	r.note(next, change)
	return nil
}

func (s *Snapshot) mayMark(a Action, side Side) bool {
	return slices.ContainsFunc(Marks(), func(m Mark) bool {
		return m.Action == a && slices.Contains(m.Who, side) && slices.Contains(m.In, s.State) && m.Applies.Has(s.Direction, s.Kind) &&
			(a != MarkConsent || s.Consent.GivenBy == "" && s.Consent.DeferredReason != "")
	})
}

// MarksFor are the marks that a side may set now.
func (r *Referral) MarksFor(side Side) []Mark {
	return slices.DeleteFunc(Marks(), func(m Mark) bool { return !r.s.mayMark(m.Action, side) })
}

func (s *Snapshot) mark(c MarkCommand, change *Change) []Field {
	switch c.Action {
	case MarkDepart:
		if c.ExpectedIn != nil {
			c.Expected = c.At.Add(*c.ExpectedIn)
		}
		s.Transport, s.DepartTime, s.ExpectedArrival = c.Transport, c.At, c.Expected
		change.Detail = detail("transport", c.Transport, "expectedArrival", stamp(c.Expected))
		switch {
		case c.Transport == "":
			return []Field{required("transport")}
		case !slices.Contains(Transports(), c.Transport):
			return []Field{unknown("transport")}
		case !c.Expected.IsZero() && c.Expected.Before(c.At):
			return []Field{outOfRange("expectedArrival")}
		}
	case MarkMessage:
		change.Note = c.Text
		if c.Text == "" {
			return []Field{required("text")}
		}
	case MarkAssess:
		s.Verdict, s.VerdictNote = c.Verdict, c.Note
		change.Detail = detail("verdict", string(c.Verdict))
		switch {
		case c.Verdict == "":
			return []Field{required("verdict")}
		case !slices.Contains(Verdicts(), c.Verdict):
			return []Field{unknown("verdict")}
		case c.Verdict != VerdictNecessary && c.Note == "":
			return []Field{required("note")}
		}
	case MarkConsent:
		reason := s.Consent.DeferredReason
		s.Consent = c.Consent
		s.Consent.DeferredReason = reason
		complete(s, c.At)
		change.Aside = []Deadline{{Step: StepConsent}}
		return append(requiredConsent(s.Consent), checkConsent(s)...)
	case MarkCorrect:
		return s.correct(c, change)
	}
	return nil
}

func requiredConsent(c Consent) []Field {
	var bad []Field
	for _, f := range [][2]string{{c.GivenBy, "consent.givenBy"}, {c.Relation, "consent.relation"}, {c.Method, "consent.method"}} {
		if f[0] == "" {
			bad = append(bad, required(f[1]))
		}
	}
	return bad
}

// note takes what a mark or the system changed, without a new version.
func (r *Referral) note(next Snapshot, change Change) {
	next.UpdateTime = change.At
	change.After = next
	r.s = next
	r.changes = append(r.changes, change)
}

// PersonMerged notes that the patient and another record are one person.
func (r *Referral) PersonMerged(c Command) {
	r.note(r.s, Change{Action: MarkPersonMerged, Mark: true, From: r.s.State, By: c.By, At: c.At, KeepDeadline: true})
}

// Discharged takes the hospital's word that the stay of an admitted patient ended: the booked bed is free, and the reply is still to come. It is a mark, no
// transition. False, and nothing changes, where there is no such bed (any more), or the stay that ended was over before the admission.
func (r *Referral) Discharged(end time.Time, c Command) bool {
	if r.s.State != StateAdmitted || !r.s.Booking.Bed || end.Before(r.s.AdmitTime) {
		return false
	}
	next := r.s
	change := Change{Action: MarkDischarged, Mark: true, From: r.s.State, By: c.By, At: c.At, KeepDeadline: true, Detail: detail("endTime", stamp(end))}
	leaveBed(&next, &change)
	r.note(next, change)
	return true
}

// AnsweredBy notes the down-referral that answers this up-referral; "" that it was taken back or refused. Arrived, if set, is when its
// patient came.
func (r *Referral) AnsweredBy(downID string, arrived time.Time, c Command) {
	next := r.s
	next.DownReferral, next.DownArrived = downID, arrived
	action := MarkAnsweredBy
	if downID == "" {
		action = markReopenedAnswers
	}
	r.note(next, Change{Action: action, Mark: true, From: r.s.State, By: c.By, At: c.At, KeepDeadline: true, Detail: detail("referralId", downID)})
}

// Bounced notes that the patient is back: on the up-referral that arrived, other is the down-referral; on that one, the up-referral.
// With "" it takes it back.
func (r *Referral) Bounced(other string, c Command) {
	next, action := r.s, MarkBounceBack
	if next.Direction == Up {
		next.BounceBackOf = other
	} else {
		next.BouncedBy, action = other, markBouncedBy
	}
	if other == "" {
		action = markBounceUndone
	}
	r.note(next, Change{Action: action, Mark: true, From: r.s.State, By: c.By, At: c.At, KeepDeadline: true, Detail: detail("referralId", other)})
}
