package criteria_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tongzhen/tongzhen/services/referral/internal/criteria"
)

func TestEveryRuleCompilesAndItsExamplesHold(t *testing.T) {
	if err := criteria.Check(nil); err != nil {
		t.Fatal(err)
	}
}

func book(t testing.TB) *criteria.Book {
	t.Helper()
	b, err := criteria.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func codes[T any](all []T, code func(T) string) []string {
	var out []string
	for _, one := range all {
		out = append(out, code(one))
	}
	slices.Sort(out)
	return out
}

// examplesByRule are the results of the shipped examples.
func examplesByRule(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no rules", err)
	}
	out := map[string][]string{}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Rules []struct {
				Code     string
				Examples []struct{ Result string }
			}
		}
		if err := yaml.Unmarshal(content, &f); err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Rules {
			out[r.Code] = nil
			for _, e := range r.Examples {
				out[r.Code] = append(out[r.Code], e.Result)
			}
		}
	}
	return out
}
