package seed

import (
	"strings"

	"github.com/mozillazg/go-pinyin"
)

// english is 阳朔县 as "Yangshuo County".
func (p place) english() string {
	name, kind := cutKind(p.name, "自治县", "自治旗", "县", "市", "区", "旗")
	return strings.TrimSpace(spell(name) + " " + map[string]string{
		"自治县": "Autonomous County", "自治旗": "Autonomous Banner", "县": "County", "市": "City", "区": "District", "旗": "Banner",
	}[kind])
}

// english is 白沙镇 as "Baisha Township".
func (t township) english() string {
	name, kind := cutKind(t.name, "街道办事处", "街道", "民族乡", "镇", "乡")
	switch kind {
	case "":
		return spell(name)
	case "街道", "街道办事处":
		return spell(name) + " Subdistrict"
	}
	return spell(name) + " Township"
}

// centreEnglish is what centreName says.
func (t township) centreEnglish() string {
	if strings.HasSuffix(t.centreName(), "社区卫生服务中心") {
		return t.english() + " Community Health Centre"
	}
	return t.english() + " Health Centre"
}

// cutKind takes the first of the kinds that a name ends with off it, if anything is left.
func cutKind(name string, kinds ...string) (short, kind string) {
	for _, kind := range kinds {
		if short, ok := strings.CutSuffix(name, kind); ok && short != "" {
			return short, kind
		}
	}
	return name, ""
}

// spell writes a place name in pinyin, as one capitalised word: a syllable that begins with a vowel is set off, as in
// Xi'an.
func spell(name string) string {
	var b strings.Builder
	for i, syllable := range pinyin.LazyConvert(name, nil) {
		if i > 0 && strings.ContainsAny(syllable[:1], "aeo") {
			b.WriteByte('\'')
		}
		if i == 0 {
			syllable = strings.ToUpper(syllable[:1]) + syllable[1:]
		}
		b.WriteString(syllable)
	}
	return b.String()
}
