package domain

import (
	"slices"
	"time"
)

const (
	stillUnstable   = "STILL_UNSTABLE"
	needsSpecialist = "NEEDS_SPECIALIST"
	noStay          = "ENTERED_IN_ERROR"
)

// Stay is the stay of an up-referral. Who recorded an arrival afterwards is no family doctor.
func (s Snapshot) Stay() Stay {
	out := Stay{
		County: s.County, PatientID: s.PatientID, Patient: s.Patient, OrganizationID: s.Receiver.OrganizationID,
		DepartmentCode: s.Receiver.DepartmentCode, ReferralID: s.ID, Number: s.Number, Start: s.ArriveTime, End: s.ConcludeTime,
		Diagnoses: s.Diagnoses, CentreID: s.Originator.OrganizationID, FamilyDoctor: s.FamilyDoctor,
	}
	if out.FamilyDoctor == "" && !s.Retrospective {
		out.FamilyDoctor = s.AccountID
	}
	for _, m := range s.Reply.Medications {
		out.Medicines = append(out.Medicines, Medicine{Name: m.Name, Specification: m.Specification, Dosage: m.Dosage})
	}
	return out
}

// Stays tells whether the referral brought the patient to the hospital's care: no advice, no mere examination.
func (s Snapshot) Stays() bool { return stay().Has(s.Direction, s.Kind) }

// BringsIn tells whether the referral brings the patient to the hospital's care now, or has them there. Of who did not come nobody knows whether they ever
// will, and such a referral may stand for ever.
func (s Snapshot) BringsIn() bool {
	return s.Stays() && s.State != StateNoShow && slices.Contains(StatesUnderWay(), s.State)
}

// Lost tells whether a stay ended so that the patient cannot go down, and whether by death.
func (s Snapshot) Lost() (lost, died bool) {
	return s.Outcome == "DIED" || s.Outcome == "REFERRED_OUT", s.Outcome == "DIED"
}

// Findings are the values of criteria that follow from the conclusion of an up-referral, and only those: the outcome and the reply are
// what the county's doctor said. Nothing else is guessed.
//
//   - outcome CURED or IMPROVED: the condition is stable, the acute treatment is finished and worked, no deficit progresses;
//   - outcome WORSE: the condition is not stable;
//   - the reply names a diagnosis: it is clear, unless the patient left worse;
//   - the reply names next steps: the plan is fixed.
func (s Snapshot) Findings() map[string]bool {
	out := map[string]bool{}
	switch s.Outcome {
	case "CURED", "IMPROVED":
		stable(out)
	case "WORSE":
		out["condition_stable"] = false
	}
	if s.Reply.Diagnosis != "" && s.Outcome != "WORSE" {
		out["diagnosis_clear"] = true
	}
	if s.Reply.NextSteps != "" {
		out["plan_fixed"] = true
	}
	return out
}

func stable(findings map[string]bool) {
	for _, name := range []string{"condition_stable", "acute_treatment_finished", "acute_worsening_treated", "deficits_not_progressing"} {
		findings[name] = true
	}
}

// The ways to leave (离院方式) of the front page of a record.
const (
	leftOnOrders  = "1"
	leftForOther  = "2"
	leftForCentre = "3"
	leftDied      = "5"
)

// Discharge is the end of a stay as the hospital's own system told it.
type Discharge struct {
	// Way is 1–5 or 9; empty if not said.
	Way   string
	Coded bool // it came with diagnoses
}

// Lost is as [Snapshot.Lost].
func (d Discharge) Lost() (lost, died bool) {
	return d.Way == leftForOther || d.Way == leftDied, d.Way == leftDied
}

// Findings are the values of criteria that follow from a discharge, and only those:
//
//   - on the doctor's orders (1, 3, or not said: systems that send no way send none for these): stable as after a conclusion, and with
//     the orders of the discharge the plan is fixed;
//   - to a township centre (3): the hospital judged that primary care suits;
//   - with diagnoses: they are clear.
func (d Discharge) Findings() map[string]bool {
	out := map[string]bool{}
	if slices.Contains([]string{leftOnOrders, leftForCentre, ""}, d.Way) {
		stable(out)
		out["plan_fixed"] = true
		if d.Coded {
			out["diagnosis_clear"] = true
		}
	}
	if d.Way == leftForCentre {
		out["suitable_for_primary_care"], out["specialist_judges_return"] = true, true
	}
	return out
}

// Codes are those of diagnoses.
func Codes(ds []Diagnosis) []string { return codesOf(ds) }

// AgeOn is the age in full years on a local day of who was born on another (YYYY-MM-DD); -1 if that is not known.
func AgeOn(birthDate, today string) int {
	born, err := time.Parse(time.DateOnly, birthDate)
	now, wrong := time.Parse(time.DateOnly, today)
	if err != nil || wrong != nil || now.Before(born) {
		return -1
	}
	age := now.Year() - born.Year()
	if now.Month() < born.Month() || now.Month() == born.Month() && now.Day() < born.Day() {
		age--
	}
	return age
}

// DecisionDue is until when a department is to decide about a candidate that was found at an instant.
func (c Calendar) DecisionDue(at time.Time) time.Time {
	return c.due(StepDownDecision, &Snapshot{Direction: Up, Urgency: UrgencyRoutine}, at)
}

// StayDue is when a stay that began at an instant is longer than so many days.
func StayDue(start time.Time, days int) time.Time { return start.AddDate(0, 0, days) }

// stayAside starts the watch over a long stay at the admission and ends it with the stay.
func (s *Snapshot) stayAside(c Command, change *Change) {
	switch c.Action {
	case ActionAdmit:
		if c.Carry.StayDays > 0 {
			change.Aside = append(change.Aside, Deadline{StepStay, StayDue(c.At, c.Carry.StayDays)})
		}
	case ActionUndoAdmit, ActionConclude:
		if change.From == StateAdmitted {
			change.Aside = append(change.Aside, Deadline{Step: StepStay})
		}
	}
}
