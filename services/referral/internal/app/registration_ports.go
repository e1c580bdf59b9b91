package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Registrations keeps the registrations that are offered to a hospital's desk.
type Registrations interface {
	// ListRegistrations is a page of open ones, the newest first.
	ListRegistrations(ctx context.Context, q RegistrationQuery) ([]domain.Registration, error)
	// Registration is NOT_FOUND for an unknown id.
	Registration(ctx context.Context, county, id string) (domain.Registration, error)
	// ChangeRegistration runs decide on one registration, locked, in one transaction with audit and request log. A request that was answered
	// before changes nothing and is answered with the registration as it is now. Errors: those of decide; NOT_FOUND; REQUEST_ID_REUSED.
	ChangeRegistration(
		ctx context.Context, cmd Command, id string, decide func(domain.Registration, time.Time) (domain.Registration, error),
	) (domain.Registration, error)
	// RegisteredArrivals are the referrals to the caller's organisation that are ARRIVED since, and whose arrival a registration made; the
	// newest first.
	RegisteredArrivals(ctx context.Context, caller authn.Identity, since time.Time) ([]View, error)
}

// RegistrationQuery selects a page of the caller's hospital that began since an instant.
type RegistrationQuery struct {
	Caller authn.Identity
	Since  time.Time
	After  *Cursor
	Limit  int
}

// RegistrationUnit is what a transaction does about registrations. It is part of [Unit]. Registrations of a patient who arrives are taken off
// the list by the store: a referral knows of them then.
type RegistrationUnit interface {
	// OfferRegistration keeps one that is open. Of one that is known a newer fact changes where the patient is while it is open; one that was
	// settled, or whose encounter was told by a newer fact to have ended or never been, stays as it is.
	OfferRegistration(ctx context.Context, r domain.Registration) error
	// WithdrawRegistration takes one that is open off the list: its encounter never was.
	WithdrawRegistration(encounterID string)
}
