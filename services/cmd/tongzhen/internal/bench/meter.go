package bench

import (
	"slices"
	"sync"
	"time"
)

// meter keeps every measured duration of every step; safe for concurrent use.
type meter struct {
	mu    sync.Mutex
	steps map[string]*samples
}

// order of the steps in a journey.
func order() []string {
	return []string{
		"register", "hold slot", "hold bed", "hold taken slot", "create+submit", "create again", "mark seen", "accept hold", "accept walk-in",
		"arrive", "admit", "conclude", "acknowledge", "commit to inbox", "commit to screen",
	}
}

// samples of one step, and the span of time in which they were taken.
type samples struct {
	took     []time.Duration
	from, to time.Time
	failures map[string]int // by reason
}

func newMeter() *meter { return &meter{steps: map[string]*samples{}} }

// step must be called with the lock held.
func (m *meter) step(name string) *samples {
	s, ok := m.steps[name]
	if !ok {
		s = &samples{failures: map[string]int{}}
		m.steps[name] = s
	}
	return s
}

// add takes one good answer.
func (m *meter) add(name string, from, to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.step(name)
	s.took = append(s.took, to.Sub(from))
	if s.from.IsZero() || from.Before(s.from) {
		s.from = from
	}
	if to.After(s.to) {
		s.to = to
	}
}

// fail takes one error by its reason.
func (m *meter) fail(name, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step(name).failures[reason]++
}

// Step is what was measured of one step of the journey.
type Step struct {
	Name  string
	Count int
	// PerSecond between the first start and the last end of this step.
	PerSecond          float64
	P50, P95, P99, Max time.Duration
	Failures           map[string]int
}

// all are the measured steps in the order of the journey.
func (m *meter) all() []Step {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Step
	for _, name := range order() {
		s, measured := m.steps[name]
		if !measured {
			continue
		}
		slices.Sort(s.took)
		step := Step{Name: name, Count: len(s.took), Failures: s.failures}
		if span := s.to.Sub(s.from); span > 0 {
			step.PerSecond = float64(len(s.took)) / span.Seconds()
		}
		step.P50, step.P95, step.P99 = quantile(s.took, 50), quantile(s.took, 95), quantile(s.took, 99)
		step.Max = quantile(s.took, 100)
		out = append(out, step)
	}
	return out
}

// quantile is the smallest value that percent of the sorted values do not exceed; zero without values.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := (len(sorted)*percent + 99) / 100
	return sorted[max(i, 1)-1]
}
