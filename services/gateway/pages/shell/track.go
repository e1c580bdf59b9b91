package shell

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// Step is one of a referral's way, as a parcel is tracked.
type Step struct {
	// Name is a text key below "track".
	Name string
	// State is done, now, late (now, and its limit has passed), stopped (it went no further) or next.
	State string
	// Time is when it was done, or for an appointment when it is; nil where that is not known.
	Time *timestamppb.Timestamp
	// Due is the limit of the step that is now.
	Due *timestamppb.Timestamp
	// Held tells of an appointment that its place is kept until the answer.
	Held bool
}

// Mark stands beside the words, so that no colour says anything alone.
func (s Step) Mark() string {
	return map[string]string{"done": "✓", "now": "●", "late": "!", "stopped": "×"}[s.State]
}

// Reached tells that the step is done or is the present one.
func (s Step) Reached() bool { return s.State != "next" }

// ways are the steps of a referral from its submission to its end, with the states in which each is the present one. What comes down is taken
// over and followed up; a question is answered, and nobody travels; in an emergency there is no appointment to wait for.
func way(r *referralv1.Referral) []string {
	switch {
	case r.GetDirection() == commonv1.Direction_OUT:
		return nil
	case r.GetRetrospective():
		return []string{"arrived", "replied", "read"}
	case r.GetDirection() == commonv1.Direction_DOWN:
		return []string{"submitted", "taken", "reported", "followed", "closed"}
	case r.GetKind() == commonv1.Kind_ADVICE:
		return []string{"submitted", "replied", "read"}
	case r.GetKind() == commonv1.Kind_EMERGENCY:
		return []string{"submitted", "answered", "arrived", "replied", "read"}
	default:
		return []string{"submitted", "answered", "appointment", "arrived", "replied", "read"}
	}
}

// present are the steps that a state waits for, the first that a way has.
var present = map[referralv1.State_Code][]string{
	referralv1.State_SUBMITTED: {"answered", "taken", "replied"}, referralv1.State_RETURNED: {"answered", "taken", "replied"}, referralv1.State_DECLINED: {"answered", "taken", "replied"},
	referralv1.State_ACCEPTED: {"appointment", "arrived", "reported"}, referralv1.State_NO_SHOW: {"appointment", "arrived", "reported"},
	referralv1.State_ARRIVED: {"replied", "followed"}, referralv1.State_ADMITTED: {"replied"}, referralv1.State_FOLLOW_UP: {"closed"}, referralv1.State_CONCLUDED: {"read"},
}

// Track is a referral's way so far and what comes next; none for a draft, nor for one that was thrown away. answered is when the present receiver answered, nil where that is not known.
func Track(r *referralv1.Referral, answered *timestamppb.Timestamp, now time.Time) []Step {
	if r.GetState() == referralv1.State_DRAFT || r.GetState() == referralv1.State_UNSPECIFIED || neverSent(r) {
		return nil
	}
	names := way(r)
	at := position(names, r)
	steps := make([]Step, len(names))
	for i, name := range names {
		steps[i] = Step{Name: name, State: "next"}
		switch {
		case i < at:
			steps[i].State, steps[i].Time = "done", doneAt(name, r, answered)
		case i == at:
			steps[i] = presentStep(name, r, now)
		}
		if name == "appointment" {
			steps[i].Time, steps[i].Held = r.GetExpectedFrom(), r.GetHoldId() != ""
		}
		if steps[i].State == "stopped" {
			return steps[:i+1] // nothing is still to come
		}
	}
	return steps
}

// neverSent tells a draft that was thrown away; what was recorded afterwards was never sent either, but cannot be taken back.
func neverSent(r *referralv1.Referral) bool {
	return r.GetState() == referralv1.State_CANCELLED && r.GetSubmitTime() == nil
}

// position is the index of the present step; past the last when all are done.
func position(names []string, r *referralv1.Referral) int {
	if r.GetState() == referralv1.State_CLOSED {
		return len(names)
	}
	wanted := present[r.GetState()]
	if r.GetState() == referralv1.State_CANCELLED {
		wanted = cancelledAt(r)
	}
	for _, want := range wanted {
		for i, name := range names {
			if name == want {
				return i
			}
		}
	}
	return len(names)
}

// cancelledAt is how far a referral got that its sender took back: what was accepted has a time to come.
func cancelledAt(r *referralv1.Referral) []string {
	if r.GetExpectedFrom() != nil {
		return present[referralv1.State_ACCEPTED]
	}
	return present[referralv1.State_SUBMITTED]
}

func presentStep(name string, r *referralv1.Referral, now time.Time) Step {
	step := Step{Name: name, State: "now", Due: r.GetDueTime()}
	if due := r.GetDueTime(); due != nil && due.AsTime().Before(now) {
		step.State = "late"
	}
	switch r.GetState() {
	case referralv1.State_ACCEPTED:
		if name != "appointment" {
			break
		}
		// Booked it is already; what is waited for is the patient.
		step.Name = "coming"
		if until := r.GetExpectedTo(); until != nil && until.AsTime().Before(now) {
			step = Step{Name: "not-come", State: "late", Due: r.GetDueTime()}
		}
	case referralv1.State_FOLLOW_UP:
		step.Name = "following" // the limit is that of the next visit, not of the end
	case referralv1.State_RETURNED:
		step.Name = "returned"
	case referralv1.State_DECLINED:
		step = Step{Name: "declined", State: "stopped", Time: r.GetCloseTime()}
	case referralv1.State_CANCELLED:
		step = Step{Name: "cancelled", State: "stopped", Time: r.GetCloseTime()}
	case referralv1.State_NO_SHOW:
		step = Step{Name: "missed", State: "late"}
	}
	return step
}

func doneAt(name string, r *referralv1.Referral, answered *timestamppb.Timestamp) *timestamppb.Timestamp {
	switch name {
	case "submitted":
		return r.GetSubmitTime()
	case "answered", "taken":
		return answered
	case "arrived", "reported":
		return r.GetArriveTime()
	case "replied":
		return r.GetConcludeTime()
	case "read", "closed":
		return r.GetCloseTime()
	}
	return nil
}
