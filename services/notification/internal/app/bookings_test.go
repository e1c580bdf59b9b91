package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func TestAPatientIsToldOfTheBookingAndRemindedOnTheEveningBefore(t *testing.T) {
	each(t, func(f *fixture) {
		patient := func(template string) int {
			return f.count("SELECT count(*) FROM delivery WHERE patient_id = 'patient' AND template = $1 AND channel = 'SMS' AND booking_id <> ''", template)
		}
		start := f.clk.Now().AddDate(0, 0, 3)
		capacity := func(event, booking string, version int32, at time.Time) {
			f.t.Helper()
			err := f.OnCapacity(f.t.Context(), app.CapacityFact{Consumer: "capacity", County: county, Version: version, Fact: domain.Fact{
				ID: id.New(), Event: event, OccurTime: f.clk.Now(), ReferralID: "r", BookingID: booking, Start: at, Direction: domain.Up,
				OriginatorOrganizationID: "centre", ReceiverOrganizationID: "hospital",
			}})
			if err != nil {
				f.t.Fatal(err)
			}
		}
		remind := func() {
			f.t.Helper()
			if err := f.RemindDue(f.t.Context(), "test"); err != nil {
				f.t.Fatal(err)
			}
		}
		capacity(domain.BookingConfirmed, "b", 2, start)
		accepted := f.fact("accepted")
		accepted.Version, accepted.PatientID, accepted.BookingID = 2, "patient", "b"
		f.handle(accepted)
		walkIn := f.fact("accepted")
		walkIn.Version, walkIn.PatientID, walkIn.ReferralID = 2, "patient", "walk in"
		f.handle(walkIn)
		if n := patient("PATIENT_BOOKED"); n != 1 {
			f.t.Errorf("booked: %d", n)
		}
		capacity(domain.BookingMoved, "b", 3, start.AddDate(0, 0, 1))
		capacity(domain.BookingConfirmed, "b", 2, start) // an old fact again
		if n := patient("PATIENT_MOVED"); n != 1 {
			f.t.Errorf("moved: %d", n)
		}
		// Displaced, then moved to a day further on; the older fact comes last. The booking stays the same.
		capacity(domain.BookingConfirmed, "displaced", 2, start)
		capacity(domain.BookingMoved, "displaced", 4, start.AddDate(0, 0, 2))
		capacity(domain.SessionCancelled, "displaced", 3, start)
		capacity(domain.BookingConfirmed, "without a place", 2, start)
		capacity(domain.SessionCancelled, "without a place", 3, start)
		capacity(domain.BookingReleased, "gone", 2, start)
		capacity(domain.BookingConfirmed, "gone", 1, start)
		capacity(domain.BookingConfirmed, "freed later", 1, start.AddDate(0, 0, 1))
		cancelled := f.fact("cancelled")
		cancelled.BookingID, cancelled.Version, cancelled.PatientID = "freed later", 3, "patient"
		f.handle(cancelled)
		f.clk.Advance(start.Sub(f.clk.Now()))
		remind()
		if n := patient("PATIENT_REMINDER"); n != 0 {
			f.t.Errorf("before the evening: %d", n)
		}
		f.clk.Advance(23 * time.Hour)
		remind()
		remind()
		if n := patient("PATIENT_REMINDER"); n != 1 {
			f.t.Errorf("on the evening before: %d", n)
		}
		f.clk.Advance(24 * time.Hour)
		remind()
		if n := f.count("SELECT count(*) FROM delivery WHERE template = 'PATIENT_REMINDER' AND booking_id = 'displaced'"); n != 1 {
			f.t.Errorf("of the booking that was displaced and then moved: %d", n)
		}
		if n := f.count("SELECT count(*) FROM delivery WHERE template = 'PATIENT_REMINDER'"); n != 2 {
			f.t.Errorf("reminders in all: %d", n)
		}
		if n := f.count("SELECT count(*) FROM entry WHERE event = 'booking_moved' AND account_id = 'desk' AND booking_id = 'b'"); n != 1 {
			f.t.Errorf("the desk has %d entries", n)
		}
		if n := f.count("SELECT count(*) FROM entry WHERE event = 'booking_moved' AND account_id = 'doctor' AND booking_id = 'b' AND start_time IS NOT NULL"); n != 1 {
			f.t.Errorf("the originator has %d entries", n)
		}
	})
}

func TestACancelledSessionIsToldTheDeskAndTheSender(t *testing.T) {
	each(t, func(f *fixture) {
		fact := app.CapacityFact{Consumer: "capacity", County: county, Fact: domain.Fact{
			ID: id.New(), Event: domain.SessionCancelled, OccurTime: f.clk.Now(), SessionID: "s", Start: f.clk.Now(), Direction: domain.Up, ReceiverOrganizationID: "hospital",
		}}
		if err := f.OnCapacity(f.t.Context(), fact); err != nil {
			f.t.Fatal(err)
		}
		f.wantTold(fact, "desk")
		f.handle(f.fact("submitted"))
		known := f.fact("accepted")
		known.Version = 1
		f.handle(known)
		fact.ID, fact.ReferralID = id.New(), "r"
		if err := f.OnCapacity(f.t.Context(), fact); err != nil {
			f.t.Fatal(err)
		}
		f.wantTold(fact, "desk", "doctor")
		if n := f.count("SELECT count(*) FROM entry WHERE account_id = 'doctor' AND session_id = 's' AND referral_number = 'n'"); n != 1 {
			f.t.Errorf("%d entries with what is known of the referral", n)
		}
	})
}
