package domain

import (
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"
)

// Kinds of sessions.
const (
	KindClinic = "CLINIC"
	KindExam   = "EXAM"
	KindExpert = "EXPERT"
)

// What is wrong with a field, in the words of the contract.
const (
	FaultRequired = "FIELD_REQUIRED"
	FaultUnknown  = "FIELD_UNKNOWN"
	FaultInvalid  = "FIELD_INVALID"
	FaultRange    = "FIELD_OUT_OF_RANGE"
	FaultLong     = "FIELD_TOO_LONG"
	FaultTogether = "FIELD_COMBINATION"
)

// Fault is a field, by its name in the contract, and what is wrong with it.
type Fault struct{ Field, Reason string }

// Template is a session that comes back. It ends by its last day.
type Template struct {
	ID                               string
	Version                          int32
	OrganizationID, DepartmentCode   string
	Kind, Grade                      string
	PractitionerID, PractitionerName string
	EquipmentID                      string // of an examination
	Location                         string
	Pattern                          Pattern
	FirstDay, LastDay                time.Time // both included; no last day: for ever
	Starts, Ends                     int       // minutes of the local day
	SlotMinutes                      int
	OnHolidays                       bool
}

// Faults are the fields that a template may not have so.
func (t Template) Faults() []Fault {
	bad := checkSitting(t.Kind, t.Grade, t.EquipmentID)
	bad = append(bad, missing("id", t.ID, "organization_id", t.OrganizationID, "department_code", t.DepartmentCode)...)
	bad = append(bad, t.Pattern.Faults()...)
	if t.FirstDay.IsZero() {
		bad = append(bad, Fault{"first_day", FaultRequired})
	}
	if !t.LastDay.IsZero() && t.LastDay.Before(t.FirstDay.AddDate(0, 0, -1)) {
		bad = append(bad, Fault{"last_day", FaultRange})
	}
	cut := t.SlotMinutes >= 1 && t.SlotMinutes <= 480
	if !cut {
		bad = append(bad, Fault{"slot_minutes", FaultRange})
	}
	switch {
	case t.Starts < 0 || t.Starts >= 24*60:
		bad = append(bad, Fault{"starts", FaultInvalid})
	case !cut:
	case t.Ends <= t.Starts || t.Ends > 24*60 || (t.Ends-t.Starts)/t.SlotMinutes < 1 || (t.Ends-t.Starts)/t.SlotMinutes > MaxSlots:
		bad = append(bad, Fault{"ends", FaultRange})
	}
	if utf8.RuneCountInString(t.Location) > 100 {
		bad = append(bad, Fault{"location", FaultLong})
	}
	if utf8.RuneCountInString(t.PractitionerName) > 40 {
		bad = append(bad, Fault{"practitioner_name", FaultLong})
	}
	return bad
}

// missing are the fields without a value, of pairs of name and value.
func missing(pairs ...string) []Fault {
	var bad []Fault
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			bad = append(bad, Fault{pairs[i], FaultRequired})
		}
	}
	return bad
}

// checkSitting is what templates and sessions have in common.
func checkSitting(kind, grade, equipmentID string) []Fault {
	var bad []Fault
	switch kind {
	case KindClinic, KindExam, KindExpert:
	default:
		bad = append(bad, Fault{"kind", FaultUnknown})
	}
	switch grade {
	case "", General, Expert:
	default:
		bad = append(bad, Fault{"grade", FaultUnknown})
	}
	switch {
	case kind == KindExam && equipmentID == "":
		bad = append(bad, Fault{"equipment_id", FaultRequired})
	case kind != KindExam && equipmentID != "":
		bad = append(bad, Fault{"equipment_id", FaultTogether})
	}
	return bad
}

// Faults are the fields that a single session may not have so.
func (s Session) Faults() []Fault {
	bad := append(missing("department", s.DepartmentCode), checkSitting(s.Kind, s.Grade, s.EquipmentID)...)
	n := 0
	if s.SlotMinutes < 1 || s.SlotMinutes > 480 {
		bad = append(bad, Fault{"slot_minutes", FaultRange})
	} else {
		n = int(s.End.Sub(s.Start) / (time.Duration(s.SlotMinutes) * time.Minute))
	}
	if s.SlotMinutes > 0 && (n < 1 || n > MaxSlots) {
		bad = append(bad, Fault{"ends", FaultRange})
	}
	if utf8.RuneCountInString(s.Location) > 100 {
		bad = append(bad, Fault{"location", FaultLong})
	}
	if utf8.RuneCountInString(s.PractitionerName) > 40 {
		bad = append(bad, Fault{"practitioner_name", FaultLong})
	}
	return bad
}

// Planned is a day of a template. It takes place unless ClosedBy says why not: HOLIDAY or an exception's reason.
type Planned struct {
	Day      time.Time
	ClosedBy string
	Session  Session // without an id
}

// Year is what decides on a day besides the template. Holiday and Lunar are never nil.
type Year struct {
	Zone    *time.Location
	Holiday func(day time.Time) bool
	Lunar   LunarDay
	// Exceptions that may concern the template, in any order.
	Exceptions []Exception
}

// On is the template's day; false if it has none. Two questions are asked of the exceptions, each answered by the narrowest that speaks to it:
// whether the session takes place (CLOSED, WORKDAY; and a SUBSTITUTE for the template itself stands in when CLOSED speaks of the practitioner
// alone), and who holds it where (SUBSTITUTE). A public holiday closes what does not say otherwise, as the widest of all.
func (t Template) On(day time.Time, y Year) (Planned, bool) {
	if day.Before(t.FirstDay) || !t.LastDay.IsZero() && day.After(t.LastDay) {
		return Planned{}, false
	}
	place := narrowest(y.Exceptions, t, day, Closed, Workday)
	who := narrowest(y.Exceptions, t, day, Substitute)
	weekday := Weekday(day)
	if work := narrowest(y.Exceptions, t, day, Workday); work != nil && (place == nil || place.Effect == Workday) {
		weekday = work.Weekday
	}
	if !t.Pattern.On(day, weekday, y.Lunar) {
		return Planned{}, false
	}
	p := Planned{Day: day, Session: t.sessionOn(day, y.Zone)}
	switch {
	case place != nil && place.Effect == Closed && !place.coveredBy(who):
		p.ClosedBy = cmp.Or(place.ReasonCode, "OTHER")
	case place == nil && !t.OnHolidays && y.Holiday(day):
		p.ClosedBy = "HOLIDAY"
	}
	if who != nil {
		who.putInto(&p.Session)
	}
	return p, true
}

func (t Template) sessionOn(day time.Time, zone *time.Location) Session {
	at := func(minute int) time.Time {
		return time.Date(day.Year(), day.Month(), day.Day(), 0, minute, 0, 0, zone).UTC()
	}
	return Session{OrganizationID: t.OrganizationID, DepartmentCode: t.DepartmentCode, Kind: t.Kind, Grade: cmp.Or(t.Grade, General),
		PractitionerID: t.PractitionerID, PractitionerName: t.PractitionerName, EquipmentID: t.EquipmentID, Location: t.Location,
		Start: at(t.Starts), End: at(t.Ends), SlotMinutes: t.SlotMinutes, TemplateID: t.ID}
}

// Meets tells whether two templates want the same practitioner or device at overlapping times of a day that both have.
func (t Template) Meets(other Template) bool {
	same := t.PractitionerID != "" && t.PractitionerID == other.PractitionerID || t.EquipmentID != "" && t.EquipmentID == other.EquipmentID
	return t.ID != other.ID && same && t.Starts < other.Ends && other.Starts < t.Ends
}

// Clock writes minutes of the day as HH:MM; the end of the day is 24:00.
func Clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// ReadClock reads HH:MM; false for what is no time of a day.
func ReadClock(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil
}
