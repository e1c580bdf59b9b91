package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of what a county may say.
const (
	DefaultQuietHours  = 10
	MostQuietHours     = 16
	DefaultRingSeconds = 60
	LeastRingSeconds   = 10
	MostRingSeconds    = 600
	DefaultCallMinutes = 5
	MostCallMinutes    = 120
	mostDigests        = 4
)

// Violation is one field that breaks a rule, by its name in the contract. Combination tells that it does not go with what the county says.
type Violation struct {
	Field       string
	Combination bool
}

// Violations are the error of what is set: all that is wrong.
type Violations []Violation

// Error names the fields, never a value.
func (v Violations) Error() string {
	names := make([]string, len(v))
	for i, one := range v {
		names[i] = one.Field
	}
	return "refused: " + strings.Join(names, ", ")
}

// CountyRules are what a county allows. Version 0 is a county that has said nothing.
type CountyRules struct {
	Version                                  int32
	Allowed, AlwaysEmergency, AlwaysUrgent   []string
	QuietAllowed                             bool
	QuietHoursMost, RingSeconds, CallMinutes int
	PatientSMS                               bool
}

// DefaultCountyRules are those of a county that has said nothing.
func DefaultCountyRules() CountyRules {
	return CountyRules{
		Allowed: []string{WeComRobot, WeComApp, DingTalkRobot, Email, SMS, Webhook}, AlwaysEmergency: []string{WeComApp, SMS}, AlwaysUrgent: []string{WeComApp},
		QuietAllowed: true, QuietHoursMost: DefaultQuietHours, RingSeconds: DefaultRingSeconds, CallMinutes: DefaultCallMinutes, PatientSMS: true,
	}
}

// Normal fills in what was left out, or answers Violations: channels that there are not, or that are always used and not allowed.
func (c CountyRules) Normal() (CountyRules, error) {
	var v Violations
	all := DefaultCountyRules().Allowed
	for field, list := range map[string][]string{"rules.allowed": c.Allowed, "rules.alwaysEmergency": c.AlwaysEmergency, "rules.alwaysUrgent": c.AlwaysUrgent} {
		if !within(list, all) {
			v = append(v, Violation{Field: field})
		} else if !within(list, c.Allowed) {
			v = append(v, Violation{field, true})
		}
	}
	for field, n := range map[string]struct {
		value                 *int
		standard, least, most int
	}{
		"rules.quietHoursMost": {&c.QuietHoursMost, DefaultQuietHours, 1, MostQuietHours},
		"rules.ringSeconds":    {&c.RingSeconds, DefaultRingSeconds, LeastRingSeconds, MostRingSeconds},
		"rules.callMinutes":    {&c.CallMinutes, DefaultCallMinutes, 1, MostCallMinutes},
	} {
		if *n.value == 0 {
			*n.value = n.standard
		}
		if *n.value < n.least || *n.value > n.most {
			v = append(v, Violation{Field: field})
		}
	}
	if len(v) > 0 {
		return CountyRules{}, v
	}
	return c, nil
}

// Preferences are what one person wants. Version 0 is one who has said nothing. Quiet hours are local HH:MM, both empty for none.
type Preferences struct {
	Version            int32
	Urgent, Routine    []string
	QuietFrom, QuietTo string
	DigestTimes        []string
	Language           string
	SoundForUrgent     bool
}

// DefaultPreferences are those of a person who has said nothing: what is urgent reaches also those of whom nothing but the directory's telephone is known.
func DefaultPreferences() Preferences {
	return Preferences{Urgent: []string{WeComApp, SMS}, Routine: []string{WeComApp}, SoundForUrgent: true}
}

// Within is what is in force of the preferences under the county's rules of now: they may have become stricter since.
func (p Preferences) Within(county CountyRules) Preferences {
	from, fromOK := minuteOf(p.QuietFrom)
	to, toOK := minuteOf(p.QuietTo)
	most := county.QuietHoursMost * 60
	switch {
	case !county.QuietAllowed || !fromOK || !toOK || from == to:
		p.QuietFrom, p.QuietTo = "", ""
	case (to-from+day)%day > most:
		end := (from + most) % day
		p.QuietTo = fmt.Sprintf("%02d:%02d", end/60, end%60)
	}
	return p
}

// Check answers Violations of what the county allows.
func (p Preferences) Check(county CountyRules) error {
	var v Violations
	refuse := func(field string, bad, combination bool) {
		if bad {
			v = append(v, Violation{"preferences." + field, combination})
		}
	}
	refuse("urgent", !within(p.Urgent, ForPersons()), false)
	refuse("routine", !within(p.Routine, ForPersons()), false)
	refuse("urgent", !within(p.Urgent, county.Allowed) && within(p.Urgent, ForPersons()), true)
	refuse("routine", !within(p.Routine, county.Allowed) && within(p.Routine, ForPersons()), true)
	refuse("urgent", !within(county.personalUrgent(), p.Urgent), true)
	from, fromOK := minuteOf(p.QuietFrom)
	to, toOK := minuteOf(p.QuietTo)
	switch {
	case p.QuietFrom == "" && p.QuietTo == "":
	case !fromOK:
		refuse("quietFrom", true, false)
	case !toOK || from == to:
		refuse("quietTo", true, false)
	case !county.QuietAllowed:
		refuse("quietFrom", true, true)
	case (to-from+day)%day > county.QuietHoursMost*60:
		refuse("quietTo", true, true)
	}
	bad := len(p.DigestTimes) > mostDigests
	for _, clock := range p.DigestTimes {
		_, ok := minuteOf(clock)
		bad = bad || !ok
	}
	refuse("digestTimes", bad, false)
	refuse("language", !slices.Contains([]string{"", "zh-CN", "en"}, p.Language), false)
	if len(v) > 0 {
		return v
	}
	return nil
}

// personalUrgent are the channels for urgent messages that a person cannot turn off.
func (c CountyRules) personalUrgent() []string { return among(c.AlwaysUrgent, ForPersons()) }

// Sending is one channel on which a person is told. Due is not before now; Digest may go together with others of that time.
type Sending struct {
	Channel string
	Due     time.Time
	Digest  bool
}

// Sendings are the channels, of those that a rule offers, on which a person is told of something, and when. An emergency goes at once on what the
// county always uses and what the person chose for urgent messages; what is urgent goes at once too; what is routine waits for the digest, and for the
// end of the quiet hours, which nobody has who did not ask for them.
func (p Preferences) Sendings(urgency string, offered []string, county CountyRules, now time.Time) (out []Sending) {
	wanted, due, digest := p.Urgent, now, false
	switch urgency {
	case UrgencyEmergency:
		wanted = slices.Concat(county.AlwaysEmergency, wanted)
	case UrgencyUrgent:
		wanted = slices.Concat(county.AlwaysUrgent, wanted)
	default:
		wanted, due, digest = p.Routine, p.Within(county).afterQuiet(p.nextDigest(now)), len(p.DigestTimes) > 0
	}
	for _, channel := range ForPersons() {
		if slices.Contains(offered, channel) && slices.Contains(wanted, channel) && slices.Contains(county.Allowed, channel) {
			out = append(out, Sending{channel, due, digest})
		}
	}
	return out
}

// day is one of minutes.
const day = 24 * 60

// afterQuiet is at, or the end of the quiet hours that it falls in. at is in the county's zone.
func (p Preferences) afterQuiet(at time.Time) time.Time {
	from, fromOK := minuteOf(p.QuietFrom)
	to, toOK := minuteOf(p.QuietTo)
	if !fromOK || !toOK || from == to {
		return at
	}
	minute := at.Hour()*60 + at.Minute()
	if (minute-from+day)%day >= (to-from+day)%day {
		return at
	}
	end := time.Date(at.Year(), at.Month(), at.Day(), 0, to, 0, 0, at.Location())
	if !end.After(at) {
		end = time.Date(at.Year(), at.Month(), at.Day()+1, 0, to, 0, 0, at.Location())
	}
	return end
}

// nextDigest is the next of the digest times, now itself included; now if there are none.
func (p Preferences) nextDigest(now time.Time) time.Time {
	var next time.Time
	for _, clock := range p.DigestTimes {
		minute, ok := minuteOf(clock)
		if !ok {
			continue
		}
		at := time.Date(now.Year(), now.Month(), now.Day(), 0, minute, 0, 0, now.Location())
		if at.Before(now) {
			at = time.Date(now.Year(), now.Month(), now.Day()+1, 0, minute, 0, 0, now.Location())
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if next.IsZero() {
		return now
	}
	return next
}

// minuteOf is a local HH:MM in minutes since midnight.
func minuteOf(clock string) (int, bool) {
	at, err := time.Parse("15:04", clock)
	return at.Hour()*60 + at.Minute(), err == nil && len(clock) == len("15:04")
}

func within(list, all []string) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(all, s) })
}

func among(list, all []string) (out []string) {
	for _, s := range list {
		if slices.Contains(all, s) {
			out = append(out, s)
		}
	}
	return out
}
