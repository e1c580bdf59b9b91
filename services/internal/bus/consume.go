package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	heldPerWorker = 8               // messages a process takes ahead, so that workers do not wait for the server
	pullTime      = 5 * time.Second // how long the server keeps one request for messages
	pullHeartbeat = 2 * time.Second // twice this without a word ends the request: the server or the consumer is gone
	drainTime     = 5 * time.Second // what running handlers get when Consume ends

	// The headers of a dead letter beside those of the fact.
	deadSubject   = "tz-subject"
	deadSequence  = "tz-sequence"
	deadDelivered = "tz-delivered"
)

// consumption is one running Consume.
type consumption struct {
	*natsBus
	consumer Consumer
	handler  func(ctx context.Context, m Msg) error
	handling context.Context // outlives the context of Consume by drainTime

	slots chan struct{}      // one for each message held or asked for
	queue chan jetstream.Msg // never blocks: as long as slots
	mu    sync.Mutex
	held  map[jetstream.Msg]struct{} // not yet answered; the server is told that they are in work
}

func (b *natsBus) Consume(ctx context.Context, c Consumer, handler func(ctx context.Context, m Msg) error) error {
	c.Workers = max(c.Workers, 1)
	if !regexp.MustCompile(`^[A-Za-z0-9-]+$`).MatchString(c.Name) || len(c.Subjects) == 0 {
		return errors.New("bus: a consumer needs a name of letters, digits and hyphens, and subjects")
	}
	ctx, end, ok := b.begin(ctx)
	defer end()
	if !ok {
		return nil
	}
	handling, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	n := c.Workers * heldPerWorker
	s := &consumption{natsBus: b, consumer: c, handler: handler, handling: handling,
		slots: make(chan struct{}, n), queue: make(chan jetstream.Msg, n), held: make(map[jetstream.Msg]struct{}, n)}
	for range n {
		s.slots <- struct{}{}
	}
	stopClock := context.AfterFunc(ctx, func() {
		pause(handling, drainTime)
		cancel()
	})
	defer stopClock()

	var work, signs sync.WaitGroup
	for range c.Workers {
		work.Go(func() {
			for m := range s.queue {
				s.handle(ctx, m)
			}
		})
	}
	signs.Go(s.signs)
	err := s.pull(ctx)
	close(s.queue)
	work.Wait()
	cancel()
	signs.Wait()
	return err
}

// pull takes messages until ctx ends; it returns an error only when the consumer can never work.
func (s *consumption) pull(ctx context.Context) error {
	for wait := retryWait; ctx.Err() == nil; {
		cons, err := s.ensureConsumer(ctx)
		if err == nil {
			wait = retryWait
			err = s.fetch(ctx, cons)
		}
		switch {
		case ctx.Err() != nil: // the end, not an error
		case hopeless(err):
			return wrap(err, "bus: consumer %s", s.consumer.Name)
		default:
			s.logger.WarnContext(ctx, "consumer is interrupted", "consumer", s.consumer.Name, "reason", reason(err))
			pause(ctx, wait)
			wait = min(2*wait, 10*retryWait)
		}
	}
	return nil
}

func hopeless(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrOverlappingFilterSubjects) || errors.Is(err, jetstream.ErrEmptyFilter) ||
		errors.As(err, &api) && api.Code == 400 && !errors.Is(err, jetstream.ErrConsumerExists)
}

func (s *consumption) ensureConsumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	return s.js.CreateOrUpdateConsumer(ctx, s.names.stream(factsStream), jetstream.ConsumerConfig{
		Durable: s.consumer.Name, FilterSubjects: s.names.subjects(s.consumer.Subjects),
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: s.options.AckWait, MaxDeliver: -1, MaxAckPending: -1,
	})
}

// fetch asks for as many messages as there is room for, again and again, until something goes wrong.
func (s *consumption) fetch(ctx context.Context, cons jetstream.Consumer) error {
	for {
		room := s.room(ctx)
		if room == 0 {
			return ctx.Err()
		}
		// A request that was under way when the connection broke is never answered: ask again at once.
		pulling, cancel := context.WithTimeout(ctx, pullTime)
		lost := s.reconnection()
		stop := make(chan struct{})
		go func() {
			select {
			case <-lost:
				cancel()
			case <-stop:
			}
		}()
		got, err := s.take(ctx, pulling, cons, room)
		close(stop)
		cancel()
		for range room - got {
			s.slots <- struct{}{}
		}
		select {
		case <-lost:
			err = nil
		default:
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// room takes all free slots, at least one; 0 when ctx ended.
func (s *consumption) room(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case <-s.slots:
	}
	n := 1
	for {
		select {
		case <-s.slots:
			n++
		default:
			return n
		}
	}
}

func (s *consumption) take(ctx, pulling context.Context, cons jetstream.Consumer, room int) (got int, err error) {
	batch, err := cons.Fetch(room, jetstream.FetchContext(pulling), jetstream.FetchHeartbeat(pullHeartbeat))
	if err != nil {
		return 0, err
	}
	for m := range batch.Messages() {
		got++
		if ctx.Err() != nil {
			_ = m.Nak() // for another process, or for the next start
			s.slots <- struct{}{}
			continue
		}
		s.mu.Lock()
		s.held[m] = struct{}{}
		s.mu.Unlock()
		s.queue <- m
	}
	return got, batch.Error()
}

// signs tells the server of every message that waits or is slow to handle that it is still in work.
func (s *consumption) signs() {
	for pause(s.handling, s.options.AckWait/3) {
		s.mu.Lock()
		for m := range s.held {
			_ = m.InProgress() // without it the message is handled once more
		}
		s.mu.Unlock()
	}
}

// handle answers the message in every case. An answer that does not reach the server brings the message again.
func (s *consumption) handle(ctx context.Context, m jetstream.Msg) {
	defer func() {
		s.mu.Lock()
		delete(s.held, m)
		s.mu.Unlock()
		s.slots <- struct{}{}
	}()
	meta, err := m.Metadata()
	switch {
	case err != nil:
		_ = m.Term() // not from the stream
		return
	case ctx.Err() != nil:
		_ = m.Nak()
		return
	case meta.NumDelivered > MaxDeliveries:
		err = s.bury(m, meta)
	default:
		err = s.call(unwire(m, meta, s.names), meta.NumDelivered)
	}
	switch {
	case err != nil:
		delays := s.options.Backoff
		_ = m.NakWithDelay(delays[min(int(meta.NumDelivered), len(delays))-1])
	case meta.NumDelivered > MaxDeliveries:
		_ = m.Term()
	default:
		_ = m.Ack()
	}
}

// call runs the handler below a span of its own.
func (s *consumption) call(m Msg, delivery uint64) (err error) {
	ctx, cancel := context.WithTimeout(s.handling, HandlerLimit)
	defer cancel()
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(m.Header))
	ctx, span := otel.Tracer("github.com/tongzhen/tongzhen/services/internal/bus").Start(ctx, "consume "+m.Type,
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("messaging.system", "nats"), attribute.String("messaging.destination.name", m.Subject),
			attribute.String("messaging.consumer.group.name", s.consumer.Name),
			attribute.String("messaging.message.id", m.ID)))
	defer span.End()
	defer func() {
		if p := recover(); p != nil {
			s.logger.ErrorContext(ctx, "handler panicked", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errs.New(errs.KindInternal, errs.ReasonInternal, "the handler panicked", nil)
		}
		if err != nil {
			span.SetStatus(codes.Error, errs.KindOf(err).String())
			s.logger.WarnContext(ctx, "fact was not handled", "consumer", s.consumer.Name, "fact_id", m.ID,
				"type", m.Type, "attempt", delivery, "error", err)
		}
	}()
	return s.handler(ctx, m)
}

// bury stores the dead letter; the fact is terminated only after that.
func (s *consumption) bury(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
	h := nats.Header{}
	for key, values := range m.Headers() {
		h[key] = values
	}
	id := first(h, headerID)
	for _, key := range []string{batchID, batchSeq, batchCommit} {
		delete(h, key) // it is in no batch here
	}
	h[jetstream.MsgIDHeader] = []string{s.consumer.Name + " " + id}
	h[deadSubject] = []string{s.names.bare(m.Subject())}
	h[deadSequence] = []string{strconv.FormatUint(meta.Sequence.Stream, 10)}
	h[deadDelivered] = []string{strconv.FormatUint(meta.NumDelivered-1, 10)}
	ctx, cancel := context.WithTimeout(s.handling, ackTimeout)
	defer cancel()
	future, err := s.send(ctx, deadLetterStream, &nats.Msg{
		Subject: s.names.subject(deadLetterRoot + "." + s.consumer.Name), Header: h, Data: m.Data(),
	})
	if err == nil {
		err = await(ctx, future)
	}
	if err != nil {
		s.logger.ErrorContext(ctx, "dead letter was not stored", "consumer", s.consumer.Name, "fact_id", id, "error", err)
		return err
	}
	s.logger.ErrorContext(ctx, "fact became a dead letter", "consumer", s.consumer.Name, "fact_id", id,
		"type", first(h, headerType))
	return nil
}
