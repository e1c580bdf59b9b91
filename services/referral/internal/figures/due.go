package figures

import (
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// A share of what was done in time counts only what is due: done, or past the limit. What still has its time is neither kept nor missed, and
// would make every young month look bad.

// answerOverdue tells that nobody has answered and the limit of the first answer passed before the referral ended. The passing itself is
// noted when the limit is told; of one that has ended since, its times say it.
func answerOverdue(s domain.Snapshot) bool {
	if !s.AnswerTime.IsZero() || s.FirstDue.IsZero() {
		return false
	}
	return s.CloseTime.After(s.FirstDue) || s.CloseTime.IsZero() && s.Missed(domain.StepAnswer)
}

// isTakenIn tells that a patient who came was admitted, seen to the end, or is in follow-up.
func isTakenIn(s domain.Snapshot) bool {
	return !s.AdmitTime.IsZero() || !s.ConcludeTime.IsZero() || !s.FollowUpTime.IsZero()
}

// waiting is what a referral of a patient who is to travel waits for within its limit, "" for one whose outcome can be judged.
func waiting(s domain.Snapshot) Fact {
	reply := domain.StepReply
	if s.Direction == domain.Down {
		reply = domain.StepFirstContact
	}
	switch {
	case s.State == domain.StateSubmitted && !s.Missed(domain.StepAnswer):
		return AnswerAhead
	case s.State == domain.StateReturned && !s.Missed(domain.StepMissingInformation):
		return InformationAhead
	case s.State == domain.StateAccepted:
		return DayAhead // that it is over is the state NO_SHOW
	case s.State == domain.StateArrived && !isTakenIn(s) && !s.Missed(reply):
		return CareAhead
	}
	return ""
}

// isClosed tells that the loop of a patient who came is closed: up, the county has written back and the township has taken note or has the
// patient back; down, the follow-up has begun.
func isClosed(s domain.Snapshot) bool {
	if s.Direction == domain.Down {
		return !s.FollowUpTime.IsZero()
	}
	return !s.ConcludeTime.IsZero() && (s.State == domain.StateClosed || s.DownReferral != "")
}

// loopOverdue tells that the next step of an open loop is late: up, the reply; down, the first contact. A reply closes the loop by itself
// when the time to take note of it is over.
func loopOverdue(s domain.Snapshot) bool {
	if s.Direction == domain.Down {
		return s.FollowUpTime.IsZero() && (s.Missed(domain.StepFirstContact) || s.State == domain.StateClosed)
	}
	return s.ConcludeTime.IsZero() && s.Missed(domain.StepReply)
}
