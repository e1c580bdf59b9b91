package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

type placeKey struct{}

// Placed notes how far the hub has come before a page reads anything: the stream that the page opens begins there, so that nothing is missed in between.
func (h *Hub) Placed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		last := h.last
		h.mu.Unlock()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), placeKey{}, last)))
	})
}

// Address is where a page that is drawn for this request hears of what happens after it.
func Address(ctx context.Context) string {
	if last, _ := ctx.Value(placeKey{}).(uint64); last > 0 {
		return fmt.Sprintf("/events?since=%d", last)
	}
	return "/events"
}

type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// start ends with the id at which the browser stands, so that it can say so even if no event comes before its line is lost.
func (s stream) start(g greeting) error {
	text := "retry: 2000\n\n"
	if g.reset {
		text += "event: reset\ndata: {}\n\n"
	}
	for _, e := range g.missed {
		text += e.text()
	}
	if g.last > 0 {
		text += fmt.Sprintf("id: %d\n\n", g.last)
	}
	return s.write(text)
}

func (e event) text() string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.sequence, e.kind, e.data)
}

// write has a limit of its own: a stream outlives the server's. It is the network's time, which is the machine's.
func (s stream) write(text string) error {
	if err := s.control.SetWriteDeadline(clock.System().Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
