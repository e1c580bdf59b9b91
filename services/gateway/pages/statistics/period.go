package statistics

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// period is what the figures are of: the days from From to the day before To, local dates.
type period struct {
	// Name is month, last-month, quarter, year or custom.
	Name     string
	from, to time.Time
	// Wrong tells that the days that were typed are no period.
	Wrong bool
	// typedFrom and typedTo are the days of a custom one as they were typed.
	typedFrom, typedTo string
	// Fresh is the day of the running month when nobody chose a period and that month is too young to open on; 0 otherwise.
	Fresh int
	query url.Values
}

// periods are those that can be chosen by name; a custom one has its days typed.
func periods() []string { return []string{"month", "last-month", "quarter", "year", "custom"} }

// yearsMost is how long a period may be.
const yearsMost = 3

// periodOf reads the chosen period, without one that of [shell.OpeningMonth]; "to" is typed as the last day, for people do not count half-open.
func periodOf(query url.Values, now time.Time) period {
	p := period{Name: query.Get("period"), typedFrom: query.Get("from"), typedTo: query.Get("to"), query: query}
	if !slices.Contains(periods(), p.Name) {
		p.Name = "month"
		if _, p.Fresh = shell.OpeningMonth(now); p.Fresh > 0 {
			p.Name = "last-month"
		}
	}
	first := monthOf(now)
	switch p.Name {
	case "last-month":
		p.from, p.to = first.AddDate(0, -1, 0), first
	case "quarter":
		p.from = first.AddDate(0, -int(first.Month()-1)%3, 0)
		p.to = p.from.AddDate(0, 3, 0)
	case "year":
		p.from = time.Date(now.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
		p.to = p.from.AddDate(1, 0, 0)
	case "custom":
		from, err := time.Parse(time.DateOnly, p.typedFrom)
		last, err2 := time.Parse(time.DateOnly, p.typedTo)
		if p.Wrong = err != nil || err2 != nil || last.Before(from) || !last.Before(from.AddDate(yearsMost, 0, 0)); p.Wrong {
			p.from, p.to = first, first.AddDate(0, 1, 0)
			break
		}
		p.from, p.to = from, last.AddDate(0, 0, 1)
	default:
		p.from, p.to = first, first.AddDate(0, 1, 0)
	}
	return p
}

// Present is the address of a page of figures for the running month, with everything else that was chosen.
func (p period) Present(path string) string {
	query := maps.Clone(p.query)
	query.Del("page")
	query.Set("period", "month")
	return here(path, query)
}

func monthOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// From is the first day.
func (p period) From() string { return p.from.Format(time.DateOnly) }

// To is the day after the last.
func (p period) To() string { return p.to.Format(time.DateOnly) }

// Last is the last day, as people name the end of a period.
func (p period) Last() string { return p.to.AddDate(0, 0, -1).Format(time.DateOnly) }

// TypedFrom is what the field of the first day shows: what was typed, else the day itself.
func (p period) TypedFrom() string { return p.typed(p.typedFrom, p.From()) }

// TypedTo is what the field of the last day shows.
func (p period) TypedTo() string { return p.typed(p.typedTo, p.Last()) }

func (p period) typed(text, otherwise string) string {
	if p.Name != "custom" || text == "" {
		return otherwise
	}
	return text
}

// monthsShown is how many months stand beside each other: a year, and the same month of the year before.
const monthsShown = 13

// months are the whole months that end with the last of the period, or with the present one.
func (p period) months(now time.Time) period {
	last := monthOf(p.to.AddDate(0, 0, -1))
	if present := monthOf(now); last.After(present) {
		last = present
	}
	return period{from: last.AddDate(0, 1-monthsShown, 0), to: last.AddDate(0, 1, 0)}
}

// monthFrom is the month that begins on a local day ("2006-01-02").
func monthFrom(day string) (period, bool) {
	from, err := time.Parse(time.DateOnly, day)
	return period{from: from, to: from.AddDate(0, 1, 0)}, err == nil
}

// Label is how a month is written.
func (p period) Label() string { return p.from.Format("2006-01") }

// before is the period before, to compare with: as long as this one, and of one that is not over, no further than it has come.
func (p period) before(now time.Time) period {
	var out period
	switch {
	case p.Name == "quarter":
		out.from, out.to = p.from.AddDate(0, -3, 0), p.from
	case p.Name == "year":
		out.from, out.to = p.from.AddDate(-1, 0, 0), p.from
	case p.Name == "custom" && p.month() == "":
		out.from, out.to = p.from.Add(p.from.Sub(p.to)), p.from
	default:
		out.from, out.to = p.from.AddDate(0, -1, 0), p.from
	}
	if today := dayOf(now); !today.Before(p.from) && today.Before(p.to) {
		elapsed := today.AddDate(0, 0, 1).Sub(p.from)
		if end := out.from.Add(elapsed); end.Before(out.to) {
			out.to = end
		}
	}
	return out
}

// running tells that a period is not over.
func (p period) running(now time.Time) bool { return dayOf(now).Before(p.to) }

// month is the month that a period is; "" when it is longer or shorter.
func (p period) month() string {
	if p.from.Day() != 1 || !p.from.AddDate(0, 1, 0).Equal(p.to) {
		return ""
	}
	return p.Label()
}
