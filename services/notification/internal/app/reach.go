package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Contact is a person whom messages are to reach, with the channels on which there is an address in force.
type Contact struct {
	AccountID, Name, OrganizationID string
	Disabled                        bool
	Channels                        []string
	Wants                           domain.Preferences
}

// Reach is how many are on duty at a moment, and whom of them an emergency does not reach outside the house, by name.
type Reach struct {
	OnDuty    int
	Unreached []Contact
}

// OnDutyReach looks at the posts of an organisation, or at all of the county if it is empty. Reached is who has an address on a channel that is
// configured, allowed, and used for emergencies by the county or by themselves.
func (o *Outgoing) OnDutyReach(ctx context.Context, county, organizationID string) (Reach, error) {
	rosters, err := o.store.Rosters(ctx, county, organizationID)
	if err != nil {
		return Reach{}, err
	}
	var ids []string
	for _, r := range rosters {
		ids = append(ids, peopleOf(r.Plan)...)
	}
	slices.Sort(ids)
	contacts, err := o.store.Contacts(ctx, county, slices.Compact(ids))
	if err != nil {
		return Reach{}, err
	}
	rules, err := o.store.CountyRules(ctx, county)
	if err != nil {
		return Reach{}, err
	}
	now, seen, out := o.sender.Clock.Now(), map[string]bool{}, Reach{}
	for _, r := range rosters {
		works := func(account string) bool {
			c, known := contacts[account]
			return known && !c.Disabled && c.OrganizationID == r.Post.OrganizationID
		}
		for _, d := range r.Plan.At(now, o.sender.cfg.Zone, works) {
			if seen[d.AccountID] {
				continue
			}
			seen[d.AccountID] = true
			out.OnDuty++
			if c := contacts[d.AccountID]; !o.reaches(c, rules) {
				out.Unreached = append(out.Unreached, c)
			}
		}
	}
	return out, nil
}

// reaches tells whether an emergency leaves the house for a person.
func (o *Outgoing) reaches(c Contact, rules domain.CountyRules) bool {
	return slices.ContainsFunc(c.Wants.Sendings(domain.UrgencyEmergency, domain.ForPersons(), rules, o.sender.Clock.Now()), func(s domain.Sending) bool {
		return o.sender.Adapters[s.Channel] != nil && slices.Contains(c.Channels, s.Channel)
	})
}

// peopleOf are the accounts that a plan names, on whichever shift.
func peopleOf(p duty.Plan) (out []string) {
	for _, s := range p.Shifts {
		out = append(out, s.AccountID)
	}
	for _, h := range p.HandOvers {
		out = append(out, h.To)
	}
	return out
}
