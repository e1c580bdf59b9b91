package app

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// PatientLink is that two patients are one person, or not any more.
type PatientLink struct {
	County, FactID string
	// Merged leads to Survivor while Holds.
	Merged, Survivor string
	// Version of the merged patient: the newest counts, in whatever order the facts come.
	Version int32
	Holds   bool
}

// People keeps which patients are one person. Referrals, candidates and tasks of all of them are listed for each, every one gives a relation
// to all, and what one of them has open stands in the way of a second.
type People interface {
	// LinkPatients counts once for a fact; an older one than the last changes nothing.
	LinkPatients(ctx context.Context, l PatientLink) error
	// OpenOf are the ids of the referrals of a patient, and of whoever is the same person, that were sent and are not over; the older first.
	OpenOf(ctx context.Context, county, patient string) ([]string, error)
}

// OnPerson takes a fact about two records of a person into account. Of a merge both sides of each referral that is open are told, once, by a
// mark: what the one record holds is true of the other's patient, too. Candidates rest on what brings the one person, and no longer on what brings another.
func (s *Service) OnPerson(ctx context.Context, l PatientLink) error {
	if err := s.People.LinkPatients(ctx, l); err != nil {
		return err
	}
	if err := s.relinked(ctx, l); err != nil || !l.Holds {
		return err
	}
	open, err := s.People.OpenOf(ctx, l.County, l.Merged)
	if err != nil {
		return err
	}
	for _, referral := range open {
		cmd := Command{
			Caller: authn.Identity{Subject: Self, Service: "referral", County: l.County}, Method: "OnPerson", RequestID: id.FromFact(l.FactID, referral),
		}
		_, err := s.Referrals.Change(ctx, cmd, func(u Unit) error {
			r, err := u.Referral(ctx, referral)
			if err != nil {
				return err
			}
			r.PersonMerged(domain.Command{By: domain.Actor{AccountID: Self}, At: u.Now()})
			u.Save(r)
			return nil
		})
		if err != nil {
			return fmt.Errorf("tell of referral %s that its patient was merged: %w", referral, err)
		}
	}
	return nil
}
