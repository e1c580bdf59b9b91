package text_test

import (
	"testing"
)

func TestTheChosenLanguageWinsOverTheBrowsers(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	for _, x := range []struct{ chosen, accept, want string }{
		{"", "", "zh-CN"}, {"en", "zh-CN", "en"}, {"", "en-GB,en;q=0.9", "en"}, {"", "de, en;q=0.5", "en"}, {"", "fr", "zh-CN"},
		{"xx", "zh-TW", "zh-CN"},
	} {
		if got := c.Language(x.chosen, x.accept); got != x.want {
			t.Errorf("%q, %q: %s, want %s", x.chosen, x.accept, got, x.want)
		}
	}
}
