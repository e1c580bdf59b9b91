package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// FeedStore reads messages of other systems.
type FeedStore interface {
	// FeedMessages of an organisation (empty: of the county) in a state, newest first after the cursor, at most limit; without Raw.
	FeedMessages(ctx context.Context, county, organization string, state domain.FeedState, after Cursor, limit int) ([]domain.FeedMessage, error)
	// FeedSenders of an organisation (empty: of the county), by name: those stored since, and those in quarantine now.
	FeedSenders(ctx context.Context, county, organization string, since time.Time) ([]FeedSender, error)
	// PruneFeed deletes messages of all counties that were stored or settled, and came and were settled before an instant; those in quarantine
	// stay, and the newest of each sender. It answers how many.
	PruneFeed(ctx context.Context, before time.Time) (int64, error)
	// FeedMessage with Raw while it is in quarantine; errs.NotFound else.
	FeedMessage(ctx context.Context, county, id string) (domain.FeedMessage, error)
}

// FeedUnit is the part of a Unit that takes messages of other systems.
type FeedUnit interface {
	// SameMessage is the message that this sender sent before under the control id with this content, if it did; other tells whether it sent
	// another content under it.
	SameMessage(ctx context.Context, sender, control string, raw []byte) (same domain.FeedMessage, known, other bool, err error)
	// FeedMessage, locked, with Raw while it is in quarantine.
	FeedMessage(ctx context.Context, id string) (domain.FeedMessage, error)
	// PutFeedMessage takes a new message (Version 1) or a changed one. raw is the content of a new one.
	PutFeedMessage(m domain.FeedMessage, raw []byte)
	// EntryOf is the current version of an entry by the identity that another system gave, whatever its status.
	EntryOf(ctx context.Context, patient, system, identity string) (e domain.Entry, ok bool, err error)
}

// FeedSender is how much came of one sender.
type FeedSender struct {
	Organization, Sender string
	Last                 time.Time
	Stored, Quarantined  int
}
