package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// PlanOutcome is what a change of templates and exceptions did to sessions.
type PlanOutcome struct {
	Made, Removed int
	// Conflicts are sessions with bookings, holds or blocked slots that do not fit any more; they stay.
	Conflicts []SessionView
	// changed are departments whose reserve is to be spread over the days of the sessions.
	changed map[Department]bool
}

func (o *PlanOutcome) add(other PlanOutcome) {
	if o.changed == nil {
		o.changed = map[Department]bool{}
	}
	maps.Copy(o.changed, other.changed)
	o.Made += other.Made
	o.Removed += other.Removed
	o.Conflicts = append(o.Conflicts, other.Conflicts...)
}

const (
	dayBatch       = 500
	planBatch      = 50
	planTogether   = 20 // templates planned in one transaction
	spreadBatch    = 50
	displacedBatch = 50
	rebookBatch    = 20
)

// Work makes what is due: days of sessions from before there were days, the sessions of templates up to the horizon, then the reserves of the departments
// that got any or whose policy changed, once for all templates of a department together; and places for those whose session was cancelled. One that
// cannot be made does not stop the others. One bounded batch of each a call, and as many displaced bookings as there is time for. Not for concurrent use.
func (p *Planner) Work(ctx context.Context, now time.Time) error {
	var failed []error
	note := func(what string, err error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", what, err))
		}
	}
	days, err := p.app.store.SetDays(ctx, dayBatch, func(start time.Time) string { return domain.Date(domain.DayOf(start, p.app.zone)) })
	note("set days of sessions", err)
	through := domain.Date(p.horizon(now))
	due, err := p.app.store.ToPlan(ctx, through, planBatch)
	note("list templates to plan", err)
	for _, t := range due {
		_, err := p.planOne(ctx, Caller{County: t.County, AccountID: Self}, t.TemplateID)
		note("plan template "+t.TemplateID, err)
	}
	// While there is more of either, the next call goes on with it first and the reserve waits, unless a template fails again and again.
	if days < dayBatch && (len(due) < planBatch || len(failed) > 0) {
		departments, err := p.app.store.ToSpread(ctx, spreadBatch)
		note("list reserves to spread", err)
		for _, d := range departments {
			note("spread the reserve of "+d.OrganizationID+" "+d.Code, p.spread(ctx, Caller{County: d.County, AccountID: Self}, d))
		}
	}
	sessions, err := p.app.store.ToRebook(ctx, rebookBatch)
	note("list cancelled sessions", err)
	for _, s := range sessions {
		note("rebook session "+s.TemplateID, p.app.rebook(ctx, Caller{County: s.County, AccountID: Self}, s.TemplateID))
	}
	return errors.Join(append(failed, p.placeDisplaced(ctx))...)
}

// placeDisplaced works all departments that have displaced bookings, from where the call before it had to stop, so that none is left out for ever.
func (p *Planner) placeDisplaced(ctx context.Context) error {
	var failed []error
	for {
		departments, err := p.app.store.Displaced(ctx, p.displaced, displacedBatch)
		if err != nil {
			return errors.Join(append(failed, fmt.Errorf("list displaced bookings: %w", err))...)
		}
		for _, d := range departments {
			if ctx.Err() != nil {
				return errors.Join(append(failed, ctx.Err())...)
			}
			p.displaced = d
			if err := p.app.PlaceDisplaced(ctx, d.County, d.OrganizationID, d.Code); err != nil {
				failed = append(failed, fmt.Errorf("place displaced bookings of %s %s: %w", d.OrganizationID, d.Code, err))
			}
		}
		if len(departments) < displacedBatch {
			p.displaced = Department{}
			return errors.Join(failed...)
		}
	}
}

// horizon is the last day for which sessions are made.
func (p *Planner) horizon(now time.Time) time.Time {
	return domain.DayOf(now, p.app.zone).AddDate(0, 0, p.cal.HorizonDays)
}

// planAll makes the sessions of templates, several in a transaction, then spreads the reserve over them. What a failure leaves is made by Work.
func (p *Planner) planAll(ctx context.Context, caller Caller, templates []string) (PlanOutcome, error) {
	var out PlanOutcome
	for some := range slices.Chunk(slices.Sorted(slices.Values(templates)), planTogether) {
		one, err := p.planSome(ctx, caller, some)
		if err != nil {
			return out, err
		}
		out.add(one)
	}
	for d := range out.changed {
		if err := p.spread(ctx, caller, d); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (p *Planner) planOne(ctx context.Context, caller Caller, templateID string) (PlanOutcome, error) {
	return p.planSome(ctx, caller, []string{templateID})
}

// planSome makes the sessions of templates, which are in order of their ids, in one transaction.
func (p *Planner) planSome(ctx context.Context, caller Caller, ids []string) (out PlanOutcome, err error) {
	err = p.app.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		templates := make([]domain.Template, len(ids))
		for i, id := range ids {
			t, err := u.Template(ctx, id)
			if err != nil {
				return err
			}
			templates[i] = t
		}
		out, err = p.plan(ctx, u, caller.County, templates...)
		return err
	})
	return out, err
}

// due is what is to become of the sessions of a template: those that it has, those that it should have by their day, and those of the first that are not
// among the second.
type due struct {
	have    []SessionView
	want    map[string]domain.Session
	misfits []string
}

func (p *Planner) due(ctx context.Context, u Unit, t domain.Template) (due, error) {
	want, err := p.wanted(ctx, u, t)
	if err != nil {
		return due{}, err
	}
	out := due{want: want}
	if out.have, err = u.SessionsOf(ctx, t.ID); err != nil {
		return due{}, err
	}
	for _, s := range out.have {
		w, wanted := want[s.Day]
		switch {
		case s.Cancelled:
			delete(want, s.Day)
		case wanted && fits(s, w):
			delete(want, s.Day)
		default:
			out.misfits = append(out.misfits, s.ID)
		}
	}
	return out, nil
}

// plan makes the sessions of templates agree with what they, the exceptions and the holidays say, from now on up to the horizon. A session that nobody
// has booked is made anew; one that somebody has is left and is a conflict; a cancelled one stays cancelled. Done twice it changes nothing. The
// templates are locked; all sessions that go are locked together, in the one order of locks.
func (p *Planner) plan(ctx context.Context, u Unit, county string, templates ...domain.Template) (PlanOutcome, error) {
	var out PlanOutcome
	all := make([]due, len(templates))
	var misfits []string
	for i, t := range templates {
		var err error
		if all[i], err = p.due(ctx, u, t); err != nil {
			return out, err
		}
		misfits = append(misfits, all[i].misfits...)
	}
	used, err := u.RemoveSessions(ctx, misfits)
	if err != nil {
		return out, err
	}
	var touched []domain.Session
	for i, t := range templates {
		one := all[i]
		removed := len(one.misfits)
		for _, s := range one.have {
			if slices.Contains(used, s.ID) {
				removed--
				delete(one.want, s.Day)
				out.Conflicts = append(out.Conflicts, s)
			}
			if slices.Contains(one.misfits, s.ID) {
				touched = append(touched, s.Session)
			}
		}
		made, err := p.makeSessions(ctx, u, county, one.want)
		if err != nil {
			return out, err
		}
		touched = slices.AppendSeq(touched, maps.Values(one.want))
		out.Made, out.Removed = out.Made+made, out.Removed+removed
		if made+removed > 0 {
			u.Note("template.plan", "template", t.ID, "")
		}
		if err := u.PlannedThrough(ctx, t.ID, domain.Date(p.horizon(u.Now()))); err != nil {
			return out, err
		}
	}
	out.changed, err = u.SpreadLater(ctx, touched)
	return out, err
}

// wanted are the sessions that should be, by their day.
func (p *Planner) wanted(ctx context.Context, u Unit, t domain.Template) (map[string]domain.Session, error) {
	want := map[string]domain.Session{}
	first, last := domain.DayOf(u.Now(), p.app.zone), p.horizon(u.Now())
	exceptions, err := u.ExceptionsFor(ctx, t, first, last)
	if err != nil {
		return nil, err
	}
	device, err := absent(u.Device(ctx, t.EquipmentID))
	if err != nil {
		return nil, err
	}
	year := p.year(exceptions)
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		planned, has := t.On(day, year)
		if !has || planned.ClosedBy != "" || !planned.Session.Start.After(u.Now()) {
			continue
		}
		s := planned.Session
		s.Day = domain.Date(day)
		s.ID = sessionID(t.ID, s.Day)
		s.Location = cmp.Or(s.Location, device.Location)
		want[s.Day] = s
	}
	if t.EquipmentID != "" && !device.InService {
		// It has no new sessions. Those it has stay until somebody cancels them.
		have, err := u.SessionsOf(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		for day := range want {
			if !slices.ContainsFunc(have, func(s SessionView) bool { return s.Day == day }) {
				delete(want, day)
			}
		}
	}
	return want, nil
}

func (p *Planner) year(exceptions []domain.Exception) domain.Year {
	return domain.Year{Zone: p.app.zone, Holiday: p.cal.Holiday, Lunar: p.cal.Lunar, Exceptions: exceptions}
}

// sessionID of a template's day: made twice it is the same session.
func sessionID(templateID, day string) string {
	return id.FromFact("template-session", templateID, day)
}

// fits tells whether the session is as the template wants it. A substitution by hand stands.
func fits(have SessionView, want domain.Session) bool {
	same := have.OrganizationID == want.OrganizationID && have.DepartmentCode == want.DepartmentCode && have.Kind == want.Kind &&
		have.Grade == want.Grade && have.EquipmentID == want.EquipmentID && have.Start.Equal(want.Start) && have.End.Equal(want.End) &&
		have.SlotMinutes == want.SlotMinutes
	return same && (have.ByHand || have.PractitionerID == want.PractitionerID && have.PractitionerName == want.PractitionerName && have.Location == want.Location)
}

func (p *Planner) makeSessions(ctx context.Context, u Unit, county string, want map[string]domain.Session) (int, error) {
	var sessions [][]domain.Slot
	for _, day := range slices.Sorted(maps.Keys(want)) {
		slots, err := p.app.cut(county, want[day])
		if err != nil {
			return 0, errs.New(errs.KindInternal, errs.ReasonInternal, "a checked template cannot be cut", err)
		}
		sessions = append(sessions, slots)
	}
	return u.AddSessions(ctx, sessions)
}

// cut divides a session into slots, whose ids follow from its own, and notes its local day.
func (a *App) cut(county string, s domain.Session) ([]domain.Slot, error) {
	s.Day = domain.Date(domain.DayOf(s.Start, a.zone))
	s.Grade = cmp.Or(s.Grade, domain.General)
	return s.Cut(func(n int) string { return id.FromFact("slot", county, s.ID, strconv.Itoa(n)) })
}

func (p *Planner) spread(ctx context.Context, caller Caller, d Department) error {
	return p.app.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		return u.Spread(ctx, d.OrganizationID, d.Code, domain.Date(domain.DayOf(u.Now(), p.app.zone)))
	})
}
