package shell

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// bareData is what bare.html sees.
type bareData struct {
	Problem string
	Errors  []FieldError
	// Action is where the form is sent again, Back the page on which it stood.
	Action, Back string
	// Purpose is where a purpose is stated, after which the form's own page can be shown.
	Purpose string
	// Typed are the fields with words, Kept all others.
	Typed, Kept []bareField
}

type bareField struct {
	Name, Label, Value string
	N                  int
}

// coded is what a person did not write: a code, an id, a number of the form.
var coded = regexp.MustCompile(`^([A-Z][A-Z0-9_]*|[0-9a-f]{8}-[0-9a-f-]{27}|.*\|.*)$`)

// bare shows a refused form whose own page cannot be shown: what went wrong, what was typed, and a button that sends it again. failed is why the page
// cannot be shown. Where nothing was typed, and nothing may have been carried out, a page that says what went wrong is enough.
func (s *Shell) bare(w http.ResponseWriter, r *http.Request, again Refused, failed error) error {
	kind := errs.KindOf(failed)
	if kind == errs.KindUnauthenticated {
		return failed
	}
	if kind == errs.KindInternal {
		s.deps.Logger.ErrorContext(r.Context(), "the page of a form failed", "route", r.Pattern, "error", failed)
	}
	data := bareData{Problem: again.Problem, Errors: again.Form.Errors, Action: LocalPath(r.URL.RequestURI()), Back: back(r), Purpose: purpose(again.Cause)}
	if data.Purpose == "" {
		data.Purpose = purpose(failed)
	}
	s.sort(r, again, &data)
	repeats := again.RequestID != "" && again.RequestID == r.PostFormValue("requestId")
	if r.MultipartForm != nil || len(data.Typed) == 0 && !repeats { // a browser does not send a file twice
		return again.Cause
	}
	return s.Render(w, r, s.bareSet, Page{Title: "form.bare", Status: again.Status, Data: data})
}

// sort parts what was typed from the rest of a form; both are sent again.
func (s *Shell) sort(r *http.Request, again Refused, data *bareData) {
	names := make([]string, 0, len(again.Form.Values))
	for name := range again.Form.Values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range again.Form.Values[name] {
			field := bareField{Name: name, Value: value, Label: s.T(r, "form.typed"), N: len(data.Typed)}
			known := s.deps.Text.Has("field." + name)
			if known {
				field.Label = s.T(r, "field."+name)
			}
			wordy := known || strings.ContainsFunc(value, func(c rune) bool { return c > 0x7f || c == ' ' })
			switch {
			case name == "requestId":
				data.Kept = append(data.Kept, bareField{Name: name, Value: again.RequestID})
			case strings.TrimSpace(value) == "" || name == "version" || strings.HasPrefix(name, was) || !wordy || coded.MatchString(value):
				data.Kept = append(data.Kept, field)
			default:
				data.Typed = append(data.Typed, field)
			}
		}
	}
}
