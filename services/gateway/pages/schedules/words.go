package schedules

import (
	"net/http"
	"strconv"
	"strings"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
)

// words says on which days a template has a session, as people say it: 每周一、三, 逢农历三、六、九.
func (p *Pages) words(r *http.Request, t *schedulingv1.Template) string {
	switch t.GetPattern() {
	case schedulingv1.Pattern_WEEKLY:
		days := p.join(r, "schedules.day.", t.GetWeekdays())
		if t.GetEvery() > 1 {
			return p.Shell.T(r, "schedules.words.weeks", "n", t.GetEvery(), "days", days, "day", t.GetAnchor())
		}
		return p.Shell.T(r, "schedules.words.weekly", "days", days)
	case schedulingv1.Pattern_INTERVAL:
		return p.Shell.T(r, "schedules.words.interval", "n", t.GetEvery(), "day", t.GetAnchor())
	case schedulingv1.Pattern_SOLAR_DIGITS:
		return p.Shell.T(r, "schedules.words.solar", "digits", p.join(r, "schedules.digit.", t.GetDigits()))
	case schedulingv1.Pattern_LUNAR_DIGITS:
		return p.Shell.T(r, "schedules.words.lunar", "digits", p.join(r, "schedules.digit.", t.GetDigits()))
	case schedulingv1.Pattern_UNSPECIFIED:
	}
	return ""
}

func (p *Pages) join(r *http.Request, prefix string, numbers []int32) string {
	var out []string
	for _, n := range numbers {
		out = append(out, p.Shell.T(r, prefix+strconv.Itoa(int(n))))
	}
	return strings.Join(out, p.Shell.T(r, "schedules.join"))
}

// half is the half of the day in which a session begins: AM or PM.
func half(starts string) string {
	if starts < "12:00" {
		return "AM"
	}
	return "PM"
}
