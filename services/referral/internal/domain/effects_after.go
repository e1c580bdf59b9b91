package domain

import (
	"slices"
	"strconv"
	"time"
)

// The effects of what is recorded afterwards, of ADVICE and of follow-up.

// recordArrival makes a referral of a patient who came without one: it counts apart.
func recordArrival(s *Snapshot, c Command, change *Change) []Field {
	bad := create(s, c, change)
	// The request has the department alone: the organisation is the caller's.
	for i, f := range bad {
		if f.Name == "receiver.departmentCode" {
			bad[i].Name = "departmentCode"
		}
	}
	s.Number, s.Retrospective = c.Carry.Number, true
	s.SubmitTime, s.ArriveTime = c.At, c.Carry.Arrival
	if s.ArriveTime.IsZero() {
		s.ArriveTime = c.At
	}
	s.ReasonCode, s.Note = c.Carry.Reason, c.Carry.Note
	change.Detail = detail("number", s.Number.Printed(), "arriveTime", stamp(s.ArriveTime))
	if s.ArriveTime.After(c.At) || s.ArriveTime.Before(c.At.AddDate(0, -1, 0)) {
		bad = append(bad, outOfRange("arriveTime"))
	}
	if s.Originator.OrganizationID == "" {
		bad = append(bad, required("originator.organizationId"))
	}
	if s.Receiver.DepartmentCode == "" {
		bad = append(bad, required("departmentCode"))
	}
	if s.Urgency == "" {
		bad = append(bad, required("urgency"))
	}
	if len(s.Diagnoses) == 0 {
		bad = append(bad, required("diagnoses"))
	}
	return bad
}

// recordOut notes that a patient left the county, so that its figures stay honest.
func recordOut(s *Snapshot, c Command, change *Change) []Field {
	bad := create(s, c, change)
	s.Number, s.SubmitTime, s.CloseTime = c.Carry.Number, c.At, c.At
	s.ArriveTime = c.Carry.Arrival
	s.Destination = c.Carry.Destination
	s.ReasonCode, s.Note = c.Carry.Reason, c.Carry.Note
	change.Detail = detail("number", s.Number.Printed(), "destination", s.Destination)
	if s.Receiver.OrganizationID == "" && s.Destination == "" {
		bad = append(bad, required("destination"))
	}
	if s.ArriveTime.After(c.At) {
		bad = append(bad, outOfRange("date"))
	}
	return bad
}

func answer(s *Snapshot, c Command, _ *Change) []Field {
	answered(s, c)
	s.Reply.Answer, s.ConcludeTime = c.Carry.Reply.Answer, c.At
	if s.Reply.Answer == "" {
		return []Field{required("answer")}
	}
	return nil
}

// beginFollowUp takes the plan that the county proposed where the township brings none.
func beginFollowUp(s *Snapshot, c Command, change *Change) []Field {
	plan := s.Plan.from(change.Today)
	if c.Carry.Plan != nil {
		plan = *c.Carry.Plan
	}
	var bad []Field
	s.Plan, bad = FollowUpPlan{}.Revise(plan, change.Today)
	s.FamilyDoctor, s.FollowUpTime = c.Carry.FamilyDoctor, c.At
	if s.FamilyDoctor == "" {
		bad = append(bad, required("familyDoctor"))
	}
	bad = append(bad, checkFamilyDoctor(s.FamilyDoctor)...)
	change.Detail = planDetail(s)
	return bad
}

// from moves a plan that was proposed earlier so that nothing in it is due before a local day.
func (p FollowUpPlan) from(today string) FollowUpPlan {
	next, more := p.Next()
	first, err := time.Parse(time.DateOnly, next.Due)
	begin, wrong := time.Parse(time.DateOnly, today)
	if !more || err != nil || wrong != nil || !first.Before(begin) {
		return p
	}
	p.Visits = slices.Clone(p.Visits)
	for i, v := range p.Visits {
		if due, err := time.Parse(time.DateOnly, v.Due); err == nil {
			p.Visits[i].Due = due.Add(begin.Sub(first)).Format(time.DateOnly)
		}
	}
	return p
}

func recordVisit(s *Snapshot, c Command, change *Change) []Field {
	plan, bad := s.Plan.Record(c.Carry.Visit, c.Carry.Findings, c.By, c.At)
	if bad == nil && c.Carry.Plan != nil {
		plan, bad = plan.Revise(*c.Carry.Plan, change.Today)
	}
	s.Plan = plan
	// A visit more leaves the planned one waiting as it was.
	change.KeepDeadline = c.Carry.Visit == 0 && c.Carry.Plan == nil && !plan.Finished()
	change.Detail = planDetail(s)
	change.Detail["visit"] = strconv.Itoa(c.Carry.Visit)
	change.Detail["result"] = c.Carry.Findings.Result
	return bad
}

func revisePlan(s *Snapshot, c Command, change *Change) []Field {
	if c.Carry.Plan == nil {
		return []Field{required("plan")}
	}
	var bad []Field
	s.Plan, bad = s.Plan.Revise(*c.Carry.Plan, change.Today)
	if c.Carry.FamilyDoctor != "" {
		s.FamilyDoctor = c.Carry.FamilyDoctor
	}
	change.Detail = planDetail(s)
	return append(bad, checkFamilyDoctor(c.Carry.FamilyDoctor)...)
}

func planDetail(s *Snapshot) map[string]string {
	next, _ := s.Plan.Next()
	return detail("template", s.Plan.Template, "nextVisit", next.Due, "visits", strconv.Itoa(len(s.Plan.Visits)))
}

func escalate(s *Snapshot, c Command, change *Change) []Field {
	s.Escalated, s.CloseTime = c.Carry.Linked, c.At
	change.Detail = detail("referralId", s.Escalated)
	if s.Escalated == "" {
		return []Field{required("referral")}
	}
	return nil
}

func completeFollowUp(s *Snapshot, c Command, change *Change) []Field {
	s.Outcome, s.CloseTime = c.Carry.Outcome, c.At
	change.Detail = detail("outcome", s.Outcome)
	switch {
	case s.Outcome == "":
		return []Field{required("outcomeCode")}
	case !slices.Contains(Outcomes(), s.Outcome):
		return []Field{unknown("outcomeCode")}
	}
	return nil
}

// field is where a form keeps the field of a name as update masks write it.
func (f *Form) field(name string) (*string, bool) {
	switch name {
	case "initial_impression":
		return &f.InitialImpression, true
	case "present_illness":
		return &f.PresentIllness, true
	case "past_history":
		return &f.PastHistory, true
	case "treatment":
		return &f.Treatment, true
	case "diagnosis":
		return &f.Diagnosis, true
	case "inpatient_number":
		return &f.InpatientNumber, true
	case "examination_results":
		return &f.ExaminationResults, true
	case "next_plan":
		return &f.NextPlan, true
	case "rehabilitation_advice":
		return &f.RehabilitationAdvice, true
	}
	return nil, false
}

// field is where a reply keeps the field of a name as update masks write it.
func (r *Reply) field(name string) (*string, bool) {
	switch name {
	case "diagnosis":
		return &r.Diagnosis, true
	case "findings":
		return &r.Findings, true
	case "treatment":
		return &r.Treatment, true
	case "next_steps":
		return &r.NextSteps, true
	case "answer":
		return &r.Answer, true
	}
	return nil, false
}

func codesOf(ds []Diagnosis) []string {
	out := make([]string, len(ds))
	for i, d := range ds {
		out[i] = d.Code
	}
	return out
}

// Condition is the three-character ICD-10 category of the first diagnosis: what figures and bounce-backs go by. "" without one.
func (s Snapshot) Condition() string {
	const category = 3
	if len(s.Diagnoses) == 0 || len(s.Diagnoses[0].Code) < category {
		return ""
	}
	return s.Diagnoses[0].Code[:category]
}

// InPlaceOf tells whether the arrival of s at an instant is a bounce-back of a down-referral: the same patient and condition, sent down
// by an organisation of the county no more than so many days before, and not taken back or refused.
func (s Snapshot) InPlaceOf(down Snapshot, at time.Time, days int) bool {
	return s.Direction == Up && s.Kind != KindAdvice && down.Direction == Down && down.PatientID == s.PatientID &&
		down.Condition() == s.Condition() && s.Condition() != "" && down.Number != "" &&
		!slices.Contains([]State{StateDeclined, StateCancelled}, down.State) &&
		!down.SubmitTime.After(at) && at.Sub(down.SubmitTime) <= time.Duration(days)*day
}
