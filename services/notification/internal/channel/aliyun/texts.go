package aliyun

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Names of approved texts that are no template of the words: of whatever staff are told about a referral, of what has no number, and of a digest.
const (
	Staff  = "STAFF"
	Plain  = "STAFF_PLAIN"
	Digest = "DIGEST"
	// Again ends the name under which a text has the code of its repeat, whose words have to say so.
	Again         = "_AGAIN"
	patientPrefix = "PATIENT_"
)

// Variables that a text may have: places of the words, and the links, which only a text has whose approval covers them.
func Variables() []string {
	return []string{"number", "urgency", "from", "organization", "department", "when", "where", "bring", "phone", "step", "ring", "count", "verify", "link"}
}

// Kind is a text to apply for at Aliyun. Needed ones come with those of the same readers, and each with its repeat; without the others Staff or Plain stands in.
type Kind struct {
	Name, Text, AgainText string
	Needed                bool
}

// Variables of the text, in order.
func (k Kind) Variables() (names []string) {
	for _, m := range regexp.MustCompile(`\$\{([a-z]+)\}`).FindAllStringSubmatch(k.Text, -1) {
		names = append(names, m[1])
	}
	return names
}

// Kinds are those that services/doc/sms.md says how to apply for. No text has 【】, which are the signature's, and no two variables touch: both are refused.
func Kinds() []Kind {
	const bring, call = "请带身份证、医保卡和转诊单，注意事项：${bring}，咨询电话：${phone}。", "如有疑问请拨打${phone}。"
	return []Kind{
		{Staff, "您有一条${urgency}转诊消息，单号${number}，请登录转诊平台查看并处理。", "重发：您有一条${urgency}转诊消息，单号${number}，请登录转诊平台查看并处理。", true},
		{Plain, "您有一条转诊平台消息，请登录转诊平台查看并处理。", "重发：您有一条转诊平台消息，请登录转诊平台查看并处理。", true},
		{Digest, "您有${count}条转诊平台消息，请登录转诊平台查看。", "重发：您有${count}条转诊平台消息，请登录转诊平台查看。", false},
		{"alarm_rang", "急诊转诊${number}，来自${from}，尚无人确认，这是第${ring}次提醒，请立即处理。", "重发：急诊转诊${number}，来自${from}，尚无人确认，这是第${ring}次提醒，请立即处理。", false},
		{"deadline_passed", "${urgency}转诊${number}的${step}已超过时限，请尽快登录转诊平台处理。", "重发：${urgency}转诊${number}的${step}已超过时限，请尽快登录转诊平台处理。", false},
		{"PATIENT_BOOKED", "您的转诊${number}已安排，时间：${when}，地点：${where}。" + bring, "重发：您的转诊${number}已安排，时间：${when}，地点：${where}。" + bring, true},
		{"PATIENT_MOVED", "您的转诊${number}就诊安排有变更，新的时间：${when}，地点：${where}。" + bring, "重发：您的转诊${number}就诊安排有变更，新的时间：${when}，地点：${where}。" + bring, true},
		{"PATIENT_REMINDER", "就诊提醒：您的转诊${number}，时间：${when}，地点：${where}。" + bring, "重发：就诊提醒，您的转诊${number}，时间：${when}，地点：${where}。" + bring, true},
		{"PATIENT_SESSION_CANCELLED", "您的转诊${number}原定的就诊时段已取消，医院会另行安排并通知，请暂勿前往。" + call, "重发：您的转诊${number}原定的就诊时段已取消，医院会另行安排并通知，请暂勿前往。" + call, true},
		{"PATIENT_CANCELLED", "您的转诊${number}已取消，请勿前往。" + call, "重发：您的转诊${number}已取消，请勿前往。" + call, true},
	}
}

// Text is an approved text: its code, and the variables that are filled in.
type Text struct {
	Code      string
	Variables []string
}

// Texts by name.
type Texts map[string]Text

// Has tells whether any of the texts has the variable.
func (t Texts) Has(variable string) bool {
	for _, one := range t {
		if slices.Contains(one.Variables, variable) {
			return true
		}
	}
	return false
}

// ParseTexts reads settings: by name a code, and after it, where the approved text has others than Kinds lists, its variables, with blanks between. Besides
// the names of Kinds there are those of templates. The error tells everything that is wrong.
func ParseTexts(settings map[string]string, templates []string) (Texts, error) {
	code, usual := regexp.MustCompile(`^SMS_[0-9]+$`), map[string][]string{}
	names := slices.Clone(templates)
	for _, k := range Kinds() {
		usual[k.Name] = k.Variables()
		names = append(names, k.Name)
	}
	out := Texts{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		base := strings.TrimSuffix(name, Again)
		words := strings.Fields(settings[name])
		variables, known := usual[base]
		switch {
		case !slices.Contains(names, base):
			problems = append(problems, fmt.Errorf("%s: there is no such message", name))
			continue
		case len(words) == 0 || !code.MatchString(words[0]):
			problems = append(problems, fmt.Errorf("%s: the code of an approved text is needed, e.g. SMS_100000001", name))
			continue
		case len(words) > 1:
			variables = words[1:]
		case !known && name != base && settings[base] != "":
			variables = strings.Fields(settings[base])[1:]
		case !known:
			problems = append(problems, fmt.Errorf("%s: name the variables of its text after the code, e.g. SMS_100000001 number", name))
			continue
		}
		for i, v := range variables {
			if !slices.Contains(Variables(), v) || slices.Contains(variables[:i], v) {
				problems = append(problems, fmt.Errorf("%s: the variable %s is unknown or there twice; there are %s", name, v, strings.Join(Variables(), ", ")))
			}
		}
		out[name] = Text{words[0], variables}
	}
	problems = append(problems, whole(settings)...)
	return out, errors.Join(problems...)
}

// whole tells which of the needed texts are missing of staff and of patients; either may do without all of them.
func whole(settings map[string]string) (problems []error) {
	some := false
	for _, patients := range []bool{false, true} {
		var missing []string
		have := 0
		for name := range settings {
			if strings.HasPrefix(name, patientPrefix) == patients {
				have++
			}
		}
		for _, k := range Kinds() {
			for _, name := range []string{k.Name, k.Name + Again} {
				if k.Needed && strings.HasPrefix(name, patientPrefix) == patients && settings[name] == "" {
					missing = append(missing, name)
				}
			}
		}
		some = some || have > 0
		if have > 0 && len(missing) > 0 {
			problems = append(problems, fmt.Errorf("%s missing: texts of the same readers are there", strings.Join(missing, ", ")))
		}
	}
	if !some {
		problems = append(problems, errors.New("there is none: Aliyun sends approved texts only"))
	}
	return problems
}
