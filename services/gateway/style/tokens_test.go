package style_test

import (
	"math"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/style"
)

// legible is what WCAG 2.2 AA asks of text.
const legible = 4.5

func TestWhatIsWrittenIsLegibleInBothSchemes(t *testing.T) {
	t.Parallel()
	tokens, err := style.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := style.Pairs(tokens)
	if err != nil || len(pairs) < 30 {
		t.Fatal(len(pairs), err)
	}
	for _, p := range pairs {
		if p.Light < legible || p.Dark < legible {
			t.Errorf("%s on %s: %.2f light, %.2f dark", p.Text, p.Ground, p.Light, p.Dark)
		}
	}
}

func TestContrastIsThatOfTheGuidelines(t *testing.T) {
	t.Parallel()
	pairs, err := style.Pairs([]style.Token{{Name: "paper", Light: "#ffffff", Dark: "#000000"}, {Name: "ink", Light: "#767676", Dark: "#ffffff"}})
	if err == nil {
		t.Errorf("colours are missing: %v", pairs)
	}
	tokens, err := style.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	for i := range tokens { // the greys whose contrast is known: #767676 on white 4.54, white on black 21
		tokens[i].Light, tokens[i].Dark = "#767676", "#ffffff"
		if tokens[i].Name == "paper" {
			tokens[i].Light, tokens[i].Dark = "#ffffff", "#000000"
		}
	}
	if pairs, err = style.Pairs(tokens); err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if p.Text == "ink" && p.Ground == "paper" && (math.Abs(p.Light-4.54) > 0.005 || math.Abs(p.Dark-21) > 0.001) {
			t.Errorf("%+v", p)
		}
	}
}
