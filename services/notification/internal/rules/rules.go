// Package rules reads who is told of what: the table that is shipped, and a county's own rows over it. It owns the form of the files; what the
// words mean is the domain's. A file that cannot be read whole is refused with its name, the line and the reason.
package rules

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

//go:embed rules.yaml
var shipped embed.FS

// The shapes of a file.
type file struct {
	Channels *channels
	Rules    []row
	Ladders  []rung
}

type channels struct{ Emergency, Urgent, Routine []string }

type row struct {
	Event, To, When, Template string
	Channels                  *channels
	Disabled                  bool
}

type rung struct {
	Step, Direction, First, Second, Top, Template string
	Channels                                      *channels
	Disabled                                      bool
}

// New reads the shipped table, then every .yaml file of a county's folder over it; nil: the county has none. Hidden files are passed over, as a
// mounted folder has them; any other file is refused rather than ignored. The error joins all that is wrong, each as "rules.yaml:34: reason".
func New(county fs.FS) (domain.Table, error) {
	var l loader
	l.folder(shipped, false)
	if county != nil {
		l.folder(county, true)
	}
	if err := errors.Join(l.problems...); err != nil {
		return domain.Table{}, err
	}
	return l.table, nil
}

type loader struct {
	table    domain.Table
	standard domain.Offers
	problems []error
	// of the file that is read
	name   string
	county bool
}

func (l *loader) folder(fsys fs.FS, county bool) {
	l.county = county
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
			l.problems = append(l.problems, fmt.Errorf("%s:1: only .yaml files are read here", name))
			return nil
		}
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		l.name = name
		l.file(content)
		return nil
	})
	if err != nil {
		l.problems = append(l.problems, fmt.Errorf("read the rules: %w", err))
	}
}

func (l *loader) errorf(line int, format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("%s:%d: %w", l.name, line, fmt.Errorf(format, args...)))
}

func (l *loader) file(content []byte) {
	var f file
	strict := yaml.NewDecoder(bytes.NewReader(content))
	strict.KnownFields(true)
	if err := strict.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		l.problems = append(l.problems, fmt.Errorf("%s: %w", l.name, err))
		return
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(content, &tree); err != nil {
		l.problems = append(l.problems, fmt.Errorf("%s: %w", l.name, err))
		return
	}
	if f.Channels != nil {
		l.standard = l.channels(1, f.Channels)
	}
	lines := linesOf(&tree, "rules")
	for i, r := range f.Rules {
		l.rule(lines[i], r)
	}
	lines = linesOf(&tree, "ladders")
	for i, r := range f.Ladders {
		l.ladder(lines[i], r)
	}
}

// linesOf are where the items of a list stand.
func linesOf(tree *yaml.Node, list string) (lines []int) {
	if len(tree.Content) == 0 {
		return nil
	}
	root := tree.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == list {
			for _, item := range root.Content[i+1].Content {
				lines = append(lines, item.Line)
			}
		}
	}
	return lines
}

func (l *loader) channels(line int, c *channels) domain.Offers {
	if c == nil {
		return l.standard
	}
	all := domain.DefaultCountyRules().Allowed
	for _, name := range slices.Concat(c.Emergency, c.Urgent, c.Routine) {
		if !slices.Contains(all, name) {
			l.errorf(line, "there is no channel %q", name)
		}
	}
	return domain.Offers{Emergency: c.Emergency, Urgent: c.Urgent, Routine: c.Routine}
}

func (l *loader) rule(line int, r row) {
	to, when := domain.To(r.To), domain.When(r.When)
	switch {
	case !domain.KnownEvent(r.Event):
		l.errorf(line, "there is no fact %q", r.Event)
	case !to.Valid():
		l.errorf(line, "there is no recipient %q", r.To)
	case !when.Valid():
		l.errorf(line, "there is no condition %q", r.When)
	case to == domain.Patient && !strings.HasPrefix(r.Template, "PATIENT_") && !r.Disabled:
		l.errorf(line, "a patient is told with a text of its own, PATIENT_…; this row has %q", r.Template)
	}
	next := domain.Rule{Event: r.Event, To: to, When: when, Channels: l.channels(line, r.Channels), Template: r.Template, County: l.county}
	if next.Template == "" {
		next.Template = r.Event
	}
	at := slices.IndexFunc(l.table.Rules, func(o domain.Rule) bool { return o.Event == next.Event && o.To == to && o.When == when })
	switch {
	case at >= 0 && l.table.Rules[at].County == l.county:
		l.errorf(line, "%s to %s is said twice", r.Event, r.To)
	case r.Disabled && at < 0:
		l.errorf(line, "%s to %s is switched off, but there is no such row", r.Event, r.To)
	case r.Disabled:
		l.table.Rules = slices.Delete(l.table.Rules, at, at+1)
	case at >= 0:
		l.table.Rules[at] = next
	default:
		l.table.Rules = append(l.table.Rules, next)
	}
}

func (l *loader) ladder(line int, r rung) {
	if !slices.Contains(domain.Steps(), r.Step) {
		l.errorf(line, "there is no step %q", r.Step)
	}
	if !slices.Contains([]string{domain.Either, domain.Up, domain.Down}, r.Direction) {
		l.errorf(line, "there is no direction %q", r.Direction)
	}
	for _, to := range []string{r.First, r.Second, r.Top} {
		if t := domain.To(to); to != "" && (!t.Valid() || t == domain.Patient) {
			l.errorf(line, "there is no recipient %q on a ladder", to)
		}
	}
	next := domain.Ladder{
		Step: r.Step, Direction: r.Direction, First: domain.To(r.First), Second: domain.To(r.Second), Top: domain.To(r.Top),
		Channels: l.channels(line, r.Channels), Template: r.Template, County: l.county,
	}
	if next.Template == "" {
		next.Template = domain.DeadlinePassed
	}
	at := slices.IndexFunc(l.table.Ladders, func(o domain.Ladder) bool { return o.Step == r.Step && o.Direction == r.Direction })
	switch {
	case at >= 0 && l.table.Ladders[at].County == l.county:
		l.errorf(line, "the ladder of %s is said twice", r.Step)
	case r.Disabled && at < 0:
		l.errorf(line, "the ladder of %s is switched off, but there is none", r.Step)
	case r.Disabled:
		l.table.Ladders = slices.Delete(l.table.Ladders, at, at+1)
	case at >= 0:
		l.table.Ladders[at] = next
	default:
		l.table.Ladders = append(l.table.Ladders, next)
	}
}
