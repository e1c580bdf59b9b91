package icd10_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/icd10"
)

func list(t testing.TB) *icd10.List {
	t.Helper()
	l, err := icd10.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSearchFindsByCodeWordsAndInitialsBestFirst(t *testing.T) {
	t.Parallel()
	l := list(t)
	for _, c := range []struct{ query, code string }{
		{"I63", "I63"},
		{"i63", "I63"},
		{"I63.9", "I63.9"},
		{"i10.X00X002", "I10.x00x002"},
		{"脑梗死", "I63"},
		{"ngs", "I63"},
		{"伤寒", "A01"},
		{"hl", "A00"},
	} {
		found := l.Search(c.query, 20)
		if len(found) == 0 || found[0].Code != c.code {
			t.Errorf("Search(%q) = %v, want %s first", c.query, found, c.code)
		}
	}
}

func TestEveryWordOfTheQueryMustFit(t *testing.T) {
	t.Parallel()
	found := list(t).Search("I 高血压", 20)
	if len(found) == 0 {
		t.Fatal("nothing found")
	}
	for _, d := range found {
		if !strings.HasPrefix(d.Code, "I") || !strings.Contains(d.Display, "高血压") {
			t.Errorf("%v does not fit both words", d)
		}
	}
}

func TestSearchIsBoundedAndTakesAnything(t *testing.T) {
	t.Parallel()
	l := list(t)
	if n := len(l.Search("A", 20)); n != 20 {
		t.Errorf("got %d, want 20", n)
	}
	for _, q := range []string{"", "   ", "没有这种病", "\x00", "é", "ＸＹ", "霍"} {
		if n := len(l.Search(q, 20)); n > 20 {
			t.Errorf("Search(%q) has %d", q, n)
		}
	}
}

func TestNameIsThatOfTheCategory(t *testing.T) {
	t.Parallel()
	l := list(t)
	if got := l.Name("A00.101"); got != "霍乱" {
		t.Errorf("got %q", got)
	}
	if got := l.Name("I"); got != "" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkSearchByInitials(b *testing.B) {
	l := list(b)
	for b.Loop() {
		l.Search("gxy", 20)
	}
}
