package domain

import (
	"slices"
	"time"
)

// Names of the facts about encounters. Published.
const (
	EncounterOpened    = "encounter_opened"
	EncounterClosed    = "encounter_closed"
	EncounterCancelled = "encounter_cancelled"
)

// NewsSpan is how long ago an encounter may have begun or ended and be told to others for the first time: the import of an old history is no
// news.
const NewsSpan = 30 * 24 * time.Hour

// DischargeDied is the way of discharge (离院方式) of a patient who died.
const DischargeDied = "5"

// Stay is what others are told of an encounter, a visit or a stay: ids and codes only.
type Stay struct {
	// Organization of the county; empty for one elsewhere.
	Organization string
	// Department by the national code; may be empty.
	Department string
	// Class is a code of FHIR v3-ActCode: IMP, AMB, EMER, …
	Class string
	// Diagnoses are ICD-10 codes.
	Diagnoses []string
	// DischargeWay (离院方式) is 1–5 or 9; empty if not said.
	DischargeWay string
	// End is zero while it lasts.
	Start, End time.Time
}

// Told is what others were told last of an encounter; zero if they were told nothing.
type Told struct {
	Fact string
	Stay Stay
}

// OpenStatuses are those of an encounter that goes on: the patient is there, or on leave from there.
func OpenStatuses() []string { return []string{"in-progress", "onleave"} }

// News is the fact that an encounter stored at this moment is told by: EncounterClosed when it has ended, EncounterOpened while the patient
// is there or when its end is taken back, EncounterCancelled when what was told of it never was or is no organisation's of this county any
// more. Empty when it is nobody's business here, long past and never told, or none of these, and when the same was told last: a closing
// that is coded later, or corrected, is told again.
func (e Entry) News(now time.Time, last Told) string {
	s := e.Stay
	if s == nil {
		return ""
	}
	told := last.Fact != "" && last.Fact != EncounterCancelled
	if s.Organization == "" || slices.Contains(PastStatuses(KindEncounter), e.Status) {
		if told {
			return EncounterCancelled
		}
		return ""
	}
	if last.Fact == "" && !s.recent(now) {
		return ""
	}
	fact := ""
	switch {
	case !s.End.IsZero():
		fact = EncounterClosed
	case slices.Contains(OpenStatuses(), e.Status) || last.Fact == EncounterClosed:
		fact = EncounterOpened
	}
	if fact == last.Fact && s.equal(last.Stay) {
		return ""
	}
	return fact
}

func (s *Stay) recent(now time.Time) bool {
	oldest := now.Add(-NewsSpan)
	return !s.Start.Before(oldest) || !s.End.Before(oldest)
}

func (s *Stay) equal(o Stay) bool {
	return s.Organization == o.Organization && s.Department == o.Department && s.Class == o.Class && s.DischargeWay == o.DischargeWay &&
		s.Start.Equal(o.Start) && s.End.Equal(o.End) && slices.Equal(s.Diagnoses, o.Diagnoses)
}
