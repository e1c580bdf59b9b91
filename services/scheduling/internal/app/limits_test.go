package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func TestAHoldAndItsBookingAreThereForThoseWhomTheyConcern(t *testing.T) {
	each(t, func(f *fixture) {
		sender, other := id.New(), id.New()
		at := func(account, organization string) app.Caller {
			return app.Caller{County: county, AccountID: account, OrganizationID: organization}
		}
		sees := func(v app.HoldView, want map[app.Caller]bool) {
			f.t.Helper()
			for who, sees := range want {
				_, err := f.GetHold(f.t.Context(), who, v.ID)
				if sees != (err == nil) || !sees && errs.KindOf(err) != errs.KindNotFound {
					f.t.Errorf("hold for %+v: %v", who, err)
				}
				if v.BookingID == "" {
					continue
				}
				_, err = f.GetBooking(f.t.Context(), who, v.BookingID)
				if sees != (err == nil) || !sees && errs.KindOf(err) != errs.KindNotFound {
					f.t.Errorf("booking for %+v: %v", who, err)
				}
			}
		}
		slots := f.slots(2)
		held, err := f.CreateHold(f.t.Context(), at("doctor", sender), app.HoldRequest{PatientID: f.patient, SlotID: slots[0].ID})
		if err != nil {
			f.t.Fatal(err)
		}
		sees(held, map[app.Caller]bool{
			at("doctor", sender): true, at("colleague", sender): true, at("desk", f.org): true, at("doctor", other): true,
			at("stranger", other): false, at("stranger", ""): false,
		})
		// The desk takes another slot for the sender's patient.
		v := f.hold(slots[1].ID)
		sees(v, map[app.Caller]bool{at("desk", f.org): true, at("doctor", sender): false})
		tie := app.Tie{HoldID: v.ID, ReferralID: id.New(), PatientID: f.patient, OriginatorOrganizationID: sender}
		for range 2 {
			if v, err = f.ConfirmHold(f.t.Context(), f.caller("service:referral"), tie); err != nil {
				f.t.Fatal(err)
			}
		}
		sees(v, map[app.Caller]bool{at("desk", f.org): true, at("colleague", sender): true, at("stranger", other): false})
	})
}

func TestAnAccountHasAFewHoldsThatNoReferralHasYet(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.slots(domain.MaxHeld + 3)
		var held []app.HoldView
		for _, s := range slots[:domain.MaxHeld] {
			held = append(held, f.hold(s.ID))
		}
		again := func(account string) error {
			_, err := f.CreateHold(f.t.Context(), f.caller(account), app.HoldRequest{PatientID: f.patient, SlotID: slots[domain.MaxHeld].ID})
			return err
		}
		err := again("desk")
		if e, ok := errs.As(err); !ok || e.Kind != errs.KindLimited || e.Reason != errs.ReasonRateLimited || e.RetryAfter <= 0 {
			f.t.Errorf("one more: %v", err)
		}
		if err := again("township"); err != nil {
			f.t.Errorf("another account: %v", err)
		}
		f.attach(held[0].ID, id.New())
		f.hold(slots[domain.MaxHeld+1].ID)
		f.clk.Advance(domain.HoldFor)
		f.hold(slots[domain.MaxHeld+2].ID)
	})
}
