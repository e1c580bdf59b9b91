package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// LeftLimit is a limit that began before limits were told.
type LeftLimit struct {
	County, ReferralID string
	Step               domain.Step
	Due                time.Time
}

// WithoutVillage is the place of an open referral that names no village.
type WithoutVillage struct{ County, ReferralID string }

// TakeOver does once what an earlier release left undone: it begins the limits that it never told, names the villages of the referrals that are open, and builds the figures that it did not
// write, or wrote by another schema. It answers whether all of it is done; it is not while another instance is at the figures. It may be cut
// off and called again, by any number of instances.
func (s *Service) TakeOver(ctx context.Context) (done bool, err error) {
	built, err := s.buildFigures(ctx)
	err = errors.Join(s.beginLimits(ctx), s.nameVillages(ctx), err)
	return built && err == nil, err
}

func (s *Service) beginLimits(ctx context.Context) error {
	var failed []error
	for last := (LeftLimit{}); ctx.Err() == nil; {
		left, err := s.Deadlines.Left(ctx, last, claimBatch)
		if err != nil {
			return errors.Join(append(failed, fmt.Errorf("look for limits that were left: %w", err))...)
		}
		for _, l := range left {
			if err := s.begin(ctx, l); err != nil {
				failed = append(failed, fmt.Errorf("begin %s of referral %s: %w", l.Step, l.ReferralID, err))
			}
			last = l
		}
		if len(left) < claimBatch {
			break
		}
	}
	return errors.Join(append(failed, ctx.Err())...)
}

// nameVillages looks at each open referral that names none, for it may have been made before villages were named.
func (s *Service) nameVillages(ctx context.Context) error {
	for last, more := (WithoutVillage{}), true; more; {
		var err error
		if last, more, err = s.Referrals.NameVillages(ctx, last, claimBatch); err != nil {
			return fmt.Errorf("name the villages of open referrals: %w", err)
		}
	}
	return nil
}

func (s *Service) begin(ctx context.Context, l LeftLimit) error {
	cal, err := s.Calendars.Calendar(ctx, l.County)
	if err != nil {
		return err
	}
	return s.Deadlines.Begin(ctx, l, func(r domain.Snapshot, now time.Time) (due, next time.Time) {
		return cal.Anew(l.Step, r, l.Due, now)
	})
}

func (s *Service) buildFigures(ctx context.Context) (done bool, err error) {
	counties, err := s.Statistics.UnbuiltCounties(ctx)
	if err != nil {
		return false, err
	}
	for _, county := range counties {
		switch err := s.Statistics.BuildFigures(ctx, county); {
		case errs.KindOf(err) == errs.KindConflict:
			return false, nil
		case err != nil:
			return false, fmt.Errorf("build the figures of county %s: %w", county, err)
		}
	}
	return true, nil
}
