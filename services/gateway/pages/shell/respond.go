package shell

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Handler is a page's handler; what it returns as error becomes a page.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Open wraps a handler that needs no sign-in.
func (s *Shell) Open(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.Fail(w, r, err)
		}
	})
}

// Page wraps a handler that needs a signed-in person; others are sent to sign in and come back afterwards.
func (s *Shell) Page(h Handler) http.Handler {
	return s.Open(func(w http.ResponseWriter, r *http.Request) error {
		w, ok := kept(w, r)
		if !ok {
			return nil
		}
		// What a page fetches again is for whom it was drawn, and nobody else who signed in meanwhile.
		visitor, ok := door.VisitorFrom(r.Context())
		if page := r.Header.Get("X-Account"); !ok || page != "" && page != visitor.Account.GetId() {
			s.toSignIn(w, r)
			return nil
		}
		return h(w, r)
	})
}

func (s *Shell) toSignIn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Fragment") != "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	back := "/"
	if r.Method == http.MethodGet {
		back = r.URL.RequestURI()
	}
	http.Redirect(w, r, "/sign-in?back="+url.QueryEscape(back), http.StatusSeeOther)
}

// failure is what failure.html sees.
type failure struct {
	Heading, Explain, Remedy string
	Back, Retry              string
	// Purpose is where a purpose is stated, after which the page is shown.
	Purpose string
}

// Fail answers with a page that says what happened and what to do next.
func (s *Shell) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return
	}
	kind := errs.KindOf(err)
	if kind == errs.KindUnauthenticated {
		s.toSignIn(w, r)
		return
	}
	if kind == errs.KindInternal {
		s.deps.Logger.ErrorContext(r.Context(), "page failed", "route", r.Pattern, "error", err)
	}
	if kind == errs.KindUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	data := failure{Heading: s.T(r, "failure."+kind.String()), Explain: s.ErrorText(r, err), Remedy: s.T(r, "remedy."+kind.String()), Back: back(r)}
	// Whom to ask is known for whole areas ("remedy.denied.feeds"): "your administrator" sends people round in circles.
	if key := "remedy." + kind.String() + "." + area(r); s.deps.Text.Has(key) {
		data.Remedy = s.T(r, key)
	}
	if again := kind == errs.KindUnavailable || kind == errs.KindInternal || kind == errs.KindLimited; again && r.Method == http.MethodGet {
		data.Retry = r.URL.RequestURI()
	}
	if data.Purpose = purpose(err); data.Purpose != "" {
		data.Heading, data.Remedy = s.T(r, "purpose.title"), s.T(r, "purpose.kept")
	}
	s.showFailure(w, r, errs.HTTPStatus(err), data)
}

// purpose is where a purpose must be stated before what was asked for is shown, "" for every other error.
func purpose(err error) string {
	if e, ok := errs.As(err); ok && e.Reason == errs.ReasonPurposeRequired && e.Meta["patientId"] != "" {
		return "/access/" + url.PathEscape(e.Meta["patientId"]) + "/purpose"
	}
	return ""
}

// FromElsewhere refuses a form that a page of another site sent.
func (s *Shell) FromElsewhere(w http.ResponseWriter, r *http.Request) {
	s.showFailure(w, r, http.StatusForbidden, failure{
		Heading: s.T(r, "failure.cross-site"), Explain: s.T(r, "error.cross-site"), Remedy: s.T(r, "remedy.cross-site"), Back: "/",
	})
}

func (s *Shell) showFailure(w http.ResponseWriter, r *http.Request, status int, data failure) {
	if err := s.Render(w, r, s.failure, Page{Title: "failure.title", Status: status, Data: data}); err != nil {
		s.deps.Logger.ErrorContext(r.Context(), "failure page failed", "error", err)
		http.Error(w, "500", http.StatusInternalServerError)
	}
}

// area is the first part of the address.
func area(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return first
}

func back(r *http.Request) string {
	referer, err := url.Parse(r.Referer())
	if err != nil || referer.Host != r.Host || (r.Method == http.MethodGet && referer.Path == r.URL.Path) {
		return "/"
	}
	return LocalPath(referer.RequestURI())
}

// here is an address that shows this page again: a form's target cannot be fetched, the form's page can.
func here(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	return back(r)
}

// ErrorText words an error by its reason and metadata, in the visitor's language.
func (s *Shell) ErrorText(r *http.Request, err error) string {
	return s.deps.Text.Error(s.Language(r), err)
}

// FieldErrors words the fields of an Invalid error by name ("form.presentIllness"), those of a list's items under the
// list's name ("diagnoses"), in the order of the error; nil for every other error.
func (s *Shell) FieldErrors(r *http.Request, err error) []FieldError {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid || len(e.Fields) == 0 {
		return nil
	}
	form := Form{}
	for _, f := range e.Fields {
		name, _, _ := strings.Cut(f.Name, "[")
		if unit := f.Meta["unit"]; unit != "" {
			f.Meta = maps.Clone(f.Meta)
			f.Meta["unit"] = s.Unit(r, unit)
		}
		if form.Error(name) == "" {
			form.Errors = append(form.Errors, FieldError{name, s.deps.Text.Field(s.Language(r), f)})
		}
	}
	return form.Errors
}

// Called gives the fields of a refusal the names that the form at hand shows: text keys by field. People look for the word that they see.
func Called(err error, labels map[string]string) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid || len(e.Fields) == 0 {
		return err
	}
	fields := slices.Clone(e.Fields)
	for i, f := range fields {
		name, _, _ := strings.Cut(f.Name, "[")
		if key := labels[name]; key != "" {
			meta := map[string]string{text.Label: key}
			for k, v := range f.Meta {
				meta[k] = v
			}
			fields[i].Meta = meta
		}
	}
	return errs.Invalid(fields...)
}

const (
	flashCookie = "flash"
	// flashFor is how long it waits for its page, in seconds.
	flashFor = 60
)

// Flash keeps a text key for the page after the redirect, with the draft that the browser need not keep any more.
func (s *Shell) Flash(w http.ResponseWriter, key string, draft ...string) {
	value := strings.Join(append([]string{key}, draft...), "|")
	door.Keep(w, flashCookie, value, flashFor)
}

func takeFlash(w http.ResponseWriter, r *http.Request) (key, draft string) {
	value := cookie(r, flashCookie)
	if value == "" || strings.ContainsAny(value, " <>\"") {
		return "", ""
	}
	door.Forget(w, flashCookie)
	key, draft, _ = strings.Cut(value, "|")
	return key, draft
}

// LocalPath refuses a return address that leads elsewhere.
func LocalPath(path string) string {
	// Browsers drop control characters and take a backslash for a slash: "/\t/elsewhere" would be another host.
	leads := func(c rune) bool { return c < ' ' || c == '\\' || c == 0x7f }
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, leads) {
		return "/"
	}
	return path
}

// FieldError is what is wrong with one field, in the visitor's language.
type FieldError struct{ Name, Text string }

// Form is what a form shows: the values as typed and, after a refusal, the error of each field in the order of the form.
type Form struct {
	Values url.Values
	Errors []FieldError
	// Changed is what now stands in the fields that somebody else changed meanwhile, by name; see Rebase.
	Changed map[string]string
}

// Value of a field.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// InOrder puts errors in the order in which a form shows its fields; a field's name stands for what is below it too ("medicines" for
// "medicines.2.days"), and what is not named comes last.
func InOrder(wrong []FieldError, fields ...string) []FieldError {
	place := func(name string) int {
		for {
			if at := slices.Index(fields, name); at >= 0 {
				return at
			}
			end := strings.LastIndexByte(name, '.')
			if end < 0 {
				return len(fields)
			}
			name = name[:end]
		}
	}
	slices.SortStableFunc(wrong, func(a, b FieldError) int { return place(a.Name) - place(b.Name) })
	return wrong
}

// Error of a field, "" if it is right.
func (f Form) Error(name string) string {
	for _, e := range f.Errors {
		if e.Name == name {
			return e.Text
		}
	}
	return ""
}
