package crypt

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/run"
)

// FollowEvery is how soon a process knows what its ring's file says.
const FollowEvery = time.Second

// Follow takes over what the ring's file says whenever it has changed, until ctx ends; then it answers nil. A file that cannot be read, is no
// ring or lacks a key is logged, and the ring stays what it is.
func Follow(ctx context.Context, ring *Ring, path string) error {
	var seen os.FileInfo
	run.Every(ctx, FollowEvery, nil, func(context.Context) error {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("look at the key ring's file: %w", err)
		}
		// Two files within one tick of the file system's clock have the same time.
		if seen != nil && os.SameFile(info, seen) && info.ModTime().Equal(seen.ModTime()) && info.Size() == seen.Size() {
			return nil
		}
		next, err := LoadRing(path)
		if err != nil {
			return err
		}
		if err := ring.adopt(next.held.Load()); err != nil {
			return err
		}
		seen = info
		return nil
	})
	return nil
}
