package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Capabilities are what an organisation can do for a patient who comes down, by directory's codes.
type Capabilities struct {
	County, OrganizationID string
	Version                int32
	Codes                  []string
}

// Formularies is the projection of directory's medicine lists and capabilities.
type Formularies interface {
	// Formulary is the list of an organisation, and what other lists of the county say of medicines of these substances.
	Formulary(ctx context.Context, county, organizationID string, substances []string) (domain.Formulary, error)
	// Capabilities are empty for an organisation of which nothing was said.
	Capabilities(ctx context.Context, county, organizationID string) ([]string, error)
	// PutFormulary stores items, each unless a newer version is known, or the same and its substance. With a fact id the fact is taken once.
	PutFormulary(ctx context.Context, factID string, items []domain.FormularyItem) error
	// PutCapabilities is the same of all that an organisation can do.
	PutCapabilities(ctx context.Context, factID string, c Capabilities) error
}

// Lists is directory, asked for all medicine lists and capabilities of a county at once.
type Lists interface {
	// Formularies hands over page after page, with what left the lists.
	Formularies(ctx context.Context, county string, page func([]domain.FormularyItem) error) error
	Capabilities(ctx context.Context, county string) ([]Capabilities, error)
}

// MedicinesChecked answers for the medicines in the order asked.
type MedicinesChecked struct {
	Checks       []domain.MedicineCheck
	Capabilities []string
	// Known: the centre's list is known at all.
	Known bool
}

// CheckMedicines holds medicines against the list of a centre of the county.
func (s *Service) CheckMedicines(ctx context.Context, county, organizationID string, medicines []domain.Medicine) (MedicinesChecked, error) {
	var bad []errs.Field
	for i, m := range medicines {
		if m.Name == "" {
			bad = append(bad, errs.Required(fmt.Sprintf("medicines[%d].name", i)))
		}
	}
	if len(bad) > 0 {
		return MedicinesChecked{}, invalid(bad)
	}
	out, err := s.lookUp(ctx, county, organizationID, medicines)
	if err != nil {
		return MedicinesChecked{}, err
	}
	out.Capabilities, err = s.Formularies.Capabilities(ctx, county, organizationID)
	return out, err
}

// lookUp is CheckMedicines without the capabilities.
func (s *Service) lookUp(ctx context.Context, county, organizationID string, medicines []domain.Medicine) (MedicinesChecked, error) {
	substances := make([]string, len(medicines))
	for i, m := range medicines {
		substances[i] = domain.Substance(m.Name)
	}
	list, err := s.Formularies.Formulary(ctx, county, organizationID, substances)
	if err != nil {
		return MedicinesChecked{}, err
	}
	out := MedicinesChecked{Known: len(list.Items) > 0}
	for _, m := range medicines {
		out.Checks = append(out.Checks, list.Check(m))
	}
	return out, nil
}

// RefreshFormularies reads all lists and capabilities of directory into the projection: once at start, then facts keep it current.
func (s *Service) RefreshFormularies(ctx context.Context) error {
	all, err := s.Directory.All(ctx, "")
	if err != nil {
		return fmt.Errorf("read the counties: %w", err)
	}
	var counties []string
	for _, o := range all {
		if !slices.Contains(counties, o.County) {
			counties = append(counties, o.County)
		}
	}
	for _, county := range counties {
		if err := s.refreshFormularies(ctx, county); err != nil {
			return fmt.Errorf("read the medicine lists of county %s: %w", county, err)
		}
	}
	return nil
}

func (s *Service) refreshFormularies(ctx context.Context, county string) error {
	err := s.Lists.Formularies(ctx, county, func(items []domain.FormularyItem) error { return s.Formularies.PutFormulary(ctx, "", items) })
	if err != nil {
		return err
	}
	all, err := s.Lists.Capabilities(ctx, county)
	for _, c := range all {
		if err := s.Formularies.PutCapabilities(ctx, "", c); err != nil {
			return err
		}
	}
	return err
}
