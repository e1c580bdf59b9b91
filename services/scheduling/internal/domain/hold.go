package domain

import (
	"errors"
	"time"
)

// MaxHeld is how many holds that no referral has yet an account may have at a time.
const MaxHeld = 10

// HoldFor is how long a hold that nobody ties to a referral takes its place.
const HoldFor = 10 * time.Minute

// KeepDefault bounds an attached hold when the caller says nothing: the longest answer limit and a day.
const KeepDefault = 48 * time.Hour

// KeepAfterDue is how long an attached hold outlives the moment at which the referral had to be returned complete, or answered.
const KeepAfterDue = 24 * time.Hour

// SettleAfter is how long a hold may wait attached or unsettled before the referral is asked about it.
const SettleAfter = time.Minute

// Why a hold refuses.
var (
	ErrIncomplete = errors.New("a hold needs an owner, a patient and one place")
	ErrPast       = errors.New("the slot has begun")
	ErrGone       = errors.New("the hold takes no place any more")
	ErrOther      = errors.New("the hold belongs to another referral")
	ErrNotAllowed = errors.New("the state of the hold does not allow it")
)

// Place is what a hold takes: one slot or one bed.
type Place struct {
	SlotID, BedID                  string // exactly one is set
	OrganizationID, DepartmentCode string
	Start, End                     time.Time // End is zero for a bed
}

// ID names the place among all slots and beds of the county.
func (p Place) ID() string {
	if p.SlotID != "" {
		return p.SlotID
	}
	return p.BedID
}

// HoldData is a hold as it is kept and shown.
type HoldData struct {
	County, ID string
	Version    int32
	AccountID  string // who took it
	// ReaderOrganizationID may read it besides the organisation of the place: that of the account, and once a referral
	// confirms it the one that sends the patient.
	ReaderOrganizationID string

	PatientID  string
	Place      Place
	State      State
	ReferralID string
	BookingID  string // set from the confirmation on
	ExpireTime time.Time
	KeepUntil  time.Time // zero until attached
	CheckTime  time.Time // when the sweep asks the referral; zero: never
	Displaced  time.Time // since when its session is cancelled and no other place was free; zero: it has its place
	CreateTime time.Time
	Admitted   time.Time // when its patient was taken from the slot to a bed; zero: not
}

// String is the id: a hold never formats as more.
func (d HoldData) String() string { return "hold " + d.ID }

// Until is when the hold ends by itself; zero: never.
func (d HoldData) Until() time.Time {
	switch d.State {
	case Held:
		return d.ExpireTime
	case Attached:
		return d.KeepUntil
	default:
		return time.Time{}
	}
}

// cutShort tells whether the beginning of its slot ended the hold before its time.
func (d HoldData) cutShort() bool { return d.Place.SlotID != "" && !d.KeepUntil.Before(d.Place.Start) }

// LiveAt tells whether the hold takes its place at now.
func (d HoldData) LiveAt(now time.Time) bool {
	until := d.Until()
	return d.State.Takes() && (until.IsZero() || now.Before(until))
}

// AsCreated is the hold as it was answered when it was taken.
func (d HoldData) AsCreated() HoldData {
	d.State, d.ReferralID, d.BookingID, d.Version = Held, "", "", 1
	d.KeepUntil, d.CheckTime, d.Displaced = time.Time{}, time.Time{}, time.Time{}
	return d
}

// Event is what happened to a hold. It carries the hold after it.
type Event struct {
	Action Action
	Hold   HoldData
	// Of Move: where it was. Of Displace: the session that was cancelled. Of both: why, if one was.
	OldSlotID, SessionID string
	OldStart             time.Time
	ReasonCode           string
}

// Hold is the aggregate: a hold and the booking that may come of it. Not for concurrent use.
type Hold struct {
	d      HoldData
	fresh  bool
	dirty  bool
	events []Event
}

// Claim is what somebody asks for.
type Claim struct {
	County, ID, AccountID, OrganizationID, PatientID string
	Place                                            Place
}

// NewHold takes a place for HoldFor. ErrPast for a slot that has begun, ErrIncomplete for a claim with a gap.
func NewHold(c Claim, now time.Time) (*Hold, error) {
	oneOf := (c.Place.SlotID == "") != (c.Place.BedID == "")
	if c.County == "" || c.ID == "" || c.AccountID == "" || c.PatientID == "" || !oneOf {
		return nil, ErrIncomplete
	}
	if c.Place.SlotID != "" && !now.Before(c.Place.Start) {
		return nil, ErrPast
	}
	h := &Hold{fresh: true, d: HoldData{
		County: c.County, ID: c.ID, AccountID: c.AccountID, ReaderOrganizationID: c.OrganizationID, PatientID: c.PatientID, Place: c.Place,
		ExpireTime: now.Add(HoldFor), CreateTime: now,
	}}
	if err := h.apply(Take); err != nil {
		return nil, err
	}
	return h, nil
}

// RestoreHold is the hold that was kept.
func RestoreHold(d HoldData) *Hold { return &Hold{d: d} }

// Data is the hold now.
func (h *Hold) Data() HoldData { return h.d }

// Changes tells whether the hold is new, whether it differs from what was restored, and what happened since.
func (h *Hold) Changes() (fresh, dirty bool, events []Event) { return h.fresh, h.dirty, h.events }

// Attach ties the hold to a referral until keepUntil, a slot at most until it starts. The same referral again changes
// nothing. ErrGone, ErrOther.
func (h *Hold) Attach(referralID string, keepUntil, now time.Time) error {
	if err := h.belongsTo(referralID, now); err != nil {
		return err
	}
	if h.d.State != Held {
		return nil
	}
	if keepUntil.IsZero() {
		keepUntil = now.Add(KeepDefault)
	}
	h.d.ReferralID, h.d.KeepUntil, h.d.CheckTime = referralID, h.bounded(keepUntil), now.Add(SettleAfter)
	return h.apply(Attach)
}

// Keep lets an attached hold last until then, if that is later, a slot at most until it starts. It changes nothing on a hold that is
// not attached, or whose time is over.
func (h *Hold) Keep(until, now time.Time) {
	until = h.bounded(until)
	if h.d.State == Attached && h.d.LiveAt(now) && h.d.KeepUntil.Before(until) {
		h.d.KeepUntil = until
		h.must(Keep)
	}
}

// bounded is the time, or the start of the slot if that comes first.
func (h *Hold) bounded(until time.Time) time.Time {
	if h.d.Place.SlotID != "" && h.d.Place.Start.Before(until) {
		return h.d.Place.Start
	}
	return until
}

// Confirm makes the booking of the hold for a referral. Confirmed before for the same referral, it answers the same
// booking; while that is unsettled the hold counts as changed, so that a release decided on what was known before is
// refused. ErrGone, also for a place whose session is cancelled: nobody is to be told to come there. ErrOther.
func (h *Hold) Confirm(referralID, bookingID string, now time.Time) error {
	if err := h.belongsTo(referralID, now); err != nil {
		return err
	}
	switch h.d.State {
	case Live:
		return nil
	case Unsettled:
		h.d.CheckTime, h.dirty = now.Add(SettleAfter), true
		return nil
	}
	if !h.d.Displaced.IsZero() {
		return ErrGone
	}
	h.d.ReferralID, h.d.BookingID, h.d.CheckTime = referralID, bookingID, now.Add(SettleAfter)
	return h.apply(Confirm)
}

// ShowTo lets the organisation that sends the patient read the booking. Empty changes nothing.
func (h *Hold) ShowTo(organizationID string) {
	if organizationID != "" && organizationID != h.d.ReaderOrganizationID {
		h.d.ReaderOrganizationID, h.dirty = organizationID, true
	}
}

func (h *Hold) belongsTo(referralID string, now time.Time) error {
	if !h.d.LiveAt(now) {
		return ErrGone
	}
	if h.d.ReferralID != "" && h.d.ReferralID != referralID {
		return ErrOther
	}
	return nil
}

// Release gives back a hold that no referral has yet; one that has ended is no error. ErrNotAllowed once it is tied
// to a referral.
func (h *Hold) Release() error {
	if !h.d.State.Takes() {
		return nil
	}
	return h.apply(Release)
}

// Settle marks the booking as named by its referral. It changes nothing unless the booking is unsettled.
func (h *Hold) Settle() {
	if h.d.State == Unsettled {
		h.d.CheckTime = time.Time{}
		h.must(Settle)
	}
}

// Free gives an attached hold or a booking back. It changes nothing unless the hold is one of these.
func (h *Hold) Free() {
	if h.d.ReferralID != "" && h.d.State.Takes() {
		h.d.CheckTime = time.Time{}
		h.must(Free)
	}
}

// Admit frees a slot whose patient is taken to a bed: the session keeps the patient on its day. It changes nothing on what takes no place any more.
func (h *Hold) Admit(now time.Time) {
	if h.d.Place.SlotID != "" && h.d.ReferralID != "" && h.d.State.Takes() {
		h.d.Admitted = now
	}
	h.Free()
}

// Expire ends a hold whose time is over; one that is live or ended stays as it is.
func (h *Hold) Expire(now time.Time) {
	if h.d.State.Takes() && !h.d.LiveAt(now) {
		h.d.CheckTime = time.Time{}
		h.must(Expire)
	}
}

// AskAgain puts the next question to the referral off.
func (h *Hold) AskAgain(at time.Time) {
	if h.d.State == Attached || h.d.State == Unsettled {
		h.d.CheckTime, h.dirty = at, true
	}
}

// must is for actions whose caller has looked at the state: the table has their row.
func (h *Hold) must(a Action) { _ = h.apply(a) }

func (h *Hold) apply(a Action) error {
	to, ok := Next(h.d.State, a)
	if !ok {
		return ErrNotAllowed
	}
	if !to.Takes() {
		h.d.Displaced = time.Time{}
	}
	h.d.State, h.dirty = to, true
	h.events = append(h.events, Event{Action: a, Hold: h.d})
	return nil
}
