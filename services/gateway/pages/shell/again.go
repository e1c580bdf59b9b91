package shell

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// Refused is a form that was refused, as it is shown again.
type Refused struct {
	// Form has what was typed and what is wrong with it.
	Form Form
	// Problem is said on top when no field is to blame.
	Problem string
	// RequestID for sending it again: the same where the request may have been carried out and only its answer was lost, which makes the
	// repetition harmless, and a new one where it was not.
	RequestID string
	// Status of the page.
	Status int
	Cause  error
}

// Again answers a refused form with the form itself, whatever refused it: what was typed is never lost to a page that only says what went wrong.
// show draws it. What show cannot read for the rest of the page it leaves out, because the same service that refused may be away altogether; where it
// can draw nothing, the form stands on a page of its own. Only who must sign in first is sent there.
func (s *Shell) Again(w http.ResponseWriter, r *http.Request, cause error, show func(Refused) error) error {
	kind := errs.KindOf(cause)
	if kind == errs.KindUnauthenticated {
		return cause
	}
	again := Refused{
		Form: Form{Values: r.PostForm, Errors: s.FieldErrors(r, cause)}, RequestID: id.New(), Status: errs.HTTPStatus(cause), Cause: cause,
	}
	if again.Form.Errors == nil {
		again.Problem = s.ErrorText(r, cause)
	}
	switch {
	case kind == errs.KindInternal:
		s.deps.Logger.ErrorContext(r.Context(), "form failed", "route", r.Pattern, "error", cause)
		again.RequestID = r.PostFormValue("requestId")
	case kind == errs.KindUnavailable:
		w.Header().Set("Retry-After", "5")
		again.Problem += " " + s.T(r, "remedy.unavailable")
		again.RequestID = r.PostFormValue("requestId")
	case kind == errs.KindStale:
		again.Problem = s.T(r, "form.stale")
	case errs.ReasonOf(cause) == errs.ReasonRequestIDReused:
		again.Problem = s.T(r, "form.sent-before")
	}
	if err := show(again); err != nil {
		return s.bare(w, r, again, err)
	}
	return nil
}

// Version is what the form that is shown again stands on: after a change by somebody else, which the form then shows, the present one, else the one
// that it was sent with. Under it a request that was carried out can be repeated, and nothing is overwritten unseen.
func (a Refused) Version(present int32) int32 {
	sent, err := strconv.ParseInt(a.Form.Value("version"), 10, 32)
	if err != nil || errs.KindOf(a.Cause) == errs.KindStale {
		return present
	}
	return int32(sent)
}

// Rebase puts a form that somebody else was faster with upon what stands now; see [Form.Rebase]. Every other refusal leaves it as it was sent.
func (a *Refused) Rebase(present url.Values, version int32) {
	if errs.KindOf(a.Cause) == errs.KindStale {
		a.Form.Rebase(present, nil)
		a.Form.Values.Set("version", strconv.Itoa(int(version)))
	}
}

// was is before the name of a hidden field with what a field showed when the form was first drawn.
const was = "was."

// Original are the values of a form of something that others may change meanwhile, with what each field shows at first, which [Form.Untouched] and
// [Form.Rebase] need. Beside are values that are shown next to a field which is empty itself; nil if there are none.
func Original(shown, beside url.Values) url.Values {
	values := url.Values{}
	for name, list := range shown {
		values[name] = list
		values.Set(was+name, joined(list))
	}
	for name, list := range beside {
		values.Set(was+name, joined(list))
	}
	return values
}

// joined is a field of several values as one text.
func joined(list []string) string { return strings.Join(list, "；") }

// Originals are the hidden fields of a form made by [Original], by name.
func (f Form) Originals() map[string]string {
	out := map[string]string{}
	for name := range f.Values {
		if strings.HasPrefix(name, was) {
			out[name] = f.Values.Get(name)
		}
	}
	return out
}

// Original of a field is what it said, or what stood beside it, when the form was first drawn.
func (f Form) Original(name string) string { return lined(f.Values.Get(was + name)) }

// lined is a text with the ends of lines that browsers send as it was sent to them.
func lined(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// Untouched tells that a field still says what it said when the form was first drawn.
func (f Form) Untouched(name string) bool {
	return f.Values.Has(was+name) && strings.TrimSpace(lined(joined(f.Values[name]))) == strings.TrimSpace(f.Original(name))
}

// Renewed tells that somebody else changed a field meanwhile.
func (f Form) Renewed(name string) bool {
	_, ok := f.Changed[name]
	return ok
}

// Rebase puts a form that was written on an older state of things upon the present one, so that nothing is overwritten unseen: a field that was
// not touched shows what stands now, one that was touched keeps what was typed, and Changed names what somebody else changed.
func (f *Form) Rebase(present, beside url.Values) {
	f.Changed = map[string]string{}
	for name, list := range present {
		untouched := f.Untouched(name)
		f.mark(name, joined(list))
		if untouched {
			f.Values[name] = list
		}
	}
	for name := range beside {
		f.mark(name, beside.Get(name))
	}
}

func (f *Form) mark(name, now string) {
	if f.Original(name) != lined(now) {
		f.Changed[name] = now
	}
	f.Values.Set(was+name, now)
}
