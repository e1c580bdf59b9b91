package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/door"
)

// screens are open pages of the people at work: each listens to the event stream of the gateway, as a browser does, and notes when it hears of an
// inbox entry first. Safe for concurrent use.
type screens struct {
	mu    sync.Mutex
	heard map[string]time.Time
}

// at is when a screen heard of an entry; zero if none did.
func (s *screens) at(entry string) time.Time {
	if s == nil {
		return time.Time{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard[entry]
}

func (s *screens) hear(entry string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heard[entry].IsZero() {
		s.heard[entry] = at
	}
}

// open opens a page for everybody at work, and answers when all streams run; stop closes them. An error says that the gateway is not there.
func (r *runner) open(ctx context.Context) (stop func(), err error) {
	r.screens = &screens{heard: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	stop = func() {
		cancel()
		all.Wait()
	}
	people := map[string]*person{}
	for _, d := range r.doctors {
		people[d.account.GetId()] = d.person
	}
	for _, d := range r.desks {
		people[d.account.GetId()] = d
	}
	for _, p := range people {
		stream, err := r.stream(ctx, p)
		if err != nil {
			stop()
			return nil, fmt.Errorf("open a page at %s: %w", r.options.Gateway, err)
		}
		all.Go(func() { r.listen(stream) })
	}
	return stop, nil
}

func (r *runner) stream(ctx context.Context, p *person) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.options.Gateway+"/events", nil)
	if err != nil {
		return nil, err
	}
	request.AddCookie(&http.Cookie{Name: door.CookieName, Value: p.secret})
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %w", answer.StatusCode, answer.Body.Close())
	}
	return answer, nil
}

// listen reads a stream to its end.
func (r *runner) listen(answer *http.Response) {
	defer func() { _ = answer.Body.Close() }()
	kind := ""
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "event":
			kind = value
		case name == "data" && kind == "notification":
			var said struct {
				ID string `json:"id"`
			}
			if json.Unmarshal([]byte(value), &said) == nil && said.ID != "" {
				r.screens.hear(said.ID, r.options.Clock.Now())
			}
		}
	}
}
