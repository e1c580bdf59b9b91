package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Options say where the server is. Everything but one of URL and Dir may be zero.
type Options struct {
	URL string // nats://…, tls://…, several separated by commas; may hold credentials and is never logged
	Dir string // without URL: directory of the server inside the process
	// Prefix keeps apart those who share one server, as tests do. It stands before stream names and subjects and is
	// invisible to callers.
	Prefix string
	// Backoff is how long a message rests after the first, second, … failed handling; the last one repeats.
	Backoff []time.Duration
	// AckWait is after how long without a sign of life a message goes to another process.
	AckWait time.Duration
}

const (
	minMajor, minMinor = 2, 10 // the first that filters a consumer by several subjects

	firstConnect   = 30 * time.Second // how long Connect tries
	tryTimeout     = 2 * time.Second
	retryWait      = 250 * time.Millisecond
	pingEvery      = 10 * time.Second // two unanswered ones end a half-open connection
	ackTimeout     = 10 * time.Second
	defaultAckWait = 10 * time.Second
	closeTimeout   = 2 * time.Second
)

// defaultBackoff outlasts the restart of a peer and a short outage: eight attempts within 18 minutes.
func defaultBackoff() []time.Duration {
	return []time.Duration{200 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
		2 * time.Minute, 5 * time.Minute, 10 * time.Minute}
}

// OpenEmbedded starts a server inside the process, without a port, on files in dir, each message synced to disk before
// it is acknowledged. A second process on the same directory is refused.
func OpenEmbedded(dir string, logger *slog.Logger) (Bus, error) {
	ctx, cancel := context.WithTimeout(context.Background(), firstConnect)
	defer cancel()
	return Open(ctx, Options{Dir: dir}, logger)
}

// Connect uses a server elsewhere, of version 2.10 or newer. It tries for up to half a minute within ctx; once
// connected, it reconnects for ever.
func Connect(ctx context.Context, url string, logger *slog.Logger) (Bus, error) {
	return Open(ctx, Options{URL: url}, logger)
}

// ConnectPrefix is Connect beside others who use the same server with another prefix.
func ConnectPrefix(ctx context.Context, url, prefix string, logger *slog.Logger) (Bus, error) {
	return Open(ctx, Options{URL: url, Prefix: prefix}, logger)
}

// Open connects, creates or updates the streams, and returns a bus that is ready.
func Open(ctx context.Context, o Options, logger *slog.Logger) (Bus, error) {
	if (o.URL == "") == (o.Dir == "") {
		return nil, errors.New("bus: exactly one of URL and directory is needed")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9-]*$`).MatchString(o.Prefix) {
		return nil, errors.New("bus: a prefix consists of letters, digits and hyphens")
	}
	if len(o.Backoff) == 0 {
		o.Backoff = defaultBackoff()
	}
	if o.AckWait == 0 {
		o.AckWait = defaultAckWait
	}
	b := &natsBus{options: o, names: names{o.Prefix}, logger: logger, reconnected: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

type natsBus struct {
	options Options
	names   names
	logger  *slog.Logger

	embedded *embedded // nil when the server is elsewhere
	conn     *nats.Conn
	js       jetstream.JetStream

	ctx    context.Context // ends when the bus is closed
	cancel context.CancelFunc
	active sync.WaitGroup // Consume and Tail
	closer sync.Once

	mu          sync.Mutex
	closed      bool
	reconnected chan struct{} // closed and replaced at each reconnection
}

func (b *natsBus) open(ctx context.Context) error {
	var err error
	for _, u := range strings.Split(b.options.URL, ",") {
		if !strings.Contains(u, "://") {
			u = "nats://" + u
		}
		if _, err := url.Parse(u); err != nil {
			return errors.New("bus: the NATS URL cannot be read") // err would show it, and the password in it
		}
	}
	if b.options.Dir != "" {
		if b.embedded, err = startEmbedded(b.options.Dir); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, firstConnect)
	defer cancel()
	if err := b.retry(ctx, "connect", b.dial); err != nil {
		return err
	}
	if err := checkVersion(b.conn.ConnectedServerVersion()); err != nil {
		return err
	}
	b.js, err = jetstream.New(b.conn, jetstream.WithPublishAsyncMaxPending(32*window),
		jetstream.WithPublishAsyncTimeout(ackTimeout), jetstream.WithDefaultTimeout(tryTimeout))
	if err != nil {
		return wrap(err, "use JetStream")
	}
	for _, s := range streams() {
		err := b.retry(ctx, "set up stream "+s.name, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, tryTimeout)
			defer cancel()
			return b.ensure(ctx, s)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *natsBus) dial(context.Context) error {
	options := []nats.Option{
		nats.Name("tongzhen"), nats.Timeout(tryTimeout), nats.MaxReconnects(-1), nats.ReconnectWait(retryWait),
		nats.ReconnectJitter(retryWait, retryWait), nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(2),
		// Nothing is kept for later while the server is away: the outbox does that, and knows about it.
		nats.ReconnectBufSize(-1),
		nats.ReconnectHandler(func(*nats.Conn) { b.wake() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if b.ctx.Err() == nil {
				b.logger.Warn("bus connection lost", "reason", reason(err))
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.logger.Warn("bus connection reports", "reason", reason(err))
		}),
	}
	if b.embedded != nil {
		options = append(options, nats.InProcessServer(b.embedded.server))
	}
	conn, err := nats.Connect(b.options.URL, options...)
	if err != nil {
		return errs.Unavailable("nats", err)
	}
	b.conn = conn
	return nil
}

// wake tells those who wait for an answer that was lost with the connection.
func (b *natsBus) wake() {
	b.logger.Info("bus connection is back")
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.reconnected)
	b.reconnected = make(chan struct{})
}

func (b *natsBus) reconnection() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reconnected
}

// begin counts one more Consume or Tail, whose context ends with the bus; false when the bus is closed.
func (b *natsBus) begin(ctx context.Context) (context.Context, func(), bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ctx, func() {}, false
	}
	b.active.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(b.ctx, cancel)
	return ctx, func() { release(); cancel(); b.active.Done() }, true
}

// retry repeats f until it succeeds or ctx ends, and then returns f's last error.
func (b *natsBus) retry(ctx context.Context, what string, f func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if attempt == 1 {
			b.logger.Warn("bus is not ready, trying again", "reason", reason(err))
		}
		if !pause(ctx, retryWait) {
			return fmt.Errorf("bus: %s: %s: %w", what, reason(err), err)
		}
	}
}

// reason is the text of the client library's error, which speaks of connections, streams and subjects, and never of
// what a message holds. The logger cannot know that and would leave it out.
func reason(err error) string {
	if e, ok := errs.As(err); ok && e.Unwrap() != nil {
		err = e.Unwrap()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// pause answers false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func checkVersion(found string) error {
	parts := strings.SplitN(strings.TrimPrefix(found, "v"), ".", 3)
	if len(parts) >= 2 {
		major, errMajor := strconv.Atoi(parts[0])
		minor, errMinor := strconv.Atoi(parts[1])
		if errMajor == nil && errMinor == nil && (major > minMajor || major == minMajor && minor >= minMinor) {
			return nil
		}
	}
	return fmt.Errorf("bus: the NATS server has version %q, but %d.%d or newer is needed", found, minMajor, minMinor)
}

func (b *natsBus) LastSequence(ctx context.Context) (uint64, error) {
	info, err := b.info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// Behind tells how many messages the durable consumers of a bus have still to handle, those under way included. It is for whoever must know that
// all facts had their effect; a bus that cannot tell answers an error.
func Behind(ctx context.Context, b Bus) (uint64, error) {
	counted, ok := b.(interface {
		behind(ctx context.Context) (uint64, error)
	})
	if !ok {
		return 0, errors.New("bus: this one does not count what its consumers have still to handle")
	}
	return counted.behind(ctx)
}

func (b *natsBus) behind(ctx context.Context) (n uint64, err error) {
	s, err := b.js.Stream(ctx, b.names.stream(factsStream))
	if err != nil {
		return 0, errs.Unavailable("nats", err)
	}
	list := s.ListConsumers(ctx)
	for c := range list.Info() {
		n += c.NumPending + uint64(c.NumAckPending)
	}
	if err := list.Err(); err != nil {
		return 0, errs.Unavailable("nats", err)
	}
	return n, nil
}

func (b *natsBus) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	_, err := b.info(ctx)
	return err
}

func (b *natsBus) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	s, err := b.js.Stream(ctx, b.names.stream(factsStream))
	if err != nil {
		return nil, errs.Unavailable("nats", err)
	}
	return s.CachedInfo(), nil
}

func (b *natsBus) Close() error {
	b.closer.Do(func() {
		b.mu.Lock()
		b.closed = true
		b.mu.Unlock()
		b.cancel()
		done := make(chan struct{})
		go func() { b.active.Wait(); close(done) }()
		timer := time.NewTimer(drainTime + closeTimeout)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
		if b.conn != nil {
			// Acknowledgements on their way; without them the messages would only be handled once more.
			_ = b.conn.FlushTimeout(closeTimeout)
			b.conn.Close()
		}
		b.embedded.stop()
	})
	return nil
}
