package app

import (
	"context"
	"fmt"
	"time"
)

// Retention deletes what is over, in short transactions. Implementations are safe for concurrent use.
type Retention interface {
	// Counties are those of which anything is known.
	Counties(ctx context.Context) ([]string, error)
	// Prune deletes, of a county, up to limit messages that ended with their attempts, up to limit reminders and up to limit telephone tasks with what came of
	// them, all from before the instant; what still waits, is under way or is open stays, however old. It answers how many rows of each went at most: less
	// than limit means that nothing is left.
	Prune(ctx context.Context, county string, before time.Time, limit int) (most int, err error)
}

const (
	pruneAtOnce = 1000
	// pruneRounds bound one look: what is left over goes with the next.
	pruneRounds = 200
)

// Prune deletes what ended before an instant and answers whether something went.
func Prune(ctx context.Context, r Retention, before time.Time) (pruned bool, err error) {
	counties, err := r.Counties(ctx)
	if err != nil {
		return false, err
	}
	for _, county := range counties {
		for range pruneRounds {
			n, err := r.Prune(ctx, county, before, pruneAtOnce)
			if err != nil {
				return pruned, fmt.Errorf("prune what left the house of county %s: %w", county, err)
			}
			if pruned = pruned || n > 0; n < pruneAtOnce {
				break
			}
		}
	}
	return pruned, nil
}
