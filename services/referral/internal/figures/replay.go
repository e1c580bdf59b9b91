package figures

import (
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Step is one row of a referral's history, as far as figures go by it.
type Step struct {
	Action domain.Action
	To     domain.State
	At     time.Time
	Reason string
}

// Replay puts in the place of a referral's state, times and reason what its history, oldest first, says of them. What the history does not
// tell in the open stays: parties, condition, links and verdict, the limit of the first answer, the plan, and when a patient arrived who
// was recorded afterwards.
func Replay(s domain.Snapshot, history []Step) domain.Snapshot {
	arrived := s.ArriveTime
	s.SubmitTime, s.AnswerTime, s.AcceptTime, s.NoShowTime = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.ArriveTime, s.AdmitTime, s.ConcludeTime, s.FollowUpTime, s.CloseTime = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.FirstAnswer, s.FirstReason, s.ReasonCode = "", "", ""
	for _, h := range history {
		s.State = h.To
		replayAnswer(&s, h)
		switch h.Action {
		case domain.ActionSubmit:
			s.SubmitTime = h.At
		case domain.ActionRecordArrival:
			s.SubmitTime, s.ArriveTime = h.At, arrived
		case domain.ActionRecordOut:
			s.SubmitTime, s.CloseTime = h.At, h.At
		case domain.ActionArrive:
			s.ArriveTime = h.At
		case domain.ActionUndoArrive:
			s.ArriveTime = time.Time{}
		case domain.ActionAdmit:
			s.AdmitTime = h.At
		case domain.ActionUndoAdmit:
			s.AdmitTime = time.Time{}
		case domain.ActionConclude, domain.ActionAnswer:
			s.ConcludeTime = h.At
		case domain.ActionBeginFollowUp:
			s.FollowUpTime = h.At
		}
		if slices.Contains([]domain.State{domain.StateDeclined, domain.StateCancelled, domain.StateClosed}, h.To) {
			s.CloseTime = h.At
		}
	}
	return s
}

// replayAnswer takes what the receiver did first, and the reason of a negative answer or of a record.
func replayAnswer(s *domain.Snapshot, h Step) {
	switch h.Action {
	case domain.ActionAccept, domain.ActionReturn, domain.ActionRedirect, domain.ActionDecline, domain.ActionArrive, domain.ActionAnswer:
		if s.AnswerTime.IsZero() {
			s.AnswerTime, s.FirstAnswer, s.FirstReason = h.At, h.Action, h.Reason
		}
	}
	switch h.Action {
	case domain.ActionReturn, domain.ActionDecline, domain.ActionCancel, domain.ActionRecordArrival, domain.ActionRecordOut:
		s.ReasonCode = h.Reason
	case domain.ActionAccept:
		first(&s.AcceptTime, h.At)
	case domain.ActionNoShow:
		first(&s.NoShowTime, h.At)
	}
}

func first(t *time.Time, at time.Time) {
	if t.IsZero() {
		*t = at
	}
}
