package patientrecord

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

const (
	// reindexAtOnce bounds the patients whose search terms are written anew in one transaction: a registration waits for no longer.
	reindexAtOnce = 100
	// reindexEvery is how often it is looked whether there is something to do, also while another instance is at it.
	reindexEvery = 2 * time.Second
	// reindexRest keeps the walk from taking the database from the people who work.
	reindexRest = 10 * time.Millisecond
)

// reindex gives patients the search terms of this release under the current index key, one instance at a time: those that an earlier release
// registered, and all when the index key is another. It goes on where it stopped. Searches go by every key of the ring meanwhile.
func reindex(s *Service, st *store.Store) run.Func {
	return func(ctx context.Context) error {
		run.Every(ctx, reindexEvery, nil, func(ctx context.Context) error {
			// A process that does not know the key yet would leave terms of the former one behind the walk.
			settled, err := s.rekey.IndexSettled(ctx)
			if err != nil || !settled {
				return err
			}
			_, err = s.deps.DB.Alone(ctx, "patient-index", func() error { return reindexAll(ctx, st) })
			return err
		})
		return nil
	}
}

func reindexAll(ctx context.Context, st *store.Store) error {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-rest.C:
		}
		next, ok, err := st.NextToReindex(ctx)
		if err != nil || !ok {
			return err
		}
		if err := st.Reindex(ctx, next, reindexAtOnce); err != nil {
			return err
		}
		rest.Reset(reindexRest)
	}
}
