//go:build e2e

package e2e_test

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// seenWithin is how soon what one person did is on the other's screen, without a reload. It holds for the quickest of some sights: each
// of them may meet with whatever else the machine has to do, and is only told.
const (
	seenWithin = 2 * time.Second
	someSights = 3
)

// sights are how long it took in a test until a page showed by itself what others did.
type sights struct {
	mu   sync.Mutex
	took []time.Duration
}

func (s *sights) judge(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.took) >= someSights && slices.Min(s.took) > seenWithin {
		t.Errorf("what others do was seen after %v: never within %s", s.took, seenWithin)
	}
}

// endedStreams counts the streams of live updates that the page had and has no more.
const endedStreams = `performance.getEntriesByType("resource").filter((one) => new URL(one.name).pathname === "/events").length`

// stays marks the page; stayed tells whether it is still the same one.
func (w *tab) stays() {
	w.Helper()
	eval[bool](w, "window.stays = true")
	eval[float64](w, "window.ended = "+endedStreams)
}

func (w *tab) stayed() {
	w.Helper()
	if !eval[bool](w, "window.stays === true") {
		w.Errorf("%s's page was loaded anew", w.who)
	}
}

// sees waits for what somebody else did just now: it comes by itself to the page that stays, on the stream that it has, and not because
// the page, or the stream, was opened anew.
func (w *tab) sees(what, expression string) {
	w.Helper()
	began := time.Now()
	w.until(what, expression)
	took := time.Since(began).Round(time.Millisecond)
	w.Logf("%s sees the %s after %s", w.who, what, took)
	w.sights.mu.Lock()
	w.sights.took = append(w.sights.took, took)
	w.sights.mu.Unlock()
	w.stayed()
	if !eval[bool](w, "window.ended === "+endedStreams) {
		w.Errorf("%s's page lost its stream before the %s", w.who, what)
	}
}
