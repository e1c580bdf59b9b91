package app

import (
	"context"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Verdict is the answer to scheduling's sweep. Settled: the referral names the booking of this hold.
type Verdict struct {
	Keep, Settled bool
}

// Settle tells scheduling whether a hold or booking is still needed. It answers "release" only after the hold was barred here, in the
// same transaction that looked, so that no accept can take it any more.
func (s *Service) Settle(ctx context.Context, cmd Command, in Attachment) (Verdict, error) {
	var v Verdict
	_, err := s.Referrals.Change(ctx, cmd, func(u Unit) error {
		v = Verdict{}
		r, err := u.Referral(ctx, in.ReferralID)
		if err != nil && errs.KindOf(err) != errs.KindNotFound {
			return err
		}
		if err == nil {
			open, settled := r.Snapshot().Holds(in.HoldID)
			v = Verdict{Keep: open || settled, Settled: settled}
		}
		if !v.Keep {
			u.AbandonAttempt(in.HoldID, in.ReferralID)
		}
		return nil
	})
	return v, err
}
