package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestWhatIsUnderWayIsToldToWhoMaySeeThePatient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		of := app.UnderWayAsked{PatientID: v.PatientID}
		h.peers.record = app.Record{Stays: []domain.Admission{{OrganizationID: hospital, Start: h.clock.Now()}}}
		found, err := h.UnderWay(t.Context(), doctor(), of)
		if err != nil || len(found) != 1 || found[0].OrganizationID != hospital || found[0].Admitted.IsZero() || len(found[0].Referrals) != 1 || found[0].Referrals[0].ID != v.ID {
			t.Fatalf("%v, %v", found, err)
		}
		h.peers.recordAway = errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "away", nil)
		if found, err = h.UnderWay(t.Context(), doctor(), of); err != nil || len(found) != 1 || !found[0].Admitted.IsZero() || slices.Contains(found[0].Asks(), v.Kind) {
			t.Errorf("without the record: %v, %v", found, err)
		}
		if found, err = h.UnderWay(t.Context(), doctor(), app.UnderWayAsked{PatientID: v.PatientID, Except: v.ID}); err != nil || len(found) != 0 {
			t.Errorf("the one that is written: %v, %v", found, err)
		}
		if found, err = h.UnderWay(t.Context(), stranger(), of); err != nil || len(found) != 0 { // patient-record would say not found
			t.Errorf("a stranger learns %v, %v", found, err)
		}
		h.peers.recordAway = errs.NotFound("patient")
		_, err = h.UnderWay(t.Context(), doctor(), app.UnderWayAsked{PatientID: id.New()})
		if got := fieldNames(refused(t, err, errs.ReasonFieldUnknown)); !slices.Equal(got, []string{"patientId FIELD_UNKNOWN"}) {
			t.Errorf("fields %q", got)
		}
		// Who asks for referrals alone has the record neither read nor in the audit.
		h.peers.recordAsked = 0
		of.ReferralsOnly = true
		if found, err = h.UnderWay(t.Context(), doctor(), of); err != nil || len(found) != 1 || !found[0].Admitted.IsZero() || len(found[0].Referrals) != 1 || h.peers.recordAsked != 0 {
			t.Errorf("referrals alone: %v, %v; the record was read %d times", found, err, h.peers.recordAsked)
		}
		if found, err = h.UnderWay(t.Context(), stranger(), of); err != nil || len(found) != 0 {
			t.Errorf("a stranger learns %v, %v", found, err)
		}
	})
}

func TestADeclinedReferralWaitsForItsSenderForAWeek(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		declined := h.do(t, desk(), submitted(t, h, ""), domain.ActionDecline)
		submitted(t, h, "")
		waiting := func(caller app.Query) int {
			list, _, err := h.List(t.Context(), app.Filter{DeclinedLately: true, Query: caller})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				if v.ID != declined.ID {
					t.Errorf("%s waits", v.ID)
				}
			}
			return len(list)
		}
		sender := app.Query{Caller: doctor(), Inbox: true, Outbox: true, States: []domain.State{domain.StateSubmitted}}
		if waiting(sender) != 1 || waiting(app.Query{Caller: desk(), Inbox: true}) != 0 {
			t.Error("it does not wait for its sender alone")
		}
		h.clock.Advance(7*24*time.Hour - time.Second)
		if waiting(sender) != 1 {
			t.Error("it does not wait for a week")
		}
		h.clock.Advance(2 * time.Second)
		if waiting(sender) != 0 {
			t.Error("it waits for ever")
		}
	})
}
