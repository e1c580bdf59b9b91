package domain

import (
	"errors"
	"time"
)

// KnownReferral is what the newest fact of a referral said of its sides: facts of other services name its id only.
type KnownReferral struct {
	Version int32
	Fact
}

// With is a fact of another service with what is known of its referral.
func (k KnownReferral) With(f Fact) Fact {
	f.ReferralNumber, f.Direction, f.Urgency, f.PatientID, f.FamilyDoctor = k.ReferralNumber, k.Direction, k.Urgency, k.PatientID, k.FamilyDoctor
	f.OriginatorAccountID, f.OriginatorOrganizationID, f.OriginatorDepartmentCode = k.OriginatorAccountID, k.OriginatorOrganizationID, k.OriginatorDepartmentCode
	f.ReceiverOrganizationID, f.ReceiverDepartmentCode = k.ReceiverOrganizationID, k.ReceiverDepartmentCode
	return f
}

// reminderHour is when, on the evening before, a patient is reminded; local.
const reminderHour = 18

// ReminderTime is the evening before a booked day in the county's zone; zero when it has come: then the patient has just been told.
func ReminderTime(start, now time.Time, zone *time.Location) time.Time {
	day := start.In(zone)
	due := time.Date(day.Year(), day.Month(), day.Day()-1, reminderHour, 0, 0, 0, zone)
	if !now.Before(due) {
		return time.Time{}
	}
	return due
}

// Hours are those of the day in which a patient is written to who expects nothing: minutes since midnight, local; To is the first that is too late.
type Hours struct{ From, To int }

// ErrHours says that hours are no local HH:MM each, or have no span within one day.
var ErrHours = errors.New("two times HH:MM are needed, the first before the second")

// NewHours reads local HH:MM, or answers ErrHours.
func NewHours(from, to string) (Hours, error) {
	first, ok := minuteOf(from)
	end, ok2 := minuteOf(to)
	if !ok || !ok2 || first >= end {
		return Hours{}, ErrHours
	}
	return Hours{first, end}, nil
}

// Next is at, or when the hours begin next. at is in the county's zone.
func (h Hours) Next(at time.Time) time.Time {
	minute, date := at.Hour()*60+at.Minute(), at.Day()
	switch {
	case minute >= h.To:
		date++
	case minute >= h.From:
		return at
	}
	return time.Date(at.Year(), at.Month(), date, 0, h.From, 0, 0, at.Location())
}

// FreesBooking tells whether the booking that a fact of a referral names is the patient's no more.
func FreesBooking(f Fact) bool {
	switch f.Event {
	case "submitted", "accepted", "rebooked", "edited":
		return false
	}
	return f.BookingID != ""
}
