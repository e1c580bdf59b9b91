package sensitive_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/sensitive"
)

func icd(code string) domain.Marks {
	return domain.Marks{Codes: []domain.Coding{{System: "http://hl7.org/fhir/sid/icd-10", Code: code}}}
}

func words(text ...string) domain.Marks { return domain.Marks{Words: text} }

func TestShippedClassesFindWhatTheyNameAndNothingElse(t *testing.T) {
	t.Parallel()
	c, err := sensitive.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		marks domain.Marks
		want  []domain.Class
	}{
		"schizophrenia":             {icd("F20.000"), []domain.Class{domain.Mental}},
		"bipolar":                   {icd("F31.9"), []domain.Class{domain.Mental}},
		"depression":                {icd("F32.1"), []domain.Class{domain.Mental}},
		"tobacco is no secret":      {icd("F17.2"), nil},
		"HIV disease":               {icd("B20.6"), []domain.Class{domain.HIV}},
		"carrier":                   {icd("Z21"), []domain.Class{domain.HIV}},
		"hepatitis is not HIV":      {icd("B18.1"), nil},
		"syphilis":                  {icd("a53.9"), []domain.Class{domain.Sexual}},
		"A65 begins other diseases": {icd("A65"), nil},
		"abortion":                  {icd("O04.9"), []domain.Class{domain.Sexual}},
		"childbirth":                {icd("O80.0"), nil},
		"hypertension":              {icd("I10"), nil},
		"HIV antibody":              {domain.Marks{Codes: []domain.Coding{{System: "http://loinc.org", Code: "56888-1"}}}, []domain.Class{domain.HIV}},
		"a LOINC that looks like F": {domain.Marks{Codes: []domain.Coding{{System: "http://loinc.org", Code: "F20"}}}, nil},
		"psychiatry":                {domain.Marks{Department: "1501"}, []domain.Class{domain.Mental}},
		"psychiatry, with dots":     {domain.Marks{Department: "A15.01"}, []domain.Class{domain.Mental}},
		"venereology":               {domain.Marks{Department: "1302"}, []domain.Class{domain.Sexual}},
		"dermatology":               {domain.Marks{Department: "1301"}, nil},
		"words":                     {words("双相情感障碍"), []domain.Class{domain.Mental}},
		"a medicine tells":          {words("奥氮平片 10mg"), []domain.Class{domain.Mental}},
		"an archive is no virus":    {words("Archived report", "shiva"), nil},
		"HIV among words":           {words("anti-HIV 阴性"), []domain.Class{domain.HIV}},
		"plain":                     {words("高血压", "氨氯地平"), nil},
	} {
		if got := c.Classes(test.marks); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if !c.Treats("1503", domain.Mental) || c.Treats("0304", domain.Mental) || c.Treats("", domain.Mental) {
		t.Error("who treats mental disorders")
	}
}

func TestAFileThatWouldHideTooMuchOrTooLittleIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"an unknown class":    "classes: [{class: RICH, source: s, certainty: F}]",
		"no source":           "classes: [{class: HIV, icd: [B20]}]",
		"a bad category":      "classes: [{class: HIV, source: s, certainty: F, icd: [B2]}]",
		"an empty word":       "classes: [{class: HIV, source: s, certainty: F, words: ['']}]",
		"a bad department":    "classes: [{class: HIV, source: s, certainty: F, treating: ['1']}]",
		"an unknown field":    "classes: [{class: HIV, source: s, certainty: F, wordz: [x]}]",
		"no YAML of the kind": "- 1",
	} {
		if _, err := sensitive.Read([]byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
