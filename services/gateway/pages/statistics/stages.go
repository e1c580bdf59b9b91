package statistics

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// stage is one step of the way of the referrals of a period.
type stage struct {
	// Code is the measure that counts it; the first has none of its own and is below the line of the second.
	Code string
	N    int64
	// Share is of the first stage, in percent; Lost is how many of the stage before did not come so far.
	Share float64
	Lost  int64
	// Worst marks the stage that most did not reach.
	Worst bool
}

// The stages of going up and of going down, in their order.
func stagesUp() []string {
	return []string{"STAGE-UP-ANSWERED", "STAGE-UP-ARRIVED", "STAGE-UP-ENDED", "STAGE-UP-SENT-DOWN", "STAGE-UP-TAKEN-OVER"}
}

func stagesDown() []string {
	return []string{"STAGE-DN-ANSWERED", "STAGE-DN-ARRIVED", "STAGE-DN-FOLLOWED-UP"}
}

// stagesOf are the stages of measures that all have the same denominator: that is the first stage. Nothing sent is no stages.
func stagesOf(codes []string, figures []*referralv1.Figure) []stage {
	sent := first(figures, codes[0]).GetDenominator()
	if sent == 0 {
		return nil
	}
	out := []stage{{Code: codes[0], N: sent, Share: 100}}
	worst := 0
	for _, code := range codes {
		n := first(figures, code).GetNumerator()
		one := stage{Code: code, N: n, Share: percent(n, sent), Lost: max(0, out[len(out)-1].N-n)}
		out = append(out, one)
		if one.Lost > 0 && (worst == 0 || one.Lost > out[worst].Lost) {
			worst = len(out) - 1
		}
	}
	if worst > 0 {
		out[worst].Worst = true
	}
	return out
}

func percent(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// change is how a value moved from the same span of the period before.
type change struct {
	// Known: there is something to compare with.
	Known bool
	// By is the difference: percentage points of a share, percent of a count.
	By float64
}

// changeOf compares two values. A count that was nought before has no percentage.
func changeOf(now, before float64, knownNow, knownBefore, share bool) change {
	switch {
	case !knownNow || !knownBefore:
		return change{}
	case share:
		return change{Known: true, By: tenth(now - before)}
	case before == 0:
		return change{}
	}
	return change{Known: true, By: tenth(100 * (now - before) / before)}
}

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// aim is the target that holds for a place in a month, and how the value stands to it.
type aim struct {
	Set     bool
	Value   float64
	Reached bool
	// Apart is the value less the target, in points or cases.
	Apart float64
}

// targetFor picks the most particular target of a measure that covers a month ("2006-01"): the department's, else the organisation's, else the
// county's.
func targetFor(all []*referralv1.Target, measure, organization, department, month string) (float64, bool) {
	for _, place := range [][2]string{{organization, department}, {organization, ""}, {"", ""}} {
		i := slices.IndexFunc(all, func(t *referralv1.Target) bool {
			return t.GetMeasure() == measure && t.GetOrganizationId() == place[0] && t.GetDepartmentCode() == place[1] &&
				(t.GetFromMonth() == "" || t.GetFromMonth() <= month) && (t.GetToMonth() == "" || month <= t.GetToMonth())
		})
		if i >= 0 {
			return all[i].GetValue(), true
		}
	}
	return 0, false
}

// aimOf holds a value against a target; one that is better low is reached from above.
func aimOf(m *referralv1.Measure, target float64, value float64, known bool) aim {
	out := aim{Set: true, Value: target}
	if known {
		out.Apart = tenth(value - target)
		out.Reached = out.Apart >= 0
		if m.GetDirection() == "LOWER_BETTER" {
			out.Reached = out.Apart <= 0
		}
	}
	return out
}

// quietCentre is a centre that used to send patients and does not any more, or never has.
type quietCentre struct {
	ID string
	// Last is the last day on which it sent; "" in the days looked at.
	Last string
	// Days since then; Usual is how many it sent in the span before.
	Days  int
	Usual int64
}

// How long is looked back, and from when a centre is called quiet: four times its usual distance between two referrals, but not before two weeks.
const (
	quietDays  = 120
	quietLeast = 14
	quietTimes = 4
	quietFew   = 3
)

// quietCentres finds the centres that went quiet. Figures are of referrals sent, by centre and day, of the quietDays that end with today. A centre
// that sent fewer than quietFew is quiet only if it sent none at all: of it no habit is known.
func quietCentres(centres []string, figures []*referralv1.Figure, today time.Time) []quietCentre {
	var out []quietCentre
	for _, id := range centres {
		last, n := "", int64(0)
		for _, f := range figures {
			if len(f.GetKey()) == 1 && f.GetKey()[0] == id && f.GetNumerator() > 0 {
				n += f.GetNumerator()
				last = max(last, f.GetPeriod())
			}
		}
		if n == 0 {
			out = append(out, quietCentre{ID: id, Days: quietDays})
			continue
		}
		at, err := time.Parse(time.DateOnly, last)
		if err != nil || n < quietFew {
			continue
		}
		since := int(dayOf(today).Sub(at).Hours() / 24)
		usual := float64(quietDays-since) / float64(n)
		if since >= quietLeast && float64(since) >= quietTimes*usual {
			out = append(out, quietCentre{ID: id, Last: last, Days: since, Usual: n})
		}
	}
	slices.SortStableFunc(out, func(a, b quietCentre) int { return cmp.Or(b.Days-a.Days, int(b.Usual-a.Usual)) })
	return out
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// ranked are figures by one dimension, most cases first; those without cases are left out.
func ranked(figures []*referralv1.Figure, code string) []*referralv1.Figure {
	out := slices.DeleteFunc(slices.Clone(figures), func(f *referralv1.Figure) bool { return f.GetMeasure() != code || f.GetNumerator() <= 0 })
	slices.SortStableFunc(out, func(a, b *referralv1.Figure) int {
		return cmp.Or(cmp.Compare(b.GetNumerator(), a.GetNumerator()), strings.Compare(strings.Join(a.GetKey(), " "), strings.Join(b.GetKey(), " ")))
	})
	return out
}
