package gateway_test

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

var (
	// labelled finds what a page calls its fields: the label of a control or the legend of a group.
	labelled = regexp.MustCompile(`(?s)<label for="f-([^"]+)"[^>]*>(.*?)</label>|<fieldset id="f-([^"]+)"[^>]*>\s*<legend>(.*?)</legend>`)
	markup   = regexp.MustCompile(`<span[^>]* hidden>.*?</span>|<[^>]*>`)
	topmost  = regexp.MustCompile(`<a href="#f-[^"]*">([^<]*)</a>`)
)

// labels are the fields of the form of a page that is sent to an address, by name.
func labels(page, action string) map[string]string {
	out := map[string]string{}
	_, form, _ := strings.Cut(page, `action="`+action+`"`)
	form, _, _ = strings.Cut(form, "</form>")
	for _, m := range labelled.FindAllStringSubmatch(form, -1) {
		label := html.UnescapeString(markup.ReplaceAllString(m[2]+m[4], ""))
		out[m[1]+m[3]] = strings.TrimSuffix(strings.TrimSpace(label), "*")
	}
	return out
}

// What a page calls a field and what the error calls it must be one word, or people look for a field that is not there.
func TestAnErrorCallsAFieldWhatTheFormCallsIt(t *testing.T) {
	t.Parallel()
	const record = "/patients/" + patientID + "/record/new/"
	same := func(name string) string { return name }
	entry := func(name string) string {
		if rest, ok := strings.CutPrefix(name, "entry."); ok {
			name = rest
		}
		return "entries[0]." + name
	}
	type labelForm struct {
		typedForm
		// field is what the service calls a field of the form.
		field func(string) string
	}
	forms := []labelForm{
		{typedForm{"/refer/" + patientID, createMethod, "township", typedReferral(), nil}, same},
		{typedForm{"/refer/" + patientID, createMethod, "township", with(typedReferral(), "kind", "ADVICE"), nil}, same},
		{typedForm{"/patients/new", registerMethod, "township", typedPatient(), nil}, same},
		{typedForm{answersUp, createMethod, "desk", typedDown(), nil}, same},
		{typedForm{arrivalPage, referralv1.ReferralService_RecordArrival_FullMethodName, "desk", typedArrival(), nil}, same},
		{typedForm{outPage, referralv1.ReferralService_RecordOut_FullMethodName, "desk", typedOut(), nil}, same},
	}
	for kind := range strings.FieldsSeq("problem allergy medication encounter note report procedure immunization") {
		forms = append(forms, labelForm{typedForm{record + kind, recordEntriesMethod, "township", form("entry.text", "x", "entry.words", "x", "date", "2026-03-01", "hour", "08:00"), nil}, entry})
	}
	for name, f := range typedForms() {
		switch name {
		case "a note", "an amendment", "a withdrawal", "two people", "an unmerging", "an order": // another of the same form is there, or its fields stand once an item
		case "a correction":
			forms = append(forms, labelForm{f, func(name string) string {
				if name == "reasonCode" || name == "note" {
					return name
				}
				return entry(name)
			}})
		case "an item":
			forms = append(forms, labelForm{f, func(name string) string { return "item." + name }})
		case "a merge":
			forms = append(forms, labelForm{f, func(name string) string { return strings.TrimSuffix(name, "-MERGE") }})
		default:
			forms = append(forms, labelForm{f, same})
		}
	}
	// These are groups of several things, are refused under a name of their own, or are a question of the page that no service asks.
	but := strings.Fields("anyway values complete slot examItems diagnosis-code plan medicines files diagnoses mistake plan.template entry.class dose frequency")
	w := refusing(t)
	w.concluded()
	for _, f := range forms {
		b := w.browser(f.session)
		b.language = "zh-CN"
		w.refuse(f.method, errs.Unavailable("peer", nil))
		checked := 0
		for name, label := range labels(b.post(f.path, f.values).Body.String(), f.path) {
			if slices.Contains(but, name) || strings.HasPrefix(name, "value.") {
				continue
			}
			w.refuse(f.method, errs.Invalid(errs.Bad(f.field(name), errs.ReasonFieldInvalid)))
			said := topmost.FindStringSubmatch(b.post(f.path, f.values).Body.String())
			if said == nil {
				continue // its form stands beside others and says it in place
			}
			checked++
			if !strings.Contains(html.UnescapeString(said[1]), "“"+label+"”") {
				t.Errorf("%s: %s is labelled %s, the error says %s", f.path, name, label, said[1])
			}
		}
		if checked == 0 {
			t.Errorf("%s: no field was found", f.path)
		}
	}
}
