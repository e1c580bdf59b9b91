package text_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestBothLanguagesTakeTheSameArguments(t *testing.T) {
	t.Parallel()
	argument := regexp.MustCompile(`\{[a-zA-Z]+\}`)
	chinese, english := entries(t, "zh-CN"), entries(t, "en")
	for key, words := range chinese {
		if key == "reason-text" { // picks the language of data
			continue
		}
		a, b := argument.FindAllString(words, -1), argument.FindAllString(english[key], -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: zh-CN takes %v, en takes %v", key, a, b)
		}
	}
}

func entries(t *testing.T, language string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(language + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string]string{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(body, &all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
