package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// findAudited is the action of looking for a patient in order to read the audit.
const findAudited = "patient.find_audited"

// Audited is a patient as the audit knows one: the ids, and enough to tell one person from another.
type Audited struct {
	Shown  Shown
	Merged []string
}

// FindAudited names the patients of the county whom words or an identity number mean, for the auditor, who sees no record: masked, best match
// first. Each is an entry of the audit; it counts as a look-up by number does. more tells that not all are named.
func (x *Index) FindAudited(ctx context.Context, caller authn.Identity, query string) (list []Audited, more bool, err error) {
	number, words, err := x.a.parse(Search{Query: query})
	if err != nil {
		return nil, false, err
	}
	if err := x.a.allowLookup(ctx, caller); err != nil {
		return nil, false, err
	}
	found, err := x.countyWide(ctx, caller.County, number, words)
	if err != nil {
		return nil, false, err
	}
	if more = len(found) > defaultPage; more {
		found = found[:defaultPage]
	}
	looks := make([]Access, 0, len(found))
	for _, f := range found {
		one, err := x.auditedOf(ctx, caller.County, f.Patient)
		if err != nil {
			return nil, false, err
		}
		list, looks = append(list, one), append(looks, look(caller, findAudited, one.Shown.ID))
	}
	if len(looks) == 0 {
		looks = append(looks, Access{
			Account: caller.Subject, Organization: caller.Organization, Action: findAudited, ObjectType: "patient", Detail: "NOT_FOUND",
		})
	}
	return list, more, x.a.store.Audit(ctx, caller.County, looks...)
}

func (x *Index) countyWide(ctx context.Context, county, number string, words []Word) ([]Found, error) {
	if number != "" {
		return x.a.store.FindByNumber(ctx, county, "", number)
	}
	if len(words) == 0 || slices.ContainsFunc(words, func(w Word) bool { return len(w.Any) == 0 }) {
		return nil, nil
	}
	candidates, err := x.a.store.FindInCounty(ctx, county, words, MaxCandidates)
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, m := range rank(candidates, words) {
		out = append(out, m.found)
	}
	return out, nil
}

func (x *Index) auditedOf(ctx context.Context, county string, p domain.Patient) (Audited, error) {
	out := Audited{Shown: show(p, domain.LevelNone, true)}
	out.Shown.Home = p.Home()
	merges, err := x.a.store.Merges(ctx, county, p.ID())
	if err != nil {
		return Audited{}, err
	}
	for _, m := range merges {
		if m.Open() && m.Root == p.ID() && !slices.Contains(out.Merged, m.Merged) {
			out.Merged = append(out.Merged, m.Merged)
		}
	}
	return out, nil
}
