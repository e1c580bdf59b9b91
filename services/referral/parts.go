package referral

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/run"
	"github.com/tongzhen/tongzhen/services/referral/internal/events"
)

// lookForLongStays is how late the prompt of a long stay may come: it is one of days.
const lookForLongStays = time.Minute

// candidateParts keep the copies of medicine lists, follow moved bookings and find the patients who could go down.
func (s *Service) candidateParts() []run.Part {
	consume := func(c bus.Consumer, handler func(context.Context, bus.Msg) error) run.Func {
		return func(ctx context.Context) error { return s.deps.Bus.Consume(ctx, c, handler) }
	}
	return []run.Part{
		{Name: "medicine list facts", Runner: consume(events.Formulary(), events.OnFormulary(s.store))},
		{Name: "facts about merged patients", Runner: consume(events.People(), events.OnPeople(s.app))},
		{Name: "facts about moved bookings", Runner: consume(events.Moves(), events.OnMoved(s.app))},
		{Name: "encounter facts", Runner: consume(events.Encounters(), events.OnEncounter(s.app))},
		{Name: "registrations", Runner: consume(events.Arrivals(), events.OnRegistration(s.app.Registered))},
		{Name: "long stays of referrals", Runner: consume(events.LongStays(), events.OnDeadline(s.app))},
		{Name: "long stays of encounters", Runner: run.Func(func(ctx context.Context) error {
			run.Every(ctx, lookForLongStays, nil, s.app.FindLongStays)
			return nil
		})},
	}
}
