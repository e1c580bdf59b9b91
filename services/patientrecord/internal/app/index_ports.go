package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// IndexStore reads what the index knows of records that are, or may be, of one person.
type IndexStore interface {
	// Match of an id; errs.NotFound.
	Match(ctx context.Context, county, id string) (domain.Match, error)
	// OpenMatches are those that nobody decided, of which the organisation has a relation to at least one record now, best first.
	OpenMatches(ctx context.Context, county, organization string, after MatchCursor, limit int) ([]domain.Match, error)
	// Merge of an id; errs.NotFound.
	Merge(ctx context.Context, county, id string) (domain.Merge, error)
	// Merges of a person, newest first, those that were undone included.
	Merges(ctx context.Context, county, patient string) ([]domain.Merge, error)
	// Record is the record itself, also if it was merged.
	Record(ctx context.Context, county, id string) (domain.Patient, error)
	// Alike finds records that may be of the person described, each with those merged into it. See Unit.Alike.
	Alike(ctx context.Context, county string, d domain.Details) ([]Found, error)
	// RewriteTokens writes the search terms and number tokens of at most limit records after the given id anew, with the current index
	// key, in one transaction, and answers with the last id; n is 0 at the end. It may run while people work, and again.
	RewriteTokens(ctx context.Context, county, after string, limit int) (last string, n int, err error)
}

// MatchCursor is a place in the list of matches; the zero MatchCursor is its beginning.
type MatchCursor struct {
	Score int
	ID    string
}

// IndexUnit is the part of a change that links records. Whoever links locks the records first, in ascending order of their ids.
type IndexUnit interface {
	// Record is the record itself, locked, also if it was merged.
	Record(ctx context.Context, id string) (domain.Patient, error)
	// Alike finds by keyed tokens the records that share a telephone, a number, or name or guardian with birth date or village, with any
	// of the descriptions; at most a few dozen for each. Merged records are found as the survivor's, but those of which the change has put a
	// merge are found with nobody.
	Alike(ctx context.Context, ds ...domain.Details) ([]Found, error)
	Match(ctx context.Context, id string) (domain.Match, error)
	// MatchOf two records, in whatever state.
	MatchOf(ctx context.Context, a, b string) (m domain.Match, ok bool, err error)
	// PutMatch writes over the match of the same two.
	PutMatch(m domain.Match)
	// PutMatches takes what was found for a patient now: those in it are opened unless a person decided, open ones that are not lapse.
	PutMatches(patient string, found []domain.Match)
	// Merge of an id, locked: after the records that it links.
	Merge(ctx context.Context, id string) (domain.Merge, error)
	// Family are the merges that hold and lead to one of the records.
	Family(ctx context.Context, roots ...string) ([]domain.Merge, error)
	// PutMerge writes over the merge of the same id, unless it was undone.
	PutMerge(m domain.Merge)
	// Reindex lets the first record be found by what all of them say, and the others by nothing.
	Reindex(records ...domain.Patient)
}

// Linking is a decision about records.
type Linking struct {
	Request Request
	// Version of the match that the decision is about.
	Version int32
	Reason  string
}

func (l Linking) decision(account, organization string, at time.Time) domain.Decision {
	return domain.Decision{Account: account, Organization: organization, At: at, Reason: l.Reason}
}
