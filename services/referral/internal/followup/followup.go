package followup

import (
	"cmp"
	_ "embed"
	"slices"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

const file = "templates.yaml"

//go:embed templates.yaml
var source []byte

// General is the code of the template that suits everybody.
const General = "GENERAL"

// Template is a schedule with what it is for and where it comes from.
type Template struct {
	domain.PlanTemplate
	Name, NameEn string
	// Categories are ICD-10 categories as [domain.InCategories] reads them; none: any diagnosis, if the kind suits.
	Categories []string
	// Kinds are the kinds of down-referral that it suits, the usual one first.
	Kinds []domain.Kind
	// Note says how the intervals are meant.
	Note, NoteEn string
	Source       string
	// Certainty of the intervals, one of [domain.Certainties]. Only what is FOUND may be shown as quoted from the source.
	Certainty string
}

// Book is the templates, in the order of the file.
type Book struct {
	templates []Template
}

// New reads the templates that are shipped.
func New() (*Book, error) { return Read(file, source) }

// Templates lists every template in the order of the file.
func (b *Book) Templates() []Template { return slices.Clone(b.templates) }

// Find is the template of a code.
func (b *Book) Find(code string) (Template, bool) {
	i := slices.IndexFunc(b.templates, func(t Template) bool { return t.Code == code })
	if i < 0 {
		return Template{}, false
	}
	return b.templates[i], true
}

// How well a template suits, best first.
const (
	byDiagnosisAndKind = iota
	byKind
	byDiagnosis
	byDefault
	not
)

// fit is how a template suits and for which of the diagnoses; the first is the main one.
type fit struct {
	way, diagnosis int
}

// For lists the templates that suit ICD-10 codes, main diagnosis first, and a kind of down-referral ("" if not known yet): best match
// first, the general one last.
func (b *Book) For(diagnoses []string, kind string) []Template {
	fits := map[string]fit{}
	for _, t := range b.templates {
		fits[t.Code] = suits(t, diagnoses, domain.Kind(kind))
	}
	out := slices.DeleteFunc(slices.Clone(b.templates), func(t Template) bool { return fits[t.Code].way == not })
	slices.SortStableFunc(out, func(s, t Template) int {
		a, b := fits[s.Code], fits[t.Code]
		return cmp.Or(a.way-b.way, a.diagnosis-b.diagnosis)
	})
	return out
}

func suits(t Template, diagnoses []string, kind domain.Kind) fit {
	at := slices.IndexFunc(diagnoses, func(code string) bool { return domain.InCategories(code, t.Categories) })
	ofKind := slices.Contains(t.Kinds, kind)
	switch {
	case t.Code == General:
		return fit{way: byDefault}
	case at >= 0 && ofKind:
		return fit{byDiagnosisAndKind, at}
	case len(t.Categories) == 0 && ofKind:
		return fit{way: byKind}
	case at >= 0:
		return fit{byDiagnosis, at}
	}
	return fit{way: not}
}
