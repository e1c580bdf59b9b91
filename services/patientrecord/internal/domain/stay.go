package domain

import (
	"slices"
	"time"
)

// Names of the facts about encounters. Published.
const (
	EncounterOpened = "encounter_opened"
	EncounterClosed = "encounter_closed"
)

// NewsSpan is how long ago an encounter may have begun or ended and still be told to others: the import of an old history is no news.
const NewsSpan = 30 * 24 * time.Hour

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

// News is the fact that an encounter stored at this moment is told by: EncounterClosed when it has ended, EncounterOpened while the patient
// is there; empty when it is nobody's business in this county, long past, or neither. last is what was told of it before: the same is not
// told again.
func (e Entry) News(now time.Time, last string) string {
	s := e.Stay
	if s == nil || s.Organization == "" || !s.recent(now) || slices.Contains(PastStatuses(KindEncounter), e.Status) {
		return ""
	}
	fact := ""
	switch {
	case !s.End.IsZero():
		fact = EncounterClosed
	case e.Status == "in-progress" || e.Status == "onleave":
		fact = EncounterOpened
	}
	if fact == last {
		return ""
	}
	return fact
}

func (s *Stay) recent(now time.Time) bool {
	oldest := now.Add(-NewsSpan)
	return !s.Start.Before(oldest) || !s.End.Before(oldest)
}
