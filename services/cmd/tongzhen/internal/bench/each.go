package bench

import (
	"context"
	"sync"
)

// checkers work side by side; the load is over.
const checkers = 4

// forEach runs f over the list side by side, each call bounded, and answers the first error.
func forEach[T any](ctx context.Context, list []T, f func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan T)
	var done sync.WaitGroup
	for range checkers {
		done.Go(func() {
			for item := range work {
				if err := bounded(ctx, item, f); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, item := range list {
		if ctx.Err() != nil {
			break
		}
		work <- item
	}
	close(work)
	done.Wait()
	return context.Cause(ctx)
}

func bounded[T any](ctx context.Context, item T, f func(context.Context, T) error) error {
	if ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f(ctx, item)
}

func values[K comparable, V any](m map[K]V) []V {
	out := make([]V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
