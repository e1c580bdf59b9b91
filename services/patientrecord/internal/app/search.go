package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// How many patients a search decrypts at most: of words those who match best are among the newest, while a village is read to its end.
const (
	MaxCandidates = 200
	MaxResidents  = 5000
)

const defaultPage = 20

// How many look-ups by identity number an account has: a desk with a queue stays below, whoever tries numbers does not.
const (
	LookupsPerMinute = 30
	LookupsPerHour   = 300
)

// Search is what to look for: words, or an exact identity number.
type Search struct {
	Query          string
	IdentityNumber string
	// PageSize 0 is the default.
	PageSize int
	// After is the id of the last patient of the page before.
	After string
	// Village: only residents of the village of the caller's clinic; all of them without a query.
	Village bool
}

// Search finds patients to whom the caller's organisation has a relation, best match first, masked; by exact identity number any
// patient of the county, without a relation at LevelNone; RATE_LIMITED beyond LookupsPerMinute and LookupsPerHour. more tells that
// another page follows.
func (a *App) Search(ctx context.Context, caller authn.Identity, in Search) (list []Shown, more bool, err error) {
	var clinic domain.Clinic
	if in.Village {
		if _, clinic, err = a.store.VillageClinics(ctx, caller.County, caller.Organization); err != nil || clinic.ID == "" {
			return nil, false, err
		}
		in.Query = clinic.Word() + " " + in.Query
	}
	number, words, err := a.parse(in)
	if err != nil {
		return nil, false, err
	}
	if number != "" {
		list, err = a.byNumber(ctx, caller, number)
		return list, false, err
	}
	if len(words) == 0 || slices.ContainsFunc(words, func(w Word) bool { return len(w.Any) == 0 }) {
		return nil, false, nil
	}
	most := MaxCandidates
	if in.Village {
		most = MaxResidents
	}
	candidates, err := a.store.FindByWords(ctx, caller.County, caller.Organization, words, most)
	if err != nil {
		return nil, false, err
	}
	found := rank(candidates, words)
	if in.Village {
		found = slices.DeleteFunc(found, func(m match) bool { return !domain.InVillage(m.found.Patient.Demographics().Details().Village, clinic) })
	}
	if in.After != "" {
		// A patient who no longer matches leaves no place to go on from: begin anew rather than leave somebody out.
		found = found[1+slices.IndexFunc(found, func(m match) bool { return m.found.Patient.ID() == in.After }):]
	}
	size := in.PageSize
	if size == 0 {
		size = defaultPage
	}
	if more = len(found) > size; more {
		found = found[:size]
	}
	now := a.clk.Now()
	for _, m := range found {
		list = append(list, show(m.found.Patient, domain.LevelOf(m.found.Relations, now), true))
	}
	return list, more, a.audited(ctx, caller, "patient.find", list)
}

// parse tells a search by number from one by words. One box serves both: a right identity number among the words alone is one.
func (a *App) parse(in Search) (number string, words []Word, err error) {
	switch {
	case in.IdentityNumber != "" && in.Query != "":
		return "", nil, errs.Invalid(errs.Bad("query", errs.ReasonFieldCombination, "with", "identityNumber"))
	case in.IdentityNumber != "":
		number := domain.NormaliseNumber(in.IdentityNumber)
		if resident(number) {
			if _, cause := domain.ParseIdentityNumber(number, a.today()); cause != "" {
				return "", nil, errs.Invalid(errs.Bad("identityNumber", errs.ReasonFieldIdentityNumber, "cause", cause))
			}
		}
		return number, nil, nil
	case strings.TrimSpace(in.Query) == "":
		return "", nil, errs.Invalid(errs.Required("query"))
	}
	if n, cause := domain.ParseIdentityNumber(in.Query, a.today()); cause == "" {
		return n.Value(), nil, nil
	}
	return "", ParseQuery(in.Query), nil
}

// resident: the number was meant to be a resident identity number, of 18 digits or the old 15.
func resident(number string) bool {
	body := strings.TrimSuffix(number, "X")
	return len(body) >= 15 && len(number) <= 19 && digitsOf(body) == body
}

// allowLookup counts a look-up by number.
func (a *App) allowLookup(ctx context.Context, caller authn.Identity) error {
	for _, limit := range []struct {
		name string
		n    int
		per  time.Duration
	}{{"minute", LookupsPerMinute, time.Minute}, {"hour", LookupsPerHour, time.Hour}} {
		ok, after, err := a.limiter.Allow(ctx, "lookup:"+limit.name+":"+caller.Subject, limit.n, limit.per)
		if err == nil && !ok {
			e := errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many look-ups by identity number", nil)
			e.RetryAfter = after
			return e
		}
	}
	return nil
}

func (a *App) byNumber(ctx context.Context, caller authn.Identity, number string) ([]Shown, error) {
	if err := a.allowLookup(ctx, caller); err != nil {
		return nil, err
	}
	found, err := a.store.FindByNumber(ctx, caller.County, caller.Organization, number)
	if err != nil {
		return nil, err
	}
	var list []Shown
	now := a.clk.Now()
	for _, f := range found {
		level := domain.LevelOf(f.Relations, now)
		if level == domain.LevelNone {
			broken, err := a.broken(ctx, caller, f.Patient.ID())
			if err != nil {
				return nil, err
			}
			if broken {
				level = domain.LevelFull
			}
		}
		list = append(list, show(f.Patient, level, true))
	}
	if len(list) == 0 {
		// A miss is written down as well: that somebody tries numbers shows in nothing else. Which number is not.
		return nil, a.store.Audit(ctx, caller.County, Access{
			Account: caller.Subject, Organization: caller.Organization, Action: findNumber, ObjectType: "patient", Detail: "NOT_FOUND",
		})
	}
	return list, a.audited(ctx, caller, findNumber, list)
}

const findNumber = "patient.find_number"

func (a *App) audited(ctx context.Context, caller authn.Identity, action string, list []Shown) error {
	looks := make([]Access, len(list))
	for i, s := range list {
		looks[i] = look(caller, action, s.ID)
		if s.Level == domain.LevelNone {
			looks[i].Detail = "BREAK_GLASS"
		}
	}
	return a.store.Audit(ctx, caller.County, looks...)
}
