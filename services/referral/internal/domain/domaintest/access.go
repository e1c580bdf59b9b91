// Package domaintest is the rule of who may do what, written down a second time and read by no product code: tests hold the use cases and
// the service against it.
package domaintest

import (
	"slices"
	"strings"
)

// From which states, what, by which side, for which directions and kinds; "-" makes a referral.
const mayBeDone = `
- create originator UP,DOWN
DRAFT,RETURNED edit originator UP,DOWN
DRAFT submit originator UP,DOWN
SUBMITTED accept receiver UP,DOWN,OUT but:ADVICE
SUBMITTED return receiver UP,DOWN,OUT
RETURNED resubmit originator UP,DOWN,OUT
SUBMITTED redirect receiver UP,DOWN,OUT
SUBMITTED decline receiver UP,DOWN,OUT
SUBMITTED answer receiver UP only:ADVICE
DRAFT,SUBMITTED,RETURNED,ACCEPTED,NO_SHOW cancel originator UP,DOWN,OUT
SUBMITTED arrive receiver UP only:EMERGENCY
ACCEPTED,NO_SHOW arrive receiver UP,DOWN,OUT but:ADVICE
- record_arrival receiver UP but:ADVICE
ARRIVED undo_arrive receiver UP,DOWN,OUT but:ADVICE
ACCEPTED no_show receiver UP,DOWN,OUT but:ADVICE
NO_SHOW rebook receiver UP,DOWN,OUT but:ADVICE
ARRIVED admit receiver UP only:OUTPATIENT,INPATIENT,EMERGENCY
ADMITTED undo_admit receiver UP only:OUTPATIENT,INPATIENT,EMERGENCY
ARRIVED,ADMITTED conclude receiver UP but:ADVICE
CONCLUDED acknowledge originator UP
ARRIVED begin_follow_up receiver DOWN
FOLLOW_UP record_visit receiver DOWN
FOLLOW_UP revise_plan receiver DOWN
FOLLOW_UP escalate receiver DOWN
FOLLOW_UP complete receiver DOWN
- record_out originator OUT
SUBMITTED,ACCEPTED,NO_SHOW depart originator UP,DOWN,OUT but:ADVICE
SUBMITTED,RETURNED,ACCEPTED,DECLINED,CANCELLED,NO_SHOW,ARRIVED,ADMITTED,CONCLUDED,FOLLOW_UP,CLOSED message originator,receiver UP,DOWN
ARRIVED,ADMITTED,CONCLUDED,CLOSED,DECLINED assess receiver UP but:ADVICE
SUBMITTED,ACCEPTED,DECLINED,CANCELLED,NO_SHOW,ARRIVED,ADMITTED,CONCLUDED,FOLLOW_UP,CLOSED correct originator,receiver UP,DOWN,OUT
SUBMITTED,RETURNED,ACCEPTED,DECLINED,CANCELLED,NO_SHOW,ARRIVED,ADMITTED,CONCLUDED,FOLLOW_UP,CLOSED record_consent originator UP only:EMERGENCY
SUBMITTED,RETURNED,CONCLUDED,CLOSED,DECLINED convert originator UP only:ADVICE`

// Attempt is somebody who tries something on a referral, in the words of the rule.
type Attempt struct {
	Direction, Kind, State string
	Action, Role           string
	// Relation of the caller's organisation: originator, receiver, former receiver or stranger.
	Relation string
}

// The reasons why somebody may not.
const (
	NotFound     = "NOT_FOUND"
	Role         = "ROLE"
	NotAvailable = "ACTION_NOT_AVAILABLE"
)

type line struct {
	from, sides, directions, but, only []string
	action                             string
}

func rule() (out []line) {
	for text := range strings.Lines(strings.TrimSpace(mayBeDone)) {
		f := strings.Fields(text)
		one := line{from: strings.Split(f[0], ","), action: f[1], sides: strings.Split(f[2], ","), directions: strings.Split(f[3], ",")}
		if len(f) > 4 {
			one.but = strings.Split(strings.TrimPrefix(f[4], "but:"), ",")
			if only, ok := strings.CutPrefix(f[4], "only:"); ok {
				one.but, one.only = nil, strings.Split(only, ",")
			}
		}
		out = append(out, one)
	}
	return out
}

func (l line) has(a Attempt) bool {
	return slices.Contains(l.directions, a.Direction) && !slices.Contains(l.but, a.Kind) && (l.only == nil || slices.Contains(l.only, a.Kind)) &&
		slices.Contains(l.from, a.State) && slices.Contains(l.sides, a.Relation)
}

// ActsFor: the township sends up and takes what comes down, the county the other way round; that a patient has left the county is noted by
// any of them. Nobody else acts.
func ActsFor(role, direction, side string) bool {
	township := slices.Contains([]string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD"}, role)
	county := slices.Contains([]string{"INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"}, role)
	switch {
	case direction == "OUT":
		return township || county
	case (direction == "UP") == (side == "originator"):
		return township
	}
	return county
}

// Does tells whether a role does an action in a direction, on whichever side.
func Does(role, action, direction string) bool {
	return slices.ContainsFunc(rule(), func(l line) bool {
		return l.action == action && slices.ContainsFunc(l.sides, func(side string) bool { return ActsFor(role, direction, side) })
	})
}

// Ever tells whether a role does an action at all: in a direction that the action is for.
func Ever(role, action string) bool {
	return slices.ContainsFunc(rule(), func(l line) bool {
		return l.action == action && slices.ContainsFunc(l.directions, func(d string) bool {
			return slices.ContainsFunc(l.sides, func(side string) bool { return ActsFor(role, d, side) })
		})
	})
}

// Verdict is the reason why somebody may not, in the order relation, role, state; "" for may. A draft is its originator's alone, and who
// gave a referral on only reads.
func Verdict(a Attempt) string {
	related := a.Relation == "originator" || a.Relation == "receiver" && a.State != "DRAFT"
	switch {
	case !related:
		return NotFound
	case !ActsFor(a.Role, a.Direction, a.Relation), !Does(a.Role, a.Action, a.Direction):
		return Role
	case !slices.ContainsFunc(rule(), func(l line) bool { return l.action == a.Action && l.has(a) }):
		return NotAvailable
	}
	return ""
}
