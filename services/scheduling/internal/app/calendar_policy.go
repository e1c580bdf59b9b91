package app

import (
	"cmp"
	"context"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Policy of an organisation: its own, else the county's, else the default.
func (p *Planner) Policy(ctx context.Context, county, organizationID string) (BookingPolicy, error) {
	return p.app.store.Policy(ctx, county, organizationID)
}

// SetPolicy of the county, or of one organisation, which with Inherited follows the county's again. The reserve of the days to come is spread anew.
// STALE_VERSION, fields.
func (p *Planner) SetPolicy(ctx context.Context, by Planning, b BookingPolicy) (BookingPolicy, error) {
	if err := by.checkRequest(); err != nil {
		return b, err
	}
	if !by.Whole {
		return b, errs.Denied(errs.ReasonRole)
	}
	if b.Inherited && b.OrganizationID == "" {
		return b, errs.Invalid(errs.Bad("policy.inherited", errs.ReasonFieldCombination))
	}
	if !b.Inherited && b.Check() != nil {
		return b, errs.Invalid(errs.Bad("policy", errs.ReasonFieldOutOfRange))
	}
	err := p.write(ctx, by.command("SetBookingPolicy", b), cmp.Or(b.OrganizationID, CountyPolicy), func(u Unit) error { return setPolicy(ctx, u, b) })
	if err != nil {
		return b, err
	}
	due, err := p.app.store.ToSpread(ctx, maxSpread)
	if err != nil {
		return b, err
	}
	for _, d := range due {
		if d.County != by.County {
			continue
		}
		if err := p.spread(ctx, by.Caller, d); err != nil {
			return b, err
		}
	}
	return p.app.store.Policy(ctx, by.County, b.OrganizationID)
}

// setPolicy is SetPolicy within a change. What held before, inherited or by default, is kept too, so that one can go back to it.
func setPolicy(ctx context.Context, u Unit, b BookingPolicy) error {
	was, err := u.OwnPolicy(ctx, b.OrganizationID)
	if err != nil {
		return err
	}
	if err := version(b.Version, was.Version); err != nil {
		return err
	}
	u.Note("policy.set", "policy", b.OrganizationID, "")
	if was.Version == 0 {
		if was, err = followed(ctx, u, b.OrganizationID); err != nil {
			return err
		}
	}
	if !b.Inherited {
		err = u.PutPolicy(ctx, b)
	} else if err = u.RemovePolicy(ctx, b.OrganizationID); err == nil {
		b, err = followed(ctx, u, b.OrganizationID)
	}
	if err != nil {
		return err
	}
	return u.Record(ctx, changeOfPolicy(ChangeBefore, was), changeOfPolicy(ChangeSaved, b))
}

// followed is what holds for an organisation without a policy of its own, or for a county that has set none.
func followed(ctx context.Context, u Unit, organizationID string) (BookingPolicy, error) {
	holds, err := u.PolicyFor(ctx, organizationID)
	return BookingPolicy{Policy: holds.Policy, OrganizationID: organizationID, Inherited: organizationID != ""}, err
}

// maxSpread is how many departments a call spreads; Work does the rest.
const maxSpread = 500
