package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Stated is a purpose that a person states, to see what is sensitive.
type Stated struct {
	Request   Request
	PatientID string
	Purpose   domain.Purpose
}

// StatePurpose opens what is sensitive about a patient to this account, for as long as the settings say. It asks for a relation that shows
// entries at all; it raises none. Once the patient took back the consent to it, only an emergency or a duty by law opens anything:
// ACTION_NOT_AVAILABLE.
func (a *App) StatePurpose(ctx context.Context, caller authn.Identity, in Stated) (domain.Opening, error) {
	if !in.Purpose.Known() {
		return domain.Opening{}, errs.Invalid(errs.Bad("purpose", errs.ReasonFieldUnknown))
	}
	p, _, err := a.open(ctx, caller, in.PatientID, domain.LevelPackage)
	if err != nil {
		return domain.Opening{}, err
	}
	withdrawn, err := a.refusedSensitive(ctx, caller, p)
	if err != nil {
		return domain.Opening{}, err
	}
	if withdrawn && in.Purpose.NeedsConsent() {
		return domain.Opening{}, errs.WrongState("state_purpose", string(domain.ConsentWithdrawn))
	}
	var out domain.Opening
	err = a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		found, err := u.Replayed(ctx, &out)
		if err != nil || found {
			return err
		}
		now := u.Now()
		out = domain.Opening{
			ID: id.New(), Account: caller.Subject, Organization: caller.Organization, PatientID: in.PatientID,
			Purpose: in.Purpose, From: now, To: now.Add(a.spans.Sensitive),
		}
		u.PutOpening(out)
		stated := look(caller, "sensitive.open", in.PatientID)
		stated.Detail = "PURPOSE_" + string(in.Purpose)
		u.Look(stated)
		return u.Replay(out)
	})
	return out, err
}
