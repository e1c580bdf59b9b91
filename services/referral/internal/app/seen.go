package app

import (
	"context"
)

// MarkSeen notes that the caller's account has seen the referral; once, and without a version.
func (s *Service) MarkSeen(ctx context.Context, cmd Command, id string) (View, error) {
	v, err := s.visible(ctx, cmd.Caller, id)
	if err != nil || !v.Unread {
		return v, err
	}
	return s.Referrals.Change(ctx, cmd, func(u Unit) error {
		r, err := u.Referral(ctx, id)
		if err != nil {
			return err
		}
		if r.Snapshot().Side(cmd.Caller.Organization) == "" {
			return notFound()
		}
		return u.Seen(ctx, r)
	})
}
