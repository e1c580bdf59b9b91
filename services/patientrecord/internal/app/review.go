package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// GlassQuery selects uses, newest first. Empty fields select all.
type GlassQuery struct {
	PatientID, Account string
	// Home selects those of a centre's patients.
	Home string
	// Open selects those that wait for a verdict.
	Open  bool
	After Cursor
	Limit int
}

// GlassPage is a page of uses; Next is zero on the last one.
type GlassPage struct {
	Uses []domain.Glass
	Next Cursor
}

const defaultUses = 50

// reviewed is whose uses the caller may review: an auditor's are the county's, a centre head's those of the centre's patients.
func reviewed(caller authn.Identity) (home string, err error) {
	switch {
	case caller.Has("AUDITOR"):
		return "", nil
	case caller.Has("CENTRE_HEAD") && caller.Organization != "":
		return caller.Organization, nil
	}
	return "", errs.Denied(errs.ReasonRole)
}

// Glasses lists uses for review.
func (a *App) Glasses(ctx context.Context, caller authn.Identity, open bool, after Cursor, size int) (GlassPage, error) {
	home, err := reviewed(caller)
	if err != nil {
		return GlassPage{}, err
	}
	if size == 0 {
		size = defaultUses
	}
	list, err := a.store.Glasses(ctx, caller.County, GlassQuery{Home: home, Open: open, After: after, Limit: size + 1})
	if err != nil {
		return GlassPage{}, err
	}
	page := GlassPage{Uses: list}
	if len(list) > size {
		page.Uses = list[:size]
		last := list[size-1]
		page.Next = Cursor{Time: last.From, ID: last.ID}
	}
	return page, a.store.Audit(ctx, caller.County, Access{
		Account: caller.Subject, Organization: caller.Organization, Action: "glass.list", ObjectType: "glass",
	})
}

// Glass is one use with what its account read of the patient while it counted.
func (a *App) Glass(ctx context.Context, caller authn.Identity, id string) (domain.Glass, []domain.GlassRead, error) {
	home, err := reviewed(caller)
	if err != nil {
		return domain.Glass{}, nil, err
	}
	g, err := a.store.Glass(ctx, caller.County, id)
	if err != nil {
		return domain.Glass{}, nil, err
	}
	if home != "" && g.Home != home {
		return domain.Glass{}, nil, errs.NotFound("glass")
	}
	reads, err := a.store.GlassReads(ctx, caller.County, g)
	if err != nil {
		return domain.Glass{}, nil, err
	}
	seen := look(caller, "glass.read", g.PatientID)
	seen.ObjectType, seen.ObjectID = "glass", g.ID
	return g, reads, a.store.Audit(ctx, caller.County, seen)
}

// Judgement is a reviewer's verdict about the version that was seen.
type Judgement struct {
	Request Request
	ID      string
	Version int32
	Verdict domain.GlassVerdict
	Note    string
}

// Review records a verdict. Nobody reviews the own use.
func (a *App) Review(ctx context.Context, caller authn.Identity, in Judgement) (domain.Glass, error) {
	home, err := reviewed(caller)
	if err != nil {
		return domain.Glass{}, err
	}
	var out domain.Glass
	err = a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		found, err := u.Replayed(ctx, &out)
		if err != nil || found {
			return err
		}
		g, err := u.Glass(ctx, in.ID)
		switch {
		case err != nil:
			return err
		case home != "" && g.Home != home:
			return errs.NotFound("glass")
		case g.Account == caller.Subject:
			return errs.Denied(errs.ReasonRole)
		case g.Version != in.Version:
			return errs.Stale(g.Version, string(g.Verdict()))
		}
		judged, problems := g.Judge(domain.Review{
			Verdict: in.Verdict, Note: in.Note, Account: caller.Subject, AccountName: caller.Name, Organization: caller.Organization, Time: u.Now(),
		})
		if len(problems) > 0 {
			return refused(problems, "")
		}
		out = judged
		u.PutGlass(out)
		return u.Replay(out)
	})
	return out, err
}
