package app

import (
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// CountedStage is a stage with the measure that counts it, by its numerator; the first, the sent, is below the line of the second's.
type CountedStage struct {
	Measure string
	domain.Stage
}

// The measures of the stages of going up and of going down, in their order. Those of one way have the same denominator.
func stagesUp() []string {
	return []string{"STAGE-UP-ANSWERED", "STAGE-UP-ARRIVED", "STAGE-UP-ENDED", "STAGE-UP-SENT-DOWN", "STAGE-UP-TAKEN-OVER"}
}

func stagesDown() []string {
	return []string{"STAGE-DN-ANSWERED", "STAGE-DN-ARRIVED", "STAGE-DN-FOLLOWED-UP"}
}

// Stages answers how far the referrals of a query have come. Errors as [Service.Figures].
func (s *Service) Stages(ctx context.Context, q FigureQuery) (up, down []CountedStage, err error) {
	q.Measures, q.GroupBy, q.Denominator, q.WithTargets = slices.Concat(stagesUp(), stagesDown()), nil, "", false
	rows, err := s.Figures(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	return stagesOf(stagesUp(), rows), stagesOf(stagesDown(), rows), nil
}

func stagesOf(codes []string, rows []FigureRow) []CountedStage {
	var sent int64
	reached := make([]int64, len(codes))
	for _, r := range rows {
		if i := slices.Index(codes, r.Measure); i >= 0 {
			sent, reached[i] = r.Denominator, r.Numerator
		}
	}
	stages := domain.Stages(sent, reached)
	out := make([]CountedStage, len(stages))
	for i, one := range stages {
		out[i] = CountedStage{Measure: codes[max(0, i-1)], Stage: one}
	}
	return out
}

// OpenWork is what is open at a place: referrals in which something is still to happen, by side, and candidates on which nobody decided; of an account
// also its patients who are followed up.
type OpenWork struct{ Sent, Received, Candidates, FollowedUp int }

// WorkPlace is an organisation, one of its departments, or whatever is in the name of an account.
type WorkPlace struct{ OrganizationID, Department, AccountID string }

// OpenAt counts what is open at a place, or in the name of an account. Errors: ROLE for who neither sees the county nor keeps its accounts.
func (s *Service) OpenAt(ctx context.Context, caller authn.Identity, at WorkPlace) (OpenWork, error) {
	switch {
	case !caller.Has("COUNTY_ADMIN") && !caller.Has("SYSTEM_ADMIN"):
		return OpenWork{}, errs.Denied(errs.ReasonRole)
	case at.AccountID != "":
		return s.Statistics.OpenInName(ctx, caller.County, at.AccountID)
	}
	return s.Statistics.Open(ctx, caller.County, at.OrganizationID, at.Department)
}

// QuietCentres answers the centres of the county that went quiet, of the days [from, to) that were looked at. Errors: ROLE for who does not see the
// county.
func (s *Service) QuietCentres(ctx context.Context, caller authn.Identity) (found []domain.QuietCentre, from, to string, err error) {
	if !caller.Has("COUNTY_ADMIN") {
		return nil, "", "", errs.Denied(errs.ReasonRole)
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return nil, "", "", err
	}
	today := cal.Today(s.Clock.Now())
	at, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return nil, "", "", err
	}
	from, to = at.AddDate(0, 0, 1-domain.QuietDays).Format(time.DateOnly), at.AddDate(0, 0, 1).Format(time.DateOnly)
	rows, err := s.Figures(ctx, FigureQuery{Caller: caller, Measures: []string{"UP-N"}, From: from, To: to, GroupBy: []string{figures.Centre, byDay}})
	if err != nil {
		return nil, "", "", err
	}
	sent := make([]domain.SentOn, len(rows))
	for i, r := range rows {
		sent[i] = domain.SentOn{Centre: r.Key[0], Day: string(r.Period), N: r.Numerator}
	}
	centres, err := s.Organizations.OrganizationsOf(ctx, caller.County, "TOWNSHIP_CENTRE")
	return domain.QuietCentres(centres, sent, today), from, to, err
}

// aims holds rows against the county's targets: of the organisation and the department that a row is of, else that were asked for.
func (s *Service) aims(ctx context.Context, q FigureQuery, dimensions []string, rows []FigureRow) error {
	targets, err := s.Versions.Targets(ctx, q.Caller.County)
	if err != nil || len(targets.Targets) == 0 {
		return err
	}
	for i := range rows {
		row := &rows[i]
		m, _ := s.Published.Measure(row.Measure)
		from, to := q.From, q.To
		if row.Period != "" {
			from, to = ofPeriod(row.Period, slices.Contains(q.GroupBy, byMonth))
		}
		month, ok := domain.AimedMonth(aimedUnit(m), from, to)
		if !ok {
			continue
		}
		organization, department := q.OrganizationID, q.Department
		for place, value := range row.Key {
			switch dimensions[place] {
			case figures.Centre, figures.Hospital:
				organization = value
			case figures.Department:
				department = value
			}
		}
		if value, ok := targets.Holding(m.Code, organization, department, month); ok {
			now := row.Value
			if m.Unit == stats.Count {
				now = float64(row.Numerator)
			}
			aim := domain.Against(value, now, row.Known || m.Unit == stats.Count, m.Direction == stats.LowerBetter)
			row.Aim = &aim
		}
	}
	return nil
}

// ofPeriod are the local days of a month or a day that begins on one.
func ofPeriod(begins stats.Date, month bool) (from, to string) {
	at, err := time.Parse(time.DateOnly, string(begins))
	if err != nil {
		return "", ""
	}
	if month {
		return string(begins), at.AddDate(0, 1, 0).Format(time.DateOnly)
	}
	return string(begins), at.AddDate(0, 0, 1).Format(time.DateOnly)
}

// aimedUnit is how a measure may be aimed at, "" for one at which nobody can aim.
func aimedUnit(m stats.Measure) domain.Unit {
	switch m.Unit {
	case stats.Percent:
		return domain.Percentage
	case stats.Count:
		return domain.Amount
	}
	return ""
}
