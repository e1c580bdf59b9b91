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

// HoldRequest asks for a slot, or for a free bed that suits.
type HoldRequest struct {
	RequestID, PatientID, SlotID     string
	ReferralID                       string // for which it is taken, if there is one
	BedOrganizationID, BedDepartment string
	BedID, BedWard, BedSex, BedClass string
	BedFrom                          time.Time // zero: now
}

func (r HoldRequest) check() error {
	var bad []errs.Field
	if !id.Valid(r.PatientID) {
		bad = append(bad, requiredOrBad("patientId", r.PatientID))
	}
	wantsBed := r.BedOrganizationID != "" || r.BedDepartment != "" || r.BedID != "" || r.BedWard != ""
	switch {
	case r.SlotID == "" && !wantsBed:
		bad = append(bad, errs.Required("slotId"))
	case r.SlotID != "" && wantsBed:
		bad = append(bad, errs.Bad("slotId", errs.ReasonFieldCombination))
	case r.SlotID != "" && !id.Valid(r.SlotID):
		bad = append(bad, errs.Bad("slotId", errs.ReasonFieldInvalid))
	case r.BedID != "" && !id.Valid(r.BedID):
		bad = append(bad, errs.Bad("bed.bedId", errs.ReasonFieldInvalid))
	case r.BedWard != "" && !id.Valid(r.BedWard):
		bad = append(bad, errs.Bad("bed.wardId", errs.ReasonFieldInvalid))
	case wantsBed && r.BedID == "" && !id.Valid(r.BedOrganizationID):
		bad = append(bad, requiredOrBad("bed.organizationId", r.BedOrganizationID))
	case wantsBed && r.BedID == "" && r.BedDepartment == "":
		bad = append(bad, errs.Required("bed.departmentCode"))
	}
	if !domain.KnownSex(r.BedSex) {
		bad = append(bad, errs.Bad("bed.sex", errs.ReasonFieldUnknown))
	}
	if r.BedClass != "" && !slices.Contains(domain.WardClasses(), r.BedClass) {
		bad = append(bad, errs.Bad("bed.class", errs.ReasonFieldUnknown))
	}
	if r.RequestID != "" && !id.Valid(r.RequestID) {
		bad = append(bad, errs.Bad("requestId", errs.ReasonFieldInvalid))
	}
	if len(bad) > 0 {
		return errs.Invalid(bad...)
	}
	return nil
}

func requiredOrBad(name, value string) errs.Field {
	if value == "" {
		return errs.Required(name)
	}
	return errs.Bad(name, errs.ReasonFieldInvalid)
}

func (r HoldRequest) hash() []byte {
	from := ""
	if !r.BedFrom.IsZero() {
		from = r.BedFrom.UTC().Format(time.RFC3339Nano)
	}
	body := []string{r.PatientID, r.SlotID, r.BedOrganizationID, r.BedDepartment, from}
	// What came later is left out when it is empty: a request that was answered before keeps its hash.
	for _, later := range []string{r.ReferralID, r.BedID, r.BedSex, r.BedClass} {
		if later != "" {
			body = append(body, r.ReferralID, r.BedID, r.BedSex, r.BedClass)
			break
		}
	}
	if r.BedWard != "" {
		body = append(body, r.BedWard)
	}
	sum := sha256.Sum256([]byte(strings.Join(body, "\x00")))
	return sum[:]
}

// CreateHold takes the slot, or a bed, for ten minutes. The same request again gets the same hold, as it was then.
// SLOT_TAKEN when none is left, or the slot is closed; NOT_YET_OPEN for a slot that the caller may take later; FIELD_UNKNOWN and FIELD_COMBINATION for a
// referral that does not concern the caller, or the patient; ACTION_NOT_AVAILABLE for a slot that has begun; RATE_LIMITED for an account that has
// domain.MaxHeld others which no referral has yet, so that nobody empties a clinic. Requests at the same moment may pass that by a few.
func (a *App) CreateHold(ctx context.Context, caller Caller, r HoldRequest) (HoldView, error) {
	if err := r.check(); err != nil {
		return HoldView{}, err
	}
	referral, err := a.referralOf(ctx, Asker{Caller: caller, ReferralID: r.ReferralID})
	if err != nil {
		return HoldView{}, err
	}
	cmd := Command{Caller: caller, Request: Request{Method: "CreateHold", ID: r.RequestID, BodyHash: r.hash()}}
	var holdID string
	err = a.store.Change(ctx, cmd, func(u Unit) error {
		answered, repeated, err := u.Answered(ctx)
		if err != nil || repeated {
			holdID = answered
			return err
		}
		if err := mayHold(ctx, u, caller, r, referral); err != nil {
			return err
		}
		holdID = id.New()
		claim := domain.Claim{County: caller.County, ID: holdID, AccountID: caller.AccountID, OrganizationID: caller.OrganizationID, PatientID: r.PatientID}
		v := view{caller: caller, referral: referral, now: u.Now().In(a.zone)}
		taken, err := v.takeAny(ctx, u, r, claim)
		if err != nil {
			return err
		}
		if !taken {
			return errs.Conflict(errs.ReasonSlotTaken, "no such place is free")
		}
		u.Answer(holdID)
		return nil
	})
	if err != nil {
		return HoldView{}, err
	}
	view, err := a.store.Hold(ctx, caller.County, holdID)
	if err != nil {
		return HoldView{}, err
	}
	view.HoldData = view.AsCreated()
	return view, nil
}

// mayHold refuses an account that has enough, and a referral of another patient.
func mayHold(ctx context.Context, u Unit, caller Caller, r HoldRequest, referral domain.Case) error {
	held, err := u.Held(ctx, caller.AccountID)
	if err != nil {
		return err
	}
	if held >= domain.MaxHeld {
		e := errs.New(errs.KindLimited, errs.ReasonRateLimited, "the account has too many holds without a referral", nil)
		e.RetryAfter = domain.HoldFor // the last of them has ended by then
		return e
	}
	if !referral.Known() {
		return nil
	}
	same, err := u.SamePerson(ctx, r.PatientID, referral.PatientID)
	if err == nil && !same {
		return errs.Invalid(errs.Bad("referralId", errs.ReasonFieldCombination))
	}
	return err
}

func (v view) takeAny(ctx context.Context, u Unit, r HoldRequest, claim domain.Claim) (bool, error) {
	if r.SlotID != "" {
		slot, err := u.Slot(ctx, r.SlotID)
		if err != nil {
			return false, err
		}
		if v.policies, err = u.Policies(ctx); err != nil {
			return false, err
		}
		if slot = v.see(slot); slot.ClosedBy != "" {
			return false, nil
		}
		if !slot.Opens.IsZero() {
			return false, notYetOpen(slot.Opens, v.now.Location())
		}
		claim.Place = slot.Place()
		return take(ctx, u, claim)
	}
	return takeBed(ctx, u, domain.BedWish{
		OrganizationID: r.BedOrganizationID, DepartmentCode: r.BedDepartment, BedID: r.BedID, WardID: r.BedWard, Sex: r.BedSex, Class: r.BedClass, From: r.BedFrom,
	}, claim)
}

func takeBed(ctx context.Context, u Unit, w domain.BedWish, claim domain.Claim) (bool, error) {
	if w.From.Before(u.Now()) {
		w.From = u.Now()
	}
	w.From = w.From.UTC().Truncate(time.Microsecond)
	// The id of a hold grows with time; hashed it spreads callers over the ward.
	beds, err := u.FreeBeds(ctx, w, id.FromFact(claim.ID))
	if err != nil {
		return false, err
	}
	for _, bed := range beds {
		claim.Place = bed.Place(w.From)
		if ok, err := take(ctx, u, claim); err != nil {
			return false, err
		} else if ok {
			return true, stillOpen(ctx, u, bed.ID)
		}
	}
	return false, nil
}

// stillOpen refuses a bed that was taken out of service after it was found free. Whoever closes one locks it before they look who has it: one of the two
// sees the other.
func stillOpen(ctx context.Context, u Unit, bedID string) error {
	bed, err := u.Bed(ctx, bedID)
	if err == nil && bed.OutReason != "" {
		err = errs.Conflict(errs.ReasonSlotTaken, "the bed is out of service")
	}
	return err
}

func notYetOpen(opens time.Time, zone *time.Location) error {
	return errs.New(errs.KindWrongState, errs.ReasonNotYetOpen, "the slot is not open yet", nil).
		With("opens", opens.UTC().Format(time.RFC3339)).With("opensLocal", opens.In(zone).Format("2006-01-02 15:04"))
}

func take(ctx context.Context, u Unit, claim domain.Claim) (bool, error) {
	ok, err := u.Take(ctx, claim)
	return ok, classify("hold", err)
}

// classify gives the domain's refusals their place in the vocabulary; other errors pass.
func classify(action string, err error) error {
	switch {
	case errors.Is(err, domain.ErrPast):
		return errs.WrongState(action, "PAST")
	case errors.Is(err, domain.ErrGone):
		return errs.Conflict(errs.ReasonHoldExpired, "the hold takes no place any more")
	case errors.Is(err, domain.ErrOther):
		return errs.Conflict(errs.ReasonSlotTaken, "the hold belongs to another referral")
	case errors.Is(err, domain.ErrNotAllowed):
		return errs.WrongState(action, "ATTACHED")
	case errors.Is(err, domain.ErrIncomplete):
		return errs.New(errs.KindInternal, errs.ReasonInternal, "an incomplete hold was asked for", err)
	default:
		return err
	}
}
