package domain

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Limits of what one call may create.
const (
	MaxSlots = 288
	MaxBeds  = 500
)

// ErrSession says that a session or ward cannot be cut.
var ErrSession = errors.New("the session or ward has a gap or does not fit its slots")

// Session is a clinic, an examination or an expert's half day.
type Session struct {
	ID, OrganizationID, DepartmentCode, Kind string
	PractitionerID, PractitionerName         string
	Location                                 string
	Start, End                               time.Time
	SlotMinutes                              int
	Grade                                    string // General if it is empty
	EquipmentID                              string // of an examination
	TemplateID                               string // empty: a single session
	Day                                      string // its local date, YYYY-MM-DD
}

// Slot is one patient's time in a session.
type Slot struct {
	ID       string
	Session  Session
	Start    time.Time
	End      time.Time
	Pool     string // Common or Reserved; Common if it is empty
	ClosedBy string // why nobody may take it; empty: it is open
	Free     bool   // when it was read: nobody had it
}

// Place of the slot.
func (s Slot) Place() Place {
	return Place{SlotID: s.ID, OrganizationID: s.Session.OrganizationID, DepartmentCode: s.Session.DepartmentCode,
		Start: s.Start, End: s.End}
}

// Cut divides the session into whole slots; nameSlot gives the n-th its id. A rest shorter than a slot stays unused.
func (s Session) Cut(nameSlot func(n int) string) ([]Slot, error) {
	length := time.Duration(s.SlotMinutes) * time.Minute
	if s.ID == "" || s.OrganizationID == "" || s.DepartmentCode == "" || length <= 0 {
		return nil, ErrSession
	}
	switch s.Kind {
	case "CLINIC", "EXAM", "EXPERT":
	default:
		return nil, ErrSession
	}
	switch s.Grade {
	case "", General, Expert:
	default:
		return nil, ErrSession
	}
	n := int(s.End.Sub(s.Start) / length)
	if n < 1 || n > MaxSlots {
		return nil, ErrSession
	}
	slots := make([]Slot, n)
	for i := range slots {
		start := s.Start.Add(time.Duration(i) * length)
		slots[i] = Slot{ID: nameSlot(i), Session: s, Start: start, End: start.Add(length)}
	}
	return slots, nil
}

// Ward is a room of beds of one department.
type Ward struct {
	ID, OrganizationID, DepartmentCode, Name string
	Beds                                     int
	Class, Sex                               string // Class empty: GENERAL
	CleaningMinutes                          int    // 0: DefaultCleaning
}

// Bed is one place to lie.
type Bed struct {
	ID, WardID, OrganizationID, DepartmentCode string
	Label                                      string
}

// Place of the bed for a patient who comes at from.
func (b Bed) Place(from time.Time) Place {
	return Place{BedID: b.ID, OrganizationID: b.OrganizationID, DepartmentCode: b.DepartmentCode, Start: from}
}

// Furnish is the ward's beds, numbered from 1; nameBed gives the n-th its id.
func (w Ward) Furnish(nameBed func(n int) string) ([]Bed, error) {
	kind := WardData{Class: cmp.Or(w.Class, "GENERAL"), Sex: w.Sex, CleaningMinutes: w.CleaningMinutes}
	if w.ID == "" || w.OrganizationID == "" || w.DepartmentCode == "" || w.Name == "" || w.Beds < 1 || w.Beds > MaxBeds || kind.Check() != nil {
		return nil, ErrSession
	}
	beds := make([]Bed, w.Beds)
	for i := range beds {
		beds[i] = Bed{ID: nameBed(i + 1), WardID: w.ID, OrganizationID: w.OrganizationID,
			DepartmentCode: w.DepartmentCode, Label: fmt.Sprintf("%02d", i+1)}
	}
	return beds, nil
}

// More are further beds of the ward, after the n that it has. ErrSession for none, and beyond MaxBeds.
func (w WardData) More(n, more int, nameBed func(n int) string) ([]Bed, error) {
	if more < 1 || n+more > MaxBeds {
		return nil, ErrSession
	}
	beds := make([]Bed, more)
	for i := range beds {
		at := n + i + 1
		beds[i] = Bed{ID: nameBed(at), WardID: w.ID, OrganizationID: w.OrganizationID, DepartmentCode: w.DepartmentCode, Label: fmt.Sprintf("%02d", at)}
	}
	return beds, nil
}

// WardCount is how many beds a ward has and how many nobody has taken.
type WardCount struct {
	OrganizationID, DepartmentCode, Ward string
	Total, Free                          int
}
