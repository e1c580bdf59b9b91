package queue

import (
	"net/http"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// Answered is the referral that was answered before the page at hand was shown.
type Answered struct {
	shell.Row
	// Action is what was done.
	Action string
	// Booking is what was booked with an acceptance; nil for a walk-in, and while it cannot be read.
	Booking *schedulingv1.Booking
	// Next is who comes after it in the list, "" for nobody.
	Next string
}

const answeredCookie = "answered"

// SayAnswered keeps for the next page what was done with which referral, and who comes after it in the list, if anybody is to be led there; the cookie
// holds ids alone.
func SayAnswered(w http.ResponseWriter, action, referralID, next string) {
	door.Keep(w, answeredCookie, action+"|"+referralID+"|"+next, 60)
}

// TakeAnswered is what was done just before, nil for nothing. It is said once.
func (q *Queue) TakeAnswered(w http.ResponseWriter, r *http.Request) *Answered {
	c, err := r.Cookie(answeredCookie)
	if err != nil {
		return nil
	}
	door.Forget(w, answeredCookie)
	action, rest, _ := strings.Cut(c.Value, "|")
	id, next, _ := strings.Cut(rest, "|")
	row, ok := q.Shell.RowsOf(r, q.Referral, []string{id})[id]
	if !ok || !Leads(action) && action != "arrive" {
		return nil
	}
	out := &Answered{Row: row, Action: action, Next: next}
	if action == "accept" && row.GetBookingId() != "" {
		out.Booking, _ = q.Scheduling.GetBooking(r.Context(), &schedulingv1.GetBookingRequest{Id: row.GetBookingId()})
	}
	return out
}

// Leads tells that an action answers a referral, after which the next one is opened.
func Leads(action string) bool {
	switch action {
	case "accept", "return", "redirect", "decline", "answer":
		return true
	}
	return false
}
