package app_test

import (
	"cmp"
	"context"
	"sync"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

var compiled = sync.OnceValues(func() (*criteria.Book, error) { return criteria.New(nil) })

// shipped are the criteria as shipped, compiled once for all tests.
func shipped(t *testing.T) *criteria.Book {
	t.Helper()
	book, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// Record is what patient-record knows of everybody but a stranger.
func (p *peers) Record(_ context.Context, _, patientID, _ string) (app.Record, error) {
	p.recordAsked++
	if patientID == "stranger" {
		return app.Record{}, errs.NotFound("patient")
	}
	return p.record, cmp.Or(p.recordAway, p.patientsAway)
}

func (p *peers) Patient(ctx context.Context, _, patientID, organizationID string) (domain.Patient, error) {
	return p.Snapshot(ctx, patientID, organizationID)
}

func (p *peers) Formularies(_ context.Context, _ string, page func([]domain.FormularyItem) error) error {
	return page(p.medicines)
}

func (p *peers) Capabilities(context.Context, string) ([]app.Capabilities, error) {
	return p.capabilities, nil
}
