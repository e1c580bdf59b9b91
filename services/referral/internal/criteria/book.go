package criteria

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Book is a set of criteria that compiled.
type Book struct {
	conditions  []condition
	rules       []*rule // in the order of their files
	values      []ValueDefinition
	definitions map[string]ValueDefinition // by name
	measures    map[string]measure         // by LOINC or local code
	stays       []stay
	categories  map[string]string // SNOMED CT → ICD-10
}

type condition struct {
	Condition
	is, suspected, acute []span
}

// measure is how a code is read.
type measure struct {
	ValueDefinition
	units map[string]conversion
}

type stay struct {
	Stay
	spans          []span
	minAge, maxAge *int
}

// span is a range of ICD-10 categories, or all codes under one subcategory.
type span struct{ from, to string }

var (
	spanForm = regexp.MustCompile(`^([A-Z][0-9]{2})(?:(\.[0-9])|-([A-Z][0-9]{2}))?$`)
	icdForm  = regexp.MustCompile(`^[A-Z][0-9]{2}`)
)

const categoryLength = 3

func parseSpan(written string) (span, error) {
	m := spanForm.FindStringSubmatch(written)
	switch {
	case m == nil:
		return span{}, fmt.Errorf("%q is no ICD-10 category like I10, range like I10-I15 or subcategory like E11.9", written)
	case m[2] != "":
		code := plain(written)
		return span{code, code}, nil
	case m[3] == "":
		return span{m[1], m[1]}, nil
	case m[3] < m[1]:
		return span{}, fmt.Errorf("the range %q runs backwards", written)
	}
	return span{m[1], m[3]}, nil
}

// plain is an ICD-10 code without dots, in capitals: "E11.9", "e11.900" and "E119" begin alike then.
func plain(icd string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(icd), ".", ""))
}

func (s span) has(icd string) bool {
	code := plain(icd)
	if !icdForm.MatchString(code) {
		return false
	}
	if len(s.from) > categoryLength {
		return strings.HasPrefix(code, s.from)
	}
	return s.from <= code[:categoryLength] && code[:categoryLength] <= s.to
}

func anyHas(spans []span, icd string) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.has(icd) })
}

func newCondition(c Condition) condition {
	return condition{Condition: c, is: spansOf(c.Categories), suspected: spansOf(c.Suspected), acute: spansOf(c.Acute)}
}

func spansOf(written []string) []span {
	var out []span
	for _, one := range written {
		// The loader has checked them.
		if s, err := parseSpan(one); err == nil {
			out = append(out, s)
		}
	}
	return out
}

func (b *Book) addValue(r valueRow) error {
	if err := checkValue(r); err != nil {
		return err
	}
	d := ValueDefinition{
		Name: r.Name, Label: r.Label, LabelEn: cmp.Or(r.LabelEn, r.Label), Type: r.Type, Unit: r.Unit, Display: r.Display,
		MaxAge: time.Duration(r.MaxAgeDays) * 24 * time.Hour, Min: r.Min, Max: r.Max, Codes: slices.Concat(r.LOINC, r.Local),
	}
	for _, code := range d.Codes {
		if other, taken := b.measures[code]; taken {
			return fmt.Errorf("the code %s is already that of %s", code, other.Name)
		}
		b.measures[code] = measure{d, r.Units}
	}
	b.values = append(b.values, d)
	b.definitions[d.Name] = d
	return nil
}

func (b *Book) addStay(r stayRow) error {
	if err := checkStay(r); err != nil {
		return err
	}
	s := stay{minAge: r.MinAge, maxAge: r.MaxAge, Stay: Stay{
		Code: r.Code, Text: r.Text, TextEn: cmp.Or(r.TextEn, r.Text), Days: r.Days, Source: r.Source, SourceURL: r.URL, Certainty: r.Certainty, Note: r.Note,
	}}
	for _, written := range r.ICD {
		parsed, err := parseSpan(written)
		if err != nil {
			return err
		}
		s.spans = append(s.spans, parsed)
	}
	b.stays = append(b.stays, s)
	return nil
}

func (b *Book) addCategory(r snomedRow) error {
	s, err := parseSpan(r.ICD)
	if err != nil || s.from != s.to || len(s.from) != categoryLength || !snomedCode.MatchString(r.Code) || !isCertainty(r.Certainty) {
		return errors.New("it needs a SNOMED CT code, one ICD-10 category and a certainty")
	}
	b.categories[r.Code] = r.ICD
	return nil
}

// Conditions lists the conditions, by code.
func (b *Book) Conditions() []Condition {
	return conditionsWhere(b, func(condition) bool { return true })
}

// ConditionsOf lists the conditions that an ICD-10 code is: not those that are only suspected at it, and not those that are for everybody.
func (b *Book) ConditionsOf(icd string) []Condition {
	return conditionsWhere(b, func(c condition) bool { return anyHas(c.is, icd) })
}

func conditionsWhere(b *Book, holds func(condition) bool) []Condition {
	var out []Condition
	for _, c := range b.conditions {
		if holds(c) {
			out = append(out, c.Condition)
		}
	}
	return out
}

// Rules lists the rules of a condition in the order of its file.
func (b *Book) Rules(condition string) []Rule {
	var out []Rule
	for _, r := range b.rules {
		if r.Condition == condition {
			out = append(out, r.Rule)
		}
	}
	return out
}

// Rule is the rule of a code. A referral may keep the code of a rule that its county has since switched off: then false.
func (b *Book) Rule(code string) (Rule, bool) {
	i := slices.IndexFunc(b.rules, func(r *rule) bool { return r.Code == code })
	if i < 0 {
		return Rule{}, false
	}
	return b.rules[i].Rule, true
}

// Values lists every value that a rule may name.
func (b *Book) Values() []ValueDefinition { return slices.Clone(b.values) }

// Inputs lists the values that the rules of a direction ask for at these diagnoses: own are what the rules of the diagnoses themselves name, general
// what else is asked of every patient, each in the order of the table. The age is not among them.
func (b *Book) Inputs(direction string, diagnoses []string) (own, general []ValueDefinition) {
	always := map[string]bool{}
	for _, c := range b.conditions {
		always[c.Code] = c.Always
	}
	asked := map[string]bool{}
	special := map[string]bool{}
	for _, r := range b.applicable(direction, diagnoses) {
		for _, name := range r.Values {
			asked[name] = true
			special[name] = special[name] || !always[r.Condition]
		}
	}
	for _, v := range b.values {
		switch {
		case v.Name == ageName || !asked[v.Name]:
		case special[v.Name]:
			own = append(own, v)
		default:
			general = append(general, v)
		}
	}
	return own, general
}

// Usual is the department that usually receives patients of these diagnoses, and whether one of them is an emergency while it is fresh. What a diagnosis
// is goes before what is suspected at it, the first diagnosis before the others; empty where no table names one.
func (b *Book) Usual(diagnoses []string) (department string, acute bool) {
	var suspected string
	for _, icd := range diagnoses {
		for _, c := range b.conditions {
			acute = acute || anyHas(c.acute, icd)
			switch {
			case c.Always:
			case anyHas(c.is, icd):
				department = cmp.Or(department, c.Department)
			case anyHas(c.suspected, icd):
				suspected = cmp.Or(suspected, c.Department)
			}
		}
	}
	return cmp.Or(department, suspected), acute
}

// FromObservation turns a measurement of another system into a value in the unit of its definition. False if no value has the code, the
// unit is not one that it knows, or the number is not one that a patient can have: nothing is guessed.
func (b *Book) FromObservation(code, unit string, number float64) (name string, value float64, ok bool) {
	m, known := b.measures[code]
	if !known {
		return "", 0, false
	}
	if unit != m.Unit {
		c, convertible := m.units[unit]
		if !convertible {
			return "", 0, false
		}
		number = number*cmp.Or(c.Factor, 1) + c.Offset
	}
	return m.Name, number, m.plausible(number)
}

// plausible tells whether a patient can have the number; what is not a number is not.
func (d ValueDefinition) plausible(number float64) bool {
	return !math.IsNaN(number) && d.Min <= number && number <= d.Max
}

// StayCeiling is the number of days after which a stay for a diagnosis is longer than usual, and the code of the row that says so. Where
// several apply the shortest counts. A row with a limit of age does not apply to a patient of unknown (negative) age.
func (b *Book) StayCeiling(icd string, age int) (days int, rule string, ok bool) {
	for _, s := range b.stays {
		if anyHas(s.spans, icd) && s.isFor(age) && (!ok || s.Days < days) {
			days, rule, ok = s.Days, s.Code, true
		}
	}
	return days, rule, ok
}

// Stay is the row that [Book.StayCeiling] names.
func (b *Book) Stay(code string) (Stay, bool) {
	i := slices.IndexFunc(b.stays, func(s stay) bool { return s.Code == code })
	if i < 0 {
		return Stay{}, false
	}
	return b.stays[i].Stay, true
}

func (s stay) isFor(age int) bool {
	if s.minAge == nil && s.maxAge == nil {
		return true
	}
	return age >= 0 && (s.minAge == nil || age >= *s.minAge) && (s.maxAge == nil || age <= *s.maxAge)
}

// Category is the ICD-10 category of a SNOMED CT condition; false for one that is not in the table.
func (b *Book) Category(snomed string) (icd string, ok bool) {
	icd, ok = b.categories[snomed]
	return icd, ok
}
