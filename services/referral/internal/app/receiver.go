package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func invalid(bad []errs.Field) error { return errs.Invalid(bad...) }

// receiver is checkReceiver for those who have nothing else to say.
func (s *Service) receiver(ctx context.Context, county string, d domain.Direction, p domain.Party) (string, error) {
	name, bad, err := s.checkReceiver(ctx, county, d, p)
	if err != nil {
		return "", err
	}
	if len(bad) > 0 {
		return "", invalid(bad)
	}
	return name, nil
}

// checkReceiver finds what is wrong with a receiver and answers its name for the history: the organisation must exist, be in use and
// take patients, be a county hospital if they are sent up and a centre or clinic if they are sent down, and have the department. Empty parts are not its business.
func (s *Service) checkReceiver(ctx context.Context, county string, d domain.Direction, p domain.Party) (string, []errs.Field, error) {
	if p.OrganizationID == "" {
		return "", nil, nil
	}
	o, found, err := s.organization(ctx, county, p)
	if err != nil {
		return "", nil, err
	}
	if !found || o.Disabled || o.Type == "EXTERNAL" || o.Type == "AUTHORITY" {
		return "", []errs.Field{errs.Bad("receiver.organizationId", errs.ReasonFieldUnknown)}, nil
	}
	if (d == domain.Up) != (o.Type == "COUNTY_HOSPITAL") {
		return "", []errs.Field{errs.Bad("receiver.organizationId", errs.ReasonFieldCombination)}, nil
	}
	if p.DepartmentCode == "" {
		return o.Name, nil, nil
	}
	name, ok := department(o, p.DepartmentCode)
	if !ok {
		return "", []errs.Field{errs.Bad("receiver.departmentCode", errs.ReasonFieldUnknown)}, nil
	}
	return o.Name + " " + name, nil, nil
}

// checkOrganization asks that an organisation, if one is named, exists and is of one of the types.
func (s *Service) checkOrganization(ctx context.Context, county string, p domain.Party, field string, types ...string) ([]errs.Field, error) {
	if p.OrganizationID == "" {
		return nil, nil
	}
	o, found, err := s.organization(ctx, county, domain.Party{OrganizationID: p.OrganizationID})
	switch {
	case err != nil:
		return nil, err
	case !found || o.Disabled:
		return []errs.Field{errs.Bad(field, errs.ReasonFieldUnknown)}, nil
	case !slices.Contains(types, o.Type):
		return []errs.Field{errs.Bad(field, errs.ReasonFieldCombination)}, nil
	}
	return nil, nil
}

// organization is the projection's, or directory's own answer where the projection misses the organisation or the department: the
// fact may still be on its way.
func (s *Service) organization(ctx context.Context, county string, p domain.Party) (Organization, bool, error) {
	o, found, err := s.Organizations.Organization(ctx, county, p.OrganizationID)
	if err != nil {
		return Organization{}, false, err
	}
	if _, ok := department(o, p.DepartmentCode); found && (ok || p.DepartmentCode == "") {
		return o, true, nil
	}
	fresh, err := s.Directory.Organization(ctx, county, p.OrganizationID)
	switch {
	case errs.KindOf(err) == errs.KindNotFound, errs.KindOf(err) == errs.KindInvalid:
		return Organization{}, false, nil
	case err != nil:
		return Organization{}, false, err
	}
	return fresh, true, s.Organizations.PutOrganization(ctx, "", fresh)
}

func department(o Organization, code string) (string, bool) {
	i := slices.IndexFunc(o.Departments, func(d Department) bool { return d.Code == code })
	if i < 0 {
		return "", false
	}
	return o.Departments[i].Name, true
}

// RefreshOrganizations reads all organisations of directory into the projection: once at start, then facts keep it current.
func (s *Service) RefreshOrganizations(ctx context.Context) error {
	all, err := s.Directory.All(ctx, "")
	if err != nil {
		return fmt.Errorf("read organisations: %w", err)
	}
	for _, o := range all {
		if err := s.Organizations.PutOrganization(ctx, "", o); err != nil {
			return err
		}
	}
	return nil
}
