package domain

import (
	"errors"
	"slices"
	"time"
)

// DefaultCleaning is how long a bed is cleaned where nobody said otherwise.
const DefaultCleaning = 60

// MaxCleaning is a day.
const MaxCleaning = 24 * 60

// ErrWard says that a ward or bed cannot be like that.
var ErrWard = errors.New("a ward's class, sex or cleaning time, or a bed's state, is none of those there are")

// BedState is what a bed board shows.
type BedState string

// The states of a bed.
const (
	BedFree         BedState = "FREE"
	BedHeld         BedState = "HELD"
	BedBooked       BedState = "BOOKED"
	BedOccupied     BedState = "OCCUPIED"
	BedCleaning     BedState = "CLEANING"
	BedOutOfService BedState = "OUT_OF_SERVICE"
)

// WardClasses are all there are.
func WardClasses() []string {
	return []string{"GENERAL", "ICU", "ISOLATION", "MATERNITY", "PAEDIATRIC", "REHABILITATION", "PALLIATIVE"}
}

// OutClosed is why a bed is out of service for good. It counts in no total, and what it was used for stays.
const OutClosed = "CLOSED"

// OutReasons are why a bed is out of service.
func OutReasons() []string { return []string{"INFECTION", "REPAIR", "OWN_PATIENT", "OTHER", OutClosed} }

// KnownSex tells whether it is a restriction: MALE, FEMALE or none.
func KnownSex(s string) bool { return s == "" || s == "MALE" || s == "FEMALE" }

// WardData is a ward with what restricts it.
type WardData struct {
	ID, OrganizationID, DepartmentCode, Name string
	Class, Sex                               string // Sex empty: both
	CleaningMinutes                          int
	Version                                  int32
	Beds                                     int // without those that are closed; 0 where that was not counted
}

// Check is ErrWard for a class, sex or time that there is not.
func (w WardData) Check() error {
	if !slices.Contains(WardClasses(), w.Class) || !KnownSex(w.Sex) || w.CleaningMinutes < 0 || w.CleaningMinutes > MaxCleaning {
		return ErrWard
	}
	return nil
}

// BedData is a bed with what restricts it, and who has it.
type BedData struct {
	ID, WardID, OrganizationID, DepartmentCode, Label string
	Sex                                               string // of its room; empty: as the ward
	OutReason                                         string // empty: in service
	CleaningUntil                                     time.Time
	Version                                           int32

	Hold HoldData // the one that takes it; zero: none
	Case Case     // of the hold's referral, as far as it is known
}

// State of the bed at now. A bed that somebody has is theirs, whatever else is said of it.
func (b BedData) State(now time.Time) BedState {
	switch {
	case b.Hold.ID != "" && b.Hold.BookingID != "" && b.Case.Present():
		return BedOccupied
	case b.Hold.ID != "" && b.Hold.BookingID != "":
		return BedBooked
	case b.Hold.ID != "":
		return BedHeld
	case b.OutReason != "":
		return BedOutOfService
	case now.Before(b.CleaningUntil):
		return BedCleaning
	default:
		return BedFree
	}
}

// Until is when the state ends by itself; zero: it does not.
func (b BedData) Until(now time.Time) time.Time {
	switch b.State(now) {
	case BedHeld:
		return b.Hold.Until()
	case BedCleaning:
		return b.CleaningUntil
	default:
		return time.Time{}
	}
}

// BedWish is which bed suits a patient.
type BedWish struct {
	OrganizationID, DepartmentCode string
	BedID                          string // this one alone
	WardID                         string // of this ward; empty: any
	Sex                            string // of the patient; empty: beds that take both
	Class                          string // empty: any
	From                           time.Time
}
