package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Deliveries is what is kept of messages that leave the house. Implementations are safe for concurrent use.
type Deliveries interface {
	// Delivery answers one with its attempts; NotFound for an unknown one.
	Delivery(ctx context.Context, county, id string) (domain.Delivery, error)
}
