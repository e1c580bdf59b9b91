package domain

import "time"

// Stay is what a fact says of an encounter: who lies in a ward, and until when.
type Stay struct {
	EncounterID, PatientID string
	// Version of the fact: of two, the higher is what is so.
	Version int32
	// Class is a code of FHIR v3-ActCode.
	Class string
	// End is zero while it lasts.
	End time.Time
}

// StayTold is what was told last of an encounter; the zero value when nothing was.
type StayTold struct {
	// Version of the newest fact that was taken, told or not.
	Version int32
	Event   string
	End     time.Time
}

// inpatient is the class of a stay in a ward.
const inpatient = "IMP"

// Outpatient tells that it is no stay in a ward.
func (s Stay) Outpatient() bool { return s.Class != inpatient }

// News is what a fact of patient-record tells of a stay after what was told before: an admission, a discharge, or that there was no stay
// after all; empty when that was told, or nobody was ever told of it, or a newer fact was taken. A move to another ward and codes that come
// later are no news; a discharge that was taken back, or has another time, is.
func (s Stay) News(event string, last StayTold) string {
	told := last.Event == EncounterOpened || last.Event == EncounterClosed
	switch {
	case s.Version <= last.Version:
		return ""
	case s.Outpatient() || event == EncounterCancelled:
		if told {
			return EncounterCancelled
		}
		return ""
	case event == last.Event && (event == EncounterOpened || s.End.Equal(last.End)):
		return ""
	}
	return event
}

// Told is what is known to be told after news.
func (s Stay) Told(news string, last StayTold) StayTold {
	if s.Version <= last.Version {
		return last
	}
	last.Version = s.Version
	if news != "" {
		last.Event, last.End = news, s.End
	}
	return last
}
