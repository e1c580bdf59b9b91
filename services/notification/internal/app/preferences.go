package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Preferences of the caller as they are in force, with what the county allows.
func (a *App) Preferences(ctx context.Context, caller Caller) (domain.Preferences, domain.CountyRules, error) {
	county, err := a.store.CountyRules(ctx, caller.County)
	if err != nil {
		return domain.Preferences{}, county, err
	}
	p, err := a.store.Preferences(ctx, caller.County, caller.AccountID)
	return p.Within(county), county, err
}

// SetPreferences under the version that was seen; what the county does not allow is refused, field by field.
func (a *App) SetPreferences(ctx context.Context, caller Caller, p domain.Preferences, requestID string) error {
	slices.Sort(p.DigestTimes)
	p.DigestTimes = slices.Compact(p.DigestTimes)
	cmd := Command{Caller: caller, Request: Request{"SetPreferences", requestID, digestOf(p)}}
	return a.store.Change(ctx, cmd, func(u Unit) error {
		county, err := u.CountyRules(ctx)
		if err != nil {
			return err
		}
		have, err := u.Preferences(ctx, []string{caller.AccountID})
		if err != nil {
			return err
		}
		if stands := have[caller.AccountID]; stands.Version != p.Version {
			return errs.Stale(stands.Version, "")
		}
		if err := p.Check(county); err != nil {
			return refusal(err, "")
		}
		next := p
		next.Version++
		u.SavePreferences(caller.AccountID, next)
		return nil
	})
}

// CountyRules of the caller's county.
func (a *App) CountyRules(ctx context.Context, caller Caller) (domain.CountyRules, error) {
	return a.store.CountyRules(ctx, caller.County)
}

// SetCountyRules under the version that was seen.
func (a *App) SetCountyRules(ctx context.Context, caller Caller, r domain.CountyRules, requestID string) error {
	cmd := Command{Caller: caller, Request: Request{"SetCountyRules", requestID, digestOf(r)}}
	return a.store.Change(ctx, cmd, func(u Unit) error {
		stands, err := u.CountyRules(ctx)
		if err != nil {
			return err
		}
		if stands.Version != r.Version {
			return errs.Stale(stands.Version, "")
		}
		next, err := r.Normal()
		if err != nil {
			return refusal(err, "")
		}
		next.Version++
		u.SaveCountyRules(next)
		return nil
	})
}

// RuleView is a row of the table with its text, in Chinese and English.
type RuleView struct {
	domain.Rule
	Text, TextEnglish string
}

// Rules are the rows of facts, then one for each rung of a ladder; When is then the step, the direction and the rung.
func (a *App) Rules() (out []RuleView) {
	add := func(r domain.Rule) {
		out = append(out, RuleView{r, a.texts.Plain("zh-CN", r.Template), a.texts.Plain("en", r.Template)})
	}
	for _, r := range a.table.Rules {
		add(r)
	}
	for _, l := range a.table.Ladders {
		for rung, to := range map[string]domain.To{"1": l.First, "2": l.Second, "3": l.Top} {
			if to == domain.Nobody {
				continue
			}
			add(domain.Rule{
				Event: domain.DeadlinePassed, To: to, When: domain.When(l.Step + " " + l.Direction + " " + rung), Channels: l.Channels, Template: l.Template, County: l.County,
			})
		}
	}
	slices.SortStableFunc(out, func(x, y RuleView) int {
		if x.Event != domain.DeadlinePassed || y.Event != domain.DeadlinePassed {
			return 0
		}
		return strings.Compare(string(x.When), string(y.When))
	})
	return out
}
