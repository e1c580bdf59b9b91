package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func (b *natsBus) Tail(ctx context.Context, fromSeq uint64, subjects []string, fn func(m Msg)) error {
	ctx, end, ok := b.begin(ctx)
	defer end()
	if !ok {
		return nil
	}
	next := fromSeq
	for begun := false; ctx.Err() == nil; {
		err := b.position(ctx, &next, !begun)
		if errors.Is(err, ErrTooOld) {
			return err
		}
		if err == nil {
			begun = true
			err = b.follow(ctx, &next, subjects, fn)
		}
		if ctx.Err() != nil {
			return nil
		}
		if hopeless(err) {
			return wrap(err, "bus: tail")
		}
		b.logger.WarnContext(ctx, "tail is interrupted", "reason", reason(err))
		pause(ctx, retryWait)
	}
	return nil
}

// position turns 0 into the place of the next message, so that an interruption before the first one loses nothing,
// and refuses a place that the stream cannot or should not go back to. Age counts at the beginning alone: who
// follows was not away. Age is told by the server's clock alone.
func (b *natsBus) position(ctx context.Context, next *uint64, atStart bool) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	s, err := b.js.Stream(ctx, b.names.stream(factsStream))
	if err != nil {
		return err
	}
	info := s.CachedInfo()
	switch {
	case *next == 0:
		*next = info.State.LastSeq + 1
		return nil
	case *next == info.State.LastSeq+1:
		return nil
	case *next > info.State.LastSeq, *next < info.State.FirstSeq:
		return ErrTooOld
	case !atStart:
		return nil
	}
	m, err := s.GetMsg(ctx, *next)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return ErrTooOld
	}
	if err != nil {
		return err
	}
	if info.TimeStamp.Sub(m.Time) > TailAge {
		return ErrTooOld
	}
	return nil
}

// follow reads from *next on, and moves it, until something goes wrong.
func (b *natsBus) follow(ctx context.Context, next *uint64, subjects []string, fn func(m Msg)) error {
	making, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	cons, err := b.js.OrderedConsumer(making, b.names.stream(factsStream), jetstream.OrderedConsumerConfig{
		FilterSubjects: b.names.subjects(subjects), DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq: *next, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return err
	}
	messages, err := cons.Messages(jetstream.PullHeartbeat(pullHeartbeat), jetstream.PullExpiry(15*time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		*next = meta.Sequence.Stream + 1
		fn(unwire(m, meta, b.names))
	}
}
