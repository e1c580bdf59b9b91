package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// LateScan selects open limits that passed: of the county, or of what one organisation sent or is to receive. What is empty is not asked for.
type LateScan struct {
	County, OrganizationID string
	// Department is the hospital's.
	Department string
	Urgency    domain.Urgency
	Kind       domain.Kind
	Step       domain.Step
	After      *Cursor
	Limit      int
}

// LateCase is a step that somebody is late with. Of the referral it holds what figures go by, and no patient.
type LateCase struct {
	Referral domain.Snapshot
	Step     domain.Step
	Due      time.Time
}

// place is where it stands in the list; one referral may be there with several steps.
func (c LateCase) place() Cursor {
	return Cursor{Time: c.Due, ID: c.Referral.ID + " " + string(c.Step)}
}

// LateList is a page of them, with totals of every step.
type LateList struct {
	Totals map[domain.Step]int
	Cases  []LateCase
	Next   string
}

// LateQuery asks for a page.
type LateQuery struct {
	FigureQuery
	Step      domain.Step
	PageToken string
	PageSize  int
}

// Late answers what is overdue now to whoever may see the figures of the same organisation.
func (s *Service) Late(ctx context.Context, q LateQuery) (LateList, error) {
	within, err := s.statisticQuery(ctx, q.FigureQuery)
	if err != nil {
		return LateList{}, err
	}
	organization := first(slices.Concat(within.Where[figures.Hospital], within.Where[figures.Centre]))
	scan := LateScan{
		County: within.County, OrganizationID: organization, Department: q.Department, Urgency: q.Urgency, Kind: q.Kind, Step: q.Step, Limit: q.PageSize,
	}
	if scan.Limit <= 0 {
		scan.Limit = defaultPage
	}
	scan.Limit = min(scan.Limit, maxPage) + 1
	if q.PageToken != "" {
		after, ok := parseToken(q.PageToken, false)
		if !ok {
			return LateList{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		scan.After = &after
	}
	out, err := s.Statistics.Late(ctx, scan)
	if n := scan.Limit - 1; err == nil && len(out.Cases) > n {
		out.Cases = out.Cases[:n]
		out.Next = token(out.Cases[n-1].place(), false)
	}
	return out, err
}

// BlockingMedicine is a medicine that patients would need at their centres, which do not have it.
type BlockingMedicine struct {
	// Name is as it was written first, without a specification.
	Name         string
	Availability domain.Availability
	// Lacking are the centres concerned, that of most candidates first.
	Lacking []Lacking
	Cases   []domain.CandidateSnapshot
}

// Lacking is a centre that does not have a medicine, and how many of its candidates need it.
type Lacking struct {
	CentreID     string
	Availability domain.Availability
	Count        int
}

// Blocking are the medicines that keep candidates at the hospital. Looked counts those looked at, Blocked those with such a medicine.
type Blocking struct {
	Medicines       []BlockingMedicine
	Looked, Blocked int
}

// candidatesLooked bounds what one question opens: every candidate's medicines are sealed one by one.
const candidatesLooked = 1000

// BlockingMedicines holds the medicines of candidates found in a period and not sent down against the lists of their centres. What is in
// stock or has a substitute blocks nothing, and neither does a list that nobody knows.
func (s *Service) BlockingMedicines(ctx context.Context, q FigureQuery) (Blocking, error) {
	if bad := period(q.From, q.To); len(bad) > 0 {
		return Blocking{}, errs.Invalid(bad...)
	}
	within, err := s.statisticQuery(ctx, q)
	if err != nil {
		return Blocking{}, err
	}
	found, err := s.Statistics.Unsent(ctx, UnsentScan{
		County: within.County, From: within.From, To: within.To,
		Hospital: first(within.Where[figures.Hospital]), Centre: first(within.Where[figures.Centre]), Department: q.Department, Limit: candidatesLooked,
	})
	if err != nil {
		return Blocking{}, err
	}
	out := Blocking{Looked: len(found)}
	bySubstance := map[string]*BlockingMedicine{}
	for _, c := range found {
		if c.CentreID == "" || len(c.Medicines) == 0 {
			continue
		}
		checked, err := s.lookUp(ctx, c.County, c.CentreID, c.Medicines)
		if err != nil {
			return Blocking{}, err
		}
		blocks := false
		for _, m := range checked.Checks {
			if lacks := m.Lacks(); lacks != "" {
				blocks = true
				note(bySubstance, m.Name, lacks, c)
			}
		}
		if blocks {
			out.Blocked++
		}
	}
	for _, m := range bySubstance {
		slices.SortFunc(m.Lacking, func(a, b Lacking) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.CentreID, b.CentreID))
		})
		out.Medicines = append(out.Medicines, *m)
	}
	slices.SortFunc(out.Medicines, func(a, b BlockingMedicine) int {
		if n := len(b.Cases) - len(a.Cases); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

func note(bySubstance map[string]*BlockingMedicine, name string, lacks domain.Availability, c domain.CandidateSnapshot) {
	substance := domain.Substance(name)
	one := bySubstance[substance]
	if one == nil {
		one = &BlockingMedicine{Name: name, Availability: lacks}
		bySubstance[substance] = one
	}
	if lacks == domain.MedicineMissed {
		one.Availability = lacks
	}
	at := slices.IndexFunc(one.Lacking, func(l Lacking) bool { return l.CentreID == c.CentreID })
	if at < 0 {
		at = len(one.Lacking)
		one.Lacking = append(one.Lacking, Lacking{CentreID: c.CentreID, Availability: lacks})
	}
	if lacks == domain.MedicineMissed {
		one.Lacking[at].Availability = lacks
	}
	// One candidate may need two forms of a substance.
	if n := len(one.Cases); n == 0 || one.Cases[n-1].ID != c.ID {
		one.Cases = append(one.Cases, c)
		one.Lacking[at].Count++
	}
}

// UnsentScan selects candidates found on the local days [From, To) that nobody sent down: those that wait, and those dismissed because the
// centre lacks the medicines.
type UnsentScan struct {
	County, Hospital, Centre string
	// Department of the hospital; all if empty.
	Department string
	From, To   stats.Date
	Limit      int
}
