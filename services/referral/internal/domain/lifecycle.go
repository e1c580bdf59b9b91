package domain

import "slices"

// State of a referral.
type State string

// The states. The empty state is "does not exist yet".
const (
	StateNone      State = ""
	StateDraft     State = "DRAFT"
	StateSubmitted State = "SUBMITTED"
	StateReturned  State = "RETURNED"
	StateAccepted  State = "ACCEPTED"
	StateDeclined  State = "DECLINED"
	StateCancelled State = "CANCELLED"
	StateNoShow    State = "NO_SHOW"
	StateArrived   State = "ARRIVED"
	StateAdmitted  State = "ADMITTED"
	StateConcluded State = "CONCLUDED"
	StateFollowUp  State = "FOLLOW_UP"
	StateClosed    State = "CLOSED"
)

// States lists every state in the order of a referral's life.
func States() []State {
	return []State{
		StateDraft, StateSubmitted, StateReturned, StateAccepted, StateDeclined, StateCancelled,
		StateNoShow, StateArrived, StateAdmitted, StateConcluded, StateFollowUp, StateClosed,
	}
}

// Open lists the states in which something is still to happen.
func Open() []State {
	return slices.DeleteFunc(States(), func(s State) bool {
		return s == StateDeclined || s == StateCancelled || s == StateClosed
	})
}

// Action is the name of a row of the life-cycle table.
type Action string

// The actions.
const (
	ActionCreate        Action = "create"
	ActionEdit          Action = "edit"
	ActionSubmit        Action = "submit"
	ActionAccept        Action = "accept"
	ActionReturn        Action = "return"
	ActionResubmit      Action = "resubmit"
	ActionRedirect      Action = "redirect"
	ActionDecline       Action = "decline"
	ActionAnswer        Action = "answer"
	ActionCancel        Action = "cancel"
	ActionArrive        Action = "arrive"
	ActionRecordArrival Action = "record_arrival"
	ActionUndoArrive    Action = "undo_arrive"
	ActionNoShow        Action = "no_show"
	ActionRebook        Action = "rebook"
	ActionAdmit         Action = "admit"
	ActionUndoAdmit     Action = "undo_admit"
	ActionConclude      Action = "conclude"
	ActionAcknowledge   Action = "acknowledge"
	ActionBeginFollowUp Action = "begin_follow_up"
	ActionRecordVisit   Action = "record_visit"
	ActionEscalate      Action = "escalate"
	ActionComplete      Action = "complete"
	ActionRevisePlan    Action = "revise_plan"
	ActionRecordOut     Action = "record_out"
)

// Side is how the one who acts stands to the referral.
type Side string

// The sides. System is a deadline that ran out.
const (
	Originator Side = "originator"
	Receiver   Side = "receiver"
	System     Side = "system"
)

// Scope is the directions and kinds that a row applies to.
type Scope struct {
	Directions []Direction
	Kinds      []Kind
}

// Has tells whether the scope holds a direction with a kind.
func (s Scope) Has(d Direction, k Kind) bool {
	return slices.Contains(s.Directions, d) && slices.Contains(s.Kinds, k)
}

// Row is one row of the life-cycle table: a permitted transition.
type Row struct {
	Action Action
	// From is empty for an action that makes a referral.
	From []State
	// To equal to [StateNone] means that the state stays.
	To      State
	Who     []Side
	Carries []string
	Applies Scope
	// Final: sealed, or not to be undone by the one who acts; the page asks first.
	Final bool

	// starts is the waiting step that begins; a row that changes the state and starts none only stops the open one.
	starts Step
	// back: this row only undoes an arrival that came from To.
	back bool
	// effect checks what is carried and changes the copy it is given.
	effect effect
}

type effect func(*Snapshot, Command, *Change) []Field

// Lifecycle is the table of a referral's life. The server, the tests and the pages read it; nothing else decides a transition.
func Lifecycle() []Row { return slices.Clone(lifecycle) }

// lifecycle is built once and never written.
var lifecycle = slices.Concat(beforeArrival(), afterArrival(), recordedRows(), followUpRows())

func beforeArrival() []Row {
	return []Row{
		{Action: ActionCreate, To: StateDraft, Who: originator(), Carries: []string{"patient", "direction", "kind"}, Applies: allButOut(), effect: create},
		{Action: ActionEdit, From: []State{StateDraft, StateReturned}, Who: originator(), Carries: []string{"fields"}, Applies: allButOut(), effect: edit},
		{Action: ActionSubmit, From: []State{StateDraft}, To: StateSubmitted, Who: originator(), Carries: []string{"form", "consent"}, Applies: allButOut(), starts: StepAnswer, effect: submit},
		{Action: ActionAccept, From: []State{StateSubmitted}, To: StateAccepted, Who: receiver(), Carries: []string{"hold_or_walk_in"}, Applies: allButAdvice(), starts: StepArrival, effect: accept},
		{Action: ActionReturn, From: []State{StateSubmitted}, To: StateReturned, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: all(), starts: StepMissingInformation, effect: giveBack},
		{Action: ActionResubmit, From: []State{StateReturned}, To: StateSubmitted, Who: originator(), Applies: all(), starts: StepAnswer, effect: resubmit},
		{Action: ActionRedirect, From: []State{StateSubmitted}, To: StateSubmitted, Who: receiver(), Carries: []string{"receiver", "reason_code", "note"}, Applies: all(), starts: StepAnswer, effect: redirect},
		{Action: ActionDecline, From: []State{StateSubmitted}, To: StateDeclined, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: all(), Final: true, effect: refuse},
		{Action: ActionAnswer, From: []State{StateSubmitted}, To: StateConcluded, Who: receiver(), Carries: []string{"answer"}, Applies: Scope{[]Direction{Up}, []Kind{KindAdvice}}, starts: StepAcknowledge, Final: true, effect: answer},
		{
			Action: ActionCancel, From: []State{StateDraft, StateSubmitted, StateReturned, StateAccepted, StateNoShow}, To: StateCancelled,
			Who: originator(), Carries: []string{"reason_code", "note"}, Applies: all(), Final: true, effect: refuse,
		},
		{Action: ActionArrive, From: []State{StateSubmitted}, To: StateArrived, Who: receiver(), Applies: greenChannel(), starts: StepReply, effect: arrive},
		{Action: ActionArrive, From: []State{StateAccepted, StateNoShow}, To: StateArrived, Who: receiver(), Applies: allButAdvice(), starts: StepReply, effect: arrive},
	}
}

func afterArrival() []Row {
	return []Row{
		{Action: ActionUndoArrive, From: []State{StateArrived}, To: StateSubmitted, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: greenChannel(), starts: StepAnswer, back: true, effect: undoArrive},
		{Action: ActionUndoArrive, From: []State{StateArrived}, To: StateAccepted, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: allButAdvice(), starts: StepArrival, back: true, effect: undoArrive},
		{Action: ActionUndoArrive, From: []State{StateArrived}, To: StateNoShow, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: allButAdvice(), back: true, effect: undoArrive},
		{Action: ActionNoShow, From: []State{StateAccepted}, To: StateNoShow, Who: []Side{Receiver, System}, Applies: allButAdvice(), effect: noShow},
		{Action: ActionRebook, From: []State{StateNoShow}, To: StateAccepted, Who: receiver(), Carries: []string{"hold_or_walk_in"}, Applies: allButAdvice(), starts: StepArrival, effect: accept},
		{Action: ActionAdmit, From: []State{StateArrived}, To: StateAdmitted, Who: receiver(), Carries: []string{"ward", "bed"}, Applies: stay(), starts: StepReply, effect: admit},
		{Action: ActionUndoAdmit, From: []State{StateAdmitted}, To: StateArrived, Who: receiver(), Carries: []string{"reason_code", "note"}, Applies: stay(), starts: StepReply, effect: undoAdmit},
		{Action: ActionConclude, From: []State{StateArrived, StateAdmitted}, To: StateConcluded, Who: receiver(), Carries: []string{"outcome", "reply"}, Applies: visit(), starts: StepAcknowledge, Final: true, effect: conclude},
		{Action: ActionAcknowledge, From: []State{StateConcluded}, To: StateClosed, Who: []Side{Originator, System}, Applies: upward(), Final: true, effect: acknowledge},
	}
}

// recordedRows make a referral of what has happened already.
func recordedRows() []Row {
	out := Scope{[]Direction{Out}, KindsOf(Out)}
	return []Row{
		{Action: ActionRecordArrival, To: StateArrived, Who: receiver(), Carries: []string{"patient", "originator", "reason_code", "note", "date"}, Applies: visit(), starts: StepReply, effect: recordArrival},
		{Action: ActionRecordOut, To: StateClosed, Who: originator(), Carries: []string{"patient", "destination", "reason_code", "note", "date"}, Applies: out, Final: true, effect: recordOut},
	}
}

// followUpRows are the township's. The plan is revised without a visit too: a row that the design's table keeps inside record_visit (ADR 6).
func followUpRows() []Row {
	down := Scope{[]Direction{Down}, KindsOf(Down)}
	return []Row{
		{Action: ActionBeginFollowUp, From: []State{StateArrived}, To: StateFollowUp, Who: receiver(), Carries: []string{"plan", "family_doctor"}, Applies: down, starts: StepVisit, effect: beginFollowUp},
		{Action: ActionRecordVisit, From: []State{StateFollowUp}, To: StateFollowUp, Who: receiver(), Carries: []string{"findings"}, Applies: down, starts: StepVisit, effect: recordVisit},
		{Action: ActionRevisePlan, From: []State{StateFollowUp}, To: StateFollowUp, Who: receiver(), Carries: []string{"plan"}, Applies: down, starts: StepVisit, effect: revisePlan},
		{Action: ActionEscalate, From: []State{StateFollowUp}, To: StateClosed, Who: receiver(), Carries: []string{"referral"}, Applies: down, Final: true, effect: escalate},
		{Action: ActionComplete, From: []State{StateFollowUp}, To: StateClosed, Who: receiver(), Carries: []string{"outcome"}, Applies: down, Final: true, effect: completeFollowUp},
	}
}

func originator() []Side { return []Side{Originator} }
func receiver() []Side   { return []Side{Receiver} }

func everyDirection() []Direction { return []Direction{Up, Down, Out} }

func all() Scope {
	return Scope{everyDirection(), slices.Concat(KindsOf(Up), KindsOf(Down), KindsOf(Out))}
}

func allButOut() Scope {
	return Scope{[]Direction{Up, Down}, slices.Concat(KindsOf(Up), KindsOf(Down))}
}

func allButAdvice() Scope {
	s := all()
	s.Kinds = slices.DeleteFunc(s.Kinds, func(k Kind) bool { return k == KindAdvice })
	return s
}

func upward() Scope       { return Scope{[]Direction{Up}, KindsOf(Up)} }
func greenChannel() Scope { return Scope{[]Direction{Up}, []Kind{KindEmergency}} }

// visit is what a patient travels up for; stay is what may end in a bed.
func visit() Scope {
	return Scope{[]Direction{Up}, []Kind{KindOutpatient, KindInpatient, KindEmergency, KindExam}}
}

func stay() Scope {
	return Scope{[]Direction{Up}, []Kind{KindOutpatient, KindInpatient, KindEmergency}}
}

// Travels tells whether a patient who got worse goes up by a referral of the kind: an ADVICE or EXAM treats nobody and ends no follow-up.
func Travels(k Kind) bool { return stay().Has(Up, k) }

// Waiting lists the states in which somebody is waited for and a due time is shown.
func Waiting() []State {
	var out []State
	for _, row := range lifecycle {
		// For a patient who came down the township owes the first contact.
		shown := row.starts.Shown() || row.Action == ActionArrive && slices.Contains(row.Applies.Directions, Down)
		if shown && !slices.Contains(out, row.To) {
			out = append(out, row.To)
		}
	}
	return out
}

// Awaited lists the states in which a patient may be on the way: an emergency before anybody has answered, who is late as well.
func Awaited() []State { return []State{StateSubmitted, StateAccepted, StateNoShow} }

// find answers the row for an action on a referral as it is; false if the table has none.
func find(a Action, s *Snapshot) (Row, bool) {
	for _, row := range lifecycle {
		if row.Action != a || !row.Applies.Has(s.Direction, s.Kind) {
			continue
		}
		if row.back && row.To != s.ArrivedFrom {
			continue
		}
		if slices.Contains(row.From, s.State) || len(row.From) == 0 && s.State == StateNone {
			return row, true
		}
	}
	return Row{}, false
}
