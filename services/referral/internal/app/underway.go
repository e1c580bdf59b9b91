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

// UnderWayAsked is of whom it is asked: the referral Except, which is being written, is none of those told. ReferralsOnly leaves out the stays.
type UnderWayAsked struct {
	PatientID, Except string
	ReferralsOnly     bool
}

// UnderWay answers what each hospital has of a patient already or may expect, as far as the caller's organisation is party to it. Errors: patientId is
// unknown where it has no relation to the patient, which only the record knows: without stays such a patient has no referrals. A record that cannot be
// read is left out.
func (s *Service) UnderWay(ctx context.Context, caller authn.Identity, asked UnderWayAsked) ([]domain.UnderWay, error) {
	var stays []domain.Admission
	if !asked.ReferralsOnly {
		var err error
		if stays, err = s.stays(ctx, caller, asked.PatientID); err != nil {
			return nil, err
		}
	}
	views, err := s.Reader.List(ctx, Query{
		Caller: caller, Inbox: true, Outbox: true, Direction: domain.Up, PatientID: asked.PatientID, States: domain.StatesUnderWay(), Limit: mostUnderWay,
	})
	if err != nil {
		return nil, err
	}
	views = slices.DeleteFunc(views, func(v View) bool { return v.ID == asked.Except })
	referrals := make([]domain.Snapshot, len(views))
	for i, v := range views {
		referrals[i] = v.Snapshot
	}
	return domain.UnderWayAt(referrals, stays), nil
}

// stays are those that are not over, none where the record cannot be read.
func (s *Service) stays(ctx context.Context, caller authn.Identity, patientID string) ([]domain.Admission, error) {
	patience, done := context.WithTimeout(ctx, recordPatience)
	defer done()
	record, err := s.Records.Record(patience, caller.County, patientID, caller.Organization)
	if kind := errs.KindOf(err); kind == errs.KindNotFound || kind == errs.KindInvalid {
		return nil, patientError(err)
	}
	if err != nil {
		return nil, nil
	}
	return record.Stays, nil
}
