package domain

import "time"

// Moving is where a booking, or an attached hold, is after scheduling moved it.
type Moving struct {
	HoldID, BookingID string
	Expected          Window
	// Same: it has the same place, and its session another practitioner or room. Displaced: its session was cancelled, and it has no other place yet.
	Same, Displaced bool
	// Reason is a code of [Reasons] of MarkMoved, if its session was cancelled; else empty.
	Reason string
	By     Actor
	At     time.Time
}

// Moved lets the expected window and the limit of the arrival follow a booking that scheduling moved. It is a mark, no transition: whoever works on the
// referral meets no other version. While it is displaced no limit runs. False: the referral does not wait for that booking or hold, and nothing changes.
func (r *Referral) Moved(m Moving, cal Calendar) bool {
	booked := m.BookingID != "" && r.s.Booking.ID == m.BookingID && (r.s.State == StateAccepted || r.s.State == StateNoShow)
	attached := m.BookingID == "" && m.HoldID != "" && r.s.HoldID == m.HoldID && (r.s.State == StateSubmitted || r.s.State == StateReturned)
	if !booked && !attached {
		return false
	}
	next := r.s
	change := Change{Action: MarkMoved, Mark: true, From: r.s.State, By: m.By, At: m.At, Reason: m.Reason, KeepDeadline: true,
		Detail: detail("bookingId", m.BookingID, "holdId", m.HoldID, "expectedFrom", stamp(m.Expected.From), "expectedTo", stamp(m.Expected.To))}
	if m.Same {
		change.Action = MarkSubstituted
	}
	if m.Displaced {
		change.Action = MarkDisplaced
	}
	switch {
	case booked && m.Displaced && r.s.State == StateAccepted:
		// Nobody can arrive: the limit begins anew with the next place.
		change.KeepDeadline, next.DueTime = false, time.Time{}
	case booked && !m.Same && !m.Displaced:
		change.Detail["fromExpectedFrom"] = stamp(r.s.Expected.From)
		next.Expected = m.Expected
		if r.s.State == StateAccepted {
			change.KeepDeadline = false
			change.Deadline = Deadline{StepArrival, cal.due(StepArrival, &next, m.At)}
			next.DueTime = change.Deadline.Due
		}
	}
	r.note(next, change)
	return true
}
