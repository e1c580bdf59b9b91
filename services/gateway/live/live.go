// Package live tells open pages that something changed.
//
// Owns: one reader of the facts a process, the fan-out by audience and the event stream of each browser. An event says
// only what changed; the page fetches the rest by its normal route, so that the right to see it is decided in one place.
// Refuses: to carry content. Invariants: 1. an event goes only to sessions that the fact's audience names; 2. a browser
// that reconnects gets every event it missed, or "reset"; so does one that came before this process knew its place in the stream. Safe for concurrent use.
package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

const (
	// keep is how long an event can be asked for again after a lost line.
	keep = 10 * time.Minute
	// keepMost bounds them in a storm of facts, such as an import.
	keepMost = 20_000
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second // and looks whether the session still stands
	// writeTime ends a stream whose browser takes nothing any more; longer than a heartbeat, which renews it.
	writeTime = 2 * heartbeat
	// streamsEach is how many an account has at a time, one for each page that is open; with another one the oldest ends.
	streamsEach = 20
	// backlog is how many events may wait for one slow browser before it is told to start afresh.
	backlog = 64
)

// kinds maps the root of a subject to the event's name; alarms, which sound, have one of their own.
var kinds = map[string]string{"referral": "referral", "notification": "notification", "scheduling": "booking"}

// kindOf is the name of an event by the subject of its fact.
func kindOf(subject string) (string, bool) {
	root, _, _ := strings.Cut(subject, ".")
	event := subject[strings.LastIndexByte(subject, '.')+1:]
	if root == "notification" && (event == "alarm_rang" || event == "alarm_acknowledged") {
		return "alarm", true
	}
	kind, ok := kinds[root]
	return kind, ok
}

type event struct {
	sequence uint64
	at       time.Time
	audience []string
	kind     string
	data     []byte
}

type subscriber struct {
	account  string
	session  door.Session
	audience map[string]bool
	events   chan event
	// lost is closed when events had to be dropped.
	lost chan struct{}
	once sync.Once
	// ended is closed when the stream is to end.
	ended   chan struct{}
	endOnce sync.Once
}

// Hub fans facts out.
type Hub struct {
	bus    bus.Bus
	clock  clock.Clock
	logger *slog.Logger

	mu     sync.Mutex
	recent []event // ascending sequence, not older than keep, at most keepMost
	// floor is the last sequence before recent: a browser that has seen it has missed nothing else.
	floor uint64
	// last is the last sequence that was fanned out.
	last        uint64
	ready       bool
	subscribers map[*subscriber]struct{}
	// accounts are the subscribers of each account, the oldest first.
	accounts  map[string][]*subscriber
	closed    chan struct{}
	closeOnce sync.Once
}

// New makes a hub; Run feeds it.
func New(b bus.Bus, clk clock.Clock, logger *slog.Logger) *Hub {
	return &Hub{bus: b, clock: clk, logger: logger, subscribers: map[*subscriber]struct{}{}, accounts: map[string][]*subscriber{}, closed: make(chan struct{})}
}

// Run reads facts until ctx ends, and tells changed the id of every account that is not what it was. A stream that was made anew under it tells every
// browser to start afresh.
func (h *Hub) Run(ctx context.Context, changed func(accountID string)) error {
	take := func(m bus.Msg) {
		h.take(m)
		if account := accountOf(m); account != "" {
			changed(account)
		}
	}
	for {
		err := h.bus.Tail(ctx, h.begin(ctx), []string{"referral.v1.>", "notification.v1.>", "scheduling.v1.>", accountSubject}, take)
		if !errors.Is(err, bus.ErrTooOld) || ctx.Err() != nil {
			return err
		}
		h.restart()
	}
}

// accountSubject is that of facts about accounts, which browsers are not told.
const accountSubject = "directory.v1.*.account_changed"

// accountOf is the account that a fact is about, "" for every other fact.
func accountOf(m bus.Msg) string {
	fact := &directoryv1.AccountChanged{}
	if m.Type != string(fact.ProtoReflect().Descriptor().FullName()) || proto.Unmarshal(m.Payload, fact) != nil {
		return ""
	}
	return fact.GetAccount().GetId()
}

// begin is where to read from. Knowing the place before the first fact comes, a browser that loses its line before that
// misses nothing either. While the bus is away it is unknown, and 0.
func (h *Hub) begin(ctx context.Context) uint64 {
	last, err := h.bus.LastSequence(ctx)
	if err != nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.know(last)
	return last + 1
}

// know notes the sequence from which on this process follows; callers hold mu. Who came before it may have missed something, and starts afresh.
func (h *Hub) know(floor uint64) {
	if !h.ready {
		for s := range h.subscribers {
			s.drop()
		}
	}
	h.floor, h.last, h.ready = floor, floor, true
}

func (h *Hub) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent, h.ready = nil, false
	for s := range h.subscribers {
		s.drop()
	}
}

// Close ends every stream, so that the server can stop.
func (h *Hub) Close() { h.closeOnce.Do(func() { close(h.closed) }) }

func (h *Hub) take(m bus.Msg) {
	e, ok := h.read(m)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ready {
		// Whatever came before the first message that this process saw, it cannot repeat.
		h.know(m.Sequence - 1)
	}
	h.last = m.Sequence
	if !ok {
		return
	}
	h.recent = append(h.recent, e)
	oldest := e.at.Add(-keep)
	for len(h.recent) > 0 && (h.recent[0].at.Before(oldest) || len(h.recent) > keepMost) {
		h.floor = h.recent[0].sequence
		h.recent = h.recent[1:]
	}
	for s := range h.subscribers {
		s.offer(e)
	}
}

// read takes the envelope out of a fact of any type; a type that this build does not know is left out.
func (h *Hub) read(m bus.Msg) (event, bool) {
	kind, ok := kindOf(m.Subject)
	if !ok {
		return event{}, false
	}
	messageType, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(m.Type))
	if err != nil {
		return event{}, false
	}
	message := messageType.New()
	if err := proto.Unmarshal(m.Payload, message.Interface()); err != nil {
		h.logger.Warn("fact cannot be read", "fact_id", m.ID, "type", m.Type)
		return event{}, false
	}
	field := message.Descriptor().Fields().ByNumber(1)
	if field == nil || field.Message() == nil {
		return event{}, false
	}
	meta, ok := message.Get(field).Message().Interface().(*commonv1.FactMeta)
	if !ok {
		return event{}, false
	}
	what := map[string]any{"id": meta.GetAggregateId(), "version": meta.GetAggregateVersion()}
	if notice, ok := message.Interface().(*notificationv1.EntryCreated); ok {
		// Whoever wants to hears that it is urgent.
		what["urgency"] = notice.GetEntry().GetUrgency().String()
	}
	if _, ok := message.Interface().(*referralv1.Seen); ok {
		// Nothing changed for who is writing an answer: most often it is they who opened it.
		what["seen"] = true
	}
	data, err := json.Marshal(what)
	if err != nil {
		return event{}, false
	}
	return event{sequence: m.Sequence, at: h.clock.Now(), audience: meta.GetAudience(), kind: kind, data: data}, true
}

func (s *subscriber) wants(e event) bool {
	for _, a := range e.audience {
		if s.audience[a] {
			return true
		}
	}
	return false
}

func (s *subscriber) offer(e event) {
	if !s.wants(e) {
		return
	}
	select {
	case s.events <- e:
	default:
		s.drop()
	}
}

// drop tells the browser to start afresh.
func (s *subscriber) drop() { s.once.Do(func() { close(s.lost) }) }

func (s *subscriber) end() { s.endOnce.Do(func() { close(s.ended) }) }

// End ends the streams of a session that was signed out.
func (h *Hub) End(session door.Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		if s.session == session {
			s.end()
		}
	}
}

// greeting is what a browser is told first.
type greeting struct {
	missed []event
	// reset: what was missed is not all there any more.
	reset bool
	// last is where the browser stands then; 0 when that is not known.
	last uint64
}

// subscribe registers a browser that has seen everything up to a sequence, or nothing (0).
func (h *Hub) subscribe(s *subscriber, seen uint64) greeting {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribers[s] = struct{}{}
	h.accounts[s.account] = append(h.accounts[s.account], s)
	if streams := h.accounts[s.account]; len(streams) > streamsEach {
		streams[0].end()
		h.accounts[s.account] = streams[1:]
	}
	g := greeting{last: h.last}
	switch {
	case seen == 0:
	case !h.ready, seen < h.floor, seen > h.last: // greater: of a stream that is gone, or this replica lags behind
		g.reset = true
	default:
		for _, e := range h.recent {
			if e.sequence > seen && s.wants(e) {
				g.missed = append(g.missed, e)
			}
		}
	}
	return g
}

func (h *Hub) unsubscribe(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subscribers, s)
	left := slices.DeleteFunc(h.accounts[s.account], func(x *subscriber) bool { return x == s })
	if h.accounts[s.account] = left; len(left) == 0 {
		delete(h.accounts, s.account)
	}
}

// ServeHTTP streams the visitor's events until the browser goes, the session ends, the account has too many or the hub is closed.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	visitor, ok := door.VisitorFrom(r.Context())
	// The page of somebody who was signed in before hears nothing.
	if page := r.URL.Query().Get("account"); !ok || page != "" && page != visitor.Account.GetId() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s := &subscriber{
		account: visitor.Account.GetId(), session: visitor.Session, ended: make(chan struct{}),
		audience: map[string]bool{"org:" + visitor.Account.GetOrganizationId(): true, "account:" + visitor.Account.GetId(): true},
		events:   make(chan event, backlog),
		lost:     make(chan struct{}),
	}
	// A browser whose line was lost says itself what it has seen; before that the page says it.
	seen, _ := strconv.ParseUint(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")), 10, 64)
	first := h.subscribe(s, seen)
	defer h.unsubscribe(s)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	out := stream{w: w, control: http.NewResponseController(w)}
	if out.start(first) != nil {
		return
	}
	h.pump(r.Context(), out, s, visitor.Expires)
}

func (h *Hub) pump(ctx context.Context, out stream, s *subscriber, expires time.Time) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-h.closed:
			return
		case <-s.ended:
			return
		case <-s.lost:
			_ = out.write("event: reset\ndata: {}\n\n")
			return
		case e := <-s.events:
			err = out.write(e.text())
		case <-beat.C:
			if !h.clock.Now().Before(expires) || door.Ended(ctx) {
				return
			}
			err = out.write(":\n\n")
		}
		if err != nil {
			return
		}
	}
}
