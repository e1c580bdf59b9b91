// Package text is the one catalogue of everything a person reads. Adding a language is adding a folder of entries.
//
// Entries live in <language>/<area>.yaml as flat "key: text" pairs; {name} in a text is replaced by the argument of
// that name. Owns wording and nothing else: which text is shown is decided where it is shown. Refuses to start when a
// language misses a key that another has. Safe for concurrent use after New.
package text

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

//go:embed zh-CN/*.yaml en/*.yaml
var files embed.FS

// Default is the language of a visitor who chose none.
const Default = "zh-CN"

// Catalogue holds every text in every language.
type Catalogue struct {
	languages []string
	texts     map[string]map[string]string
}

// New answers the catalogue of the embedded entries, which are read once. It fails on a key that is defined twice, and on a key that one
// language has and another has not, naming all of them.
func New() (*Catalogue, error) { return read() }

var read = sync.OnceValues(func() (*Catalogue, error) {
	c := &Catalogue{languages: []string{Default, "en"}, texts: map[string]map[string]string{}}
	for _, language := range c.languages {
		entries, err := load(language)
		if err != nil {
			return nil, err
		}
		c.texts[language] = entries
	}
	return c, c.complete()
})

func load(language string) (map[string]string, error) {
	names, err := fs.Glob(files, path.Join(language, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list texts of %s: %w", language, err)
	}
	all := map[string]string{}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		entries := map[string]string{}
		if err := yaml.Unmarshal(raw, &entries); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		for key, value := range entries {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("%s: key %q is defined twice", name, key)
			}
			all[key] = value
		}
	}
	return all, nil
}

func (c *Catalogue) complete() error {
	var missing []string
	for _, have := range c.languages {
		for key := range c.texts[have] {
			for _, want := range c.languages {
				if _, ok := c.texts[want][key]; !ok {
					missing = append(missing, want+": "+key)
				}
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("texts missing: %s", strings.Join(slices.Compact(missing), ", "))
}

// Languages lists the languages, the default first.
func (c *Catalogue) Languages() []string { return slices.Clone(c.languages) }

// Language picks the best language for a stored choice and an Accept-Language header.
func (c *Catalogue) Language(chosen, accept string) string {
	if slices.Contains(c.languages, chosen) {
		return chosen
	}
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		switch base {
		case "zh":
			return Default
		case "en":
			return "en"
		}
	}
	return Default
}

// Has tells whether key has a text.
func (c *Catalogue) Has(key string) bool {
	_, ok := c.texts[Default][key]
	return ok
}

// Error words an error: its first field, else its reason, else its kind. What is not classified says nothing of itself.
func (c *Catalogue) Error(language string, err error) string {
	e, ok := errs.As(err)
	if !ok {
		return c.T(language, "error.INTERNAL")
	}
	if len(e.Fields) > 0 {
		return c.Field(language, e.Fields[0])
	}
	key := "error." + e.Reason
	if !c.Has(key) {
		key = "error." + e.Kind.String()
	}
	return c.T(language, key, pairs(e.Meta)...)
}

// Label is the metadata of a field with the key of what the form at hand calls it, where that is not its usual name.
const Label = "label"

// Field words why a field was refused: the text made for the cause that the field's metadata names, else for this field,
// else for the reason. An item of a list ("diagnoses[0].code") is called what the list is called.
func (c *Catalogue) Field(language string, f errs.Field) string {
	list, _, _ := strings.Cut(f.Name, "[")
	reason, label := "error."+f.Reason, list
	key := reason
	for _, specific := range []string{reason + "." + f.Meta["cause"], reason + "." + list, chosen(f.Reason, list)} {
		if c.Has(specific) {
			key = specific
			break
		}
	}
	if own := f.Meta[Label]; c.Has(own) {
		label = c.T(language, own)
	} else if c.Has("field." + list) {
		label = c.T(language, "field."+list)
	} else if measure, ok := strings.CutPrefix(list, "value."); ok && c.Has("measure."+measure) {
		label = c.T(language, "measure."+measure)
	}
	return c.T(language, key, append(pairs(f.Meta), "field", label)...)
}

// chosen is the text key for a field that is chosen from a list and was not: nobody looks there for something to fill in. "" for every other one.
func chosen(reason, field string) string {
	if reason != errs.ReasonFieldRequired || !slices.Contains(strings.Fields(`kind urgency diagnoses receiver receiver.organizationId receiver.departmentCode
		consent.method consent.relation transport modality sms.onBehalf outcomeCode reasonCode reason verdict slotId holdId findings.result
		findings.medicationTaking familyDoctor sex documentType noDocumentReason originator.organizationId departmentCode path
		giving.relation giving.onBehalf giving.method withdrawal.relation outcome result organizationId`), field) {
		return ""
	}
	return "error.FIELD_REQUIRED.CHOICE"
}

func pairs(meta map[string]string) []any {
	out := make([]any, 0, 2*len(meta)+2)
	for k, v := range meta {
		out = append(out, k, v)
	}
	return out
}

// T is the text of key in language with {name} replaced by the following name, value pairs. An unknown key is shown as
// itself, which the catalogue test does not let pass.
func (c *Catalogue) T(language, key string, pairs ...any) string {
	text, ok := c.texts[language][key]
	if !ok {
		if text, ok = c.texts[Default][key]; !ok {
			return key
		}
	}
	if len(pairs) < 2 {
		return text
	}
	replacements := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		replacements = append(replacements, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(replacements...).Replace(text)
}
