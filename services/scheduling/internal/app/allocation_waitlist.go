package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Join asks for a place on the fallback list.
type Join struct {
	RequestID, ReferralID string
	Wish                  domain.Wish // days may be empty
}

func (j Join) check() error {
	var bad []errs.Field
	if !id.Valid(j.ReferralID) {
		bad = append(bad, requiredOrBad("referralId", j.ReferralID))
	}
	if j.RequestID != "" && !id.Valid(j.RequestID) {
		bad = append(bad, errs.Bad("requestId", errs.ReasonFieldInvalid))
	}
	w := j.Wish
	for _, d := range []struct{ name, day string }{{"firstDay", w.FirstDay}, {"lastDay", w.LastDay}} {
		if _, err := time.Parse(time.DateOnly, d.day); d.day != "" && err != nil {
			bad = append(bad, errs.Bad(d.name, errs.ReasonFieldInvalid))
		}
	}
	switch {
	case w.Kind == "":
		bad = append(bad, errs.Required("kind"))
	case !slices.Contains([]string{domain.KindClinic, domain.KindExam, domain.KindExpert, domain.KindBed}, w.Kind):
		bad = append(bad, errs.Bad("kind", errs.ReasonFieldUnknown))
	case w.Modality != "" && w.Kind != domain.KindExam:
		bad = append(bad, errs.Bad("modality", errs.ReasonFieldCombination))
	case w.PractitionerID != "" && w.Kind == domain.KindBed:
		bad = append(bad, errs.Bad("practitionerId", errs.ReasonFieldCombination))
	case w.Sex != "" && w.Kind != domain.KindBed:
		bad = append(bad, errs.Bad("sex", errs.ReasonFieldCombination))
	case w.Class != "" && w.Kind != domain.KindBed:
		bad = append(bad, errs.Bad("wardClass", errs.ReasonFieldCombination))
	}
	if !domain.KnownSex(w.Sex) {
		bad = append(bad, errs.Bad("sex", errs.ReasonFieldUnknown))
	}
	if w.Class != "" && !slices.Contains(domain.WardClasses(), w.Class) {
		bad = append(bad, errs.Bad("wardClass", errs.ReasonFieldUnknown))
	}
	if len(bad) > 0 {
		return errs.Invalid(bad...)
	}
	return nil
}

// days fills in the days that were not named, and refuses those that have passed or stand in the wrong order.
func (j Join) days(today time.Time) (domain.Wish, error) {
	w := j.Wish
	if day := today.Format(time.DateOnly); w.FirstDay < day {
		w.FirstDay = day
	}
	if w.LastDay == "" {
		first, err := time.Parse(time.DateOnly, w.FirstDay)
		if err != nil {
			return w, errs.Invalid(errs.Bad("firstDay", errs.ReasonFieldInvalid))
		}
		w.LastDay = first.AddDate(0, 0, domain.WaitDays).Format(time.DateOnly)
	}
	if w.LastDay < w.FirstDay {
		return w, errs.Invalid(errs.Bad("lastDay", errs.ReasonFieldOutOfRange))
	}
	return w, nil
}

func bodyHash(parts ...string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return sum[:]
}

// JoinWaitlist puts a referral on the list of its receiver, or gives the entry that is there the new wishes. By one of its two sides: NOT_FOUND for
// others. ACTION_NOT_AVAILABLE unless it is SUBMITTED and has no place.
func (a *App) JoinWaitlist(ctx context.Context, caller Caller, j Join, now time.Time) (domain.EntryData, error) {
	if err := j.check(); err != nil {
		return domain.EntryData{}, err
	}
	w, err := j.days(a.midnight(now))
	if err != nil {
		return domain.EntryData{}, err
	}
	c, err := a.submitted(ctx, caller, j.ReferralID)
	if err != nil {
		return domain.EntryData{}, err
	}
	asked := j.Wish
	cmd := Command{Caller: caller, Request: Request{Method: "JoinWaitlist", ID: j.RequestID, BodyHash: bodyHash(j.ReferralID, asked.Kind,
		asked.Modality, asked.PractitionerID, asked.FirstDay, asked.LastDay, asked.Sex, asked.Class)}}
	join := func(u Unit) (string, error) {
		// An entry of before the referral went elsewhere may not have heard of it.
		if err := followCase(ctx, u, c); err != nil {
			return "", err
		}
		entry, err := u.EntryOf(ctx, j.ReferralID)
		if err != nil {
			return "", err
		}
		if entry != nil && entry.GoneFrom(c) {
			if err := entry.End(); err != nil {
				return "", classifyEntry("join", err)
			}
		}
		if entry != nil && entry.Data().State.Waits() {
			return entry.Data().ID, classifyEntry("join", entry.Change(w))
		}
		has, err := u.HasPlace(ctx, c)
		if err != nil {
			return "", err
		}
		if has {
			return "", errs.WrongState("join", "HAS_PLACE")
		}
		entry, err = domain.NewEntry(id.New(), caller.AccountID, c, w, u.Now())
		if err != nil {
			return "", classifyEntry("join", err)
		}
		u.AddEntry(entry)
		return entry.Data().ID, nil
	}
	d, err := a.entryChange(ctx, cmd, join)
	if errors.Is(err, ErrOnList) {
		d, err = a.entryChange(ctx, cmd, join)
	}
	return d, err
}

// submitted is the referral, if it concerns the caller and waits for its answer. It is asked for: what facts told last may be behind, and a referral
// that was redirected a moment ago waits for somebody else. While the referral service is away that has to do.
func (a *App) submitted(ctx context.Context, caller Caller, referralID string) (domain.Case, error) {
	c, err := a.caseOf(ctx, caller.County, referralID, true)
	if errs.KindOf(err) == errs.KindUnavailable {
		if known, kerr := a.store.Case(ctx, caller.County, referralID); kerr == nil && known.Known() {
			c, err = known, nil
		}
	}
	if err != nil {
		return c, err
	}
	if own := caller.OrganizationID; own == "" || own != c.SenderOrganizationID && own != c.ReceiverOrganizationID {
		return c, errs.NotFound("referral")
	}
	if c.State != "SUBMITTED" {
		return c, errs.WrongState("join", c.State)
	}
	return c, nil
}

// LeaveWaitlist takes the entry off for one of its two sides and frees the place that was offered; one that has ended is no error.
func (a *App) LeaveWaitlist(ctx context.Context, caller Caller, entryID, requestID string) (domain.EntryData, error) {
	cmd := Command{Caller: caller, Request: Request{Method: "LeaveWaitlist", ID: requestID, BodyHash: bodyHash(entryID)}}
	return a.entryChange(ctx, cmd, func(u Unit) (string, error) {
		entry, err := u.Entry(ctx, entryID)
		if err != nil {
			return "", err
		}
		d := entry.Data()
		if own := caller.OrganizationID; own == "" || own != d.OrganizationID && own != d.SenderOrganizationID {
			return "", errs.NotFound("entry")
		}
		if d.DisplacedBookingID != "" && d.State.Waits() {
			// The booking is the patient's; whoever gives it up cancels the referral.
			return "", errs.WrongState("leave", "DISPLACED")
		}
		if err := entry.Leave(); err != nil {
			return "", classifyEntry("leave", err)
		}
		return entryID, freeOffer(ctx, u, d)
	})
}

// entryChange runs the change once for a request and answers the entry as it is then.
func (a *App) entryChange(ctx context.Context, cmd Command, do func(Unit) (string, error)) (domain.EntryData, error) {
	var entryID string
	err := a.store.Change(ctx, cmd, func(u Unit) error {
		answered, repeated, err := u.Answered(ctx)
		if err != nil || repeated {
			entryID = answered
			return err
		}
		if entryID, err = do(u); err != nil {
			return err
		}
		u.Answer(entryID)
		return nil
	})
	if err != nil {
		return domain.EntryData{}, err
	}
	return a.entry(ctx, cmd.Caller, entryID)
}

func (a *App) entry(ctx context.Context, caller Caller, entryID string) (domain.EntryData, error) {
	found, err := a.store.Entries(ctx, EntryQuery{County: caller.County, EntryID: entryID, Ended: true, Limit: 1})
	if err != nil {
		return domain.EntryData{}, err
	}
	if len(found) == 0 {
		return domain.EntryData{}, errs.NotFound("entry")
	}
	return found[0], nil
}

// ListWaitlist lists what waits for the caller's organisation, and what it put on others' lists.
func (a *App) ListWaitlist(ctx context.Context, caller Caller, q EntryQuery) ([]domain.EntryData, error) {
	if caller.OrganizationID == "" {
		return nil, nil
	}
	q.County, q.OrganizationID = caller.County, caller.OrganizationID
	return a.store.Entries(ctx, q)
}

// freeOffer frees the hold of an offer unless a booking has come of it.
func freeOffer(ctx context.Context, u Unit, d domain.EntryData) error {
	if d.HoldID == "" || d.DisplacedBookingID != "" {
		return nil
	}
	h, err := u.Hold(ctx, d.HoldID)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err == nil && h.Data().State == domain.Attached {
		h.Free()
	}
	return err
}

// followCase lets the entry of a referral go with its fact.
func followCase(ctx context.Context, u Unit, c domain.Case) error {
	entry, err := u.EntryOf(ctx, c.ReferralID)
	if err != nil || entry == nil {
		return err
	}
	before := entry.Data()
	if err := entry.Follow(c); err != nil {
		return classifyEntry("follow", err)
	}
	if entry.Data().State.Waits() {
		return nil
	}
	return freeOffer(ctx, u, before)
}

func classifyEntry(action string, err error) error {
	switch {
	case errors.Is(err, domain.ErrNoEntry):
		return errs.WrongState(action, "ENDED")
	case errors.Is(err, domain.ErrWish):
		return errs.Invalid(errs.Bad("kind", errs.ReasonFieldCombination))
	default:
		return err
	}
}
