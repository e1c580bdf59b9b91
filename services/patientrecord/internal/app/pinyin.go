package app

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// surnameReadings are surnames that are read otherwise than the dictionary's first reading of their characters.
var surnameReadings = map[string][]string{
	"曾": {"zeng"}, "单": {"shan"}, "仇": {"qiu"}, "解": {"xie"}, "区": {"ou"}, "乐": {"yue", "le"}, "查": {"zha"},
	"翟": {"zhai"}, "盖": {"ge", "gai"}, "朴": {"piao"}, "任": {"ren"}, "冼": {"xian"}, "洗": {"xian"}, "覃": {"qin", "tan"},
	"尉": {"wei"}, "宓": {"mi"}, "缪": {"miao"}, "员": {"yun"}, "种": {"chong"}, "繁": {"po"}, "折": {"she"}, "黑": {"he"},
	"秘": {"bi"}, "佴": {"nai"}, "郗": {"xi", "chi"}, "谌": {"chen", "shen"}, "隗": {"wei", "kui"}, "逄": {"pang"},
	"召": {"shao"}, "祭": {"zhai"}, "能": {"nai"}, "葛": {"ge"}, "华": {"hua"}, "纪": {"ji"}, "柏": {"bai"}, "燕": {"yan"},
	"宁": {"ning"}, "曲": {"qu"}, "车": {"che"}, "石": {"shi"}, "万": {"wan"}, "俞": {"yu"}, "贾": {"jia"}, "沈": {"shen"},
	"尉迟": {"yu chi"}, "万俟": {"mo qi"}, "澹台": {"tan tai"}, "长孙": {"zhang sun"}, "单于": {"chan yu"}, "令狐": {"ling hu"},
	"亓官": {"qi guan"}, "鲜于": {"xian yu"}, "宗政": {"zong zheng"}, "濮阳": {"pu yang"}, "呼延": {"hu yan"},
}

// maxSyllables bounds what is indexed of a very long name.
const maxSyllables = 8

// A reading is a name in syllables, and where the given name begins.
type reading struct {
	syllables []string
	given     int
}

// readings are the ways in which a name of Chinese characters may be read: the surname by the table, and by every reading of its
// first character; the rest as the dictionary has it first. A character without a reading (𠮷) has an empty syllable.
func readings(name string) []reading {
	surname, given, ok := domain.Surname(name)
	if !ok {
		return nil
	}
	rest := syllablesOf(given)
	var heads [][]string
	for _, r := range surnameReadings[surname] {
		heads = append(heads, strings.Fields(r))
	}
	first, n := utf8.DecodeRuneInString(surname)
	tail := syllablesOf(surname[n:])
	all := pinyin.SinglePinyin(first, pinyin.Args{Style: pinyin.Normal, Heteronym: true})
	if len(all) == 0 {
		all = []string{""}
	}
	for _, s := range all {
		heads = append(heads, append([]string{s}, tail...))
	}
	var out []reading
	for _, head := range heads {
		r := reading{syllables: append(slices.Clone(head), rest...), given: len(head)}
		if len(r.syllables) > maxSyllables {
			r.syllables = r.syllables[:maxSyllables]
		}
		r.given = min(r.given, len(r.syllables))
		if !slices.ContainsFunc(out, func(o reading) bool { return slices.Equal(o.syllables, r.syllables) }) {
			out = append(out, r)
		}
	}
	return out
}

func syllablesOf(s string) []string {
	var out []string
	for _, r := range s {
		one := ""
		if all := pinyin.SinglePinyin(r, pinyin.Args{Style: pinyin.Normal}); len(all) > 0 {
			one = all[0]
		}
		out = append(out, one)
	}
	return out
}

// whole is the reading written as one word.
func (r reading) whole() string { return strings.Join(r.syllables, "") }

// prefixes are the words that a person may type for the reading: from the surname on, from the given name on, and every syllable.
func (r reading) prefixes() []string {
	var out []string
	for _, from := range []int{0, r.given} {
		for to := from + 1; to <= len(r.syllables); to++ {
			out = append(out, strings.Join(r.syllables[from:to], ""))
		}
	}
	return append(out, r.syllables...)
}

// initials are the first letters of the syllables.
func (r reading) initials() string {
	var b strings.Builder
	for _, s := range r.syllables {
		if s != "" {
			b.WriteByte(s[0])
		}
	}
	return b.String()
}

// spellings are the ways in which people type ü: v, u and yu.
func spellings(s string) []string {
	if !strings.Contains(s, "v") {
		return []string{s}
	}
	return []string{s, strings.ReplaceAll(s, "v", "u"), strings.ReplaceAll(s, "v", "yu")}
}

// Initials are the first letters of the syllables of Chinese words, as they are typed to find them: 血常规 is xcg. Other characters are left out.
func Initials(words string) string { return reading{syllables: syllablesOf(words)}.initials() }
