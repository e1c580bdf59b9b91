package id_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/id"
)

func TestNewIdsAreValidDistinctAndGrowing(t *testing.T) {
	t.Parallel()
	last := ""
	for range 10_000 {
		s := id.New()
		if !id.Valid(s) {
			t.Fatalf("%q is not valid", s)
		}
		if s[14] != '7' {
			t.Fatalf("%q is not version 7", s)
		}
		if s <= last {
			t.Fatalf("%q does not follow %q", s, last)
		}
		last = s
	}
}

func TestOnlyTheCanonicalTextIsValid(t *testing.T) {
	t.Parallel()
	good := "0192f0c1-2b3c-7d4e-8f50-617283940a5b"
	for text, want := range map[string]bool{
		good:                               true,
		strings.ToUpper(good):              false,
		"{" + good + "}":                   false,
		"urn:uuid:" + good:                 false,
		strings.ReplaceAll(good, "-", ""):  false,
		"":                                 false,
		good[:35]:                          false,
		good + " ":                         false,
		strings.Replace(good, "a", "g", 1): false,
	} {
		if got := id.Valid(text); got != want {
			t.Errorf("Valid(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestTheSameFactGivesTheSameId(t *testing.T) {
	t.Parallel()
	a := id.FromFact("notification", "0192f0c1", "org:1")
	if b := id.FromFact("notification", "0192f0c1", "org:1"); a != b {
		t.Errorf("%s and %s differ", a, b)
	}
	if !id.Valid(a) || a[14] != '8' {
		t.Errorf("%s is not a UUIDv8", a)
	}
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}} {
		got := id.FromFact(parts...)
		if other, dup := seen[got]; dup {
			t.Errorf("%q and %q give the same id", parts, other)
		}
		seen[got] = parts
	}
}
