package words_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

const county = "450321"

// full fills every place with something as long as it gets.
func full() words.Values {
	return words.Values{
		"number": "450321-26-0000123-4", "urgency": "EMERGENCY", "from": "高田镇卫生院", "organization": "阳朔县人民医院", "department": "心血管内科",
		"when": "3月5日（周四）08:30", "where": "阳朔县人民医院 心血管内科 门诊楼三楼 305 诊室", "bring": strings.Repeat("检查前禁食八小时，", 12), "phone": "0773-8822120",
		"step": "ANSWER", "ring": "3", "verify": "https://tongzhen.yangshuo.example/verify/450321-26-0000123-4?k=ABCDEFGH", "link": "https://tongzhen.example/k/x",
	}
}

func book(t *testing.T) *words.Book {
	t.Helper()
	b, err := words.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryTextReadsWithEverythingAndWithNothingBesidesTheNumber(t *testing.T) {
	t.Parallel()
	const maxSMS = 500
	b := book(t)
	bare := words.Values{"number": "450321-26-0000123-4", "urgency": "ROUTINE", "step": "ANSWER", "ring": "1"}
	for _, language := range words.Languages() {
		for _, template := range b.Templates() {
			for _, v := range []words.Values{full(), bare} {
				got, err := b.Text(language, template, v, true)
				if err != nil || strings.ContainsAny(got, "{}") || strings.Contains(got, "  ") || utf8.RuneCountInString(got) > maxSMS {
					t.Errorf("%s %s: %q, %v", language, template, got, err)
				}
				if i := strings.Index(got, "["); i > 0 {
					t.Errorf("%s %s: a bracket is left in %q", language, template, got)
				}
			}
		}
		for _, code := range []string{"EMERGENCY", "URGENT", "ROUTINE", ""} {
			if got, err := b.Subject(language, words.Values{"number": "1", "urgency": code}, false); err != nil || !strings.Contains(got, "1") {
				t.Errorf("%s: %q, %v", language, got, err)
			}
		}
	}
}

// What may be about no referral has no number to say.
func TestWhatMayBeAboutNoReferralReadsWithoutANumber(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, language := range words.Languages() {
		for _, template := range strings.Fields(`OTHER TEST candidate_found glass_broken visit_declared consent_withdrawn encounter_opened encounter_closed encounter_cancelled
			booking_moved session_cancelled waitlist_offered waitlist_ended`) {
			got, err := b.Text(language, template, words.Values{}, false)
			if err != nil || strings.Contains(got, "  ") || strings.ContainsAny(got, "{}[]") {
				t.Errorf("%s %s: %q, %v", language, template, got, err)
			}
		}
	}
}

func TestBothLanguagesHaveTheSameTexts(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, template := range b.Templates() {
		if b.Plain("en", template) == "" {
			t.Errorf("%s has no English text", template)
		}
	}
}

// Nothing medical and no patient: there is no place for either, and none of the words.
func TestTextsTellNothingMedical(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, language := range words.Languages() {
		for _, template := range b.Templates() {
			text := strings.ToLower(b.Plain(language, template))
			for _, word := range []string{"诊断", "病情", "检查结果", "用药", "症状", "姓名", "身份证号", "diagnos", "symptom", "medicine", "result", "name"} {
				if strings.Contains(text, word) {
					t.Errorf("%s %s says %q", language, template, word)
				}
			}
		}
	}
}

func TestThePatientsTextSaysWhereWhenWhatToBringAndHowToCheck(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, template := range []string{"PATIENT_BOOKED", "PATIENT_MOVED", "PATIENT_REMINDER"} {
		for _, language := range words.Languages() {
			got, err := b.Text(language, template, full(), false)
			if err != nil {
				t.Fatal(err)
			}
			for place := range map[string]bool{"when": true, "where": true, "bring": true, "verify": true, "phone": true, "number": true} {
				if !strings.Contains(got, full()[place]) {
					t.Errorf("%s %s does not say %s: %s", language, template, place, got)
				}
			}
		}
	}
}

func TestAnEmptyPlaceIsRefusedOutsideBrackets(t *testing.T) {
	t.Parallel()
	b := book(t)
	if _, err := b.Text("en", "submitted", words.Values{"urgency": "URGENT"}, false); !errors.Is(err, words.ErrUnfilled) {
		t.Errorf("%v", err)
	}
	if _, err := b.Text("en", "PATIENT_UNHEARD_OF", full(), false); !errors.Is(err, words.ErrNoText) {
		t.Errorf("%v", err)
	}
	if got, err := b.Text("en", "unheard_of", words.Values{"number": "7"}, false); err != nil || got != "Tongzhen: there is news 7. Please sign in." {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTheCountysTextsReplaceTheShippedOnesOrStopTheStart(t *testing.T) {
	t.Parallel()
	b, err := words.New(fstest.MapFS{"en.yaml": {Data: []byte("texts:\n  submitted: \"" + county + " {number}\"\n")}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Text("en", "submitted", full(), true); err != nil || got != "[sent again] 450321 450321-26-0000123-4" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := b.Text("zh-CN", "submitted", full(), false); err != nil || !strings.Contains(got, "急诊转诊 450321-26-0000123-4，来自高田镇卫生院") {
		t.Errorf("%q, %v", got, err)
	}
	for name, text := range map[string]string{
		"a patient's name": "texts: {submitted: \"{patient}\"}", "an unknown key": "words: {}", "an open bracket": "texts: {submitted: \"[{number}\"}", "an empty text": "texts: {submitted: ''}",
	} {
		if _, err := words.New(fstest.MapFS{"zh-CN.yaml": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestSeveralMessagesGoAsOne(t *testing.T) {
	t.Parallel()
	subject, text, err := book(t).Digest("zh-CN", []string{"甲", "乙"})
	if err != nil || subject != "通诊：2 条消息" || text != "通诊汇总，共 2 条：\n1. 甲\n2. 乙" {
		t.Errorf("%q %q %v", subject, text, err)
	}
}
