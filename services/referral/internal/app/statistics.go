package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// Statistics answers the county's figures. They are exact at the moment of the call.
type Statistics interface {
	// Figures computes measures as of one moment, in the order asked. Errors are those of [stats.Schema.Figures].
	Figures(ctx context.Context, asked []FigureRead) ([][]stats.Figure, error)
	// Cases is a page of the cases behind a part of a measure, in the order of its event, and where the next begins; nil after the last.
	Cases(ctx context.Context, q CaseScan) ([]StatisticCase, *Cursor, error)
	// Reconcile answers the discharges that ended, and the down-referrals that were sent and stand, on the local days [From, To), each with the
	// discharges of the patient there; both sides of one moment.
	Reconcile(ctx context.Context, q ReconcileScan) (ended []domain.ReportedDischarge, sent []domain.SentDown, err error)
	// Late is a page of what is overdue, in the order of its time, with totals of every step of the county or organisation.
	Late(ctx context.Context, q LateScan) (LateList, error)
	// Running are the limits of a referral that are open, in any order.
	Running(ctx context.Context, county, id string) ([]domain.Deadline, error)
	// Open counts what is open at an organisation, or at one of its departments.
	Open(ctx context.Context, county, organization, department string) (OpenWork, error)
	// OpenInName counts what is open in the name of an account.
	OpenInName(ctx context.Context, county, account string) (OpenWork, error)
	// Unsent are candidates that were not sent down, the newest first.
	Unsent(ctx context.Context, q UnsentScan) ([]domain.CandidateSnapshot, error)
	// CheckFigures recomputes a county's figures from the histories and tells what differs.
	CheckFigures(ctx context.Context, county string) (FigureCheck, error)
	// RebuildFigures mends what CheckFigures would tell and answers it.
	RebuildFigures(ctx context.Context, county string) (FigureCheck, error)
	// UnbuiltCounties are those of which it is not known that their figures hold everything, by the schema of today.
	UnbuiltCounties(ctx context.Context) ([]string, error)
	// FiguresBuilt tells whether a county's figures hold everything.
	FiguresBuilt(ctx context.Context, county string) (bool, error)
	// BuildFigures is RebuildFigures and notes that it was done. Errors: Conflict while another is at it.
	BuildFigures(ctx context.Context, county string) error
}

// FigureRead asks for one measure.
type FigureRead struct {
	Measure     stats.Measure
	Denominator string
	Query       stats.Query
}

// CaseScan asks for at most Limit cases that contribute to a part of a measure within a query.
type CaseScan struct {
	Query stats.Query
	Part  stats.Part
	// Measure and Below, its denominator, are what the ground of each case is of; Excluded tells that Part is what Below leaves out.
	Measure  stats.Measure
	Below    stats.Part
	Excluded bool
	After    *Cursor
	Limit    int
}

// StatisticCase is a case behind a figure. Of the referral it holds what figures go by, and no patient.
type StatisticCase struct {
	Referral domain.Snapshot
	// StayID names a case that is no referral: a candidate, or a discharge that a hospital reported. Referral is then that of the stay, if it
	// had one.
	StayID string
	// Day is the first on which it counts, Count how often it does.
	Day    stats.Date
	Count  int64
	Ground figures.Ground
}

// FigureCheck is what was recomputed, and what differed.
type FigureCheck struct {
	Referrals, Cells int64
	Differences      []stats.Difference
}

// FigureQuery is what somebody wants to know. Measures are codes, none for all; From and To are local days, the second is not in.
type FigureQuery struct {
	Caller         authn.Identity
	Measures       []string
	From, To       string
	GroupBy        []string // dimensions, and day or month
	OrganizationID string
	// PartnerID is the organisation on the other side: of a centre a hospital, of a hospital a centre.
	PartnerID   string
	Department  string
	Doctor      string
	Condition   string
	Urgency     domain.Urgency
	Kind        domain.Kind
	Denominator string
	// Reason is a coded one: a shipped one with all that count as it, or a county's own.
	Reason            string
	WithRetrospective bool
	// WithTargets holds every figure against the target that holds for its place and month.
	WithTargets bool
}

// FigureRow is a figure of a measure. Key are the values of GroupBy without day and month; Period is empty without those. Filling: cases are
// still being added, because the period is young or because the county's figures are being built after an upgrade.
type FigureRow struct {
	Measure string
	stats.Figure
	Filling bool
	// Aim is set where it was asked for and a target holds.
	Aim *domain.Aim
}

const (
	byDay   = "day"
	byMonth = "month"
	// byOwnReason tells a county's own reasons apart, which the dimension of reasons counts under the shipped ones.
	byOwnReason = "ownReason"

	maxStatisticYears = 3
)

// GroupBy are the names by which every measure can be grouped, some of them together: which, the published totals say.
func GroupBy() []string {
	return append([]string{byMonth, byDay, byOwnReason}, figures.Dimensions()...)
}

// Definitions are the published ones.
func (s *Service) Definitions() *figures.Book { return s.Published }

// Figures answers figures of the county to its administrators, and to everybody else those of the own organisation. Errors: fields;
// ROLE for those of another organisation.
func (s *Service) Figures(ctx context.Context, q FigureQuery) ([]FigureRow, error) {
	grain, dimensions, bad := grainOf(q.GroupBy)
	measures, wrong := s.measures(q)
	bad = append(append(bad, wrong...), period(q.From, q.To)...)
	if len(bad) > 0 {
		return nil, errs.Invalid(bad...)
	}
	base, err := s.statisticQuery(ctx, q)
	if err != nil {
		return nil, err
	}
	base.Grain, base.GroupBy = grain, dimensions
	cal, err := s.Calendars.Calendar(ctx, q.Caller.County)
	if err != nil {
		return nil, err
	}
	today := stats.Date(cal.Today(s.Clock.Now()))
	asked := make([]FigureRead, len(measures))
	for i, m := range measures {
		if _, ok := m.Denominator(q.Denominator); ok {
			asked[i].Denominator = q.Denominator
		}
		below, _ := m.Denominator(asked[i].Denominator)
		asked[i].Measure, asked[i].Query = m, soFar(narrowed(base, m, q.WithRetrospective), below, today)
	}
	// Asked first: what is built now is whole in what is read after it.
	built, err := s.Statistics.FiguresBuilt(ctx, q.Caller.County)
	if err != nil {
		return nil, err
	}
	found, err := s.Statistics.Figures(ctx, asked)
	if err != nil {
		return nil, asAsked(err, q.GroupBy)
	}
	var out []FigureRow
	for i, rows := range found {
		for _, f := range rows {
			row := FigureRow{Measure: measures[i].Code, Figure: f, Filling: !built || base.Filling(f.Period, today)}
			if grain == stats.Whole {
				row.Period = ""
			}
			out = append(out, row)
		}
	}
	if i := slices.Index(dimensions, figures.Reason); i >= 0 && !slices.Contains(q.GroupBy, byOwnReason) {
		out = underShipped(out, i)
	}
	if !q.WithTargets {
		return out, nil
	}
	if !q.Caller.Has("COUNTY_ADMIN") {
		q.OrganizationID = q.Caller.Organization // as statisticQuery narrowed it
	}
	return out, s.aims(ctx, q, dimensions, out)
}

// underShipped counts a county's own reasons under the shipped ones: rows of one measure and period that become alike are one. What is counted by
// reasons is counts; place is where the key has the reason.
func underShipped(rows []FigureRow, place int) []FigureRow {
	var out []FigureRow
	for _, r := range rows {
		r.Key = slices.Clone(r.Key)
		r.Key[place] = domain.CountsAs(r.Key[place])
		same := func(o FigureRow) bool {
			return o.Measure == r.Measure && o.Period == r.Period && slices.Equal(o.Key, r.Key)
		}
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].Numerator += r.Numerator
			out[i].Value += r.Value
			continue
		}
		out = append(out, r)
	}
	return out
}

// CaseQuery asks for the cases behind one figure.
type CaseQuery struct {
	FigureQuery
	// Part is which cases of the measure; "" for those above its line.
	Part      CasePart
	PageToken string
	PageSize  int
}

// CasePart is which cases of a measure are meant.
type CasePart string

// The parts. Missed are below the line of a share and not above it, Excluded are left out by the denominator.
const (
	AboveLine CasePart = "NUMERATOR"
	BelowLine CasePart = "DENOMINATOR"
	Missed    CasePart = "MISSED"
	Excluded  CasePart = "EXCLUDED"
)

// parts answers the part of a measure that is meant, and the denominator; false for what the measure has not.
func (q CaseQuery) parts(m stats.Measure) (part, below stats.Part, ok bool) {
	below, divided := m.Denominator(q.Denominator)
	switch {
	case q.Part == "" || q.Part == AboveLine:
		return m.Numerator, below, true
	case !divided:
		return part, below, false
	case q.Part == Missed:
		part, ok = figures.MissedOf(m, below)
	case q.Part == Excluded:
		part, ok = figures.ExcludedOf(m, below)
	default:
		part, ok = below, true
	}
	return part, below, ok
}

// Cases answers a page of exactly the cases that a figure of the same query counts, and the token of the next; "" after the last. Their
// counts add up to the figure, those that are missed to the denominator less the numerator.
func (s *Service) Cases(ctx context.Context, q CaseQuery) ([]StatisticCase, string, error) {
	measures, bad := s.measures(q.FigureQuery)
	bad = append(bad, period(q.From, q.To)...)
	if len(bad) > 0 {
		return nil, "", errs.Invalid(bad...)
	}
	part, below, ok := q.parts(measures[0])
	if !ok {
		return nil, "", errs.Invalid(errs.Bad("part", errs.ReasonFieldCombination))
	}
	base, err := s.statisticQuery(ctx, q.FigureQuery)
	if err != nil {
		return nil, "", err
	}
	cal, err := s.Calendars.Calendar(ctx, q.Caller.County)
	if err != nil {
		return nil, "", err
	}
	base.Grain = stats.Whole
	scan := CaseScan{
		Query: soFar(narrowed(base, measures[0], q.WithRetrospective), below, stats.Date(cal.Today(s.Clock.Now()))),
		Part:  part, Limit: q.PageSize, Measure: measures[0], Below: below, Excluded: q.Part == Excluded,
	}
	if scan.Limit <= 0 {
		scan.Limit = defaultPage
	}
	scan.Limit = min(scan.Limit, maxPage)
	if q.PageToken != "" {
		after, ok := parseToken(q.PageToken, false)
		if !ok {
			return nil, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		scan.After = &after
	}
	cases, next, err := s.Statistics.Cases(ctx, scan)
	if err != nil || next == nil {
		return cases, "", err
	}
	return cases, token(*next, false), nil
}

// measures are those that were asked for by code; the denominator must be one that some of them offers.
func (s *Service) measures(q FigureQuery) (out []stats.Measure, bad []errs.Field) {
	for i, code := range q.Measures {
		m, ok := s.Published.Measure(code)
		if !ok {
			bad = append(bad, errs.Bad(fmt.Sprintf("measure[%d]", i), errs.ReasonFieldUnknown, "allowed", strings.Join(s.Published.Codes(), " ")))
		}
		out = append(out, m)
	}
	if len(q.Measures) == 0 {
		out = s.Published.Measures
	}
	offered := func(m stats.Measure) bool { _, ok := m.Denominator(q.Denominator); return ok }
	if q.Denominator != "" && len(bad) == 0 && !slices.ContainsFunc(out, offered) {
		bad = append(bad, errs.Bad("denominator", errs.ReasonFieldUnknown))
	}
	return out, bad
}

// grainOf takes day and month out of the names.
func grainOf(groupBy []string) (grain stats.Grain, dimensions []string, bad []errs.Field) {
	grain = stats.Whole
	for i, name := range groupBy {
		switch {
		case !slices.Contains(GroupBy(), name):
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldUnknown, "allowed", strings.Join(GroupBy(), " ")))
		case name == byOwnReason && slices.Contains(groupBy, figures.Reason):
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldCombination))
		case name == byOwnReason:
			dimensions = append(dimensions, figures.Reason)
		case name != byDay && name != byMonth:
			dimensions = append(dimensions, name)
		case grain != stats.Whole:
			bad = append(bad, errs.Bad(fmt.Sprintf("groupBy[%d]", i), errs.ReasonFieldCombination))
		case name == byDay:
			grain = stats.Day
		default:
			grain = stats.Month
		}
	}
	return grain, dimensions, bad
}

// period refuses days that are none, that end before they begin, or more than three years.
func period(from, to string) (bad []errs.Field) {
	for _, f := range [][2]string{{"from", from}, {"to", to}} {
		switch {
		case f[1] == "":
			bad = append(bad, errs.Required(f[0]))
		case !stats.Date(f[1]).Valid():
			bad = append(bad, errs.Bad(f[0], errs.ReasonFieldInvalid))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	// Checked above.
	begin, _ := time.Parse(time.DateOnly, from)
	if to <= from || to > begin.AddDate(maxStatisticYears, 0, 0).Format(time.DateOnly) {
		bad = append(bad, errs.Bad("to", errs.ReasonFieldOutOfRange, "maxYears", fmt.Sprint(maxStatisticYears)))
	}
	return bad
}

// CheckFigures holds a county's figures against its histories.
func (s *Service) CheckFigures(ctx context.Context, county string) (FigureCheck, error) {
	return s.Statistics.CheckFigures(ctx, county)
}

// RebuildFigures makes a county's figures what its histories say, and answers what it mended.
func (s *Service) RebuildFigures(ctx context.Context, county string) (FigureCheck, error) {
	return s.Statistics.RebuildFigures(ctx, county)
}
