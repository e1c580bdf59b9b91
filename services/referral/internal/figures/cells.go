package figures

import (
	"time"

	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Cells are all that a referral contributes, in the local days of a zone. What was never sent contributes nothing. Of the snapshot it
// reads organisations, account, condition, kind, state, times, links, codes and the days of the plan's visits; nothing personal.
func Cells(s domain.Snapshot, zone *time.Location) []stats.Cell {
	if s.SubmitTime.IsZero() {
		return nil
	}
	c := collector{zone: zone, county: s.County, dimensions: dimensions(s)}
	c.on(s.SubmitTime)
	switch {
	case s.Direction == domain.Out:
		c.addFor(left, s.ReasonCode, true)
		return c.cells
	case !s.Retrospective:
		c.sent(s)
	}
	c.verdict(s)
	c.arrived(s)
	c.concluded(s)
	c.visits(s)
	return c.cells
}

func dimensions(s domain.Snapshot) map[string]string {
	centre, hospital := s.Originator, s.Receiver
	switch s.Direction {
	case domain.Down:
		centre, hospital = s.Receiver, s.Originator
	case domain.Out:
		hospital = s.Originator
	case domain.Up:
	}
	origin := Regular
	if s.Retrospective {
		origin = Retrospective
	}
	return map[string]string{
		Centre: centre.OrganizationID, Hospital: hospital.OrganizationID, Department: hospital.DepartmentCode, Doctor: s.AccountID,
		Condition: s.Condition(), Direction: string(s.Direction), Kind: string(s.Kind), Urgency: string(s.Urgency), Origin: origin,
	}
}

// collector collects the cells of one case, day by day.
type collector struct {
	zone       *time.Location
	county     string
	dimensions map[string]string
	day        stats.Date
	cells      []stats.Cell
}

func (c *collector) on(t time.Time) { c.day = stats.DateOf(t, c.zone) }

func (c *collector) add(counter string, counts bool) {
	if counts {
		c.cells = append(c.cells, stats.Cell{County: c.county, Counter: counter, Day: c.day, Dimensions: c.dimensions, N: 1})
	}
}

// addFor adds one that has a reason.
func (c *collector) addFor(counter, reason string, counts bool) {
	if !counts {
		return
	}
	with := map[string]string{Reason: reason}
	for d, v := range c.dimensions {
		with[d] = v
	}
	c.cells = append(c.cells, stats.Cell{County: c.county, Counter: counter, Day: c.day, Dimensions: with, N: 1})
}

// addPoints adds what a mean is made of; no points are no cell.
func (c *collector) addPoints(counter string, points int) {
	if points != 0 {
		c.cells = append(c.cells, stats.Cell{County: c.county, Counter: counter, Day: c.day, Dimensions: c.dimensions, N: int64(points)})
	}
}

// addTime adds one by how long it took, if both ends are known.
func (c *collector) addTime(counter string, from, to time.Time) {
	if from.IsZero() || to.IsZero() {
		return
	}
	c.cells = append(c.cells, stats.Cell{
		County: c.county, Counter: counter, Day: c.day, Dimensions: c.dimensions, Bucket: stats.Bucket(to.Sub(from)), N: 1,
	})
}

// sent is what became of a referral that somebody sent, on the day of the submission.
func (c *collector) sent(s domain.Snapshot) {
	travels, isAnswered, hasArrived := s.Kind != domain.KindAdvice, !s.AnswerTime.IsZero(), !s.ArriveTime.IsZero()
	// Of referrals from before limits were kept it is not known whether they were answered in time.
	limited, late := isAnswered && !s.FirstDue.IsZero(), s.AnswerTime.After(s.FirstDue)
	isCancelled, isDeclined := s.State == domain.StateCancelled, s.State == domain.StateDeclined
	c.add(submitted, true)
	c.add(answered, isAnswered)
	c.add(answerDue, limited || answerOverdue(s))
	c.add(answeredInTime, limited && !late)
	c.add(answeredLate, limited && late)
	c.addFor(returnedFirst, s.FirstReason, s.FirstAnswer == domain.ActionReturn)
	c.add(redirectedFirst, s.FirstAnswer == domain.ActionRedirect)
	c.addFor(declined, s.ReasonCode, isDeclined)
	c.addFor(cancelled, s.ReasonCode, isCancelled)
	c.add(travelling, travels)
	c.add(cancelledEarly, travels && isCancelled && s.AcceptTime.IsZero())
	c.add(travelled, travels && hasArrived)
	c.add(settled, travels && !(isCancelled && s.AcceptTime.IsZero()) && waiting(s) == "")
	c.add(takenIn, travels && hasArrived && isTakenIn(s))
	c.add(accepted, !s.AcceptTime.IsZero())
	c.add(dayReached, !s.AcceptTime.IsZero() && (hasArrived || !s.NoShowTime.IsZero()))
	c.add(noShow, !s.NoShowTime.IsZero())
	c.add(criteriaMet, len(s.MatchedCriteria) > 0)
	c.add(handoverJudged, s.Completeness.Judged)
	c.add(handoverWhole, s.Completeness.Complete())
	if s.Completeness.Judged {
		c.addPoints(handoverScore, s.Completeness.Score)
	}
	c.add(bounced, s.Direction == domain.Down && s.BouncedBy != "" && !isCancelled && !isDeclined)
	c.stages(s)
	c.addTime(timeToAnswer, s.SubmitTime, s.AnswerTime)
	c.addTime(timeToArrival, s.SubmitTime, s.ArriveTime)
}

// stages are how far a referral has come, on the day of the submission as all that is sent: so that the stages of one period are of the same
// patients. Those of going up are of referrals that bring the patient into the hospital's care.
func (c *collector) stages(s domain.Snapshot) {
	if s.Direction == domain.Down {
		c.add(stageFollowedUp, !s.FollowUpTime.IsZero())
		return
	}
	ended := s.Stays() && !s.ConcludeTime.IsZero()
	c.add(stageEnded, ended)
	c.add(stageSentDown, ended && s.DownReferral != "")
	c.add(stageTakenOver, ended && s.DownReferral != "" && !s.DownArrived.IsZero())
}

func (c *collector) verdict(s domain.Snapshot) {
	c.add(assessed, s.Verdict != "")
	c.add(assessedNeeded, s.Verdict == domain.VerdictNecessary)
	c.add(assessedAdvice, s.Verdict == domain.VerdictManageable)
	c.add(assessedLate, s.Verdict == domain.VerdictTooLate)
	c.add(assessedElse, s.Verdict == domain.VerdictWrongDepartment)
}

// arrived is what became of a patient who came. The loop of an up-referral is closed when the county has written back and the township
// has taken note or has the patient back; that of a down-referral when the follow-up has begun.
func (c *collector) arrived(s domain.Snapshot) {
	if s.ArriveTime.IsZero() {
		return
	}
	c.on(s.ArriveTime)
	c.add(arrived, true)
	c.add(loopDue, isClosed(s) || loopOverdue(s))
	c.add(closedLoop, isClosed(s))
	if s.Direction == domain.Down {
		c.add(contactDue, isClosed(s) || loopOverdue(s))
		c.add(followUpBegun, !s.FollowUpTime.IsZero())
		c.addTime(timeToContact, s.ArriveTime, s.FollowUpTime)
		return
	}
	c.addTime(timeToReply, s.ArriveTime, s.ConcludeTime)
}

// concluded is what became of a patient whose care at the hospital ended, on the day on which it did.
func (c *collector) concluded(s domain.Snapshot) {
	if s.ConcludeTime.IsZero() || !s.Stays() {
		return
	}
	c.on(s.ConcludeTime)
	lost, _ := s.Lost()
	inpatient, down := !s.AdmitTime.IsZero(), s.DownReferral != ""
	c.add(ended, true)
	c.add(endedFit, !lost)
	c.add(sentDown, down)
	c.add(cameBack, !s.DownArrived.IsZero())
	c.add(discharges, inpatient)
	c.add(dischargesDown, inpatient && down)
	c.add(outpatientsDown, !inpatient && down)
	c.addTime(timeToReturn, s.ConcludeTime, s.DownArrived)
}

// visits count on their due days, those that lie ahead too. One that nobody had planned is none, and after the end of the follow-up, or
// of the patient, nothing is due any more.
func (c *collector) visits(s domain.Snapshot) {
	if s.FollowUpTime.IsZero() {
		return
	}
	last := c.lastDay(s)
	for _, v := range s.Plan.Visits {
		c.day = stats.Date(v.Due)
		if !c.day.Valid() || !v.Done && last != "" && c.day > last {
			continue
		}
		c.add(visitsDue, true)
		c.add(visitsDone, v.Done)
		c.add(visitsKept, v.Done && stats.DateOf(v.DoneTime, c.zone) <= c.day)
	}
}

// lastDay is that on which the follow-up ended, or the visit was made that ended the plan; "" while visits are waited for.
func (c *collector) lastDay(s domain.Snapshot) stats.Date {
	end, made := s.CloseTime, time.Time{}
	if s.Plan.Finished() {
		for _, v := range s.Plan.Visits {
			if v.DoneTime.After(made) {
				made = v.DoneTime
			}
		}
	}
	if !made.IsZero() {
		end = made
	}
	if end.IsZero() {
		return ""
	}
	return stats.DateOf(end, c.zone)
}

// CandidateCells are all that a patient who could go down contributes, on the day on which the candidate was found.
func CandidateCells(s domain.CandidateSnapshot, zone *time.Location) []stats.Cell {
	if s.FoundTime.IsZero() {
		return nil
	}
	c := collector{zone: zone, county: s.County, dimensions: map[string]string{
		Centre: s.CentreID, Hospital: s.OrganizationID, Department: s.DepartmentCode, Origin: Regular,
		Condition: domain.Snapshot{Diagnoses: s.Diagnoses}.Condition(),
	}}
	c.on(s.FoundTime)
	c.add(candidates, true)
	c.add(candidatesSent, s.State == domain.CandidateClosed)
	c.add(candidatesOpen, s.Waits())
	c.addFor(candidatesLetBe, s.ReasonCode, s.State == domain.CandidateDismissed)
	return c.cells
}

// DischargeCells are all that a reported discharge contributes, on the day of the discharge. One that is the conclusion of an up-referral
// counts with that.
func DischargeCells(d domain.ReportedDischarge, zone *time.Location) []stats.Cell {
	if d.End.IsZero() || d.ReferralID != "" {
		return nil
	}
	c := collector{zone: zone, county: d.County, dimensions: map[string]string{
		Centre: d.CentreID, Hospital: d.OrganizationID, Department: d.DepartmentCode, Origin: Regular, Condition: d.Condition,
	}}
	c.on(d.End)
	c.add(discharges, true)
	c.add(dischargesDown, d.DownReferral != "")
	return c.cells
}
