package criteria

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed rules/*.yaml values.yaml los.yaml snomed.yaml
var shipped embed.FS

// New loads the shipped rules, then a county's own folder over them; nil: the county has none. The folder holds the same kinds of file, in
// any depth: values.yaml, los.yaml, snomed.yaml, and every other .yaml file is rules. A row with a shipped code replaces that row, a new
// code adds one, `disabled: true` switches one off; in a rule file the head of a condition that exists need name only the condition and what
// differs. Hidden files are passed over, as a mounted folder has them; any other file is refused rather than ignored.
//
// The error joins everything that is wrong, each as "hypertension.yaml:34: rule UP-HTN-10: reason".
func New(overrides fs.FS) (*Book, error) {
	var l loader
	l.read(shipped, 0)
	if overrides != nil {
		l.read(overrides, 1)
	}
	b := l.book()
	if err := errors.Join(l.problems...); err != nil {
		return nil, err
	}
	return b, nil
}

// loader gathers the rows of both layers, then makes a book of them.
type loader struct {
	problems   []error
	conditions table[Condition]
	rules      table[draft]
	values     table[valueRow]
	stays      table[stayRow]
	snomed     table[snomedRow]
}

// draft is a rule that is not compiled yet.
type draft struct {
	Rule
	examples []exampleRow
}

// table keeps rows by code in the order in which the codes first came.
type table[R any] struct {
	order []string
	rows  map[string]row[R]
}

type row[R any] struct {
	place
	layer    int
	disabled bool
	content  R
}

func (t *table[R]) put(code string, r row[R]) error {
	old, exists := t.rows[code]
	switch {
	case exists && old.layer == r.layer:
		return r.errorf("%s is already at %s:%d", code, old.file, old.line)
	case r.disabled && !exists:
		return r.errorf("%s is switched off, but there is no %s", code, code)
	}
	if t.rows == nil {
		t.rows = map[string]row[R]{}
	}
	if !exists {
		t.order = append(t.order, code)
	}
	t.rows[code] = r
	return nil
}

// live are the rows that are not switched off.
func (t *table[R]) live() []row[R] {
	var out []row[R]
	for _, code := range t.order {
		if r := t.rows[code]; !r.disabled {
			out = append(out, r)
		}
	}
	return out
}

func (l *loader) report(err error) {
	if err != nil {
		l.problems = append(l.problems, err)
	}
}

func (l *loader) read(fsys fs.FS, layer int) {
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return err
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || d.Name() == "README.md":
			return nil
		case path.Ext(name) != ".yaml":
			l.report(fmt.Errorf("%s:1: only .yaml files are read here", name))
			return nil
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		l.readFile(name, content, layer)
		return nil
	})
	if err != nil {
		l.report(fmt.Errorf("read the criteria: %w", err))
	}
}

func (l *loader) readFile(name string, content []byte, layer int) {
	read := func(into any, list string) (origin, bool) {
		lines, err := decode(name, content, into, list)
		l.report(err)
		return origin{name, lines, layer}, err == nil
	}
	switch path.Base(name) {
	case "values.yaml":
		var f valueFile
		if o, ok := read(&f, "values"); ok {
			putAll(l, &l.values, f.Values, o, func(r valueRow) (string, bool) { return r.Name, r.Disabled })
		}
	case "los.yaml":
		var f stayFile
		if o, ok := read(&f, "stays"); ok {
			putAll(l, &l.stays, f.Stays, o, func(r stayRow) (string, bool) { return r.Code, r.Disabled })
		}
	case "snomed.yaml":
		var f snomedFile
		if o, ok := read(&f, "conditions"); ok {
			putAll(l, &l.snomed, f.Conditions, o, func(r snomedRow) (string, bool) { return r.Code, r.Disabled })
		}
	default:
		var f ruleFile
		if o, ok := read(&f, "rules"); ok {
			l.readRules(f, o)
		}
	}
}

// origin is where the rows of a file stand.
type origin struct {
	file  string
	lines []int
	layer int
}

func (o origin) place(i int) place {
	if i < len(o.lines) {
		return place{o.file, o.lines[i]}
	}
	return place{o.file, 1}
}

func putAll[R any](l *loader, t *table[R], rows []R, where origin, key func(R) (code string, disabled bool)) {
	for i, r := range rows {
		code, disabled := key(r)
		l.report(t.put(code, row[R]{where.place(i), where.layer, disabled, r}))
	}
}

func (l *loader) readRules(f ruleFile, where origin) {
	head := place{where.file, 1}
	c := f.over(l.conditions.rows[f.Condition].content)
	if err := checkCondition(c); err != nil {
		l.report(head.errorf("condition %q: %w", f.Condition, err))
		return
	}
	l.report(l.conditions.put(c.Code, row[Condition]{head, where.layer, false, c}))
	for i, r := range f.Rules {
		p := where.place(i)
		source, named := f.Sources[r.Source]
		if !named && !r.Disabled {
			l.report(p.errorf("rule %s: the source %q is not among the file's sources", r.Code, r.Source))
			continue
		}
		d := draft{Rule{
			Code: r.Code, Condition: c.Code, Direction: r.Direction, Urgency: r.Urgency, When: r.When, Text: r.Text, TextEn: r.TextEn,
			Source: source.Document, SourceURL: source.URL, Certainty: r.Certainty, Note: r.Note,
			Version: c.Version, Effective: c.Effective, Approver: c.Approver, County: where.layer > 0,
		}, r.Examples}
		l.report(l.rules.put(r.Code, row[draft]{p, where.layer, r.Disabled, d}))
	}
}

// over is a condition with what the head of a file says of it.
func (f ruleFile) over(c Condition) Condition {
	take := func(field *string, given string) {
		if given != "" {
			*field = given
		}
	}
	take(&c.Code, f.Condition)
	take(&c.Name, f.Name)
	take(&c.NameEn, f.NameEn)
	take(&c.Department, f.Department)
	take(&c.Version, f.Version)
	take(&c.Effective, f.Effective)
	take(&c.Approver, f.Approver)
	c.Always = c.Always || f.Always
	if f.ICD != nil {
		c.Categories = f.ICD
	}
	if f.Suspected != nil {
		c.Suspected = f.Suspected
	}
	if f.Acute != nil {
		c.Acute = f.Acute
	}
	if f.Handover != nil {
		c.Handover = nil
		for _, h := range f.Handover {
			c.Handover = append(c.Handover, Handover(h))
		}
	}
	return c
}

// book makes a book of what was read. What is wrong with a row is reported; then the book is not for use.
func (l *loader) book() *Book {
	b := &Book{measures: map[string]measure{}, categories: map[string]string{}, definitions: map[string]ValueDefinition{}}
	for _, r := range l.conditions.live() {
		b.conditions = append(b.conditions, newCondition(r.content))
	}
	slices.SortStableFunc(b.conditions, func(x, y condition) int { return strings.Compare(x.Code, y.Code) })
	for _, r := range l.values.live() {
		if err := b.addValue(r.content); err != nil {
			l.report(r.errorf("value %s: %w", r.content.Name, err))
		}
	}
	for _, r := range l.stays.live() {
		if err := b.addStay(r.content); err != nil {
			l.report(r.errorf("stay %s: %w", r.content.Code, err))
		}
	}
	for _, r := range l.snomed.live() {
		if err := b.addCategory(r.content); err != nil {
			l.report(r.errorf("condition %s: %w", r.content.Code, err))
		}
	}
	language, err := newLanguage(b.values)
	if err != nil {
		l.report(fmt.Errorf("values.yaml: %w", err))
		return b
	}
	for _, r := range l.rules.live() {
		compiled, err := language.compile(r.content)
		if err != nil {
			l.report(r.errorf("rule %s: %w", r.content.Code, err))
			continue
		}
		compiled.place = r.place
		b.rules = append(b.rules, compiled)
	}
	return b
}
