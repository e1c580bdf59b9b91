package domain

// State of a hold. The zero State is that of no hold.
type State string

// The states. UNSETTLED and LIVE are bookings.
const (
	Held      State = "HELD"      // taken for HoldFor
	Attached  State = "ATTACHED"  // tied to a referral that waits for its answer
	Unsettled State = "UNSETTLED" // booked; the referral has not said yet that it names the booking
	Live      State = "LIVE"      // booked, and named by its referral
	Released  State = "RELEASED"
	Expired   State = "EXPIRED"
)

// Takes tells whether the state takes a place as long as its time lasts.
func (s State) Takes() bool {
	return s == Held || s == Attached || s == Unsettled || s == Live
}

// Action is what happens to a hold.
type Action string

// The actions.
const (
	Take    Action = "take"
	Attach  Action = "attach"
	Keep    Action = "keep" // longer than before: the referral has a new time limit
	Confirm Action = "confirm"
	Settle  Action = "settle"
	Release Action = "release" // by the person who took it
	Free    Action = "free"    // because a fact or the referral says so
	Expire  Action = "expire"
	// Move gives it another place, or the same one with another practitioner or room. Displace says that its session was cancelled and that no
	// other place was free: it keeps its state until it moves.
	Move     Action = "move"
	Displace Action = "displace"
)

// Transition is one row of the life cycle.
type Transition struct {
	From   State
	Action Action
	To     State
}

// Lifecycle is the table: what it does not name does not happen.
func Lifecycle() []Transition {
	return []Transition{
		{"", Take, Held},
		{Held, Attach, Attached},
		{Attached, Keep, Attached},
		{Held, Confirm, Unsettled},
		{Attached, Confirm, Unsettled},
		{Unsettled, Settle, Live},
		{Held, Release, Released},
		{Attached, Free, Released},
		{Unsettled, Free, Released},
		{Live, Free, Released},
		{Held, Expire, Expired},
		{Attached, Expire, Expired},
		{Attached, Move, Attached},
		{Unsettled, Move, Unsettled},
		{Live, Move, Live},
		{Attached, Displace, Attached},
		{Unsettled, Displace, Unsettled},
		{Live, Displace, Live},
	}
}

// Next is where the action leads from a state; false if it does not.
func Next(from State, a Action) (State, bool) {
	for _, t := range Lifecycle() {
		if t.From == from && t.Action == a {
			return t.To, true
		}
	}
	return "", false
}
