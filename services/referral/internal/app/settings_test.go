package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func administrator() authn.Identity {
	return authn.Identity{Subject: "admin-1", Organization: hospital, County: county, Roles: []string{"COUNTY_ADMIN"}}
}

// quick is a county that answers urgent cases within minutes.
func quick(minutes int) domain.Settings {
	return domain.Settings{Limits: []domain.Limit{
		{Step: domain.StepAnswer, Direction: domain.Up, Urgency: domain.UrgencyUrgent, Minutes: minutes},
	}}
}

func TestACountysLimitsAreItsOwnAndHoldOnEveryInstanceWithinTenSeconds(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			two, clk := instances(t, engine, 2)
			limit := func(s *app.Service, c authn.Identity, patient string) time.Duration {
				in := creation(patient)
				in.Draft.Urgency = domain.UrgencyUrgent
				v, err := s.Create(t.Context(), by(c), in)
				if err != nil {
					t.Fatal(err)
				}
				return v.DueTime.Sub(clk.Now())
			}
			neighbour := doctor()
			neighbour.County = "450322"
			if got := limit(two[1].Service, doctor(), "patient-1"); got != 2*time.Hour {
				t.Errorf("shipped: %v", got)
			}
			if _, err := two[0].UpdateSettings(t.Context(), by(administrator()), quick(30)); err != nil {
				t.Fatal(err)
			}
			clk.Advance(10 * time.Second)
			for i, s := range two {
				if got := limit(s.Service, doctor(), "patient-2"+string(rune('a'+i))); got != 30*time.Minute {
					t.Errorf("instance %d: %v", i, got)
				}
				if got := limit(s.Service, neighbour, "patient-3"+string(rune('a'+i))); got != 2*time.Hour {
					t.Errorf("instance %d, the neighbour: %v", i, got)
				}
			}
			// What ran goes on as it began: after half an hour only the new ones are over.
			clk.Advance(30 * time.Minute)
			lookAll(t, engine, []instance{two[0]})
			if told := two[0].told(t); len(told) != 2 {
				t.Errorf("told %v", told)
			}
		})
	}
}

func TestSettingsAreAnsweredWholeAndKeptShort(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		page, err := h.GetSettings(t.Context(), administrator())
		if err != nil || page.Version != 0 || page.Opens != "08:00" || len(page.Limits) != len(domain.DefaultSettings().Limits) {
			t.Fatalf("shipped: %+v, %v", page, err)
		}
		page.BounceBackDays = 20
		if page, err = h.UpdateSettings(t.Context(), command(administrator(), "r1", "a"), page); err != nil || page.Version != 1 || page.BounceBackDays != 20 {
			t.Fatalf("%+v, %v", page, err)
		}
		if len(page.Limits) != len(domain.DefaultSettings().Limits) {
			t.Errorf("answered with %d limits", len(page.Limits))
		}
		kept, err := h.ports.Settings.Settings(t.Context(), county)
		if err != nil || len(kept.Limits) != 0 || kept.Opens != "" || kept.BounceBackDays != 20 {
			t.Errorf("kept %+v, %v", kept, err)
		}
	})
}

func TestSettingsThatAreWrongOrOutdatedAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		wrong := quick(-1)
		wrong.Opens = "8 o'clock"
		_, err := h.UpdateSettings(t.Context(), by(administrator()), wrong)
		e := refused(t, err, errs.ReasonFieldOutOfRange)
		if got := fieldNames(e); !slices.Equal(got, []string{"settings.limits[0].minutes FIELD_OUT_OF_RANGE", "settings.opens FIELD_INVALID"}) {
			t.Errorf("refused %q", got)
		}
		if _, err := h.UpdateSettings(t.Context(), by(administrator()), quick(30)); err != nil {
			t.Fatal(err)
		}
		_, err = h.UpdateSettings(t.Context(), by(administrator()), quick(45))
		if e := refused(t, err, errs.ReasonStaleVersion); e.Meta["version"] != "1" {
			t.Errorf("it carries %v", e.Meta)
		}
	})
}
