package scheduling_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/placetest"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// A hundred slots: ten departments with two sessions of five, and up to four more for those that are cancelled.
const (
	fireGroups   = 10
	groupOpen    = 2
	sessionSlots = 5
	sessionsMost = placetest.MaxSlots / sessionSlots
)

// group is a department, in which bookings move.
type group struct {
	number     int
	department string

	opening  sync.Mutex // who adds a session
	mu       sync.Mutex
	sessions []domain.Session
	over     []bool // by session that is there for certain: it was cancelled
}

func (f *fire) openGroups() {
	c := &client{fire: f}
	for n := range fireGroups {
		g := &group{number: n, department: fmt.Sprintf("03%02d", n)}
		f.groups = append(f.groups, g)
		for range groupOpen {
			c.open(g)
		}
	}
}

// open adds a session, unless the group has all that the model holds.
func (c *client) open(g *group) bool {
	g.opening.Lock()
	defer g.opening.Unlock()
	n := len(g.sessions)
	if n == sessionsMost {
		return false
	}
	day := time.Now().In(c.zone).AddDate(0, 0, 2+n)
	start := time.Date(day.Year(), day.Month(), day.Day(), 8, 0, 0, 0, c.zone).UTC()
	s := domain.Session{ID: id.New(), OrganizationID: c.hospital, DepartmentCode: g.department, Kind: domain.KindClinic, Start: start,
		End: start.Add(sessionSlots * 5 * time.Minute), SlotMinutes: 5}
	g.mu.Lock()
	g.sessions = append(g.sessions, s)
	g.mu.Unlock()
	in := placetest.In{Group: g.number, Verb: placetest.Open, Slots: slotsOf(n), By: s.ID}
	out := c.ask(in, true, func(ctx context.Context, l *life) (placetest.Out, error) {
		_, _, err := l.CreateSchedules(ctx, c.planning("manager").Caller, []domain.Session{s}, nil)
		return placetest.Out{}, err
	})
	if out.Outcome != placetest.Done {
		c.t.Errorf("no session was added: %+v", out)
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = append(g.over, false)
	return true
}

// slotsOf are those of a session of the group.
func slotsOf(session int) placetest.Slots {
	return placetest.Slots(1<<sessionSlots-1) << (session * sessionSlots)
}

// slot is the id of a slot of the group.
func (g *group) slot(i int) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return id.FromFact("slot", county, g.sessions[i/sessionSlots].ID, strconv.Itoa(i%sessionSlots))
}

// index of a slot; -1 for one of another group.
func (g *group) index(slot string) int {
	g.mu.Lock()
	n := len(g.sessions)
	g.mu.Unlock()
	for i := range n * sessionSlots {
		if g.slot(i) == slot {
			return i
		}
	}
	return -1
}

// some is a session by chance, most often one that takes place.
func (c *client) some(g *group) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := c.random.IntN(len(g.over))
	if g.over[n] && c.random.IntN(10) > 0 {
		n = slices.Index(g.over, false)
	}
	return max(n, 0)
}

func (c *client) someSlot(g *group) int {
	return c.some(g)*sessionSlots + c.random.IntN(sessionSlots)
}

// of is the group of a department.
func (f *fire) of(department string) *group {
	return f.groups[slices.IndexFunc(f.groups, func(g *group) bool { return g.department == department })]
}
