package domain

import "time"

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

// FreesBooking tells whether the booking that a fact of a referral names is the patient's no more.
func FreesBooking(f Fact) bool {
	switch f.Event {
	case "submitted", "accepted", "rebooked", "edited":
		return false
	}
	return f.BookingID != ""
}
