package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/duty"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Spans of a roster that is asked for: what a caller that names none gets, and the most.
const (
	defaultRosterSpan = 7 * 24 * time.Hour
	mostRosterSpan    = 62 * 24 * time.Hour
)

// Duty is one person's span of duty. Name and Phone are the account's.
type Duty struct {
	duty.Duty
	Name, Phone string
}

// RosterView is a roster with who is on duty in the span that was asked for.
type RosterView struct {
	Roster domain.Roster
	Duties []Duty
}

// RosterQuery asks for the rosters of an organisation; all of the county if it is empty, all of all counties without one. Department is one post.
// Hand-overs that ended before Since are left out.
type RosterQuery struct {
	County, OrganizationID string
	Department             *string
	Since                  time.Time
}

// Span is a part of time; the zero Span is the coming seven days.
type Span struct{ From, To time.Time }

func (s Span) read(now time.Time) (Span, error) {
	if s.From.IsZero() {
		s.From = now
	}
	if s.To.IsZero() {
		s.To = s.From.Add(defaultRosterSpan)
	}
	switch {
	case !s.From.Before(s.To):
		return s, errs.Invalid(errs.Bad("to", errs.ReasonFieldInvalid))
	case s.To.Sub(s.From) > mostRosterSpan:
		return s, errs.Invalid(errs.Bad("to", errs.ReasonFieldOutOfRange))
	}
	return s, nil
}

// GetRoster of a post, to everybody of the organisation, the administrator of the county and services; a post of which nothing was said yet
// has version 0. Another organisation's is errs.NotFound.
func (a *App) GetRoster(ctx context.Context, caller authn.Identity, p domain.Post, span Span) (RosterView, error) {
	now := a.deps.Clock.Now()
	span, err := span.read(now)
	if err != nil {
		return RosterView{}, err
	}
	if p.County, err = rosterCounty(caller, p.County); err != nil {
		return RosterView{}, err
	}
	if !seesRosters(caller, p.OrganizationID) {
		return RosterView{}, errs.NotFound("roster")
	}
	o, err := a.deps.Store.Organization(ctx, p.County, p.OrganizationID)
	if err != nil {
		return RosterView{}, err
	}
	if !p.In(o) {
		return RosterView{}, errs.NotFound("roster")
	}
	since := now
	if span.From.Before(since) {
		since = span.From
	}
	found, err := a.deps.Store.Rosters(ctx, RosterQuery{County: p.County, OrganizationID: p.OrganizationID, Department: &p.Department, Since: since})
	if err != nil {
		return RosterView{}, err
	}
	view := RosterView{Roster: domain.RestoreRoster(p, 0, nil, nil)}
	if len(found) > 0 {
		view.Roster = found[0]
	}
	people, err := a.people(ctx, p.County, p.OrganizationID)
	if err != nil {
		return RosterView{}, err
	}
	view.Duties = a.named(people, planOf(view.Roster).On(span.From, span.To, a.deps.Zone, people.active), telephones(caller, p.OrganizationID))
	return view, nil
}

// ListRosters of an organisation; of the whole county, or of all of them, for a service that names none: it keeps a copy.
func (a *App) ListRosters(ctx context.Context, caller authn.Identity, organizationID string) ([]domain.Roster, error) {
	county, err := visible(caller)
	switch {
	case err != nil:
		return nil, err
	case organizationID == "" && !caller.IsService():
		return nil, errs.Invalid(errs.Required("organizationId"))
	case organizationID != "" && !seesRosters(caller, organizationID):
		return nil, errs.NotFound("organization")
	}
	return a.deps.Store.Rosters(ctx, RosterQuery{County: county, OrganizationID: organizationID, Since: a.deps.Clock.Now()})
}

// PostDuties is who is on duty at a post at an instant, the first line first. Left are the shifts of its week that are nobody's, because whose they
// are has left: told to who sees the roster.
type PostDuties struct {
	Department string
	Duties     []Duty
	Left       int
}

// ListOnDuty answers for the posts of an organisation that have a roster. Who is not of the organisation sees the present only.
func (a *App) ListOnDuty(ctx context.Context, caller authn.Identity, organizationID string, at time.Time) ([]PostDuties, error) {
	now := a.deps.Clock.Now()
	if !at.IsZero() && !seesRosters(caller, organizationID) {
		return nil, errs.Invalid(errs.Bad("at", errs.ReasonFieldInvalid))
	}
	if at.IsZero() {
		at = now
	}
	if _, err := a.GetOrganization(ctx, caller, organizationID); err != nil {
		return nil, err
	}
	rosters, err := a.deps.Store.Rosters(ctx, RosterQuery{County: caller.County, OrganizationID: organizationID, Since: at})
	if err != nil {
		return nil, err
	}
	people, err := a.people(ctx, caller.County, organizationID)
	if err != nil {
		return nil, err
	}
	out := make([]PostDuties, len(rosters))
	for i, r := range rosters {
		on := planOf(r).At(at, a.deps.Zone, people.active)
		out[i] = PostDuties{Department: r.Post().Department, Duties: a.named(people, on, telephones(caller, organizationID))}
		if seesRosters(caller, organizationID) {
			out[i].Left = r.Left(people.mayServe(), a.since(now))
		}
	}
	return out, nil
}

// since is the local day of which a shift may still run: yesterday, for one may go on over midnight.
func (a *App) since(now time.Time) string {
	return now.In(a.deps.Zone).AddDate(0, 0, -1).Format(time.DateOnly)
}

// staff are the accounts of an organisation by id.
type staff map[string]domain.AccountData

func (s staff) active(id string) bool {
	d, ok := s[id]
	return ok && !d.Disabled
}

// mayServe are those who may have duties.
func (s staff) mayServe() map[string]bool {
	out := map[string]bool{}
	for id := range s {
		if s.active(id) {
			out[id] = true
		}
	}
	return out
}

func staffOf(views []AccountView) staff {
	out := staff{}
	for _, v := range views {
		d := v.Account.Data()
		out[d.ID] = d
	}
	return out
}

func (a *App) people(ctx context.Context, county, organizationID string) (staff, error) {
	views, err := a.deps.Store.Accounts(ctx, AccountQuery{County: county, OrganizationID: organizationID})
	return staffOf(views), err
}

func (a *App) named(people staff, duties []duty.Duty, phones bool) []Duty {
	out := make([]Duty, len(duties))
	for i, d := range duties {
		out[i] = Duty{Duty: d, Name: people[d.AccountID].Name}
		if phones {
			out[i].Phone = people[d.AccountID].Phone
		}
	}
	return out
}

// planOf is the roster as the reckoning takes it.
func planOf(r domain.Roster) (p duty.Plan) {
	for _, s := range r.Shifts() {
		from, _ := domain.MinuteOf(s.From)
		to, _ := domain.MinuteOf(s.To)
		p.Shifts = append(p.Shifts, duty.Shift{Weekday: s.Weekday, From: from, To: to, AccountID: s.AccountID, Line: s.Line, FirstDay: s.FirstDay, LastDay: s.LastDay})
	}
	for _, h := range r.HandOvers() {
		p.HandOvers = append(p.HandOvers, duty.HandOver{From: h.From, To: h.To, Start: h.Start, End: h.End, WriteTime: h.CreateTime})
	}
	return p
}

// rosterCounty is the caller's county; only a service without one names it.
func rosterCounty(caller authn.Identity, named string) (string, error) {
	switch {
	case caller.County == "" && caller.IsService() && domain.ValidCounty(named):
		return named, nil
	case caller.County == "" && caller.IsService():
		return "", errs.Invalid(errs.Bad("county", errs.ReasonFieldInvalid))
	case caller.County == "" || named != "" && named != caller.County:
		return "", errs.Denied(errs.ReasonRole)
	}
	return caller.County, nil
}

func seesRosters(caller authn.Identity, organizationID string) bool {
	return caller.IsService() || caller.Organization == organizationID || caller.Has(string(domain.CountyAdmin)) || caller.Has(string(domain.System))
}

// telephones tells who sees the numbers of those on duty: their colleagues, and who may have to call them about a patient.
func telephones(caller authn.Identity, organizationID string) bool {
	return seesRosters(caller, organizationID) || slices.ContainsFunc(clinicians(), func(r domain.Role) bool { return caller.Has(string(r)) })
}

// clinicians are those who treat patients.
func clinicians() []domain.Role {
	return []domain.Role{
		domain.VillageDoctor, domain.TownshipDoctor, domain.CentreHead, domain.IntakeDesk, domain.Specialist, domain.DepartmentHead, domain.BedManager,
	}
}
