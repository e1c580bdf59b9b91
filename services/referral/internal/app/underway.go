package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// mostUnderWay is how many open referrals of one patient are looked at; there are hardly ever more than two.
const mostUnderWay = 50

// UnderWay answers what each hospital has of a patient already or may expect, but the referral except, which is being written. Errors: patientId is
// unknown where the caller's organisation has no relation to the patient; a record that cannot be read is left out.
func (s *Service) UnderWay(ctx context.Context, caller authn.Identity, patientID, except string) ([]domain.UnderWay, error) {
	patience, done := context.WithTimeout(ctx, recordPatience)
	defer done()
	record, err := s.Records.Record(patience, caller.County, patientID, caller.Organization)
	if kind := errs.KindOf(err); kind == errs.KindNotFound || kind == errs.KindInvalid {
		return nil, patientError(err)
	}
	if err != nil {
		record = Record{}
	}
	views, err := s.Reader.List(ctx, Query{
		Caller: caller, Inbox: true, Outbox: true, Direction: domain.Up, PatientID: patientID, States: domain.StatesUnderWay(), Limit: mostUnderWay,
	})
	if err != nil {
		return nil, err
	}
	views = slices.DeleteFunc(views, func(v View) bool { return v.ID == except })
	referrals := make([]domain.Snapshot, len(views))
	for i, v := range views {
		referrals[i] = v.Snapshot
	}
	return domain.UnderWayAt(referrals, record.Stays), nil
}
