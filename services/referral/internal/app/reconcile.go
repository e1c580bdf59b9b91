package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// ReconcileQuery asks what of a span does not agree: discharges to a township centre (离院方式 3) as hospitals' systems reported them, by the
// day of the discharge, and down-referrals, by the day on which they were sent.
type ReconcileQuery struct {
	FigureQuery
	PageToken string
	PageSize  int
}

// ReconcileScan selects the two sides: of one hospital, of one centre, or of the county.
type ReconcileScan struct {
	County, Hospital, Centre string
	From, To                 stats.Date
}

// Reconciliation is the report. Cases are a page of what does not agree, the discharges first, each in the order of time.
type Reconciliation struct {
	// ToCentre counts the discharges to a centre, Unsent those of them without a down-referral.
	ToCentre, Unsent int
	// SentDown counts the down-referrals that stand, Otherwise those of them without a discharge to a centre.
	SentDown, Otherwise int
	Cases               []ReconciledCase
	// Next is the token of the next page; empty after the last.
	Next string
}

// ReconciledCase is a discharge without a down-referral, or a down-referral without a discharge to a centre: then Discharge is the one that
// belongs to it, if any was reported.
type ReconciledCase struct {
	Referral  domain.Snapshot
	Discharge domain.ReportedDischarge
	Time      time.Time
}

func (c ReconciledCase) place() Cursor {
	if c.Referral.ID != "" {
		return Cursor{Rank: 1, Time: c.Time, ID: c.Referral.ID}
	}
	return Cursor{Time: c.Time, ID: c.Discharge.EncounterID}
}

// Reconcile answers the report to whoever may see the figures of the same query.
func (s *Service) Reconcile(ctx context.Context, q ReconcileQuery) (Reconciliation, error) {
	if bad := period(q.From, q.To); len(bad) > 0 {
		return Reconciliation{}, errs.Invalid(bad...)
	}
	after, ok := Cursor{Rank: -1}, true
	if q.PageToken != "" {
		after, ok = parseToken(q.PageToken, false)
	}
	if !ok {
		return Reconciliation{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	within, err := s.statisticQuery(ctx, q.FigureQuery)
	if err != nil {
		return Reconciliation{}, err
	}
	scan := ReconcileScan{
		County: within.County, From: within.From, To: within.To,
		Hospital: first(within.Where[figures.Hospital]), Centre: first(within.Where[figures.Centre]),
	}
	ended, sent, err := s.Statistics.Reconcile(ctx, scan)
	if err != nil {
		return Reconciliation{}, err
	}
	out := reconciled(ended, sent)
	size := q.PageSize
	if size <= 0 {
		size = defaultPage
	}
	out.Cases = slices.DeleteFunc(out.Cases, func(c ReconciledCase) bool { return c.place().compare(after) <= 0 })
	if size = min(size, maxPage); len(out.Cases) > size {
		out.Cases = out.Cases[:size]
		out.Next = token(out.Cases[size-1].place(), false)
	}
	return out, nil
}

func reconciled(ended []domain.ReportedDischarge, sent []domain.SentDown) (out Reconciliation) {
	for _, d := range ended {
		if !d.ToCentre() {
			continue
		}
		out.ToCentre++
		if d.DownReferral == "" {
			out.Unsent++
			out.Cases = append(out.Cases, ReconciledCase{Discharge: d, Time: d.End})
		}
	}
	for _, one := range sent {
		out.SentDown++
		if d, _ := one.Discharge(); !d.ToCentre() {
			out.Otherwise++
			out.Cases = append(out.Cases, ReconciledCase{Referral: one.Referral, Discharge: d, Time: one.Referral.SubmitTime})
		}
	}
	slices.SortFunc(out.Cases, func(a, b ReconciledCase) int { return a.place().compare(b.place()) })
	return out
}

// compare orders places by rank, time and id.
func (c Cursor) compare(o Cursor) int {
	if c.Rank != o.Rank {
		return c.Rank - o.Rank
	}
	if by := c.Time.Compare(o.Time); by != 0 {
		return by
	}
	return strings.Compare(c.ID, o.ID)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
