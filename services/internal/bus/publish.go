package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// window is how many messages of one call are under way at a time.
const window = 256

func (b *natsBus) Publish(ctx context.Context, msgs ...Msg) (map[string]error, error) {
	type sent struct {
		id     string
		future jetstream.PubAckFuture
	}
	var (
		pending []sent
		failed  map[string]error
		worst   error
	)
	fail := func(id string, err error) {
		if failed == nil {
			failed = make(map[string]error)
		}
		failed[id] = err
		if worst == nil || errs.KindOf(worst) != errs.KindUnavailable {
			worst = err
		}
	}
	settle := func() {
		if err := await(ctx, pending[0].future); err != nil {
			fail(pending[0].id, err)
		}
		pending = pending[1:]
	}
	if b.embedded != nil && len(msgs) >= batchFrom && b.publishAtOnce(ctx, msgs) == nil {
		return nil, nil
	}
	for _, m := range msgs {
		if err := check(m); err != nil {
			fail(m.ID, err)
			continue
		}
		if len(pending) == window {
			settle()
		}
		future, err := b.send(ctx, factsStream, wire(ctx, m, b.names))
		if err != nil {
			fail(m.ID, err)
			continue
		}
		pending = append(pending, sent{m.ID, future})
	}
	for len(pending) > 0 {
		settle()
	}
	if worst != nil {
		return failed, fmt.Errorf("publish %d of %d facts: %w", len(failed), len(msgs), worst)
	}
	return nil, nil
}

func check(m Msg) error {
	field := ""
	switch {
	case m.ID == "":
		field = "id"
	case m.Type == "":
		field = "type"
	case !isFact(m.Subject):
		return errs.Invalid(errs.Bad("subject", errs.ReasonFieldInvalid))
	default:
		return nil
	}
	return errs.Invalid(errs.Required(field))
}

func (b *natsBus) send(ctx context.Context, stream string, m *nats.Msg) (jetstream.PubAckFuture, error) {
	if err := cmp.Or(ctx.Err(), b.ctx.Err()); err != nil {
		return nil, errs.Unavailable("nats", err)
	}
	future, err := b.js.PublishMsgAsync(m, jetstream.WithExpectStream(b.names.stream(stream)))
	if err != nil {
		return nil, classify(err)
	}
	return future, nil
}

func await(ctx context.Context, future jetstream.PubAckFuture) error {
	select {
	case <-future.Ok():
		return nil
	case err := <-future.Err():
		return classify(err)
	case <-ctx.Done():
		return errs.Unavailable("nats", ctx.Err())
	}
}

// classify: only a message that is too large will never be taken.
func classify(err error) error {
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
		return errs.New(errs.KindInvalid, errs.ReasonFieldTooLong, "the message is larger than the server takes", err)
	}
	return errs.Unavailable("nats", err)
}
