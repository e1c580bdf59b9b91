package followup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// entry is a template as the file writes it.
type entry struct {
	Code       string
	Condition  string
	Name       string
	NameEn     string `yaml:"nameEn"`
	Categories []string
	Kinds      []domain.Kind
	Visits     []*visit
	Note       string
	NoteEn     string `yaml:"noteEn"`
	Source     string
	Certainty  string
}

type visit struct {
	AfterDays *int `yaml:"afterDays"`
	Mode      string
	Items     []string
}

// Read reads a file of templates. It tells every problem at once, each as "name:line: what".
func Read(name string, content []byte) (*Book, error) {
	// Pointers, since what is empty would be left out without a word.
	var entries []*entry
	strict := yaml.NewDecoder(bytes.NewReader(content))
	strict.KnownFields(true)
	if err := strict.Decode(&entries); err != nil {
		return nil, located(name, err)
	}
	if err := strict.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", name)
	}
	// A second reading for the lines: the strict decoder knows none.
	var nodes []yaml.Node
	if err := yaml.Unmarshal(content, &nodes); err != nil {
		return nil, located(name, err)
	}
	r := reader{name: name, lines: map[string]int{}}
	for i, e := range entries {
		if e == nil {
			r.refuse(nodes[i].Line, "an empty entry")
			continue
		}
		var body struct{ Visits []yaml.Node }
		if err := nodes[i].Decode(&body); err != nil {
			return nil, located(name, err)
		}
		r.check(*e, nodes[i].Line, body.Visits)
	}
	if _, ok := r.lines[General]; !ok {
		r.refuse(1, "there is no template %s", General)
	}
	if r.problems != nil {
		return nil, errors.Join(r.problems...)
	}
	return &Book{r.templates}, nil
}

var position = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// located words the decoder's complaints as name:line.
func located(name string, err error) error {
	messages := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		messages = several.Errors
	}
	var out []error
	for _, m := range messages {
		if !position.MatchString(m) {
			m = ": " + m
		}
		out = append(out, errors.New(name+position.ReplaceAllString(m, ":$1: ")))
	}
	return errors.Join(out...)
}

type reader struct {
	name      string
	lines     map[string]int
	templates []Template
	problems  []error
}

func (r *reader) refuse(line int, format string, args ...any) {
	r.problems = append(r.problems, fmt.Errorf("%s:%d: %s", r.name, line, fmt.Sprintf(format, args...)))
}

var (
	codes      = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	categories = regexp.MustCompile(`^([A-Z][0-9]{2})(?:-([A-Z][0-9]{2}))?$`)
)

func (r *reader) check(e entry, line int, visits []yaml.Node) {
	refuse := func(format string, args ...any) { r.refuse(line, format, args...) }
	if !codes.MatchString(e.Code) {
		refuse("%q is no code", e.Code)
	}
	if first, twice := r.lines[e.Code]; twice {
		refuse("%s is the code of line %d too", e.Code, first)
	} else {
		r.lines[e.Code] = line
	}
	if !slices.Contains(domain.Conditions(), e.Condition) {
		refuse("there is no condition %q", e.Condition)
	}
	if !slices.Contains(domain.Certainties(), e.Certainty) {
		refuse("there is no certainty %q", e.Certainty)
	}
	if slices.Contains([]string{e.Name, e.NameEn, e.Note, e.NoteEn, e.Source}, "") {
		refuse("name, nameEn, note, noteEn and source are required")
	}
	for _, c := range e.Categories {
		if m := categories.FindStringSubmatch(c); m == nil || m[2] != "" && m[2] <= m[1] {
			refuse("%q is no category and no range of categories", c)
		}
	}
	for _, k := range e.Kinds {
		if !slices.Contains(domain.KindsOf(domain.Down), k) {
			refuse("%q is no kind of down-referral", k)
		}
	}
	if e.Code == General != (len(e.Kinds) == 0) || e.Code == General && len(e.Categories) > 0 {
		refuse("%s alone has no kinds, and it has no categories", General)
	}
	if n := len(e.Visits); n == 0 || n > domain.MaxVisits {
		refuse("%d visits; from 1 to %d are allowed", n, domain.MaxVisits)
	}
	r.templates = append(r.templates, Template{
		PlanTemplate: domain.PlanTemplate{Code: e.Code, Condition: e.Condition, Visits: r.visits(e.Visits, visits)},
		Name:         e.Name, NameEn: e.NameEn, Categories: e.Categories, Kinds: e.Kinds,
		Note: e.Note, NoteEn: e.NoteEn, Source: e.Source, Certainty: e.Certainty,
	})
}

// maxDays is the two years that a plan may lie ahead.
const maxDays = 730

func (r *reader) visits(visits []*visit, nodes []yaml.Node) []domain.TemplateVisit {
	previous := -1
	var out []domain.TemplateVisit
	for i, v := range visits {
		refuse := func(format string, args ...any) { r.refuse(nodes[i].Line, format, args...) }
		if v == nil {
			refuse("an empty visit")
			continue
		}
		days := previous
		switch {
		case v.AfterDays == nil:
			refuse("afterDays is required")
		case *v.AfterDays <= previous || *v.AfterDays > maxDays:
			refuse("afterDays %d; it must be more than that of the visit before and at most %d", *v.AfterDays, maxDays)
		default:
			days = *v.AfterDays
		}
		if !slices.Contains(domain.VisitModes(), v.Mode) {
			refuse("there is no mode %q", v.Mode)
		}
		for j, item := range v.Items {
			if !slices.Contains(domain.VisitItems(), item) || slices.Contains(v.Items[:j], item) {
				refuse("item %q is unknown or there twice", item)
			}
		}
		previous = days
		out = append(out, domain.TemplateVisit{AfterDays: days, Mode: v.Mode, Items: v.Items})
	}
	return out
}
