package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// ReferralFact is what a fact of the referral service says about capacity.
type ReferralFact struct {
	Consumer, FactID, County, Event string
	ReferralID                      string
	HoldID, BookingID               string // what the fact names; either may be empty
	FormerBookingID                 string // what BookingID took the place of; empty for nothing
	ReasonCode                      string // of an admission that was undone
	DueTime                         time.Time
	Case                            domain.Case // the referral after it; with version 0 it says nothing of it
}

type reaction uint8

const (
	settle   reaction = iota + 1 // the booking, if it names one, is named by its referral; other holds of the referral are free, and so is the booking before it
	free                         // the hold and the booking that the fact names are free
	freeHold                     // the hold alone: an emergency came before its answer, or the wish changed
	freeBed                      // the booking alone, if it is of a bed: the patient has left it
	undoBed                      // the same; if the admission was a mistake nobody lay in the bed, and it need not be cleaned
	keep                         // no answer yet: the attached hold lasts for the new time limit
	note                         // nothing by itself: the referral is in another state
)

// reactions is the table: what each fact means for capacity. A fact that is not in it means nothing.
func reactions() map[string]reaction {
	return map[string]reaction{
		"accepted":         settle,
		"rebooked":         settle,
		"admitted":         settle,
		"declined":         free,
		"cancelled":        free,
		"redirected":       free,
		"no_show":          free,
		"edited":           freeHold,
		"arrived":          freeHold,
		"concluded":        freeBed,
		"discharged":       freeBed,
		"admission_undone": undoBed,

		"returned":    keep,
		"resubmitted": keep,

		"submitted":       note,
		"arrival_undone":  note,
		"answered":        note,
		"acknowledged":    note,
		"follow_up_begun": note,
		"completed":       note,
		"escalated":       note,
	}
}

// mistakes are the reasons of an admission that was undone by which no patient of the referral came to the bed: it is wanted at once, for whoever it was meant for.
func mistakes() []string { return []string{"WRONG_PATIENT", "ENTERED_IN_ERROR"} }

// mistaken tells whether a reason is one of them, or a county's own that counts as one: it begins with that and a dot.
func mistaken(reason string) bool {
	shipped, _, _ := strings.Cut(reason, ".")
	return slices.Contains(mistakes(), shipped)
}

// ReferralEvents are the events that mean something here, sorted.
func ReferralEvents() []string { return slices.Sorted(maps.Keys(reactions())) }

// OnReferral acts on a fact, once. Only what the fact names and its referral holds is freed: facts come late and out
// of order, and the hold or booking of today may not be the one of then.
func (a *App) OnReferral(ctx context.Context, f ReferralFact) error {
	r, ok := reactions()[f.Event]
	if !ok {
		return nil
	}
	cmd := Command{Caller: Caller{County: f.County, AccountID: Self}, Consumer: f.Consumer, FactID: f.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) error {
		if f.Case.Version > 0 {
			if err := u.NoteCase(ctx, f.Case); err != nil {
				return err
			}
			// Before the holds, as everybody who changes both locks them.
			if _, err := u.EntryOf(ctx, f.ReferralID); err != nil {
				return err
			}
		}
		if err := u.LockReferral(ctx, f.ReferralID); err != nil {
			return err
		}
		if f.Case.Version > 0 {
			if err := followCase(ctx, u, f.Case); err != nil {
				return err
			}
		}
		switch r {
		case settle:
			return a.settle(ctx, u, f)
		case keep:
			return keepAttached(ctx, u, f)
		case freeHold:
			return freeAttached(ctx, u, f)
		case freeBed, undoBed:
			return emptyBed(ctx, u, f, r == freeBed || !mistaken(f.ReasonCode))
		case note:
			return nil
		case free:
		}
		if err := freeBooking(ctx, u, f); err != nil {
			return err
		}
		return freeAttached(ctx, u, f)
	})
}

func (a *App) settle(ctx context.Context, u Unit, f ReferralFact) error {
	h, err := named(ctx, f, f.BookingID, u.HoldOfBooking)
	if err != nil {
		return err
	}
	if h != nil {
		h.Settle()
	}
	if f.BookingID != "" && (h == nil || h.Data().State != domain.Live) {
		a.noteLate(ctx, f, h)
	}
	former := f
	former.BookingID = f.FormerBookingID
	if h, err = named(ctx, former, former.BookingID, u.HoldOfBooking); err != nil {
		return err
	}
	switch {
	case h == nil:
	case f.Event == "admitted":
		h.Admit(u.Now())
	default:
		h.Free()
	}
	others, err := u.AttachedTo(ctx, f.ReferralID)
	if err != nil {
		return err
	}
	for _, other := range others {
		other.Free()
	}
	return nil
}

// noteLate notes a booking that was named and is not live. One that was freed is harmless: facts come in any order, and that of the
// cancellation, redirection or no-show that freed it was faster than this one. One that was never made is not.
func (a *App) noteLate(ctx context.Context, f ReferralFact, h *domain.Hold) {
	level, reason := slog.LevelDebug, "a later fact of the referral freed it first"
	if h == nil {
		level, reason = slog.LevelWarn, "the referral has no such booking here"
	}
	a.logger.Log(ctx, level, "referral names a booking that is not live", slog.String("reason", reason),
		slog.String("referral_id", f.ReferralID), slog.String("booking_id", f.BookingID), slog.String("fact_id", f.FactID))
}

// keepAttached gives the referral's hold the time that its new limit needs. A fact that is late moves nothing back.
func keepAttached(ctx context.Context, u Unit, f ReferralFact) error {
	holds, err := u.AttachedTo(ctx, f.ReferralID)
	if err != nil || f.DueTime.IsZero() {
		return err
	}
	for _, h := range holds {
		h.Keep(f.DueTime.Add(domain.KeepAfterDue), u.Now())
	}
	return nil
}

func freeBooking(ctx context.Context, u Unit, f ReferralFact) error {
	h, err := named(ctx, f, f.BookingID, u.HoldOfBooking)
	if err != nil || h == nil {
		return err
	}
	h.Free()
	return nil
}

// emptyBed frees the booking if it is of a bed, which is cleaned if somebody lay in it; once, whoever tells it first.
func emptyBed(ctx context.Context, u Unit, f ReferralFact, used bool) error {
	h, err := named(ctx, f, f.BookingID, u.HoldOfBooking)
	if err != nil || h == nil || h.Data().Place.BedID == "" || !h.Data().State.Takes() {
		return err
	}
	h.Free()
	if used {
		return u.Clean(ctx, h.Data().Place.BedID)
	}
	return nil
}

// freeAttached frees the hold by its own name. One that has become a booking is freed by that name only: the answer
// that booked it may have come after the one that this fact tells of.
func freeAttached(ctx context.Context, u Unit, f ReferralFact) error {
	h, err := named(ctx, f, f.HoldID, u.Hold)
	if err != nil || h == nil {
		return err
	}
	if h.Data().State == domain.Attached {
		h.Free()
	}
	return nil
}

// named loads what a fact names; nil if there is no such thing or it belongs to another referral.
func named(ctx context.Context, f ReferralFact, id string, load func(context.Context, string) (*domain.Hold, error)) (*domain.Hold, error) {
	if id == "" {
		return nil, nil
	}
	h, err := load(ctx, id)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if h.Data().ReferralID != f.ReferralID {
		return nil, nil
	}
	return h, nil
}
