package figures

import (
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Standing is how a case stands in a share.
type Standing string

// The standings.
const (
	Counted  Standing = "COUNTED"  // above the line
	Missed   Standing = "MISSED"   // below it only
	Excluded Standing = "EXCLUDED" // in neither
)

// Fact is what happened, or did not, so that a counter counts a case or does not. Its name is part of the contract.
type Fact string

// Ground is how a case stands in a share and why; empty for a measure that is none.
type Ground struct {
	Place Standing
	// Above is how often it counts above the line.
	Above int64
	Fact  Fact
}

// Share tells whether the numerator of a measure counts some of the cases that its denominator counts.
func Share(m stats.Measure) bool { return m.Unit == stats.Percent || m.Unit == stats.Permille }

// MissedOf is the part that counts what is below the line and not above it; false for a measure that is no share.
func MissedOf(m stats.Measure, below stats.Part) (stats.Part, bool) {
	return stats.Part{
		Plus: slices.Concat(below.Plus, m.Numerator.Minus), Minus: slices.Concat(below.Minus, m.Numerator.Plus),
	}, Share(m)
}

// ExcludedOf is the part that counts what a denominator leaves out: of the wider one that it is a part of, and what it takes away itself. False
// when it leaves out nothing.
func ExcludedOf(m stats.Measure, below stats.Part) (stats.Part, bool) {
	out := stats.Part{Plus: slices.Clone(below.Minus)}
	if wider, ok := m.Denominator(below.Within); ok && below.Within != "" {
		out.Plus = slices.Concat(wider.Plus, below.Minus)
		out.Minus = slices.Concat(wider.Minus, below.Plus)
	}
	return out, len(out.Plus) > 0
}

// Judged is the ground of a case: above is how often it counts above the line, excluded that it was asked for among what the denominator leaves out.
// fact answers the fact behind a counter.
func Judged(m stats.Measure, below stats.Part, above int64, excluded bool, fact func(counter string) Fact) Ground {
	if !Share(m) {
		return Ground{}
	}
	out := Ground{Place: Missed, Above: above, Fact: fact(m.Numerator.Plus[0].Counter)}
	switch {
	case excluded && len(below.Minus) > 0:
		out.Place, out.Fact = Excluded, fact(below.Minus[0].Counter)
	case excluded:
		out.Place, out.Fact = Excluded, fact(below.Plus[0].Counter)
	case above > 0:
		out.Place = Counted
	}
	return out
}

// The facts.
const (
	DownSent      Fact = "DOWN_SENT"      // a down-referral was sent and stands
	DownUnarrived Fact = "DOWN_UNARRIVED" // it was sent, and the patient has not come
	CameBack      Fact = "CAME_BACK"      // the patient came
	NoDown        Fact = "NO_DOWN"        // none was sent, or none that stands
	DownNever     Fact = "DOWN_NEVER"     // none was sent: only of a case that was asked for alone, as the next two
	DownWithdrawn Fact = "DOWN_WITHDRAWN" // one was sent and taken back
	DownDeclined  Fact = "DOWN_DECLINED"
	LeftForCentre Fact = "LEFT_FOR_CENTRE"
	Died          Fact = "DIED"
	SentFurther   Fact = "SENT_FURTHER"
	NotConcluded  Fact = "NOT_CONCLUDED"
	HasConcluded  Fact = "CONCLUDED"

	Unanswered     Fact = "UNANSWERED"
	AnswerOverdue  Fact = "ANSWER_OVERDUE" // nobody has answered, and the limit passed
	AnswerAhead    Fact = "ANSWER_AHEAD"   // nobody has answered, and the limit has not passed
	Withdrawn      Fact = "WITHDRAWN"      // taken back before an answer was due
	WithoutLimit   Fact = "WITHOUT_LIMIT"  // answered before limits were kept
	AnsweredInTime Fact = "ANSWERED_IN_TIME"
	AnsweredLate   Fact = "ANSWERED_LATE"
	// FirstAnswer begins the facts that name the first answer by its action, as FIRST_RETURN.
	FirstAnswer = "FIRST_"

	Stands      Fact = "STANDS" // neither cancelled nor declined
	IsCancelled Fact = "CANCELLED"
	IsDeclined  Fact = "DECLINED"
	// What a referral waits for within its limit.
	InformationAhead Fact = "INFORMATION_AHEAD"
	DayAhead         Fact = "DAY_AHEAD" // the expected day is not over
	CareAhead        Fact = "CARE_AHEAD"
	ReplyAhead       Fact = "REPLY_AHEAD"
	ContactAhead     Fact = "CONTACT_AHEAD"
	StayedAway       Fact = "STAYED_AWAY" // the expected day passed without the patient
	NotArrived       Fact = "NOT_ARRIVED"
	HasArrived       Fact = "ARRIVED"
	IsAdmitted       Fact = "ADMITTED"
	NotTakenIn       Fact = "NOT_TAKEN_IN"
	ShowedUp         Fact = "SHOWED_UP" // no expected day passed without the patient
	IsBounced        Fact = "BOUNCED"
	NotBounced       Fact = "NOT_BOUNCED"
	CriteriaMet      Fact = "CRITERIA_MET"
	CriteriaNone     Fact = "CRITERIA_NONE"

	NotReplied   Fact = "NOT_REPLIED"
	ReplyNoted   Fact = "REPLY_NOTED"
	ReplyUnnoted Fact = "REPLY_UNNOTED"
	FollowedUp   Fact = "FOLLOWED_UP"
	NoFollowUp   Fact = "NO_FOLLOW_UP"
	VisitsDue    Fact = "VISITS" // as many of its visits as it counts

	NoVerdict     Fact = "NO_VERDICT"
	verdictIs          = "VERDICT_" // begins the facts that name the verdict
	HandoverWhole Fact = "HANDOVER_WHOLE"
	HandoverGaps  Fact = "HANDOVER_GAPS"

	CandidateSent      Fact = "CANDIDATE_SENT"
	CandidateDismissed Fact = "CANDIDATE_DISMISSED"
	CandidateWaits     Fact = "CANDIDATE_WAITS"

	RecordedAfterwards Fact = "RECORDED_AFTERWARDS"
	SentBefore         Fact = "SENT_BEFORE"
)

// FactOf is the fact behind a counter of a referral; "" for a counter that all have or that tells only a number.
func FactOf(counter string, s domain.Snapshot) Fact {
	switch counter {
	case dischargesDown, sentDown, outpatientsDown, cameBack, endedFit:
		return afterwards(s, counter == cameBack)
	case answeredInTime, answeredLate, answered, answerDue:
		return answer(s)
	case returnedFirst, redirectedFirst:
		if s.FirstAnswer == "" {
			return Unanswered
		}
		return Fact(FirstAnswer + strings.ToUpper(string(s.FirstAnswer)))
	case cancelled, declined, cancelledEarly:
		return end(s)
	case takenIn, travelled, noShow:
		return journey(s, counter)
	case settled, dayReached:
		return ahead(s)
	case stageEnded, stageSentDown, stageTakenOver:
		return stage(s, counter)
	case closedLoop, followUpBegun, stageFollowedUp:
		return loop(s)
	case loopDue, contactDue:
		return loopAhead(s)
	case bounced:
		return either(s.BouncedBy != "", IsBounced, NotBounced)
	case criteriaMet:
		return either(len(s.MatchedCriteria) > 0, CriteriaMet, CriteriaNone)
	case assessed, assessedNeeded, assessedAdvice, assessedLate, assessedElse:
		return either(s.Verdict == "", NoVerdict, Fact(verdictIs+string(s.Verdict)))
	case handoverWhole:
		return either(s.Completeness.Complete(), HandoverWhole, HandoverGaps)
	case visitsDone, visitsKept:
		return VisitsDue
	case arrived:
		return either(s.Retrospective, RecordedAfterwards, SentBefore)
	}
	return ""
}

func either(is bool, yes, no Fact) Fact {
	if is {
		return yes
	}
	return no
}

// afterwards is what became of a patient whose care at the hospital ended.
func afterwards(s domain.Snapshot, arrives bool) Fact {
	lost, died := s.Lost()
	switch {
	case arrives && !s.DownArrived.IsZero():
		return CameBack
	case s.DownReferral != "":
		return either(arrives, DownUnarrived, DownSent)
	case lost:
		return either(died, Died, SentFurther)
	}
	return NoDown
}

func answer(s domain.Snapshot) Fact {
	switch {
	case answerOverdue(s):
		return AnswerOverdue
	case s.AnswerTime.IsZero() && s.State == domain.StateCancelled:
		return Withdrawn
	case s.AnswerTime.IsZero():
		return either(s.FirstDue.IsZero(), Unanswered, AnswerAhead)
	case s.FirstDue.IsZero():
		return WithoutLimit
	}
	return either(s.AnswerTime.After(s.FirstDue), AnsweredLate, AnsweredInTime)
}

// end is whether a referral stands.
func end(s domain.Snapshot) Fact {
	switch s.State {
	case domain.StateCancelled:
		return IsCancelled
	case domain.StateDeclined:
		return IsDeclined
	}
	return Stands
}

// journey is how far a patient came who is to travel.
func journey(s domain.Snapshot, counter string) Fact {
	switch {
	case counter == noShow:
		return either(s.NoShowTime.IsZero(), ShowedUp, StayedAway)
	case !s.ArriveTime.IsZero() && counter == takenIn:
		return care(s)
	case !s.ArriveTime.IsZero():
		return HasArrived
	case end(s) != Stands:
		return end(s)
	}
	return either(s.NoShowTime.IsZero(), NotArrived, StayedAway)
}

// care is how a patient was taken in who came.
func care(s domain.Snapshot) Fact {
	switch {
	case !s.FollowUpTime.IsZero():
		return FollowedUp
	case !s.ConcludeTime.IsZero():
		return HasConcluded
	}
	return either(s.AdmitTime.IsZero(), NotTakenIn, IsAdmitted)
}

// ahead is why the outcome of a referral is not judged: it still has its time, or it was taken back.
func ahead(s domain.Snapshot) Fact {
	if fact := waiting(s); fact != "" {
		return fact
	}
	return end(s)
}

// loopAhead is why a loop that is not closed is not judged.
func loopAhead(s domain.Snapshot) Fact {
	switch {
	case s.Direction == domain.Down:
		return ContactAhead
	case s.ConcludeTime.IsZero():
		return ReplyAhead
	}
	return ReplyUnnoted
}

// stage is how far a referral has come that brings the patient into the hospital's care.
func stage(s domain.Snapshot, counter string) Fact {
	switch {
	case s.ArriveTime.IsZero():
		return journey(s, travelled)
	case s.ConcludeTime.IsZero():
		return NotConcluded
	case counter == stageEnded:
		return HasConcluded
	}
	return afterwards(s, counter == stageTakenOver)
}

// loop is whether what begins with an arrival was brought to its end.
func loop(s domain.Snapshot) Fact {
	switch {
	case s.ArriveTime.IsZero():
		return journey(s, travelled)
	case s.Direction == domain.Down:
		return either(s.FollowUpTime.IsZero(), NoFollowUp, FollowedUp)
	case s.ConcludeTime.IsZero():
		return NotReplied
	case s.DownReferral != "":
		return DownSent
	}
	return either(s.State == domain.StateClosed, ReplyNoted, ReplyUnnoted)
}

// CandidateFact is the fact behind a counter of a candidate.
func CandidateFact(counter string, s domain.CandidateSnapshot) Fact {
	if counter != candidatesSent {
		return ""
	}
	switch s.State {
	case domain.CandidateClosed:
		return CandidateSent
	case domain.CandidateDismissed:
		return CandidateDismissed
	}
	return CandidateWaits
}

// DischargeFact is the fact behind a counter of a reported discharge.
func DischargeFact(counter string, d domain.ReportedDischarge) Fact {
	lost, died := domain.Discharge{Way: d.Way}.Lost()
	switch {
	case counter != dischargesDown:
		return ""
	case d.DownReferral != "":
		return DownSent
	case lost:
		return either(died, Died, SentFurther)
	}
	return either(d.ToCentre(), LeftForCentre, NoDown)
}
