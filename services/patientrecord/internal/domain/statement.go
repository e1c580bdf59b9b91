package domain

import (
	"math"
	"slices"
	"strings"
	"time"
)

// ClockDifference is how far ahead of ours another machine's clock may go before its time is taken for one that has not come.
const ClockDifference = 2 * time.Minute

// Causes that tell refusals of one reason apart.
const (
	CauseNotYet   = "FUTURE"
	CauseLongAgo  = "LONG_AGO"
	CauseRange    = "RANGE"
	CauseUnit     = "UNIT"
	CausePressure = "PRESSURE"
	CauseOrder    = "ORDER"
	CauseAllergy  = "ALLERGY"
)

// NoKnownAllergy is the code for "asked, and none known" (SNOMED CT 716186003, OWN_HIGH): a statement, not the absence of one.
const NoKnownAllergy = "http://snomed.info/sct|716186003"

// Statement is what a person is about to write.
type Statement struct {
	Entry
	// Text is what it is called in words.
	Text string
	// End of what lasts: an illness, a visit.
	End time.Time
	// Measured are the values of an observation, those of its parts too.
	Measured []Measured
	// Words are the value of an observation that is no number, or the text of a note or report.
	Words                   string
	EncounterID, ReferralID string
}

// Measured is a number with its unit.
type Measured struct {
	// Code is system|code.
	Code  string
	Value float64
	Unit  string
}

// Refusal is a Problem with what would have been right.
type Refusal struct {
	Problem
	// Low and High bound a value in Unit, with CauseRange.
	Low, High float64
	Unit      string
}

type refusals []Refusal

func (r *refusals) add(field, reason, cause string) {
	*r = append(*r, Refusal{Problem: Problem{Field: field, Reason: reason, Cause: cause}})
}

// statuses that a person may give an entry of a kind.
func statuses(k EntryKind) []string {
	switch k {
	case KindProblem:
		return []string{"active", "recurrence", "relapse", "inactive", "remission", "resolved"}
	case KindAllergy:
		return []string{"active", "inactive", "resolved"}
	case KindMedication:
		return []string{"active", "on-hold", "stopped", "completed"}
	case KindObservation, KindReport:
		return []string{"final", "preliminary"}
	case KindProcedure:
		return []string{"completed", "in-progress", "not-done"}
	case KindImmunization:
		return []string{"completed", "not-done"}
	case KindEncounter:
		return []string{"in-progress", "finished"}
	case KindNote:
		return []string{"final"}
	}
	return nil
}

// visitClasses are those of FHIR v3-ActCode that a person may record.
func visitClasses() []string { return []string{"AMB", "EMER", "IMP", "OBSENC", "HH", "VR"} }

// Check is all that is wrong with a draft, in the order of a form: what is missing, what has not happened yet, what no patient has.
func (d Statement) Check(m Measures, now time.Time) []Refusal {
	var out refusals
	if d.EncounterID != "" && d.ReferralID != "" {
		out.add("referralId", ReasonCombination, "encounterId")
	}
	if !slices.Contains(statuses(d.Kind), d.Status) {
		out.add("status", ReasonUnknown, "")
	}
	switch {
	case d.Kind == KindEncounter && !slices.Contains(visitClasses(), d.Code):
		out.add("classCode", ReasonUnknown, "")
	case d.Kind != KindEncounter && strings.TrimSpace(d.Text) == "" && d.Code == "":
		out.add("text", ReasonRequired, "")
	}
	d.times(&out, now)
	switch d.Kind {
	case KindObservation:
		d.values(&out, m)
	case KindNote, KindReport:
		if strings.TrimSpace(d.Words) == "" {
			out.add("words", ReasonRequired, "")
		}
	}
	return out
}

// times: a problem, allergy or medicine need not say since when; everything else happened at a moment, and none in the future.
func (d Statement) times(out *refusals, now time.Time) {
	needless := []EntryKind{KindProblem, KindAllergy, KindMedication}
	latest := now.Add(ClockDifference)
	switch {
	case d.Time.IsZero() && !slices.Contains(needless, d.Kind):
		out.add("time", ReasonRequired, "")
	case d.Time.After(latest):
		out.add("time", ReasonOutOfRange, CauseNotYet)
	case !d.Time.IsZero() && d.Time.Year() < 1900:
		out.add("time", ReasonOutOfRange, CauseLongAgo)
	}
	switch {
	case d.End.IsZero():
	case d.End.After(latest):
		out.add("endTime", ReasonOutOfRange, CauseNotYet)
	case d.End.Before(d.Time):
		out.add("endTime", ReasonOutOfRange, CauseOrder)
	}
}

func (d Statement) values(out *refusals, m Measures) {
	if len(d.Measured) == 0 && strings.TrimSpace(d.Words) == "" {
		out.add("value", ReasonRequired, "")
	}
	found := map[string]float64{}
	for _, v := range d.Measured {
		measure, known := m.ByCode(v.Code)
		field := "value"
		if known {
			field = "value." + measure.Name
		}
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			out.add(field, ReasonInvalid, "")
			continue
		}
		if !known {
			continue // what is not shipped is a laboratory's to judge
		}
		value, ok := measure.Convert(v.Value, v.Unit)
		switch {
		case !ok:
			*out = append(*out, Refusal{Problem{field, ReasonUnknown, CauseUnit}, 0, 0, measure.Unit})
		case value < measure.Min || value > measure.Max:
			*out = append(*out, Refusal{Problem{field, ReasonOutOfRange, CauseRange}, measure.Min, measure.Max, measure.Unit})
		default:
			found[measure.Name] = value
		}
	}
	systolic, one := found[Systolic]
	diastolic, two := found[Diastolic]
	if one && two && diastolic >= systolic {
		out.add("value."+Diastolic, ReasonOutOfRange, CausePressure)
	}
}

func (d Statement) over() bool { return EncounterOver(d.Status, d.End) }
