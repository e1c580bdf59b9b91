package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// AccessStore is what of a Store belongs to who may look.
type AccessStore interface {
	// Openings of an account for a patient, those that ended included.
	Openings(ctx context.Context, county, patient, account string) ([]domain.Opening, error)
}

// AccessUnit is what of a Unit belongs to who may look.
type AccessUnit interface {
	// Replayed reads into out what Replay kept for this request; found is false the first time. REQUEST_ID_REUSED when its body was another.
	Replayed(ctx context.Context, out any) (found bool, err error)
	// Replay is what a repeat of the request is to get. out is kept as JSON, sealed.
	Replay(out any) error

	PutOpening(o domain.Opening)
}
