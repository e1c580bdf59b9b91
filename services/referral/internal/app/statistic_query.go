package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// statisticQuery is the query for what the caller may see of what was asked.
func (s *Service) statisticQuery(ctx context.Context, q FigureQuery) (stats.Query, error) {
	organization := q.OrganizationID
	if !q.Caller.Has("COUNTY_ADMIN") {
		if own := q.Caller.Organization; own == "" || organization != "" && organization != own {
			return stats.Query{}, errs.Denied(errs.ReasonRole)
		}
		organization = q.Caller.Organization
	}
	out := stats.Query{County: q.Caller.County, From: stats.Date(q.From), To: stats.Date(q.To), Where: map[string][]string{}}
	for _, f := range [][2]string{
		{figures.Department, q.Department}, {figures.Doctor, q.Doctor}, {figures.Condition, strings.ToUpper(q.Condition)},
		{figures.Urgency, string(q.Urgency)}, {figures.Kind, string(q.Kind)},
	} {
		if f[1] != "" {
			out.Where[f[0]] = []string{f[1]}
		}
	}
	if q.Reason != "" {
		set, err := s.reasons.of(ctx, q.Caller.County, s.Versions, s.Clock.Now())
		if err != nil {
			return stats.Query{}, err
		}
		out.Where[figures.Reason] = set.CountedAs(q.Reason)
	}
	for _, f := range [][2]string{{"organizationId", organization}, {"partnerOrganizationId", q.PartnerID}} {
		if f[1] == "" {
			continue
		}
		side, err := s.sideOf(ctx, q.Caller.County, f[0], f[1])
		if err != nil {
			return stats.Query{}, err
		}
		if out.Where[side] != nil {
			return stats.Query{}, errs.Invalid(errs.Bad(f[0], errs.ReasonFieldCombination))
		}
		out.Where[side] = []string{f[1]}
	}
	return out, nil
}

// sideOf is the dimension that an organisation is a value of.
func (s *Service) sideOf(ctx context.Context, county, field, id string) (string, error) {
	o, found, err := s.organization(ctx, county, domain.Party{OrganizationID: id})
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", errs.Invalid(errs.Bad(field, errs.ReasonFieldUnknown))
	case o.Type == "COUNTY_HOSPITAL":
		return figures.Hospital, nil
	}
	return figures.Centre, nil
}

// narrowed leaves out what was recorded afterwards, unless it was asked for or the measure says itself what it counts of that.
func narrowed(q stats.Query, m stats.Measure, withRetrospective bool) stats.Query {
	if withRetrospective || figures.NamesOrigin(m) {
		return q
	}
	where := map[string][]string{figures.Origin: {figures.Regular}}
	for d, values := range q.Where {
		where[d] = values
	}
	q.Where = where
	return q
}

// soFar ends a query of what lies ahead with yesterday, if its denominator counts only days that are over. What has a day to come has no reason
// either, and no total of reasons by days is kept.
func soFar(q stats.Query, below stats.Part, today stats.Date) stats.Query {
	_, reasoned := q.Where[figures.Reason]
	if below.Past && q.To > today && !reasoned && !slices.Contains(q.GroupBy, figures.Reason) {
		q.To = max(q.From, today)
	}
	return q
}

// asAsked names the refused fields as the caller named them.
func asAsked(err error, groupBy []string) error {
	var refused *errs.Error
	if !errors.As(err, &refused) || refused.Kind != errs.KindInvalid {
		return err
	}
	fields := slices.Clone(refused.Fields)
	var dimensions []string
	for i, name := range groupBy {
		if name != byDay && name != byMonth {
			dimensions = append(dimensions, fmt.Sprintf("groupBy[%d]", i))
		}
	}
	for i, f := range fields {
		name := strings.TrimPrefix(f.Name, "where.")
		switch {
		case name == figures.Centre || name == figures.Hospital:
			name = "organizationId"
		case name == figures.Origin:
			name = "withRetrospective"
		case name == "grain":
			name = "groupBy"
		}
		for place, as := range dimensions {
			if f.Name == fmt.Sprintf("groupBy[%d]", place) {
				name = as
			}
		}
		fields[i].Name = name
	}
	return errs.Invalid(fields...)
}
