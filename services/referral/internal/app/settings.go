package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Settings keeps what counties have set.
type Settings interface {
	// Settings are what a county has set; the zero value if nothing.
	Settings(ctx context.Context, county string) (domain.Settings, error)
	// PutSettings replaces those of the caller's county and answers them with their new version, with an audit entry and the request's
	// answer in the same transaction. Errors: STALE_VERSION when the version is not the present one (0 before the first);
	// REQUEST_ID_REUSED.
	PutSettings(ctx context.Context, cmd Command, s domain.Settings) (domain.Settings, error)
}

// Calendars knows the calendar of every county.
type Calendars interface {
	// Calendar may read the database: not within a transaction.
	Calendar(ctx context.Context, county string) (domain.Calendar, error)
}

// calendarKept is how long an instance may compute by settings that another has replaced.
const calendarKept = 5 * time.Second

// CountyCalendars computes the calendars from the settings and keeps them for a few seconds.
type CountyCalendars struct {
	zone     *time.Location
	days     domain.Days
	settings Settings
	clock    clock.Clock

	mu   sync.Mutex
	kept map[string]keptCalendar
}

type keptCalendar struct {
	domain.Calendar
	until time.Time
}

// NewCalendars makes the calendars of counties in one zone, with the days that are shipped.
func NewCalendars(zone *time.Location, days domain.Days, settings Settings, clk clock.Clock) *CountyCalendars {
	return &CountyCalendars{zone: zone, days: days, settings: settings, clock: clk, kept: map[string]keptCalendar{}}
}

// Calendar implements [Calendars].
func (c *CountyCalendars) Calendar(ctx context.Context, county string) (domain.Calendar, error) {
	now := c.clock.Now()
	c.mu.Lock()
	k, found := c.kept[county]
	c.mu.Unlock()
	if found && now.Before(k.until) {
		return k.Calendar, nil
	}
	set, err := c.settings.Settings(ctx, county)
	if err != nil {
		return domain.Calendar{}, fmt.Errorf("calendar of county %s: %w", county, err)
	}
	k = keptCalendar{domain.NewCalendar(c.zone, set, c.days), now.Add(calendarKept)}
	c.mu.Lock()
	c.kept[county] = k
	c.mu.Unlock()
	return k.Calendar, nil
}

// GetSettings answers the settings of the caller's county, whole.
func (s *Service) GetSettings(ctx context.Context, caller authn.Identity) (domain.Settings, error) {
	set, err := s.Settings.Settings(ctx, caller.County)
	return set.Whole(), err
}

// UpdateSettings replaces the settings of the caller's county; every instance goes by them within seconds, and limits that run stay as
// they began. What is as shipped is not kept, so that it follows later releases. Errors: fields, STALE_VERSION, REQUEST_ID_REUSED.
func (s *Service) UpdateSettings(ctx context.Context, cmd Command, in domain.Settings) (domain.Settings, error) {
	if bad := in.Check(); len(bad) > 0 {
		return domain.Settings{}, refusal(&domain.Refusal{Why: domain.Content, Fields: bad})
	}
	set, err := s.Settings.PutSettings(ctx, cmd, in.Own())
	if err != nil {
		return domain.Settings{}, err
	}
	return set.Whole(), nil
}
