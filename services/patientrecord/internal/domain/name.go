package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// compoundSurnames are the surnames of two characters in use.
const compoundSurnames = " 欧阳 司马 上官 诸葛 夏侯 东方 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 司空 端木 南宫 西门 独孤 " +
	"轩辕 钟离 闾丘 濮阳 淳于 单于 太叔 申屠 公羊 公冶 宗政 澹台 赫连 拓跋 百里 呼延 东郭 南门 左丘 梁丘 第五 纳兰 完颜 叶赫 耶律 万俟 鲜于 仲孙 亓官 "

// NormaliseName trims, narrows full-width letters, folds runs of spaces (between Chinese characters they go: 王　五 is 王五), and
// writes every separator dot of minority names as "·".
// Characters outside the basic plane (𠮷) stay as they are.
func NormaliseName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '•', '・', '‧', '∙', '⋅', '．':
			return '·'
		case '（', '）':
			return r
		}
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return narrow(r)
	}, s)
	words := strings.Fields(s)
	var b strings.Builder
	for i, word := range words {
		if i > 0 && !(endsHan(words[i-1]) && beginsHan(word)) {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

func beginsHan(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.Is(unicode.Han, r)
}

func endsHan(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.Is(unicode.Han, r)
}

// Surname splits a name of Chinese characters; two-character surnames first. For any other name ok is false.
func Surname(name string) (surname, given string, ok bool) {
	r, n := utf8.DecodeRuneInString(name)
	if !unicode.Is(unicode.Han, r) {
		return "", "", false
	}
	_, m := utf8.DecodeRuneInString(name[n:])
	if two := name[:n+m]; len(two) < len(name) && strings.Contains(compoundSurnames, " "+two+" ") {
		return two, name[n+m:], true
	}
	return name[:n], name[n:], true
}

// MaskName keeps the surname, one ＊ for each further character: 欧阳＊＊. Of a Latin name the last word's first letter stays.
func MaskName(name string) string {
	if surname, given, ok := Surname(name); ok {
		return surname + strings.Repeat("＊", max(1, utf8.RuneCountInString(given)))
	}
	words := strings.Fields(name)
	if len(words) == 0 {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return string(r) + "＊＊"
}

// MaskNumber keeps the first 3 and last 4 characters; a number of 8 or fewer only its last 2.
func MaskNumber(s string) string {
	n := len(s)
	switch {
	case n == 0:
		return ""
	case n <= 8:
		tail := max(0, n-2)
		return strings.Repeat("*", tail) + s[tail:]
	}
	return s[:3] + strings.Repeat("*", n-7) + s[n-4:]
}
