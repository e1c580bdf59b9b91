package domain

import "slices"

// Direction of a referral (转诊方向).
type Direction string

// The directions; Out is recorded only.
const (
	Up   Direction = "UP"
	Down Direction = "DOWN"
	Out  Direction = "OUT"
)

// Kind of a referral. Which kinds go with which direction is in [KindsOf].
type Kind string

// The kinds.
const (
	KindOutpatient     Kind = "OUTPATIENT"
	KindInpatient      Kind = "INPATIENT"
	KindEmergency      Kind = "EMERGENCY"
	KindExam           Kind = "EXAM"
	KindAdvice         Kind = "ADVICE"
	KindRehabilitation Kind = "REHABILITATION"
	KindChronic        Kind = "CHRONIC"
	KindPostoperative  Kind = "POSTOPERATIVE"
	KindPalliative     Kind = "PALLIATIVE"
	KindExternal       Kind = "EXTERNAL"
)

// Urgency of a referral.
type Urgency string

// The urgencies, most urgent first.
const (
	UrgencyEmergency Urgency = "EMERGENCY"
	UrgencyUrgent    Urgency = "URGENT"
	UrgencyRoutine   Urgency = "ROUTINE"
)

// Rank sorts the most urgent first: 1, 2, 3. A draft that does not say yet sorts last.
func (u Urgency) Rank() int {
	switch u {
	case UrgencyEmergency:
		return 1
	case UrgencyUrgent:
		return 2
	default:
		return 3
	}
}

// KindsOf lists the kinds of a direction; none for an unknown direction.
func KindsOf(d Direction) []Kind {
	switch d {
	case Up:
		return []Kind{KindOutpatient, KindInpatient, KindEmergency, KindExam, KindAdvice}
	case Down:
		return []Kind{KindRehabilitation, KindChronic, KindPostoperative, KindPalliative}
	case Out:
		return []Kind{KindExternal}
	}
	return nil
}

// checkPair refuses a direction and kind that no referral can have: the rest of it cannot be judged then.
func checkPair(d Direction, k Kind) []Field {
	var bad []Field
	if d == "" {
		bad = append(bad, required("direction"))
	}
	if k == "" {
		bad = append(bad, required("kind"))
	}
	switch {
	case bad != nil:
		return bad
	case KindsOf(d) == nil:
		return []Field{invalid("direction")}
	case !slices.Contains(KindsOf(d), k):
		return []Field{combination("kind")}
	}
	return nil
}

// checkCodes refuses directions, kinds and urgencies that do not go together. A draft may leave the urgency open.
func checkCodes(d Direction, k Kind, u Urgency) []Field {
	kinds := KindsOf(d)
	if kinds == nil {
		return []Field{invalid("direction")}
	}
	var bad []Field
	if !slices.Contains(kinds, k) {
		bad = append(bad, combination("kind"))
	}
	switch u {
	case "", UrgencyUrgent, UrgencyRoutine:
		if k == KindEmergency && u != "" {
			bad = append(bad, combination("urgency"))
		}
	case UrgencyEmergency:
		if k != KindEmergency && k != KindAdvice {
			bad = append(bad, combination("urgency"))
		}
	default:
		bad = append(bad, invalid("urgency"))
	}
	return bad
}
