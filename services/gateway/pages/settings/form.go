package settings

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// row is a limit on the form. Its fields end in its number: "limit.3".
type row struct {
	*referralv1.Limit
	N int
	// Working tells that it is counted in working days, Timed in minutes; neither is where the case itself gives the end.
	Working, Timed bool
	// Repeats tells that the step makes noise again; the others end by themselves.
	Repeats bool
}

// Field is the name of a field of the row.
func (w row) Field(name string) string { return name + "." + strconv.Itoa(w.N) }

// Units are those of a length in minutes.
func (row) Units() []string { return []string{"MINUTES", "HOURS", "DAYS"} }

// minutesOf is how long a unit is.
func minutesOf(unit string) int32 {
	return map[string]int32{"MINUTES": 1, "HOURS": 60, "DAYS": 24 * 60}[unit]
}

// inUnits writes minutes in the largest unit that fits without a rest.
func inUnits(minutes int32) (number, unit string) {
	if minutes == 0 {
		return "", "HOURS"
	}
	for _, unit := range []string{"DAYS", "HOURS"} {
		if long := minutesOf(unit); minutes%long == 0 {
			return strconv.Itoa(int(minutes / long)), unit
		}
	}
	return strconv.Itoa(int(minutes)), "MINUTES"
}

func rowsOf(s *referralv1.Settings) []row {
	var rows []row
	for i, l := range s.GetLimits() {
		// A patient who does not come is a no-show, a reply that nobody acknowledges is acknowledged: nobody is called twice.
		endsByItself := l.GetStep() == "ARRIVAL" || l.GetStep() == "ACKNOWLEDGE"
		rows = append(rows, row{Limit: l, N: i, Working: l.GetWorkingDays() > 0, Timed: l.GetMinutes() > 0, Repeats: !endsByItself})
	}
	return rows
}

// valuesOf fills the form.
func valuesOf(s *referralv1.Settings) url.Values {
	form := url.Values{
		"opens": {s.GetOpens()}, "closes": {s.GetCloses()}, "bounceBackDays": {strconv.Itoa(int(s.GetBounceBackDays()))},
		"holidays": {strings.Join(s.GetHolidays(), "\n")}, "workdays": {strings.Join(s.GetWorkdays(), "\n")},
	}
	for _, one := range rowsOf(s) {
		if one.Working {
			form.Set(one.Field("limit"), strconv.Itoa(int(one.GetWorkingDays())))
		} else {
			number, unit := inUnits(one.GetMinutes())
			form.Set(one.Field("limit"), number)
			form.Set(one.Field("unit"), unit)
		}
		number, unit := inUnits(one.GetRepeatMinutes())
		form.Set(one.Field("repeat"), number)
		form.Set(one.Field("repeatUnit"), unit)
	}
	return form
}

// settingsOf reads the form. An empty field is 0, the default. What is no number is among the bad ones, and refused in the settings.
func settingsOf(form url.Values) (*referralv1.Settings, []errs.Field) {
	r := reader{form: form}
	s := &referralv1.Settings{
		Version: versionOf(form), Opens: r.text("opens"), Closes: r.text("closes"), BounceBackDays: r.number("bounceBackDays", 1),
		Holidays: days(form.Get("holidays")), Workdays: days(form.Get("workdays")),
	}
	if s.BounceBackDays == 0 && r.text("bounceBackDays") != "" {
		// Not the default: that is the empty field.
		s.BounceBackDays, r.bad = noNumber, append(r.bad, errs.Bad("bounceBackDays", errs.ReasonFieldOutOfRange))
	}
	for n := range form["step"] {
		field := func(name string) string { return name + "." + strconv.Itoa(n) }
		l := &referralv1.Limit{
			Step: r.nth("step", n), Direction: r.nth("direction", n), Urgency: commonv1.Urgency_Code(commonv1.Urgency_Code_value[r.nth("urgency", n)]),
			RepeatMinutes: r.number(field("repeat"), minutesOf(r.text(field("repeatUnit")))),
		}
		switch r.nth("kind", n) {
		case "working":
			l.WorkingDays = r.number(field("limit"), 1)
		case "timed":
			l.Minutes = r.number(field("limit"), minutesOf(r.text(field("unit"))))
		}
		s.Limits = append(s.Limits, l)
	}
	return s, r.bad
}

// noNumber stands for a number that could not be read: less than anything may be, so that who holds the rules refuses it, and with it says of everything
// else in the form what is wrong.
const noNumber = -1

// together is the refusal of a form whose bad fields could not be read and which was answered by err: all that is wrong at once.
func together(bad []errs.Field, err error) error {
	if len(bad) == 0 {
		return err
	}
	fields := bad
	if e, ok := errs.As(err); ok && e.Kind == errs.KindInvalid {
		for _, f := range e.Fields {
			if !slices.ContainsFunc(bad, func(known errs.Field) bool { return known.Name == f.Name }) {
				fields = append(fields, f)
			}
		}
	}
	return errs.Invalid(fields...)
}

func versionOf(form url.Values) int32 {
	version, err := strconv.ParseInt(form.Get("version"), 10, 32)
	if err != nil {
		return 0
	}
	return int32(version)
}

// days are the dates of a field, one a line.
func days(text string) []string {
	return strings.Fields(strings.NewReplacer("，", " ", ",", " ", "、", " ").Replace(text))
}

// reader reads fields and keeps what is no number.
type reader struct {
	form url.Values
	bad  []errs.Field
}

func (r *reader) text(name string) string { return strings.TrimSpace(r.form.Get(name)) }

// nth is the value of the n-th field of a name; the rows stand in one order.
func (r *reader) nth(name string, n int) string {
	if all := r.form[name]; n < len(all) {
		return all[n]
	}
	return ""
}

// number is a whole number of units, 0 for an empty field, noNumber for what is none.
func (r *reader) number(name string, unit int32) int32 {
	text := r.text(name)
	if text == "" {
		return 0
	}
	const most = 1_000_000 // no length is near it, and times a day it still fits
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil || n < 0:
		r.bad = append(r.bad, errs.Bad(name, errs.ReasonFieldInvalid))
		return noNumber
	case n*int64(unit) > most:
		r.bad = append(r.bad, errs.Bad(name, errs.ReasonFieldOutOfRange))
		return noNumber
	}
	return int32(n) * unit
}

// item finds the number in the name of a list's item.
var item = regexp.MustCompile(`^settings\.(limits|holidays|workdays)\[(\d+)\](?:\.(\w+))?$`)

// fieldErrors words the refused fields, each under the name that it has on the form, what belongs to a row with the row's name before it.
func (p *Pages) fieldErrors(r *http.Request, cause error, stands *referralv1.Settings) []shell.FieldError {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return nil
	}
	var out []shell.FieldError
	for _, f := range e.Fields {
		at := onForm(f.Name)
		name, number, inRow := strings.Cut(at, ".")
		f.Name = "settings." + name
		text := p.Shell.ErrorText(r, errs.Invalid(f))
		if n, err := strconv.Atoi(number); inRow && err == nil && n < len(stands.GetLimits()) {
			text = p.Shell.T(r, "settings.row", "row", p.rowName(r, stands.GetLimits()[n]), "text", text)
		}
		if !slices.ContainsFunc(out, func(known shell.FieldError) bool { return known.Name == at }) {
			out = append(out, shell.FieldError{Name: at, Text: text})
		}
	}
	return out
}

// onForm is what the form calls a field of the API: "settings.limits[3].repeatMinutes" is "repeat.3".
func onForm(name string) string {
	found := item.FindStringSubmatch(name)
	switch {
	case found == nil:
		return strings.TrimPrefix(name, "settings.")
	case found[1] != "limits":
		return found[1]
	case found[3] == "repeatMinutes":
		return "repeat." + found[2]
	default:
		return "limit." + found[2]
	}
}

// rowName is how people call a limit.
func (p *Pages) rowName(r *http.Request, l *referralv1.Limit) string {
	return fmt.Sprintf("%s · %s · %s", p.Shell.T(r, "settings.step."+l.GetStep()), p.Shell.T(r, "direction."+l.GetDirection()), p.Shell.T(r, "urgency."+l.GetUrgency().String()))
}
