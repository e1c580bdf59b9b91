package style

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Token is a colour of the style sheet by its name there, "ink", as "#rrggbb".
type Token struct{ Name, Light, Dark string }

// Pair is a colour and what it is written on, both by name, with their contrast by WCAG 2.2 (1 to 21).
type Pair struct {
	Text, Ground string
	Light, Dark  float64
}

var (
	colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6}|[0-9a-f]{3});`)
	scheme = regexp.MustCompile(`(?s):root \{(.*?)\n\s*\}`)
)

// Tokens are all colours in the order of the style sheet. Errors: a colour that one scheme has and the other has not.
func Tokens() ([]Token, error) {
	text, err := files.ReadFile("app.css")
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	blocks := scheme.FindAllStringSubmatch(string(text), 2)
	if len(blocks) != 2 {
		return nil, fmt.Errorf("read tokens: %d colour schemes", len(blocks))
	}
	dark := map[string]string{}
	for _, m := range colour.FindAllStringSubmatch(blocks[1][1], -1) {
		dark[m[1]] = whole(m[2])
	}
	var tokens []Token
	for _, m := range colour.FindAllStringSubmatch(blocks[0][1], -1) {
		if dark[m[1]] == "" {
			return nil, fmt.Errorf("read tokens: --%s has no dark colour", m[1])
		}
		tokens = append(tokens, Token{m[1], whole(m[2]), dark[m[1]]})
		delete(dark, m[1])
	}
	if len(dark) > 0 {
		return nil, fmt.Errorf("read tokens: only dark: %v", dark)
	}
	return tokens, nil
}

// whole makes #rrggbb of three or six digits.
func whole(digits string) string {
	if len(digits) == 3 {
		digits = strings.Repeat(digits[:1], 2) + strings.Repeat(digits[1:2], 2) + strings.Repeat(digits[2:], 2)
	}
	return "#" + digits
}

// Pairs are the colours that pages write with, each on what they write it on, by the ground. Errors: a colour that is not among the tokens.
func Pairs(tokens []Token) ([]Pair, error) {
	light, dark := map[string]string{}, map[string]string{}
	for _, t := range tokens {
		light[t.Name], dark[t.Name] = t.Light, t.Dark
	}
	var pairs []Pair
	for ground, texts := range map[string]string{
		"paper": "ink soft accent up down advice emergency urgent routine good", "ground": "ink soft accent up down advice emergency urgent routine good",
		"hover": "ink soft accent", "accent": "on-accent", "accent-soft": "ink accent", "emergency": "paper",
		"emergency-soft": "ink soft emergency accent", "urgent-soft": "ink soft urgent accent", "good-soft": "ink soft good",
	} {
		for text := range strings.FieldsSeq(texts) {
			p := Pair{Text: text, Ground: ground}
			var err error
			if p.Light, err = contrast(light[text], light[ground]); err != nil {
				return nil, fmt.Errorf("%s on %s: %w", text, ground, err)
			}
			if p.Dark, err = contrast(dark[text], dark[ground]); err != nil {
				return nil, fmt.Errorf("%s on %s: %w", text, ground, err)
			}
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int {
		return cmp.Or(strings.Compare(a.Ground, b.Ground), strings.Compare(a.Text, b.Text))
	})
	return pairs, nil
}

// contrast by WCAG 2.2, 1.4.3.
func contrast(a, b string) (float64, error) {
	one, err := luminance(a)
	if err != nil {
		return 0, err
	}
	two, err := luminance(b)
	if err != nil {
		return 0, err
	}
	return (max(one, two) + 0.05) / (min(one, two) + 0.05), nil
}

func luminance(hex string) (float64, error) {
	value, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		return 0, fmt.Errorf("read colour %q: %w", hex, err)
	}
	linear := func(shift int) float64 {
		c := float64(value>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0), nil
}
