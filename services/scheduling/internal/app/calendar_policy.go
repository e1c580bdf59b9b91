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

// SetPolicy of the county, or of one organisation. The reserve of the days to come is spread anew. STALE_VERSION, fields.
func (p *Planner) SetPolicy(ctx context.Context, by Planning, b BookingPolicy) (BookingPolicy, error) {
	if err := by.checkRequest(); err != nil {
		return b, err
	}
	if !by.Whole {
		return b, errs.Denied(errs.ReasonRole)
	}
	if b.Check() != nil {
		return b, errs.Invalid(errs.Bad("policy", errs.ReasonFieldOutOfRange))
	}
	err := p.write(ctx, by.command("SetBookingPolicy", b), cmp.Or(b.OrganizationID, "county"), func(u Unit) error {
		was, err := u.OwnPolicy(ctx, b.OrganizationID)
		if err != nil {
			return err
		}
		if err := version(b.Version, was.Version); err != nil {
			return err
		}
		u.Note("policy.set", "policy", b.OrganizationID, "")
		return u.PutPolicy(ctx, b)
	})
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

// maxSpread is how many departments a call spreads; Work does the rest.
const maxSpread = 500
