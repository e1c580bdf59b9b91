package rules_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

func TestEveryRowHasAText(t *testing.T) {
	t.Parallel()
	book, err := words.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	all := book.Templates()
	for _, r := range shipped().Rules {
		if !slices.Contains(all, r.Template) {
			t.Errorf("%s to %s has the text %s, which there is not", r.Event, r.To, r.Template)
		}
	}
	for _, l := range shipped().Ladders {
		if !slices.Contains(all, l.Template) {
			t.Errorf("the ladder of %s has the text %s, which there is not", l.Step, l.Template)
		}
	}
}
