package aliyun

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
)

// maxValue is what a variable takes, in letters (https://help.aliyun.com/document_detail/44357.html: 1 to 35, none empty).
const maxValue = 35

// standIns are said where a value is empty, or may not be sent as it is. All are shorter than maxValue.
func standIns() map[string]string {
	const slip, hospital = "以转诊单为准", "以医院通知为准"
	return map[string]string{
		"number": slip, "urgency": "普通", "from": "基层机构", "organization": slip, "department": slip, "when": hospital, "where": slip, "bring": "无特殊要求",
		"step": "处理", "ring": "1", "count": "1",
	}
}

// fill answers the values of a text's variables: none empty, none too long, no link and no markup in any but those of the links, which are not cut.
func (a *Adapter) fill(t Text, m channel.Message) map[string]string {
	out := map[string]string{}
	for _, name := range t.Variables {
		value := m.Values[name]
		switch name {
		case "link":
			value = m.Link
			fallthrough
		case "verify":
			if value == "" {
				value = a.acc.PublicURL
			}
		case "phone":
			if !a.phone.MatchString(value) {
				value = a.acc.Phone
			}
		default:
			value = a.plain(name, value)
		}
		out[name] = value
	}
	return out
}

// plain is a value as Aliyun takes it.
func (a *Adapter) plain(name, value string) string {
	const (
		marks = "【】[]{}<>$『』「」〖〗★※→•①"
		long  = "请看转诊单上的说明"
	)
	value = strings.Map(func(r rune) rune {
		if strings.ContainsRune(marks, r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(value), " "))
	switch {
	case value == "" || a.address.MatchString(value):
		return standIns()[name]
	case utf8.RuneCountInString(value) <= maxValue:
		return value
	case name == "bring":
		return long // half an instruction is worse than none
	}
	return cut(value)
}

// cut leaves whole words, from the front, as many as fit; a room's number is not cut in two.
func cut(value string) string {
	letters := []rune(value)
	short := string(letters[:maxValue])
	if letters[maxValue] == ' ' {
		return short
	}
	if i := strings.LastIndexByte(short, ' '); i > 0 {
		return short[:i]
	}
	return short
}

// addresses are what reads as a link.
func addresses() *regexp.Regexp {
	return regexp.MustCompile(`(?i)://|www\.|[a-z0-9-]+\.(cn|com|net|org)\b`)
}

// Phone is what the variable phone takes: 5 to 13 digits, with dashes at most 15 letters.
func Phone() *regexp.Regexp { return regexp.MustCompile(`^[0-9][0-9-]{3,13}[0-9]$`) }
