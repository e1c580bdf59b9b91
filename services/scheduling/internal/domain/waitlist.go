package domain

import (
	"cmp"
	"errors"
	"time"
)

// KindBed is the kind of place that no session has.
const KindBed = "BED"

// WaitDays is how long an entry waits when no last day was named.
const WaitDays = 30

// OfferNotice is how long before its start a place is given to somebody at the latest: nobody comes at once.
const OfferNotice = time.Hour

// OfferLead is how long before its start a slot is offered at the latest: the answer takes as long as its limit allows (lifecycle.md: 10 minutes,
// 2 hours, a day), and then the patient has to come.
func OfferLead(urgency string) time.Duration {
	switch urgency {
	case "EMERGENCY":
		return OfferNotice + 10*time.Minute
	case "URGENT":
		return OfferNotice + 2*time.Hour
	default:
		return OfferNotice + 24*time.Hour
	}
}

// Why an entry refuses.
var (
	ErrWish    = errors.New("the wish names no place that there can be")
	ErrNoEntry = errors.New("the state of the entry does not allow it")
)

// Case is a referral as its facts told it last.
type Case struct {
	County, ReferralID       string
	Version                  int32
	Number, PatientID, State string
	Direction, Kind, Urgency string
	SenderOrganizationID     string
	ReceiverOrganizationID   string
	ReceiverDepartment       string
	DueTime                  time.Time
}

// Known tells whether anything is known of it.
func (c Case) Known() bool { return c.ReferralID != "" }

// Present tells whether the patient has come and not gone.
func (c Case) Present() bool { return c.State == "ARRIVED" || c.State == "ADMITTED" }

// Awaited tells whether the patient may still come, for all that is known. Who has come has had the place, whatever becomes of it.
func (c Case) Awaited() bool {
	switch c.State {
	case "", "SUBMITTED", "RETURNED", "ACCEPTED", "NO_SHOW":
		return true
	}
	return false
}

// Unanswered tells whether the referral is in the hands of the department, or goes back to it when it is complete.
func (c Case) Unanswered(organizationID, department string) bool {
	return (c.State == "SUBMITTED" || c.State == "RETURNED") && c.ReceiverOrganizationID == organizationID && c.ReceiverDepartment == department
}

// Sent tells whether the referral brings a patient from below to the organisation, and is not over.
func (c Case) Sent(to string) bool {
	if c.Direction != "UP" || c.SenderOrganizationID == to {
		return false
	}
	switch c.State {
	case "SUBMITTED", "RETURNED", "ACCEPTED", "NO_SHOW":
		return true
	}
	return false
}

// WaitState is the state of an entry of the fallback list.
type WaitState string

// The states; the last three are final.
const (
	Waiting WaitState = "WAITING"
	Offered WaitState = "OFFERED"
	Placed  WaitState = "PLACED"
	Left    WaitState = "LEFT"
	Ended   WaitState = "ENDED"
)

// Waits tells whether the entry is not over.
func (s WaitState) Waits() bool { return s == Waiting || s == Offered }

// WaitAction is what happens to an entry.
type WaitAction string

// The actions.
const (
	WaitJoin   WaitAction = "join"
	WaitChange WaitAction = "change" // new wishes
	WaitOffer  WaitAction = "offer"
	WaitMove   WaitAction = "move"  // the place that is offered is another
	WaitAgain  WaitAction = "again" // the place that was offered, or lost with its session, is not there any more
	WaitPlace  WaitAction = "place"
	WaitLeave  WaitAction = "leave"
	WaitEnd    WaitAction = "end"    // by a fact of the referral
	WaitLapse  WaitAction = "lapse"  // the last day passed, or the offer was not taken up
	WaitFollow WaitAction = "follow" // the referral's urgency is another
)

// WaitTransition is one row of the life of an entry.
type WaitTransition struct {
	From   WaitState
	Action WaitAction
	To     WaitState
}

// WaitLifecycle is the table: what it does not name does not happen.
func WaitLifecycle() []WaitTransition {
	return []WaitTransition{
		{"", WaitJoin, Waiting},
		{Waiting, WaitChange, Waiting},
		{Waiting, WaitFollow, Waiting},
		{Offered, WaitFollow, Offered},
		{Waiting, WaitOffer, Offered},
		{Offered, WaitMove, Offered},
		{Offered, WaitAgain, Waiting},
		{Waiting, WaitAgain, Waiting},
		{Waiting, WaitPlace, Placed},
		{Offered, WaitPlace, Placed},
		{Waiting, WaitLeave, Left},
		{Offered, WaitLeave, Left},
		{Waiting, WaitEnd, Ended},
		{Offered, WaitEnd, Ended},
		{Waiting, WaitLapse, Ended},
		{Offered, WaitLapse, Ended},
	}
}

// Wish is what place an entry waits for. Days are local dates, both included.
type Wish struct {
	Kind, Modality, PractitionerID string
	FirstDay, LastDay              string
	Sex, Class                     string // of a bed
}

// Check is ErrWish for a wish that no place fulfils: a kind that there is not, days in the wrong order, or what goes with another kind.
func (w Wish) Check() error {
	switch w.Kind {
	case KindClinic, KindExpert:
		if w.Modality != "" || w.Sex != "" || w.Class != "" {
			return ErrWish
		}
	case KindExam:
		if w.Sex != "" || w.Class != "" {
			return ErrWish
		}
	case KindBed:
		if w.Modality != "" || w.PractitionerID != "" || !KnownSex(w.Sex) {
			return ErrWish
		}
	default:
		return ErrWish
	}
	if w.FirstDay == "" || w.LastDay < w.FirstDay {
		return ErrWish
	}
	return nil
}

// EntryData is an entry as it is kept and shown.
type EntryData struct {
	County, ID                                           string
	Version                                              int32
	State                                                WaitState
	ReferralID, Number, PatientID                        string
	ReferralVersion                                      int32 // facts up to it were known when it joined
	Urgency                                              string
	OrganizationID, DepartmentCode, SenderOrganizationID string
	AccountID                                            string // who put it on the list
	Wish                                                 Wish
	HoldID                                               string // of the last offer
	OfferStart, OfferUntil                               time.Time
	DisplacedBookingID                                   string // of a referral without an answer: of its hold
	CreateTime                                           time.Time
	Position                                             int // when it was read; 0: it does not wait
}

// String is the id: an entry never formats as more.
func (d EntryData) String() string { return "waiting list entry " + d.ID }

// Rank orders the list before the time of joining: displaced bookings, then the urgency.
func (d EntryData) Rank() int {
	switch {
	case d.DisplacedBookingID != "":
		return 0
	case d.Urgency == "EMERGENCY":
		return 1
	case d.Urgency == "URGENT":
		return 2
	default:
		return 3
	}
}

// EntryEvent is what happened to an entry. It carries the entry after it.
type EntryEvent struct {
	Action WaitAction
	Entry  EntryData
}

// Entry is the aggregate. Not for concurrent use.
type Entry struct {
	d      EntryData
	fresh  bool
	events []EntryEvent
}

// NewEntry puts a referral on the list of its receiver.
func NewEntry(id, accountID string, c Case, w Wish, now time.Time) (*Entry, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	e := &Entry{fresh: true, d: EntryData{
		County: c.County, ID: id, ReferralID: c.ReferralID, Number: c.Number, PatientID: c.PatientID, ReferralVersion: c.Version, Urgency: c.Urgency,
		OrganizationID: c.ReceiverOrganizationID, DepartmentCode: c.ReceiverDepartment, SenderOrganizationID: c.SenderOrganizationID,
		AccountID: accountID, Wish: w, CreateTime: now,
	}}
	return e, e.apply(WaitJoin)
}

// NewDisplaced puts a booking, or a hold that is tied to a referral, whose session was cancelled before all others.
func NewDisplaced(id, accountID string, h HoldData, c Case, w Wish, now time.Time) (*Entry, error) {
	e := &Entry{fresh: true, d: EntryData{
		County: h.County, ID: id, ReferralID: h.ReferralID, Number: c.Number, PatientID: h.PatientID, ReferralVersion: c.Version, Urgency: c.Urgency,
		OrganizationID: h.Place.OrganizationID, DepartmentCode: h.Place.DepartmentCode, SenderOrganizationID: c.SenderOrganizationID,
		AccountID: accountID, Wish: w, HoldID: h.ID, DisplacedBookingID: cmp.Or(h.BookingID, h.ID), CreateTime: now,
	}}
	return e, e.apply(WaitJoin)
}

// RestoreEntry is the entry that was kept.
func RestoreEntry(d EntryData) *Entry { return &Entry{d: d} }

// Data is the entry now.
func (e *Entry) Data() EntryData { return e.d }

// Changes tells whether the entry is new and what happened since it was restored.
func (e *Entry) Changes() (fresh bool, events []EntryEvent) { return e.fresh, e.events }

// Change takes new wishes while it waits; the same ones change nothing. With a place offered it stays as it is.
func (e *Entry) Change(w Wish) error {
	if err := w.Check(); err != nil {
		return err
	}
	if e.d.State != Waiting || e.d.Wish == w {
		return nil
	}
	e.d.Wish = w
	return e.apply(WaitChange)
}

// Offer notes the hold that was taken for it.
func (e *Entry) Offer(h HoldData) error {
	e.d.HoldID, e.d.OfferStart, e.d.OfferUntil = h.ID, h.Place.Start, h.KeepUntil
	return e.apply(WaitOffer)
}

// OfferMoved notes that the hold of its offer has another place, with its time to answer. Another hold, or no offer, changes nothing.
func (e *Entry) OfferMoved(h HoldData) error {
	if e.d.State != Offered || e.d.HoldID != h.ID || e.d.DisplacedBookingID != "" {
		return nil
	}
	e.d.OfferStart, e.d.OfferUntil = h.Place.Start, h.KeepUntil
	return e.apply(WaitMove)
}

// Leave ends it for the sender or the receiver; one that has ended is no error.
func (e *Entry) Leave() error {
	if !e.d.State.Waits() {
		return nil
	}
	return e.apply(WaitLeave)
}

// OfferEnded lets it go on or end when the hold of its offer is over. It ends if the offer had all its time and was not taken up. One that the beginning
// of the slot cut short nobody may have been there to answer, on a night or a holiday; another was freed by somebody else.
func (e *Entry) OfferEnded(h HoldData) error {
	e.d.HoldID, e.d.OfferStart, e.d.OfferUntil = "", time.Time{}, time.Time{}
	if h.State == Expired && !h.cutShort() {
		return e.apply(WaitLapse)
	}
	return e.apply(WaitAgain)
}

// Undisplaced lets a referral without an answer, whose hold ended before another place was found, wait as the others do from when it was displaced.
func (e *Entry) Undisplaced() error {
	e.d.DisplacedBookingID, e.d.HoldID = "", ""
	return e.apply(WaitAgain)
}

// GoneFrom tells whether the entry waits for a place that was lost with somebody who has the referral no more.
func (e *Entry) GoneFrom(c Case) bool {
	return e.d.State.Waits() && e.d.DisplacedBookingID != "" && c.Version > e.d.ReferralVersion && !c.Unanswered(e.d.OrganizationID, e.d.DepartmentCode)
}

// Lapse ends it because its last day has passed.
func (e *Entry) Lapse() error { return e.apply(WaitLapse) }

// Place ends it with a place.
func (e *Entry) Place() error { return e.apply(WaitPlace) }

// End ends it without one.
func (e *Entry) End() error { return e.apply(WaitEnd) }

// Follow takes a fact of its referral into account; one that it knew when it joined changes nothing.
func (e *Entry) Follow(c Case) error {
	if !e.d.State.Waits() || c.Version <= e.d.ReferralVersion || e.d.DisplacedBookingID != "" {
		return nil
	}
	switch {
	case c.Unanswered(e.d.OrganizationID, e.d.DepartmentCode):
		e.d.ReferralVersion = c.Version
		if c.Urgency == e.d.Urgency {
			return nil
		}
		e.d.Urgency = c.Urgency
		return e.apply(WaitFollow)
	case c.State == "ACCEPTED" && c.ReceiverOrganizationID == e.d.OrganizationID && c.ReceiverDepartment == e.d.DepartmentCode:
		return e.Place()
	default:
		return e.End()
	}
}

func (e *Entry) apply(a WaitAction) error {
	for _, t := range WaitLifecycle() {
		if t.From == e.d.State && t.Action == a {
			e.d.State = t.To
			e.events = append(e.events, EntryEvent{Action: a, Entry: e.d})
			return nil
		}
	}
	return ErrNoEntry
}
