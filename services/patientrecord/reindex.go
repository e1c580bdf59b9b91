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
	// reindexAgain is the pause after a failure, and while another instance is at it.
	reindexAgain = 10 * time.Second
)

// reindex gives the patients that an earlier release registered the search terms of this one, one instance at a time, and ends when all have
// them. It goes on where it stopped.
func reindex(s *Service, st *store.Store) run.Func {
	return func(ctx context.Context) error {
		ctx, end := context.WithCancel(ctx)
		defer end()
		run.Every(ctx, reindexAgain, nil, func(ctx context.Context) error {
			done := false
			_, err := s.deps.DB.Alone(ctx, "patient-index", func() error {
				for {
					next, ok, err := st.NextToReindex(ctx)
					if done = err == nil && !ok; err != nil || !ok {
						return err
					}
					if err := st.Reindex(ctx, next, reindexAtOnce); err != nil {
						return err
					}
				}
			})
			if done {
				end()
			}
			return err
		})
		return nil
	}
}
