package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Deps are what the use cases stand on.
type Deps struct {
	Store     Store
	Referrals Referrals
	// Limiter counts look-ups by identity number. While it is away they are not limited.
	Limiter cache.Limiter
	Clock   clock.Clock
	// Zone is the county's: "today" of a birth date is a local day.
	Zone *time.Location
	// Classes tell what is sensitive, by the Marks of an entry.
	Classes domain.Classifier
	Marks   func(domain.Entry) (domain.Marks, error)
	// Stopped is a medicine's entry as it reads once it is stopped.
	Stopped func(domain.Entry) (domain.Entry, error)
	Spans   Spans
}

// Spans are how long what a person opens stays open.
type Spans struct {
	// Sensitive content, after a purpose was stated; zero is DefaultSensitive.
	Sensitive time.Duration
	// Glass that was broken, and a Visit that a desk declared; zero are the defaults.
	Glass, Visit time.Duration
	// Closed is how long a relation outlives its referral; zero is domain.AfterClosing.
	Closed time.Duration
	// Feed is how long messages of other systems are known; zero is DefaultFeedKept.
	Feed time.Duration
}

// Defaults: a morning's work, a night's duty, an observation ward.
const (
	DefaultSensitive = 4 * time.Hour
	DefaultGlass     = 24 * time.Hour
	DefaultVisit     = 72 * time.Hour
)

// App is all use cases. Safe for concurrent use.
type App struct {
	store     Store
	referrals Referrals
	limiter   cache.Limiter
	clk       clock.Clock
	zone      *time.Location
	classes   domain.Classifier
	marks     func(domain.Entry) (domain.Marks, error)
	stopped   func(domain.Entry) (domain.Entry, error)
	spans     Spans
}

// New makes the use cases.
func New(d Deps) *App {
	d.Spans = Spans{
		Sensitive: cmp.Or(d.Spans.Sensitive, DefaultSensitive), Glass: cmp.Or(d.Spans.Glass, DefaultGlass), Visit: cmp.Or(d.Spans.Visit, DefaultVisit),
		Closed: cmp.Or(d.Spans.Closed, domain.AfterClosing),
	}
	return &App{
		store: d.Store, referrals: d.Referrals, limiter: d.Limiter, clk: d.Clock, zone: d.Zone,
		classes: d.Classes, marks: d.Marks, stopped: d.Stopped, spans: d.Spans,
	}
}

func (a *App) today() domain.Date { return domain.DateOf(a.clk.Now().In(a.zone)) }

func command(caller authn.Identity, request Request) Command {
	return Command{County: caller.County, Account: caller.Subject, Organization: caller.Organization, Request: request}
}

func look(caller authn.Identity, action, patient string) Access {
	return Access{
		Account: caller.Subject, Organization: caller.Organization, Action: action,
		PatientID: patient, ObjectType: "patient", ObjectID: patient,
	}
}

// askedFor is how long an answer of the referral service counts: long enough not to ask twice, short enough that a fact which
// never comes does no harm. The fact itself replaces it.
const askedFor = time.Hour

// levelOf is what the organisation may see of the patient now. Without a relation that holds it asks the referral service, once,
// and keeps a positive answer; if that service is away the answer is Unavailable, never yes and never no. A fact that came while the answer was
// on its way counts more than the answer.
func (a *App) levelOf(ctx context.Context, county, patient, organization string) (domain.Level, []domain.Relation, error) {
	if organization == "" {
		return domain.LevelNone, nil, nil
	}
	held, err := a.store.Relations(ctx, county, patient, organization)
	if err != nil {
		return domain.LevelNone, nil, err
	}
	now := a.clk.Now()
	if level := domain.LevelOf(held, now); level > domain.LevelNone {
		return level, held, nil
	}
	level, referral, err := a.referrals.Relation(ctx, county, patient, organization)
	if err != nil || level == domain.LevelNone {
		return domain.LevelNone, nil, err
	}
	if barred, err := a.barred(ctx, county, referral, organization); err != nil || barred {
		return domain.LevelNone, nil, err
	}
	answer := domain.Relation{
		PatientID: patient, Organization: organization, Kind: domain.Referral, Source: referral,
		Level: level, From: now, To: now.Add(askedFor),
	}
	cmd := Command{County: county, Account: "service:referral", Organization: organization}
	var given []domain.Relation
	err = a.store.Change(ctx, cmd, func(u Unit) error {
		given, err = answered(ctx, u, answer, held)
		return err
	})
	if err != nil {
		return domain.LevelNone, nil, err
	}
	return domain.LevelOf(given, a.clk.Now()), given, nil
}

// answered writes the relation that the referral service told, unless a fact wrote what the referral gives since it was asked, when the
// organisation had the held relations; and answers with what the referral gives now.
func answered(ctx context.Context, u Unit, answer domain.Relation, held []domain.Relation) ([]domain.Relation, error) {
	given, err := u.ReferralRelations(ctx, answer.Source)
	if err != nil {
		return nil, err
	}
	given = slices.DeleteFunc(given, func(r domain.Relation) bool { return r.Organization != answer.Organization })
	switch {
	case slices.ContainsFunc(given, func(r domain.Relation) bool { return !slices.Contains(held, r) }):
		return given, nil
	case len(given) == 0:
		u.AddRelation(answer)
	default:
		answer.PatientID = given[0].PatientID
		u.PutRelations(answer)
	}
	return []domain.Relation{answer}, nil
}

// levelFor is levelOf for a person, who may have broken the glass. Then the referral service need not answer.
func (a *App) levelFor(ctx context.Context, caller authn.Identity, patient string, need domain.Level) (domain.Level, error) {
	level, _, err := a.levelOf(ctx, caller.County, patient, caller.Organization)
	if err == nil && level >= need {
		return level, nil
	}
	switch broken, berr := a.broken(ctx, caller, patient); {
	case berr != nil:
		return domain.LevelNone, berr
	case broken:
		return domain.LevelFull, nil
	}
	return level, err
}

// open loads a patient for a caller who needs at least the given level. No relation is NotFound, as if there were no such patient; a
// relation that does not reach that far is Denied.
func (a *App) open(ctx context.Context, caller authn.Identity, patient string, need domain.Level) (domain.Patient, domain.Level, error) {
	p, err := a.store.Patient(ctx, caller.County, patient)
	if err != nil {
		return domain.Patient{}, domain.LevelNone, err
	}
	level, err := a.levelFor(ctx, caller, patient, need)
	switch {
	case err != nil:
		return domain.Patient{}, domain.LevelNone, err
	case level == domain.LevelNone:
		return domain.Patient{}, domain.LevelNone, errs.NotFound("patient")
	case level < need:
		return domain.Patient{}, level, errs.Denied(errs.ReasonBreakGlassRequired)
	}
	return p, level, nil
}

// refused turns what a form has wrong into the one error vocabulary; prefix is the path of the form in the request, e.g. "patient.".
func refused(ps domain.Problems, prefix string) error {
	fields := make([]errs.Field, len(ps))
	for i, p := range ps {
		fields[i] = errs.Bad(prefix+p.Field, p.Reason)
		if p.Cause != "" {
			key := "cause"
			if p.Reason == domain.ReasonCombination {
				key = "with"
			}
			fields[i] = errs.Bad(prefix+p.Field, p.Reason, key, p.Cause)
		}
	}
	return errs.Invalid(fields...)
}
