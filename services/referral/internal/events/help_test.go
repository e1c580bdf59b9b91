package events_test

import (
	"context"

	"github.com/tongzhen/tongzhen/services/referral/internal/app"
)

type projection struct {
	fact string
	got  app.Organization
}

func (p *projection) Organization(context.Context, string, string) (app.Organization, bool, error) {
	return p.got, true, nil
}

func (p *projection) PutOrganization(_ context.Context, fact string, o app.Organization) error {
	p.fact, p.got = fact, o
	return nil
}

func (p *projection) OrganizationsOf(context.Context, string, string) ([]string, error) {
	return []string{p.got.ID}, nil
}
