package app

import "sync"

// slots are the calls that a lane makes at once: usual ones, and some besides that only emergencies take, so that whatever hangs, an emergency finds one
// free. Safe for concurrent use.
type slots struct {
	mu            sync.Mutex
	usual, urgent int // free ones
}

// free answers how many are.
func (s *slots) free() (usual, urgent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usual, s.urgent
}

// take takes one; give gives it back. ok is false when none is free for it.
func (s *slots) take(emergency bool) (give func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := &s.usual
	if s.usual == 0 {
		if !emergency || s.urgent == 0 {
			return nil, false
		}
		from = &s.urgent
	}
	*from--
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*from++
	}, true
}
