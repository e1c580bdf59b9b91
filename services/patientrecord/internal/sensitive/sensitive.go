// Package sensitive reads what belongs to a sensitive class from data: classes.yaml, with where each class comes from and how certain that is.
package sensitive

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

//go:embed classes.yaml
var shipped []byte

type classFile struct{ Classes []classRow }

type classRow struct {
	Class, Source, Certainty, Note           string
	ICD, Codes, Departments, Treating, Words []string
}

// Shipped are the classes of this build.
func Shipped() (domain.Classifier, error) { return Read(shipped) }

// Read makes a classifier of a file of the shape of classes.yaml. The error joins everything that is wrong with it.
func Read(text []byte) (domain.Classifier, error) {
	var f classFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return domain.Classifier{}, fmt.Errorf("read sensitive classes: %w", err)
	}
	var problems []error
	rules := make([]domain.ClassRule, 0, len(f.Classes))
	for _, c := range f.Classes {
		problems = append(problems, c.check()...)
		rules = append(rules, domain.ClassRule{
			Class: domain.Class(c.Class), ICD: c.ICD, Codes: c.Codes, Departments: c.Departments, Words: c.Words, Treating: c.Treating,
		})
	}
	if err := errors.Join(problems...); err != nil {
		return domain.Classifier{}, err
	}
	return domain.NewClassifier(rules), nil
}

var (
	category   = regexp.MustCompile(`^[A-Z][0-9]{2}(-[A-Z][0-9]{2})?$`)
	department = regexp.MustCompile(`^([0-9]{2}){1,3}$`)
)

func (c classRow) check() (problems []error) {
	bad := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("sensitive class %q: "+format, append([]any{c.Class}, args...)...))
	}
	switch domain.Class(c.Class) {
	case domain.Mental, domain.HIV, domain.Sexual:
	default:
		bad("is not known")
	}
	if c.Source == "" || c.Certainty == "" {
		bad("source and certainty are missing")
	}
	for _, i := range c.ICD {
		if !category.MatchString(i) {
			bad("%q is no ICD-10 category", i)
		}
	}
	for _, d := range append(c.Departments[:len(c.Departments):len(c.Departments)], c.Treating...) {
		if !department.MatchString(d) {
			bad("%q is no department code", d)
		}
	}
	for _, w := range append(c.Words[:len(c.Words):len(c.Words)], c.Codes...) {
		if w == "" {
			bad("an empty word or code would match everything")
		}
	}
	return problems
}
