package figures

import (
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/stats"
)

// The dimensions, in the order in which they are stored: more may be appended, none moved.
const (
	Centre     = "centre"
	Hospital   = "hospital"
	Department = "department" // of the hospital
	Doctor     = "doctor"     // the account that made the referral
	Condition  = "condition"  // category of the first diagnosis, three characters of ICD-10
	Direction  = "direction"
	Kind       = "kind"
	Urgency    = "urgency"
	Origin     = "origin" // REGULAR, or RETROSPECTIVE: recorded after the patient had come
	Reason     = "reason" // coded; of what was returned, declined, cancelled or dismissed, and of patients who left the county
)

// The origins.
const (
	Regular       = "REGULAR"
	Retrospective = "RETROSPECTIVE"
)

// Dimensions lists them in their order.
func Dimensions() []string {
	return []string{Centre, Hospital, Department, Doctor, Condition, Direction, Kind, Urgency, Origin, Reason}
}

// Event is what happened on the day on which a counter counts.
type Event string

// The events.
const (
	Submitted Event = "SUBMITTED" // the referral was sent; one recorded afterwards, recorded
	Arrived   Event = "ARRIVED"   // the patient came
	Concluded Event = "CONCLUDED" // the county's part ended
	Planned   Event = "PLANNED"   // a visit of the follow-up was due
	Found     Event = "FOUND"     // a candidate was found
)

// The counters, by event. Those of Concluded are of up-referrals that brought the patient into the hospital's care (no advice, no mere
// examination).
const (
	submitted       = "submitted"
	answered        = "answered"
	answerDue       = "answer_due" // judged by the limit of the first answer: answered, or the limit passed
	answeredInTime  = "answered_in_time"
	answeredLate    = "answered_late"
	returnedFirst   = "returned_first"   // the first answer asked for more
	redirectedFirst = "redirected_first" // the first answer gave it on
	declined        = "declined"
	cancelled       = "cancelled"
	travelling      = "travelling"         // submitted, and somebody is to travel: no advice
	cancelledEarly  = "cancelled_early"    // of those, taken back before anybody had accepted
	travelled       = "travelled"          // of those, arrived
	settled         = "settled"            // of those, neither taken back early nor waiting within a limit
	takenIn         = "taken_in"           // of those, admitted, seen to the end, or in follow-up
	accepted        = "accepted"           // at least once
	dayReached      = "day_reached"        // of those, the expected day is over, or the patient came
	noShow          = "no_show"            // the expected day passed without the patient, at least once
	criteriaMet     = "criteria_met"       // at least one criterion at submission
	bounced         = "bounced"            // a down-referral that stands, whose patient was back too soon
	left            = "left"               // the patient left the county
	assessed        = "assessed"           // the county gave a verdict
	assessedNeeded  = "assessed_necessary" // and it was this
	assessedAdvice  = "assessed_manageable"
	assessedLate    = "assessed_too_late"
	assessedElse    = "assessed_wrong_department"
	handoverJudged  = "handover_judged"   // the completeness of what was handed over was judged
	handoverWhole   = "handover_complete" // and it was complete: domain.CompleteFrom
	handoverScore   = "handover_score"    // the points of completeness, 0 to 100
	stageEnded      = "stage_concluded"   // of those sent up into a hospital's care: the county's part ended
	stageSentDown   = "stage_sent_down"   // and a down-referral was sent
	stageTakenOver  = "stage_taken_over"  // and the patient came back to the centre
	stageFollowedUp = "stage_followed_up" // of those sent down: the follow-up has begun
	timeToAnswer    = "time_to_answer"
	timeToArrival   = "time_to_arrival"
	arrived         = "arrived"
	closedLoop      = "closed_loop" // somebody took over: see measures.yaml, IND-CLS
	loopDue         = "loop_due"    // closed, or the limit of the next step of it passed
	followUpBegun   = "follow_up_begun"
	contactDue      = "contact_due" // the follow-up has begun, or the limit of the first contact passed
	timeToReply     = "time_to_reply"
	timeToContact   = "time_to_first_contact"
	ended           = "ended"
	endedFit        = "ended_fit" // neither died nor sent further up
	sentDown        = "sent_down"
	cameBack        = "came_back" // sent down, and arrived
	discharges      = "discharges"
	dischargesDown  = "discharges_sent_down"
	outpatientsDown = "outpatients_sent_down" // sent down without an admission
	timeToReturn    = "time_to_return"
	visitsDue       = "visits_due"
	visitsDone      = "visits_done"
	visitsKept      = "visits_kept" // on the due day at the latest
	candidates      = "candidates_found"
	candidatesSent  = "candidates_sent"
	candidatesLetBe = "candidates_dismissed"
	candidatesOpen  = "candidates_open" // found, and nobody has decided yet
)

// group is the counters of one event.
type group struct{ plain, timed []string }

func counters() map[Event]group {
	return map[Event]group{
		Submitted: {
			plain: []string{
				submitted, answered, answerDue, answeredInTime, answeredLate, returnedFirst, redirectedFirst, declined, cancelled, travelling, cancelledEarly,
				travelled, settled, takenIn, accepted, dayReached, noShow, criteriaMet, bounced, left, assessed, assessedNeeded, assessedAdvice, assessedLate, assessedElse,
				handoverJudged, handoverWhole, handoverScore, stageEnded, stageSentDown, stageTakenOver, stageFollowedUp,
			},
			timed: []string{timeToAnswer, timeToArrival},
		},
		Arrived: {plain: []string{arrived, closedLoop, loopDue, followUpBegun, contactDue}, timed: []string{timeToReply, timeToContact}},
		Concluded: {
			plain: []string{ended, endedFit, sentDown, cameBack, discharges, dischargesDown, outpatientsDown},
			timed: []string{timeToReturn},
		},
		Planned: {plain: []string{visitsDue, visitsDone, visitsKept}},
		Found:   {plain: []string{candidates, candidatesSent, candidatesLetBe, candidatesOpen}},
	}
}

// EventOf is the event on whose day a counter counts; "" for a name that is none.
func EventOf(counter string) Event {
	for event, g := range counters() {
		if slices.Contains(g.plain, counter) || slices.Contains(g.timed, counter) {
			return event
		}
	}
	return ""
}

// Schema is what this service counts. It is built once; a test builds it too and sees what would be wrong with it.
func Schema() *stats.Schema { return schema }

var schema, _ = newSchema()

// newSchema keeps the totals that the published queries read: a year by months and organisations (and flows between them), by departments and
// reasons, by doctors and conditions, and any days by organisation and department; of visits, whose months are cut off at today, by doctors and
// conditions too. origin is in all of them, because every query leaves out what was recorded afterwards unless it is asked for.
func newSchema() (*stats.Schema, error) {
	var all []stats.Counter
	for _, g := range counters() {
		for _, name := range g.plain {
			all = append(all, stats.Counter{Name: name})
		}
		for _, name := range g.timed {
			all = append(all, stats.Counter{Name: name, Timed: true})
		}
	}
	return stats.NewSchema(Dimensions(), all, []stats.Cube{
		{Grain: stats.Month, Dimensions: []string{Centre, Hospital, Direction, Kind, Urgency, Origin}},
		{Grain: stats.Month, Dimensions: []string{Centre, Hospital, Department, Direction, Kind, Urgency, Origin, Reason}},
		{Grain: stats.Month, Dimensions: []string{Centre, Hospital, Department, Doctor, Condition, Direction, Origin}},
		{Grain: stats.Day, Dimensions: []string{Centre, Hospital, Department, Direction, Kind, Urgency, Origin}},
		{
			Grain: stats.Day, Dimensions: []string{Centre, Hospital, Department, Doctor, Condition, Direction, Origin},
			Counters: []string{visitsDue, visitsDone, visitsKept},
		},
	})
}
