package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// AccessStore is what of a Store belongs to who may look.
type AccessStore interface {
	// Openings of an account for a patient, those that ended included.
	Openings(ctx context.Context, county, patient, account string) ([]domain.Opening, error)
	// Glasses are uses of ways around the relation, newest first.
	Glasses(ctx context.Context, county string, q GlassQuery) ([]domain.Glass, error)
	// Glass is one of them; errs.NotFound.
	Glass(ctx context.Context, county, id string) (domain.Glass, error)
	// GlassReads is what the audit tells of its account and patient while it counted, oldest first.
	GlassReads(ctx context.Context, county string, g domain.Glass) ([]domain.GlassRead, error)
}

// AccessUnit is what of a Unit belongs to who may look.
type AccessUnit interface {
	// Replayed reads into out what Replay kept for this request; found is false the first time. REQUEST_ID_REUSED when its body was another.
	Replayed(ctx context.Context, out any) (found bool, err error)
	// Replay is what a repeat of the request is to get. out is kept as JSON, sealed.
	Replay(out any) error

	PutOpening(o domain.Opening)
	Glass(ctx context.Context, id string) (domain.Glass, error)
	// PutGlass takes a new or reviewed use. A new one is published.
	PutGlass(g domain.Glass)
}

// Now is the time by which answers are judged.
func (a *App) Now() time.Time { return a.clk.Now() }
