package shell

import (
	"net/http"
	"slices"
	"sync"
)

// Mux takes the routes of pages; *http.ServeMux is one.
type Mux interface {
	Handle(pattern string, handler http.Handler)
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Table is a mux that can name its routes. Safe for concurrent use.
type Table struct {
	mux *http.ServeMux

	mu       sync.Mutex
	patterns []string
}

// NewTable makes an empty one.
func NewTable() *Table { return &Table{mux: http.NewServeMux()} }

// Handle adds a route.
func (t *Table) Handle(pattern string, handler http.Handler) {
	t.mux.Handle(pattern, handler)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.patterns = append(t.patterns, pattern)
}

// HandleFunc adds a route.
func (t *Table) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	t.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP serves the routes.
func (t *Table) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// Patterns are the routes as they were added, "GET /patients/{id}", in alphabetical order.
func (t *Table) Patterns() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(slices.Values(t.patterns))
}
