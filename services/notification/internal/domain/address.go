package domain

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// ForPersons are the channels on which a person has an address, ForGroups those on which a group has one.
func ForPersons() []string { return []string{WeComApp, Email, SMS} }

// ForGroups are the channels of groups.
func ForGroups() []string { return []string{WeComRobot, DingTalkRobot, Email, Webhook} }

// Reaches tells whether a channel can have an address of the kind.
func Reaches(channel string, group bool) bool {
	if group {
		return slices.Contains(ForGroups(), channel)
	}
	return slices.Contains(ForPersons(), channel)
}

const hidden = "***"

// Masked is what is shown of an address: enough to recognise it, not to use it.
func Masked(channel, value string) string {
	switch channel {
	case SMS:
		const head, tail = 3, 4
		if len(value) <= head+tail {
			return hidden
		}
		return value[:head] + "****" + value[len(value)-tail:]
	case Email:
		at := strings.LastIndexByte(value, '@')
		if at < 1 {
			return hidden
		}
		return first(value) + hidden + value[at:]
	case Webhook:
		scheme, rest, ok := strings.Cut(value, "://")
		host, _, _ := strings.Cut(rest, "/")
		if !ok || host == "" || strings.ContainsAny(host, "@?#") {
			return hidden
		}
		return scheme + "://" + host + "/…"
	case WeComApp:
		return first(value) + hidden
	}
	const tail = 4
	if len(value) <= 2*tail {
		return hidden
	}
	return "…" + value[len(value)-tail:]
}

func first(value string) string {
	_, size := utf8.DecodeRuneInString(value)
	return value[:size]
}

// PrintedNumber is a referral's number with its parts told apart; what is no number stays as it is.
func PrintedNumber(n string) string {
	const county, year, sequence, whole = 6, 8, 15, 16
	if len(n) != whole {
		return n
	}
	return n[:county] + "-" + n[county:year] + "-" + n[year:sequence] + "-" + n[sequence:]
}
