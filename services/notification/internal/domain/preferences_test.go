package domain_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

func zone(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestQuietHoursAndDigestsHoldBackWhatIsRoutineOnly(t *testing.T) {
	t.Parallel()
	z := zone(t)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, z) }
	county := domain.DefaultCountyRules()
	p := domain.Preferences{
		Urgent: []string{domain.WeComApp, domain.SMS}, Routine: []string{domain.Email}, QuietFrom: "22:00", QuietTo: "07:00", DigestTimes: []string{"12:00", "06:00"},
	}
	all := domain.ForPersons()
	for _, c := range []struct {
		urgency  string
		now, due time.Time
		channels []string
		digest   bool
	}{
		{"EMERGENCY", at(18, 23, 0), at(18, 23, 0), []string{domain.WeComApp, domain.SMS}, false},
		{"URGENT", at(18, 21, 59), at(18, 21, 59), []string{domain.WeComApp, domain.SMS}, false},
		{"URGENT", at(18, 22, 0), at(18, 22, 0), []string{domain.WeComApp, domain.SMS}, false},
		{"URGENT", at(19, 6, 59), at(19, 6, 59), []string{domain.WeComApp, domain.SMS}, false},
		{"ROUTINE", at(18, 8, 0), at(18, 12, 0), []string{domain.Email}, true},
		{"ROUTINE", at(18, 12, 0), at(18, 12, 0), []string{domain.Email}, true},
		// The digest of six falls into the quiet hours.
		{"ROUTINE", at(18, 12, 1), at(19, 7, 0), []string{domain.Email}, true},
	} {
		got := p.Sendings(c.urgency, all, county, c.now)
		var channels []string
		for _, s := range got {
			channels = append(channels, s.Channel)
			if !s.Due.Equal(c.due) || s.Digest != c.digest {
				t.Errorf("%s at %v: %+v, want %v", c.urgency, c.now, s, c.due)
			}
		}
		slices.Sort(channels)
		slices.Sort(c.channels)
		if !slices.Equal(channels, c.channels) {
			t.Errorf("%s at %v: on %v, want %v", c.urgency, c.now, channels, c.channels)
		}
	}
}

// Whatever anybody prefers: what is no routine goes at once, an emergency on what the county always uses; nothing goes on what it does not allow, or the
// rule does not offer; nothing routine goes in quiet hours, earlier than now, or later than a digest and a night away.
func TestNoPreferenceHoldsAnEmergencyBack(t *testing.T) {
	t.Parallel()
	z, random := zone(t), rand.New(rand.NewPCG(3, 4))
	some := func(of []string) (out []string) {
		for _, s := range of {
			if random.IntN(2) == 0 {
				out = append(out, s)
			}
		}
		return out
	}
	clock := func() string { return time.Date(2026, 1, 1, random.IntN(24), random.IntN(60), 0, 0, z).Format("15:04") }
	for range 3000 {
		county := domain.DefaultCountyRules()
		county.Allowed = some(county.Allowed)
		county.AlwaysEmergency, county.AlwaysUrgent = some(county.Allowed), some(county.Allowed)
		county.QuietAllowed = random.IntN(3) > 0
		p := domain.Preferences{Urgent: some(domain.ForPersons()), Routine: some(domain.ForPersons())}
		if random.IntN(2) == 0 {
			p.QuietFrom, p.QuietTo = clock(), clock()
		}
		for range random.IntN(3) {
			p.DigestTimes = append(p.DigestTimes, clock())
		}
		now := time.Date(2026, 3, 1+random.IntN(20), random.IntN(24), random.IntN(60), random.IntN(60), 0, z)
		offered := some(domain.ForPersons())
		for _, urgency := range []string{"EMERGENCY", "URGENT", "ROUTINE"} {
			sent := map[string]bool{}
			for _, s := range p.Sendings(urgency, offered, county, now) {
				sent[s.Channel] = true
				quiet := domain.Preferences{Routine: domain.ForPersons(), QuietFrom: p.QuietFrom, QuietTo: p.QuietTo}
				free := quiet.Sendings("ROUTINE", domain.ForPersons(), domain.CountyRules{
					Allowed: domain.ForPersons(), QuietAllowed: county.QuietAllowed, QuietHoursMost: county.QuietHoursMost,
				}, s.Due)
				switch {
				case !slices.Contains(offered, s.Channel) || !slices.Contains(county.Allowed, s.Channel):
					t.Fatalf("%s on %s: offered %v, allowed %v", urgency, s.Channel, offered, county.Allowed)
				case urgency != "ROUTINE" && (!s.Due.Equal(now) || s.Digest):
					t.Fatalf("%s waits: %+v, %+v", urgency, s, p)
				case s.Due.Before(now) || s.Due.Sub(now) > 48*time.Hour:
					t.Fatalf("%s at %v is due at %v", urgency, now, s.Due)
				case urgency == "ROUTINE" && !free[0].Due.Equal(s.Due):
					t.Fatalf("%s at %v is due in quiet hours, at %v (%+v)", urgency, now, s.Due, p)
				}
			}
			always := map[string][]string{"EMERGENCY": county.AlwaysEmergency, "URGENT": county.AlwaysUrgent}[urgency]
			for _, channel := range always {
				if slices.Contains(offered, channel) && !sent[channel] {
					t.Fatalf("%s is not sent on %s, which the county always uses", urgency, channel)
				}
			}
		}
	}
}

// A county may become stricter than what somebody set before.
func TestQuietHoursAreCutToWhatTheCountyAllowsNow(t *testing.T) {
	t.Parallel()
	p := domain.Preferences{Routine: domain.ForPersons(), QuietFrom: "20:00", QuietTo: "08:00"}
	county := domain.DefaultCountyRules()
	for _, c := range []struct {
		allowed  bool
		most     int
		from, to string
	}{{true, 12, "20:00", "08:00"}, {true, 10, "20:00", "06:00"}, {true, 3, "20:00", "23:00"}, {false, 12, "", ""}} {
		county.QuietAllowed, county.QuietHoursMost = c.allowed, c.most
		if got := p.Within(county); got.QuietFrom != c.from || got.QuietTo != c.to {
			t.Errorf("%d hours, allowed %v: %s to %s", c.most, c.allowed, got.QuietFrom, got.QuietTo)
		}
		now := time.Date(2026, 3, 18, 7, 0, 0, 0, zone(t))
		due := p.Sendings("ROUTINE", domain.ForPersons(), county, now)[0].Due
		if waits := due.After(now); waits != (c.most == 12 && c.allowed) {
			t.Errorf("at seven, with %d hours, allowed %v: due %v", c.most, c.allowed, due)
		}
	}
}

func TestPreferencesStayWithinWhatTheCountyAllows(t *testing.T) {
	t.Parallel()
	county := domain.DefaultCountyRules()
	county.Allowed = []string{domain.WeComApp, domain.SMS}
	good := domain.Preferences{Urgent: []string{domain.WeComApp}, QuietFrom: "22:00", QuietTo: "07:00"}
	if err := good.Check(county); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*domain.Preferences, *domain.CountyRules){
		"preferences.routine":     func(p *domain.Preferences, _ *domain.CountyRules) { p.Routine = []string{domain.Email} },
		"preferences.urgent":      func(p *domain.Preferences, _ *domain.CountyRules) { p.Urgent = nil },
		"preferences.quietFrom":   func(_ *domain.Preferences, c *domain.CountyRules) { c.QuietAllowed = false },
		"preferences.quietTo":     func(p *domain.Preferences, _ *domain.CountyRules) { p.QuietTo = "09:00" },
		"preferences.digestTimes": func(p *domain.Preferences, _ *domain.CountyRules) { p.DigestTimes = []string{"25:00"} },
		"preferences.language":    func(p *domain.Preferences, _ *domain.CountyRules) { p.Language = "fr" },
	} {
		p, c := good, county
		change(&p, &c)
		var v domain.Violations
		if err := p.Check(c); !errors.As(err, &v) || len(v) != 1 || v[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	bad := county
	bad.AlwaysEmergency, bad.RingSeconds = []string{domain.Email}, 5
	var v domain.Violations
	if _, err := bad.Normal(); !errors.As(err, &v) || len(v) != 2 {
		t.Errorf("%v", v)
	}
	full, err := domain.CountyRules{}.Normal()
	if err != nil || full.RingSeconds != domain.DefaultRingSeconds || full.CallMinutes != domain.DefaultCallMinutes {
		t.Errorf("%+v, %v", full, err)
	}
}
