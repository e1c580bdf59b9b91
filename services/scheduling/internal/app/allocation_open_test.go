package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func (f *fixture) take(who app.Caller, slotID, referralID string) error {
	_, err := f.CreateHold(f.t.Context(), who, app.HoldRequest{PatientID: f.patient, SlotID: slotID, ReferralID: referralID})
	return err
}

// free are the slots that a list and a search show as free, which must be the same.
func (f *fixture) free(asker app.Asker, to string) map[string]bool {
	f.t.Helper()
	listed, err := f.ListSlots(f.t.Context(), asker, app.SlotQuery{County: county, OrganizationID: f.org, Limit: 200}, "", to, f.clk.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	only, err := f.ListSlots(f.t.Context(), asker, app.SlotQuery{County: county, OrganizationID: f.org, Limit: 200, FreeOnly: true}, "", to, f.clk.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	out, again := map[string]bool{}, map[string]bool{}
	for _, s := range listed {
		if s.Free {
			out[s.ID] = true
		}
	}
	for _, s := range only {
		again[s.ID] = true
	}
	if len(out) != len(again) {
		f.t.Errorf("%d slots are marked free, %d are listed as free", len(out), len(again))
	}
	return out
}

func TestAReservedSlotOpensToTownshipsFirstAndToOthersWhenItFallsBack(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		near, far := f.session("0304", "CLINIC", 10, 8, 2), f.session("0304", "CLINIC", 20, 8, 2)
		f.reserve(near[0], far[0])
		desk := f.caller("desk")
		for name, c := range map[string]struct {
			asker app.Asker
			want  []domain.Slot
		}{
			"a township":                   {app.Asker{Caller: f.township(sender)}, []domain.Slot{near[0], near[1], far[0]}},
			"the hospital itself":          {app.Asker{Caller: desk}, []domain.Slot{near[1]}},
			"a centre for its own clinics": {app.Asker{Caller: f.township(f.org)}, []domain.Slot{near[1]}},
		} {
			got := f.free(c.asker, "2026-05-01")
			if len(got) != len(c.want) {
				f.t.Errorf("%s: %d free slots, want %d", name, len(got), len(c.want))
			}
			for _, s := range c.want {
				if !got[s.ID] {
					f.t.Errorf("%s may not take the slot at %s", name, s.Start)
				}
			}
		}
		err := f.take(desk, near[0].ID, "")
		e, ok := errs.As(err)
		if !ok || e.Kind != errs.KindWrongState || e.Reason != errs.ReasonNotYetOpen {
			f.t.Fatalf("the desk takes a reserved slot: %v", err)
		}
		if want := near[0].Start.Add(-24 * time.Hour).Format(time.RFC3339); e.Meta["opens"] != want || e.Meta["opensLocal"] != "2026-03-27 08:00" {
			f.t.Errorf("it opens %v, want %s", e.Meta, want)
		}
		if err := f.take(f.township(sender), far[1].ID, ""); errs.ReasonOf(err) != errs.ReasonNotYetOpen {
			f.t.Errorf("a township takes a common slot in 20 days: %v", err)
		}
		if err := f.take(f.township(sender), far[0].ID, ""); err != nil {
			f.t.Errorf("a township takes a reserved one in 20 days: %v", err)
		}
		f.clk.Advance(near[0].Start.Add(-24 * time.Hour).Sub(f.clk.Now()))
		if err := f.take(desk, near[0].ID, ""); err != nil {
			f.t.Errorf("a day before, the desk takes what nobody took: %v", err)
		}
	})
}

func TestTheDeskTakesAReservedSlotForAReferralThatATownshipSent(t *testing.T) {
	each(t, func(f *fixture) {
		sender := id.New()
		slots := f.session("0304", "CLINIC", 10, 8, 3)
		f.reserve(slots...)
		sent := f.submitted(sender, "0304", "ROUTINE")
		down, other, closed := f.submitted(sender, "0304", "ROUTINE"), f.submitted(sender, "0304", "ROUTINE"), f.submitted(sender, "0304", "ROUTINE")
		down.Direction, other.PatientID, closed.State = "DOWN", id.New(), "CLOSED"
		for _, c := range []domain.Case{down, other, closed} {
			f.referral.cases[c.ReferralID] = c
		}
		desk := f.caller("desk")
		for name, c := range map[string]struct{ referral, want string }{
			"a referral that is sent down":  {down.ReferralID, errs.ReasonNotYetOpen},
			"a referral that is over":       {closed.ReferralID, errs.ReasonNotYetOpen},
			"a referral of another patient": {other.ReferralID, errs.ReasonFieldCombination},
			"a referral that there is not":  {id.New(), errs.ReasonFieldUnknown},
		} {
			err := f.take(desk, slots[0].ID, c.referral)
			got := errs.ReasonOf(err)
			if e, ok := errs.As(err); ok && len(e.Fields) > 0 {
				got = e.Fields[0].Reason
			}
			if got != c.want {
				f.t.Errorf("%s: %v", name, err)
			}
		}
		stranger := app.Caller{County: county, AccountID: "desk", OrganizationID: id.New()}
		if e, ok := errs.As(f.take(stranger, slots[0].ID, sent.ReferralID)); !ok || e.Kind != errs.KindInvalid {
			f.t.Error("a desk that has nothing to do with the referral took the slot")
		}
		if got := f.free(app.Asker{Caller: desk, ReferralID: sent.ReferralID}, ""); len(got) != 3 {
			f.t.Errorf("%d free slots for the referral", len(got))
		}
		if err := f.take(desk, slots[0].ID, sent.ReferralID); err != nil {
			f.t.Errorf("the desk for the township's patient: %v", err)
		}
		// Asked once, it is known.
		if n := len(f.referral.askedFor); n != 5 {
			f.t.Errorf("the referral service was asked %d times", n)
		}
	})
}

func TestAPolicyOfTheOrganisationComesBeforeTheCountys(t *testing.T) {
	each(t, func(f *fixture) {
		slots := f.session("0304", "CLINIC", 10, 8, 1)
		policy := func(organization string, days int) {
			f.exec(`INSERT INTO booking_policy (county_code, organization_id, version, reserve_percent, expert_percent, common_days, reserve_lead_days,
				fallback_hours, update_time) VALUES ($1, $2, 1, 30, 50, $3, 14, 24, $4)`, county, organization, days, f.clk.Now())
		}
		policy("", 5)
		if err := f.take(f.caller("desk"), slots[0].ID, ""); errs.ReasonOf(err) != errs.ReasonNotYetOpen {
			f.t.Errorf("five days ahead by the county: %v", err)
		}
		policy(f.org, 10)
		if err := f.take(f.caller("desk"), slots[0].ID, ""); err != nil {
			f.t.Errorf("ten by the organisation: %v", err)
		}
	})
}

func TestASlotThatIsBlockedOrWhoseSessionIsCancelledIsNotGiven(t *testing.T) {
	each(t, func(f *fixture) {
		blocked, cancelled := f.session("0304", "CLINIC", 1, 8, 1)[0], f.session("0304", "CLINIC", 2, 8, 1)[0]
		f.exec("UPDATE slot SET closed_by = 'BREAK' WHERE id = $1", blocked.ID)
		f.exec("UPDATE session SET state = 'CANCELLED' WHERE id = $1", cancelled.Session.ID)
		for _, s := range []domain.Slot{blocked, cancelled} {
			if err := f.take(f.caller("desk"), s.ID, ""); errs.ReasonOf(err) != errs.ReasonSlotTaken {
				f.t.Errorf("%v", err)
			}
		}
		if got := f.free(app.Asker{Caller: f.caller("desk")}, ""); len(got) != 0 {
			f.t.Errorf("%d free slots", len(got))
		}
	})
}

// No reservation without a seen patient: what a person can do is to hold for ten minutes, for a patient. A booking comes of a referral alone.
func TestABookingIsMadeForAReferralOnly(t *testing.T) {
	each(t, func(f *fixture) {
		v := f.hold(f.slots(1)[0].ID)
		for name, tie := range map[string]app.Tie{
			"no referral":     {HoldID: v.ID, PatientID: f.patient},
			"another patient": {HoldID: v.ID, ReferralID: id.New(), PatientID: id.New()},
			"no patient":      {HoldID: v.ID, ReferralID: id.New()},
		} {
			if b, err := f.ConfirmHold(f.t.Context(), f.caller("service:referral"), tie); err == nil {
				f.t.Errorf("%s: booking %s", name, b.BookingID)
			}
		}
		if _, err := f.CreateHold(f.t.Context(), f.caller("desk"), app.HoldRequest{SlotID: f.session("0304", "CLINIC", 1, 8, 1)[0].ID}); errs.KindOf(err) != errs.KindInvalid {
			f.t.Errorf("a hold for nobody: %v", err)
		}
		f.clk.Advance(domain.HoldFor)
		f.sweep()
		f.wantState(v.ID, domain.Expired)
		if n := f.count("SELECT count(*) FROM hold WHERE booking_id IS NOT NULL"); n != 0 {
			f.t.Errorf("%d bookings", n)
		}
	})
}

func TestASlotThatFellBackIsOfTheCommonPool(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		s, uses := c.single(3, 2, nil)
		c.reserve(uses[0].Slot, uses[1].Slot)
		look := func() (view app.SessionView, pools []string) {
			view, uses := c.session(s.ID)
			slots, err := c.ListSlots(c.t.Context(), app.Asker{Caller: c.caller("desk")}, app.SlotQuery{County: county, OrganizationID: c.org, Limit: 10}, "", "", c.clk.Now())
			if err != nil || len(slots) != 2 {
				c.t.Fatalf("%d slots, %v", len(slots), err)
			}
			for i, use := range uses {
				if use.Slot.Pool != slots[i].Pool {
					c.t.Errorf("%s on the session's page, %s in a search", use.Slot.Pool, slots[i].Pool)
				}
				pools = append(pools, use.Slot.Pool)
			}
			return view, pools
		}
		if v, pools := look(); v.Reserved != 2 || pools[0] != domain.Reserved {
			c.t.Errorf("%d, %v", v.Reserved, pools)
		}
		c.clk.Advance(uses[0].Slot.Start.Add(-24 * time.Hour).Sub(c.clk.Now()))
		if v, pools := look(); v.Reserved != 2 || pools[0] != domain.Common || pools[1] != domain.Reserved {
			c.t.Errorf("as the first one falls back: %d, %v", v.Reserved, pools)
		}
		c.clk.Advance(10 * time.Minute)
		if v, pools := look(); v.Reserved != 0 || pools[1] != domain.Common {
			c.t.Errorf("after both: %d, %v", v.Reserved, pools)
		}
		if list := c.sessions(); list[0].Reserved != 0 {
			c.t.Errorf("the week says %d", list[0].Reserved)
		}
	})
}
