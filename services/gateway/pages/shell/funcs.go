package shell

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// units turn UCUM codes into what people write: mm[Hg] is mmHg, 10*3/uL is 10³/µL.
var units = strings.NewReplacer("mm[Hg]", "mmHg", "10*3", "10³", "10*6", "10⁶", "10*9", "10⁹", "10*12", "10¹²", "/uL", "/µL", "[degF]", "°F", "Cel", "°C", "m2", "m²", "[IU]", "IU", "umol", "µmol", "{1.73_m2}", "1.73m²")

// unitWords are the UCUM codes that are worded; "" for those that people leave out.
var unitWords = map[string]string{
	"1": "", "[pH]": "", "{grade}": "unit.grade", "{score}": "unit.score", "/a": "unit.per-year", "/min": "unit.per-minute", "/h": "unit.per-hour", "/d": "unit.per-day",
	"a": "unit.years", "wk": "unit.weeks", "d": "unit.days", "h": "unit.hours", "min": "unit.minutes",
}

// funcs are the template functions of one language.
func (s *Shell) funcs(language string) template.FuncMap {
	t := func(key string, pairs ...any) string { return s.deps.Text.T(language, key, pairs...) }
	return template.FuncMap{
		"t": t,
		// label words a code: {{label "state" .State}} is the text "state.SUBMITTED".
		"label": func(kind string, code any) string {
			word := fmt.Sprint(code)
			if word == "" || word == "UNSPECIFIED" {
				return ""
			}
			if key := kind + "." + word; s.deps.Text.Has(key) {
				return t(key)
			}
			return word
		},
		"directed": func(kind string, code, direction any) string {
			if key := fmt.Sprint(kind, ".", code, ".", direction); s.deps.Text.Has(key) {
				return t(key)
			}
			if key := fmt.Sprint(kind, ".", code); s.deps.Text.Has(key) {
				return t(key)
			}
			return fmt.Sprint(code)
		},
		"asset":       s.deps.Assets.URL,
		"medications": Medications,
		"when":        func(ts *timestamppb.Timestamp) template.HTML { return s.when(language, ts) },
		"due":         func(ts *timestamppb.Timestamp) template.HTML { return s.due(language, ts) },
		"day":         func(ts *timestamppb.Timestamp) string { return s.format(ts, "2006-01-02") },
		"hour":        func(ts *timestamppb.Timestamp) string { return s.format(ts, "15:04") },
		"full":        func(ts *timestamppb.Timestamp) string { return s.format(ts, "2006-01-02 15:04") },
		"age":         func(birthDate string) string { return s.age(language, birthDate) },
		"dict":        dict,
		"lines":       func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") },
		"add":         func(a, b int) int { return a + b },
		// number shows a measured value without digits that no instrument has.
		"number": func(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) },
		"unit":   func(code string) string { return s.unit(language, code) },
		// called is the name of an organisation or department in the language of the page, where it has one.
		"called": func(v interface {
			GetName() string
			GetNameEn() string
		}) string {
			if language == "en" && v.GetNameEn() != "" {
				return v.GetNameEn()
			}
			return v.GetName()
		},
		"list":        func(items ...string) []string { return items },
		"patientTabs": patientTabs,
		"masked":      Masked,
		"allergic":    allergic,
		"track":       func(r *referralv1.Referral) []Step { return Track(r, nil, s.Now()) },
	}
}

// Unit is a UCUM unit as people write it, in the visitor's language; a code that is not known stays as it is.
func (s *Shell) Unit(r *http.Request, code string) string { return s.unit(s.Language(r), code) }

func (s *Shell) unit(language, code string) string {
	key, worded := unitWords[code]
	switch {
	case !worded:
		return units.Replace(code)
	case key == "":
		return ""
	}
	return s.deps.Text.T(language, key)
}

// Masked keeps of a number the first three and last four characters, as lists do, and of a short one the last two.
func Masked(number string) string {
	shown := []rune(number)
	first, last := 3, len(shown)-4
	if len(shown) <= 8 {
		first, last = 0, max(0, len(shown)-2)
	}
	for i := first; i < last; i++ {
		shown[i] = '*'
	}
	return string(shown)
}

// dict builds the argument of a component: {{template "field" (dict "Name" "phone" "Form" .Form)}}.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: odd number of arguments")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m, nil
}

func (s *Shell) format(ts *timestamppb.Timestamp, layout string) string {
	if ts == nil {
		return ""
	}
	return ts.AsTime().In(s.deps.Zone).Format(layout)
}

// when shows a moment as a person says it (今天 09:30), with the full time on hover and in print.
func (s *Shell) when(language string, ts *timestamppb.Timestamp) template.HTML {
	if ts == nil {
		return ""
	}
	at, now := ts.AsTime().In(s.deps.Zone), s.Now()
	var words string
	switch days := int(midnight(at).Sub(midnight(now)).Hours() / 24); {
	case days == 0:
		words = s.deps.Text.T(language, "time.today", "time", at.Format("15:04"))
	case days == 1:
		words = s.deps.Text.T(language, "time.tomorrow", "time", at.Format("15:04"))
	case days == -1:
		words = s.deps.Text.T(language, "time.yesterday", "time", at.Format("15:04"))
	case at.Year() == now.Year():
		words = at.Format("01-02 15:04")
	default:
		words = at.Format("2006-01-02")
	}
	return timeTag(at, "", words)
}

// due shows a deadline as a clock that the script keeps running: 剩 12 分 / 超时 8 分.
func (s *Shell) due(language string, ts *timestamppb.Timestamp) template.HTML {
	if ts == nil {
		return ""
	}
	at := ts.AsTime().In(s.deps.Zone)
	left := at.Sub(s.Now())
	key, class := "time.left", "clock"
	if left < 0 {
		key, class, left = "time.over", "clock over", -left
	} else if left < 30*time.Minute {
		class = "clock soon"
	}
	return timeTag(at, class, s.deps.Text.T(language, key, "span", s.span(language, left)))
}

// span words a duration in its largest fitting unit.
func (s *Shell) span(language string, d time.Duration) string {
	switch {
	case d < time.Hour:
		return s.deps.Text.T(language, "time.minutes", "n", int(d.Minutes()))
	case d < 48*time.Hour:
		return s.deps.Text.T(language, "time.hours", "h", int(d.Hours()), "m", int(d.Minutes())%60)
	default:
		return s.deps.Text.T(language, "time.days", "n", int(d.Hours()/24))
	}
}

func timeTag(at time.Time, class, words string) template.HTML {
	full := at.Format("2006-01-02 15:04:05")
	return template.HTML(fmt.Sprintf(`<time datetime=%q title=%q class=%q>%s</time>`, // every part is a formatted time, or a text escaped here
		at.Format(time.RFC3339), full, class, template.HTMLEscapeString(words)))
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// age words the age at present: days for a newborn, months under two years, then years; "" for an unknown birth date
// (YYYY-MM-DD).
func (s *Shell) age(language, birthDate string) string {
	born, err := time.ParseInLocation("2006-01-02", birthDate, s.deps.Zone)
	if err != nil {
		return ""
	}
	now := s.Now()
	months := (now.Year()-born.Year())*12 + int(now.Month()-born.Month())
	if now.Day() < born.Day() {
		months--
	}
	switch {
	case months < 1:
		return s.deps.Text.T(language, "age.days", "n", max(0, int(now.Sub(born).Hours()/24)))
	case months < 24:
		return s.deps.Text.T(language, "age.months", "n", months)
	default:
		return s.deps.Text.T(language, "age", "n", months/12)
	}
}
