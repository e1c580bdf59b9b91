package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// WeekChange is the whole week of a post, said anew. Version is the one that was seen.
type WeekChange struct {
	Post      domain.Post
	Version   int32
	Shifts    []domain.Shift
	RequestID string
}

// SetRoster answers the roster as it is now; a repeat of the request changes nothing. An old version is Stale.
func (a *App) SetRoster(ctx context.Context, caller authn.Identity, c WeekChange) (RosterView, error) {
	county, err := rosterCounty(caller, c.Post.County)
	if err != nil {
		return RosterView{}, err
	}
	c.Post.County = county
	by := requestBy(caller, county, Request{Method: "SetRoster", ID: c.RequestID, Hash: hashOf(c.Post, c.Version, c.Shifts)})
	err = a.deps.Store.Change(ctx, by, func(u Unit) error {
		r, people, err := planned(ctx, u, caller, c.Post, c.Version)
		if err != nil {
			return err
		}
		next, changed, err := r.Replace(c.Shifts, people.mayServe(), a.since(u.Now()))
		if err != nil {
			return at(err, "")
		}
		if changed {
			u.SaveRoster(r, next, RosterAction{Code: RosterSet})
		}
		return nil
	})
	if err != nil {
		return RosterView{}, err
	}
	return a.GetRoster(ctx, caller, c.Post, Span{})
}

// planned is the roster as somebody who may plan it saw it, and who may stand on it.
func planned(ctx context.Context, u Unit, caller authn.Identity, post domain.Post, seen int32) (domain.Roster, staff, error) {
	var none domain.Roster
	people, err := postOf(ctx, u, post)
	if err != nil {
		return none, people, err
	}
	if !plans(caller, post) {
		return none, people, errs.Denied(errs.ReasonRole)
	}
	r, err := u.Roster(ctx, post)
	if err == nil && r.Version() != seen {
		err = errs.Stale(r.Version(), "")
	}
	return r, people, err
}

// Replacement gives all shifts of one person at a post to another one, from a local day on; an empty Day is today. A Preview writes nothing.
type Replacement struct {
	Post      domain.Post
	Version   int32
	From, To  string
	Day       string
	Preview   bool
	RequestID string
}

// ReplaceOnRoster answers the roster as it is then, and as it would be for a preview. An old version is Stale; WrongState for who has no shift from that
// day on.
func (a *App) ReplaceOnRoster(ctx context.Context, caller authn.Identity, c Replacement) (RosterView, error) {
	county, err := rosterCounty(caller, "")
	if err != nil {
		return RosterView{}, err
	}
	c.Post.County = county
	by := requestBy(caller, county, Request{Method: "ReplaceOnRoster", ID: c.RequestID, Hash: hashOf(c.Post, c.Version, c.From, c.To, c.Day)})
	if c.Preview {
		by.Request.ID = ""
	}
	var would RosterView
	err = a.deps.Store.Change(ctx, by, func(u Unit) error {
		r, people, err := planned(ctx, u, caller, c.Post, c.Version)
		if err != nil {
			return err
		}
		today := u.Now().In(a.deps.Zone).Format(time.DateOnly)
		next, changed, err := r.Pass(c.From, c.To, cmp.Or(c.Day, today), today, people.mayServe())
		switch {
		case err != nil:
			return at(err, "")
		case !changed:
			return errs.WrongState("NO_DUTY", "replace")
		case c.Preview:
			span, _ := Span{}.read(u.Now())
			would = RosterView{next, a.named(people, planOf(next).On(span.From, span.To, a.deps.Zone, people.active), false)}
			return nil
		}
		u.SaveRoster(r, next, RosterAction{Code: RosterReplace})
		return nil
	})
	if err != nil || c.Preview {
		return would, err
	}
	return a.GetRoster(ctx, caller, c.Post, Span{})
}

// DutyChange gives a duty to somebody else. An empty From is the caller.
type DutyChange struct {
	Post       domain.Post
	From, To   string
	Start, End time.Time
	Note       string
	RequestID  string
}

// HandOver is for whoever plans the post, and for whom the duty is; a span in which From has no duty is refused.
func (a *App) HandOver(ctx context.Context, caller authn.Identity, c DutyChange) (RosterView, error) {
	c.Post.County = caller.County
	if c.From == "" {
		c.From = caller.Subject
	}
	by := requestBy(caller, caller.County, Request{Method: "HandOver", ID: c.RequestID, Hash: hashOf(c.Post, c.From, c.To, c.Start, c.End, c.Note)})
	err := a.deps.Store.Change(ctx, by, func(u Unit) error {
		people, err := postOf(ctx, u, c.Post)
		if err != nil {
			return err
		}
		if !plans(caller, c.Post) && (c.From != caller.Subject || caller.Organization != c.Post.OrganizationID) {
			return errs.Denied(errs.ReasonRole)
		}
		r, err := u.Roster(ctx, c.Post)
		if err != nil {
			return err
		}
		next, written, err := r.HandOver(domain.HandOver{
			ID: id.New(), From: c.From, To: c.To, Start: c.Start, End: c.End, Note: c.Note, AccountID: caller.Subject,
		}, people.mayServe(), u.Now())
		if err != nil {
			return at(err, "")
		}
		has := false
		for _, d := range planOf(r).On(written.Start, written.End, a.deps.Zone, people.active) {
			has = has || d.AccountID == c.From || d.Instead == c.From
		}
		if !has {
			return errs.Invalid(errs.Bad("fromAccountId", errs.ReasonFieldUnknown))
		}
		u.SaveRoster(r, next, RosterAction{RosterHandOver, written})
		return nil
	})
	if err != nil {
		return RosterView{}, err
	}
	return a.GetRoster(ctx, caller, c.Post, Span{})
}

// TakeBack is for whoever plans the post, and for those whom the hand-over is about; one that has ended stays as it is.
func (a *App) TakeBack(ctx context.Context, caller authn.Identity, handOverID, requestID string) (RosterView, error) {
	var post domain.Post
	by := requestBy(caller, caller.County, Request{Method: "TakeBack", ID: requestID, Hash: hashOf(handOverID)})
	err := a.deps.Store.Change(ctx, by, func(u Unit) (err error) {
		if post, err = u.PostOfHandOver(ctx, caller.County, handOverID); err != nil {
			return err
		}
		if _, err = postOf(ctx, u, post); err != nil {
			return err
		}
		r, err := u.Roster(ctx, post)
		if err != nil {
			return err
		}
		h := handOver(r, handOverID)
		mine := slices.Contains([]string{h.From, h.To, h.AccountID}, caller.Subject)
		if !mine && !plans(caller, post) {
			return errs.NotFound("hand_over")
		}
		if next, ended := r.TakeBack(handOverID, u.Now()); ended {
			u.SaveRoster(r, next, RosterAction{RosterTakeBack, handOver(next, handOverID)})
		}
		return nil
	})
	if err != nil {
		return RosterView{}, err
	}
	if post.OrganizationID == "" { // a repeat: the change was made before
		if post, err = a.deps.Store.PostOfHandOver(ctx, caller.County, handOverID); err != nil {
			return RosterView{}, err
		}
	}
	return a.GetRoster(ctx, caller, post, Span{})
}

// postOf locks the organisation, which is what the rosters of its posts are changed under, and answers its people.
func postOf(ctx context.Context, u Unit, p domain.Post) (staff, error) {
	found, err := u.OrganizationsByID(ctx, p.County, []string{p.OrganizationID})
	if err != nil {
		return nil, err
	}
	o, ok := found[p.OrganizationID]
	if !ok {
		return nil, errs.NotFound("organization")
	}
	if !p.In(o) {
		return nil, errs.Invalid(errs.Bad("departmentCode", errs.ReasonFieldUnknown))
	}
	views, err := u.AccountsOf(ctx, p.County, p.OrganizationID)
	return staffOf(views), err
}

// plans tells who writes the roster of a post.
func plans(caller authn.Identity, p domain.Post) bool {
	own := caller.Organization == p.OrganizationID
	switch {
	case caller.IsService(), caller.Has(string(domain.System)), caller.Has(string(domain.CountyAdmin)):
		return true
	case own && caller.Has(string(domain.CentreHead)):
		return true
	case own && caller.Has(string(domain.IntakeDesk)) && p.Department == domain.Desk:
		return true
	}
	return own && caller.Has(string(domain.DepartmentHead)) && p.Department != "" && caller.Department == p.Department
}

// Request is one write as its caller named it; with an empty ID every call counts. Hash is of what it says.
type Request struct {
	Method, ID string
	Hash       []byte
}

func requestBy(caller authn.Identity, county string, r Request) Command {
	by := commandBy(caller, county)
	by.Request = r
	return by
}

func hashOf(parts ...any) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", fmt.Sprintf("%+v", parts)))
	return sum[:]
}
