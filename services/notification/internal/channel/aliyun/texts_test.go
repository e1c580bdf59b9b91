package aliyun_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel/aliyun"
)

// What Aliyun refuses of a text: the signature's brackets, variables that touch or come twice, more than 500 letters.
func TestTextsToApplyForAreAsAliyunApprovesThem(t *testing.T) {
	page, err := os.ReadFile("../../../../doc/sms.md")
	if err != nil {
		t.Fatal(err)
	}
	touching := regexp.MustCompile(`\}\s*\$\{`)
	for _, k := range aliyun.Kinds() {
		again := aliyun.Kind{Text: k.AgainText}
		if !slices.Equal(k.Variables(), again.Variables()) || !strings.HasPrefix(k.AgainText, "重发：") {
			t.Errorf("%s: the repeat is another text, or does not say so: %s", k.Name, k.AgainText)
		}
		if v := k.Variables(); len(slices.Compact(slices.Sorted(slices.Values(v)))) != len(v) {
			t.Errorf("%s: a variable comes twice", k.Name)
		}
		for _, text := range []string{k.Text, k.AgainText} {
			if touching.MatchString(text) || strings.ContainsAny(text, "【】[]") || utf8.RuneCountInString(text) > 450 || strings.Contains(text, "${verify}") {
				t.Errorf("%s: %s", k.Name, text)
			}
			if !strings.Contains(string(page), text) {
				t.Errorf("services/doc/sms.md lacks %s: %s", k.Name, text)
			}
		}
	}
}

func TestSettingsOfTextsAreWholeOrToldAtOnce(t *testing.T) {
	good := map[string]string{
		"STAFF": "SMS_1", "STAFF_AGAIN": "SMS_2", "STAFF_PLAIN": "SMS_3", "STAFF_PLAIN_AGAIN": "SMS_4", "submitted": "SMS_5 number from", "submitted_AGAIN": "SMS_6",
	}
	texts, err := aliyun.ParseTexts(good, []string{"submitted"})
	if err != nil || !slices.Equal(texts["STAFF"].Variables, []string{"urgency", "number"}) || !slices.Equal(texts["submitted_AGAIN"].Variables, []string{"number", "from"}) ||
		texts["submitted"].Code != "SMS_5" || texts.Has("phone") || !texts.Has("from") {
		t.Errorf("%v, %v", texts, err)
	}
	for name, value := range map[string]string{
		"unheard_of": "SMS_9", "submitted": "SMS_5", "STAFF": "100", "STAFF_AGAIN": "", "DIGEST": "SMS_9 count name", "alarm_rang": "SMS_9 number number",
		"PATIENT_BOOKED": "SMS_9",
	} {
		bad := maps.Clone(good)
		bad[name] = value
		if _, err := aliyun.ParseTexts(bad, []string{"submitted"}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if _, err := aliyun.ParseTexts(nil, nil); err == nil {
		t.Error("no text at all passes")
	}
}
