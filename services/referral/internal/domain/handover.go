package domain

import (
	"slices"
	"strings"
	"time"
)

// SlipDays is how long a slip is valid at least. Suggested here; the forms that have a time limit (转诊时限) name none.
const SlipDays = 14

// SlipValidity is from submission to the end of the day on which the patient is expected, but no less than SlipDays. What ended without the
// patient coming ends its slip. Nothing for what was never sent.
func (c Calendar) SlipValidity(s Snapshot) Window {
	if s.SubmitTime.IsZero() {
		return Window{}
	}
	until := s.SubmitTime.AddDate(0, 0, SlipDays)
	if s.Expected.To.After(until) {
		until = s.Expected.To
	}
	day, ok := c.Day(c.Today(until))
	if ok {
		until = day.To
	}
	if ended := []State{StateCancelled, StateDeclined}; slices.Contains(ended, s.State) && s.UpdateTime.Before(until) {
		until = s.UpdateTime
	}
	return Window{From: s.SubmitTime, To: until}
}

// compoundSurnames are the common surnames of two characters.
func compoundSurnames() []string {
	return []string{
		"欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯", "诸葛", "尉迟", "公羊", "赫连", "澹台", "皇甫", "宗政",
		"濮阳", "公冶", "太叔", "申屠", "公孙", "慕容", "仲孙", "钟离", "长孙", "宇文", "司徒", "鲜于", "司空", "令狐", "百里", "呼延", "西门", "南门",
	}
}

// Surname of a name: one character, two for a compound surname, the first word of a name in Latin letters.
func Surname(name string) string {
	name = strings.TrimSpace(name)
	letters := []rune(name)
	switch {
	case len(letters) == 0:
		return ""
	case len(letters) > 2 && slices.Contains(compoundSurnames(), string(letters[:2])):
		return string(letters[:2])
	case letters[0] < 0x2e80:
		first, _, _ := strings.Cut(name, " ")
		if first == name {
			return string(letters[:1])
		}
		return first
	}
	return string(letters[:1])
}

// HandedBackMedicine is one that the county ordered; Place is from 1. It never prints.
type HandedBackMedicine struct {
	Place int
	Medicine
	Stopped bool
}

// HandedBack is what the county hands back with a referral: the medicines of a conclusion's reply, or, once the patient is there, those of
// a down-referral as the township is to give them; which organisation ordered them, and when.
func (s Snapshot) HandedBack() (organization string, at time.Time, medicines []HandedBackMedicine) {
	switch {
	case s.Direction == Up && !s.ConcludeTime.IsZero():
		for i, m := range s.Reply.Medications {
			medicines = append(medicines, HandedBackMedicine{
				Place: i + 1, Medicine: Medicine{Name: m.Name, Specification: m.Specification, Dosage: m.Dosage},
			})
		}
		return s.Receiver.OrganizationID, s.ConcludeTime, medicines
	case s.Direction == Down && !s.ArriveTime.IsZero():
		for i, m := range s.Medicines {
			one := HandedBackMedicine{Place: i + 1, Medicine: m, Stopped: m.Decision == "STOPPED"}
			if m.Decision == "SUBSTITUTED" && m.Substitute != "" {
				one.Name, one.Specification = m.Substitute, ""
			}
			medicines = append(medicines, one)
		}
		return s.Originator.OrganizationID, s.SubmitTime, medicines
	}
	return "", time.Time{}, nil
}
