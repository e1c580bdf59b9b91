package referral_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

func TestSettingsAreReadByAllAndReplacedByTheCountysAdministrator(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		admin := f.as("COUNTY_ADMIN")
		set, err := f.settings.GetSettings(f.as("TOWNSHIP_DOCTOR"), &referralv1.GetSettingsRequest{})
		if err != nil || set.GetVersion() != 0 || set.GetOpens() != "08:00" || set.GetBounceBackDays() != 14 || len(set.GetLimits()) == 0 {
			f.t.Fatalf("shipped: %v, %v", set, err)
		}
		for _, l := range set.GetLimits() {
			if l.GetStep() == "ANSWER" && l.GetDirection() == "UP" && l.GetUrgency() == commonv1.Urgency_URGENT {
				l.Minutes = 45
			}
		}
		set.Holidays = []string{"2026-10-08"}
		in := &referralv1.UpdateSettingsRequest{Settings: set, RequestId: id.New()}
		_, err = f.settings.UpdateSettings(f.as("DEPARTMENT_HEAD"), in)
		f.expectReason(err, errs.ReasonRole)
		first, err := f.settings.UpdateSettings(admin, in)
		if err != nil || first.GetVersion() != 1 {
			f.t.Fatalf("version %d, %v", first.GetVersion(), err)
		}
		set.Version = 1
		if !proto.Equal(first, set) {
			f.t.Errorf("kept %v, want %v", first, set)
		}
		set.Version = 0
		if again, err := f.settings.UpdateSettings(admin, in); err != nil || !proto.Equal(again, first) {
			f.t.Errorf("the repeated request got %v, %v", again, err)
		}
		_, err = f.settings.UpdateSettings(admin, &referralv1.UpdateSettingsRequest{Settings: set, RequestId: id.New()})
		f.expectReason(err, errs.ReasonStaleVersion)
		_, err = f.settings.UpdateSettings(admin, &referralv1.UpdateSettingsRequest{RequestId: id.New()})
		f.expectReason(err, errs.ReasonFieldRequired)
		set.Version, set.Closes = 1, "07:00"
		_, err = f.settings.UpdateSettings(admin, &referralv1.UpdateSettingsRequest{Settings: set, RequestId: id.New()})
		f.expectReason(err, errs.ReasonFieldCombination)
		set.Version, set.Closes = 1, "18:00"
		// All that is wrong is said at once: what is too much, or no number on a form, hides nothing.
		set.Holidays = []string{"2026-02-30"}
		for _, days := range []int32{91, -1} {
			set.BounceBackDays = days
			_, err = f.settings.UpdateSettings(admin, &referralv1.UpdateSettingsRequest{Settings: set, RequestId: id.New()})
			e, _ := errs.As(err)
			if e == nil || len(e.Fields) != 2 || e.Fields[0].Name != "settings.holidays[0]" || e.Fields[1].Name != "settings.bounceBackDays" || e.Fields[1].Reason != errs.ReasonFieldOutOfRange {
				f.t.Errorf("%d days: %v", days, err)
			}
		}
	})
}

func TestALimitThatPassedIsToldByItself(t *testing.T) {
	t.Parallel()
	each(t, func(f *fixture) {
		in := f.creation()
		in.HoldId = ""
		r := f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), in))
		f.expectFacts("created", "submitted")
		err := f.db.Update(f.t.Context(), func(tx *sqldb.Tx) error {
			past := tx.Now().Add(-time.Hour)
			_, err := tx.Exec(f.t.Context(), "UPDATE deadline SET due_time = $1, next_time = $1 WHERE referral_id = $2 AND step = 'ANSWER'", past, r.GetId())
			return err
		})
		if err != nil {
			f.t.Fatal(err)
		}
		var m referralv1.DeadlinePassed
		if err := proto.Unmarshal(bustest.Receive(f.t, f.facts, "a limit that passed").Payload, &m); err != nil {
			f.t.Fatal(err)
		}
		if d := m.GetDeadline(); m.GetReferral().GetReferralId() != r.GetId() || d.GetStep() != "ANSWER" || d.GetLevel() != 1 || d.GetNextTime() == nil {
			f.t.Errorf("told %v", &m)
		}
	})
}
