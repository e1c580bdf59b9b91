package app

import (
	"context"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// ShownMatch is a match as one caller may see it.
type ShownMatch struct {
	Match         domain.Match
	First, Second Shown
	// MayDecide: the caller's organisation sees both records whole.
	MayDecide bool
	// Survivor is the record that stays if the two are one person: the one with a document, else the older; MustSurvive, that it alone can.
	Survivor    string
	MustSurvive bool
}

// Matches are the undecided ones of the caller's organisation, best first, masked as in a list; next is zero on the last page.
func (x *Index) Matches(ctx context.Context, caller authn.Identity, after MatchCursor, size int) (page []ShownMatch, next MatchCursor, err error) {
	if size == 0 {
		size = defaultPage
	}
	list, err := x.a.store.OpenMatches(ctx, caller.County, caller.Organization, after, size+1)
	if err != nil {
		return nil, MatchCursor{}, err
	}
	if len(list) > size {
		list = list[:size]
		next = MatchCursor{Score: list[size-1].Comparison.Score, ID: list[size-1].ID}
	}
	var seen []Shown
	for _, m := range list {
		s, err := x.shown(ctx, caller, m)
		if err != nil {
			return nil, MatchCursor{}, err
		}
		page, seen = append(page, s), append(seen, s.First, s.Second)
	}
	return page, next, x.a.audited(ctx, caller, "match.list", seen)
}

// Match is one match, each record as far as the caller's organisation may see it; NotFound if it has to do with neither.
func (x *Index) Match(ctx context.Context, caller authn.Identity, match string) (ShownMatch, error) {
	m, err := x.a.store.Match(ctx, caller.County, match)
	if err != nil {
		return ShownMatch{}, err
	}
	s, err := x.shown(ctx, caller, m)
	if err != nil {
		return ShownMatch{}, err
	}
	if s.First.Level == domain.LevelNone && s.Second.Level == domain.LevelNone {
		return ShownMatch{}, errs.NotFound("match")
	}
	return s, x.a.audited(ctx, caller, "match.read", []Shown{s.First, s.Second})
}

// shown is a match with both records, numbers masked: whoever must see them in full says why, to Reveal.
func (x *Index) shown(ctx context.Context, caller authn.Identity, m domain.Match) (ShownMatch, error) {
	out := ShownMatch{Match: m}
	var records [2]domain.Patient
	for i, id := range []string{m.First, m.Second} {
		p, err := x.a.store.Record(ctx, caller.County, id)
		if err != nil {
			return out, err
		}
		held, err := x.a.store.Relations(ctx, caller.County, id, caller.Organization)
		if err != nil {
			return out, err
		}
		records[i] = p
		s := show(p, domain.LevelOf(held, x.a.clk.Now()), true)
		if i == 0 {
			out.First = s
		} else {
			out.Second = s
		}
	}
	out.MayDecide = m.State == domain.MatchOpen && out.First.Level >= domain.LevelFull && out.Second.Level >= domain.LevelFull
	out.Survivor, out.MustSurvive = survivorOf(records[0], records[1])
	return out, nil
}

// survivorOf proposes who stays. A record with a document stays when the other has none: who is found by the number must find the patient.
func survivorOf(a, b domain.Patient) (survivor string, must bool) {
	ofA, ofB := a.Demographics().Number() != "", b.Demographics().Number() != ""
	switch {
	case ofA && !ofB:
		return a.ID(), true
	case ofB && !ofA:
		return b.ID(), true
	case b.Keep().Created.Before(a.Keep().Created):
		return b.ID(), false
	}
	return a.ID(), false
}

// Decide is a person's word about a match: one person, with the record that stays, or two.
type Decide struct {
	Linking
	Match string
	// Survivor is empty when they are two people.
	Survivor string
}

// Decide links the two records, or sees to it that nobody is asked about them again. Who decides must see both whole.
func (x *Index) Decide(ctx context.Context, caller authn.Identity, in Decide) (ShownMatch, error) {
	if strings.TrimSpace(in.Reason) == "" {
		return ShownMatch{}, errs.Invalid(errs.Required("reason"))
	}
	s, err := x.Match(ctx, caller, in.Match)
	if err != nil {
		return ShownMatch{}, err
	}
	if s.First.Level < domain.LevelFull || s.Second.Level < domain.LevelFull {
		return ShownMatch{}, errs.Denied(errs.ReasonBreakGlassRequired)
	}
	if in.Survivor != "" && in.Survivor != s.Match.First && in.Survivor != s.Match.Second {
		return ShownMatch{}, errs.Invalid(errs.Bad("survivorId", errs.ReasonFieldUnknown))
	}
	if in.Survivor != "" && s.MustSurvive && in.Survivor != s.Survivor {
		return ShownMatch{}, errs.Invalid(errs.Bad("survivorId", errs.ReasonFieldCombination, "with", "identityNumber"))
	}
	err = x.a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		if _, answered, err := u.Answered(ctx); err != nil || answered {
			return err
		}
		return decide(ctx, u, caller, in)
	})
	if err != nil {
		return ShownMatch{}, err
	}
	return x.Match(ctx, caller, in.Match)
}

func decide(ctx context.Context, u Unit, caller authn.Identity, in Decide) error {
	m, err := u.Match(ctx, in.Match)
	if err != nil {
		return err
	}
	if m.State != domain.MatchOpen {
		return errs.WrongState("decide", string(m.State))
	}
	if m.Version != in.Version {
		return errs.Stale(m.Version, string(m.State))
	}
	first, err := u.Record(ctx, m.First)
	if err != nil {
		return err
	}
	second, err := u.Record(ctx, m.Second)
	if err != nil {
		return err
	}
	m.Version++
	m.State, m.Decision = domain.MatchDifferent, in.decision(caller.Subject, caller.Organization, u.Now())
	seen := look(caller, "match.different", first.ID())
	seen.ObjectType, seen.ObjectID = "match", m.ID
	u.Answer(first)
	if in.Survivor == "" {
		u.PutMatch(m)
		u.Look(seen)
		return nil
	}
	seen.Action, m.State = "match.merge", domain.MatchMerged
	u.PutMatch(m)
	u.Look(seen)
	if in.Survivor == second.ID() {
		first, second = second, first
	}
	return merge(ctx, u, first, second, domain.Merge{ID: id.New(), MatchID: m.ID, Done: m.Decision})
}

// merge leads merged, and whatever leads to it, to survivor. No row moves.
func merge(ctx context.Context, u Unit, survivor, merged domain.Patient, m domain.Merge) error {
	held, err := u.Family(ctx, survivor.ID(), merged.ID())
	if err != nil {
		return err
	}
	m.Merged, m.Survivor = merged.ID(), survivor.ID()
	merged = merged.MergeInto(survivor.ID(), u.Now())
	u.PutPatient(merged)
	u.PutMatches(merged.ID(), nil)
	return settle(ctx, u, append(held, m), survivor, merged)
}

// settle writes where every record of the merges leads now, and makes each of the given records that leads nowhere found by all that lead
// to it.
func settle(ctx context.Context, u Unit, held []domain.Merge, records ...domain.Patient) error {
	roots := domain.Roots(held)
	at := map[string]domain.Patient{}
	for _, p := range records {
		at[p.ID()] = p
	}
	for _, m := range held {
		m.Root = roots[m.Merged]
		u.PutMerge(m)
		for _, id := range []string{m.Merged, m.Root} {
			if _, there := at[id]; there {
				continue
			}
			p, err := u.Record(ctx, id)
			if err != nil {
				return err
			}
			at[id] = p
		}
	}
	for _, p := range at {
		if roots[p.ID()] != "" {
			continue
		}
		family, also := []domain.Patient{p}, []domain.Details(nil)
		for merged, root := range roots {
			if root == p.ID() {
				family, also = append(family, at[merged]), append(also, at[merged].Demographics().Details())
			}
		}
		u.Reindex(family...)
		if err := rematch(ctx, u, p, also...); err != nil {
			return err
		}
	}
	return nil
}

// Unmerge takes a record out of the one it was merged into: both are again what they were. What was written since stays with the record
// for which it was written, which after the merge was the survivor's. That the two are different people is remembered.
func (x *Index) Unmerge(ctx context.Context, caller authn.Identity, mergeID string, in Linking) (domain.Merge, error) {
	if strings.TrimSpace(in.Reason) == "" {
		return domain.Merge{}, errs.Invalid(errs.Required("reason"))
	}
	m, err := x.a.store.Merge(ctx, caller.County, mergeID)
	if err != nil {
		return domain.Merge{}, err
	}
	if _, _, err := x.a.open(ctx, caller, m.Survivor, domain.LevelFull); err != nil {
		if errs.KindOf(err) == errs.KindNotFound {
			return domain.Merge{}, errs.NotFound("merge")
		}
		return domain.Merge{}, err
	}
	err = x.a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		if _, answered, err := u.Answered(ctx); err != nil || answered {
			return err
		}
		return unmerge(ctx, u, caller, m, in)
	})
	if err != nil {
		return domain.Merge{}, err
	}
	return x.a.store.Merge(ctx, caller.County, mergeID)
}

// unmerge decides on the merge as it is once the records are locked: somebody may have undone it meanwhile, or led the survivor on.
func unmerge(ctx context.Context, u Unit, caller authn.Identity, seen domain.Merge, in Linking) error {
	ids := []string{seen.Merged, seen.Survivor, seen.Root}
	slices.Sort(ids)
	at := map[string]domain.Patient{}
	for _, id := range slices.Compact(ids) {
		p, err := u.Record(ctx, id)
		if err != nil {
			return err
		}
		at[id] = p
	}
	m, err := u.Merge(ctx, seen.ID)
	if err != nil {
		return err
	}
	if !m.Open() {
		if _, answered, err := u.Answered(ctx); err != nil || answered {
			return err
		}
		return errs.WrongState("unmerge", "UNMERGED")
	}
	root, err := u.Record(ctx, m.Root)
	if err != nil {
		return err
	}
	held, err := u.Family(ctx, m.Root)
	if err != nil {
		return err
	}
	held = slices.DeleteFunc(held, func(h domain.Merge) bool { return h.ID == m.ID })
	m.Undone = in.decision(caller.Subject, caller.Organization, u.Now())
	u.PutMerge(m)
	merged := at[m.Merged].TakeOut(m.Survivor, u.Now())
	u.PutPatient(merged)
	if match, ok, err := u.MatchOf(ctx, m.Merged, m.Survivor); err != nil {
		return err
	} else if ok {
		match.Version++
		match.State, match.Decision = domain.MatchDifferent, m.Undone
		u.PutMatch(match)
	}
	u.Answer(merged)
	return settle(ctx, u, held, merged, root)
}

// Merges of a patient, newest first, for who sees the whole record.
func (x *Index) Merges(ctx context.Context, caller authn.Identity, patient string) ([]domain.Merge, error) {
	p, _, err := x.a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return nil, err
	}
	list, err := x.a.store.Merges(ctx, caller.County, p.ID())
	if err != nil {
		return nil, err
	}
	return list, x.a.store.Audit(ctx, caller.County, look(caller, "patient.merges", p.ID()))
}
