package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// enrich says of every medicine of a down-referral whether its receiver has it. What the sender said of that does not count.
func (s *Service) enrich(ctx context.Context, county string, d *domain.Draft) error {
	if d.Direction != domain.Down {
		return nil
	}
	checked, err := s.checked(ctx, county, d.Receiver.OrganizationID, d.Medicines)
	d.Medicines = checked
	return err
}

// checked are the medicines with what the projection says of them; without a receiver that is nothing.
func (s *Service) checked(ctx context.Context, county, receiver string, medicines []domain.Medicine) ([]domain.Medicine, error) {
	out := slices.Clone(medicines)
	if len(out) == 0 {
		return out, nil
	}
	// An organisation that is not named has no list.
	found, err := s.lookUp(ctx, county, receiver, medicines)
	if err != nil {
		return nil, err
	}
	for i, c := range found.Checks {
		out[i].Availability = c.Availability
	}
	return out, nil
}

// enrichSent is the draft that a stored down-referral is sent with: its medicines, looked up just now. Nil for the other directions.
func (s *Service) enrichSent(ctx context.Context, caller authn.Identity, id string) (*domain.Draft, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil || v.Direction != domain.Down {
		return nil, err
	}
	medicines, err := s.checked(ctx, caller.County, v.Receiver.OrganizationID, v.Medicines)
	return &domain.Draft{Medicines: medicines}, err
}

// enrichEdit looks up the medicines of an edit at the receiver that the referral will have.
func (s *Service) enrichEdit(ctx context.Context, caller authn.Identity, in *Edition) error {
	if !slices.Contains(in.Fields, "medicines") {
		return nil
	}
	receiver := in.Draft.Receiver.OrganizationID
	if !slices.Contains(in.Fields, "receiver") {
		v, err := s.Reader.Get(ctx, caller, in.ID)
		if err != nil {
			return err
		}
		receiver = v.Receiver.OrganizationID
	}
	checked, err := s.checked(ctx, caller.County, receiver, in.Draft.Medicines)
	in.Draft.Medicines = checked
	return err
}
