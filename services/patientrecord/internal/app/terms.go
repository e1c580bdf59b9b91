package app

import (
	"strings"
	"unicode"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// TermKind is what a search term was made from. The numbers are stored.
type TermKind int16

// Kinds of terms.
const (
	// TermName: the whole name and every prefix.
	TermName TermKind = iota + 1
	// TermPair: two neighbouring characters.
	TermPair
	// TermPinyin: whole, and prefixes that end with a syllable.
	TermPinyin
	// TermInitials: two or more first letters.
	TermInitials
	// TermLatin: prefixes of two or more letters of a word in Latin script.
	TermLatin
	TermPhone
	TermPhoneTail
	TermNumber
	TermNumberTail
	// TermHealthRecord: 居民健康档案编号, whole.
	TermHealthRecord
	// TermHealthTail: the last four of it.
	TermHealthTail
	// TermInsurance: 医保号, whole.
	TermInsurance
	// TermInsuranceTail: the last four of it.
	TermInsuranceTail
	// TermVillage: the village's name and its prefixes of two or more characters.
	TermVillage
	// TermVillagePair: two neighbouring characters of it.
	TermVillagePair
	// The rest are what records of one person are found by, see matches.go; nobody can type them.
	TermGuardianPhone
	TermNameBirth
	TermSoundBirth
	TermGuardianBirth
	TermNameVillage
)

// String is the kind's name, which goes into the hash.
func (k TermKind) String() string {
	names := [...]string{"", "name", "pair", "pinyin", "initials", "latin", "phone", "phone_tail", "number", "number_tail", "health_record",
		"health_tail", "insurance", "insurance_tail", "village", "village_pair", "guardian_phone", "name_birth", "sound_birth", "guardian_birth", "name_village"}
	if k < 1 || int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// Term is one text that a patient is found by.
type Term struct {
	Kind TermKind
	Text string
}

// Word is one word of a query, and the terms any of which it may be.
type Word struct {
	Text string
	Any  []Term
}

const (
	tail = 4
	// longestName bounds the prefixes of a name, in characters.
	longestName = 20
	maxWords    = 6
)

// Terms is everything that a patient is found by, each once.
func Terms(d domain.Details) []Term {
	t := terms{seen: map[Term]bool{}}
	t.name(d.Name)
	if phone, ok := domain.NormalisePhone(d.Phone); ok {
		t.add(TermPhone, phone)
		t.add(TermPhoneTail, last(phone))
	} else if digits := digitsOf(d.Phone); len(digits) >= tail {
		t.add(TermPhone, digits)
		t.add(TermPhoneTail, last(digits))
	}
	if n := domain.NormaliseNumber(d.IdentityNumber); len(n) >= tail {
		t.add(TermNumber, n)
		t.add(TermNumberTail, last(n))
	}
	if n := d.HealthRecordNumber; n != "" {
		t.add(TermHealthRecord, n)
		t.add(TermHealthTail, last(n))
	}
	if n := d.InsuranceNumber; n != "" {
		t.add(TermInsurance, n)
		t.add(TermInsuranceTail, last(n))
	}
	t.village(d.Village)
	t.blocks(d)
	return t.list
}

// AllTerms are those of records that are of one person, each once.
func AllTerms(records ...domain.Details) []Term {
	t := terms{seen: map[Term]bool{}}
	for _, d := range records {
		for _, one := range Terms(d) {
			t.add(one.Kind, one.Text)
		}
	}
	return t.list
}

// ParseQuery splits what a person typed into words. A word that nobody can be found by has no terms.
func ParseQuery(q string) []Word {
	var out []Word
	// Split before it is written as a name, which has no spaces between Chinese characters: 莫 白沙 is a name and a village.
	for _, text := range strings.Fields(q) {
		for _, text := range strings.Fields(strings.ToLower(domain.NormaliseName(text))) {
			if len(out) < maxWords {
				out = append(out, word(text))
			}
		}
	}
	together(out)
	return out
}

// together lets neighbouring words of Chinese characters also be one name or village that somebody typed with spaces: 欧阳 红.
func together(words []Word) {
	for from := range words {
		text := ""
		for to := from; to < len(words) && strings.ContainsFunc(words[to].Text, isHan); to++ {
			if text += words[to].Text; to == from {
				continue
			}
			runes := []rune(text)
			whole := string(runes[:min(len(runes), longestName)])
			for i := from; i <= to; i++ {
				words[i].Any = append(words[i].Any, Term{TermName, whole}, Term{TermVillage, whole})
			}
		}
	}
}

func word(text string) Word {
	w := Word{Text: text}
	add := func(k TermKind, s string) { w.Any = append(w.Any, Term{k, s}) }
	switch {
	case isNumberWord(text):
		w.Text = domain.NormaliseNumber(text)
		if phone, ok := domain.NormalisePhone(text); ok {
			w.Text = phone
			add(TermPhone, phone)
		}
		switch {
		case len(w.Text) >= 17:
			add(TermNumber, w.Text)
			add(TermHealthRecord, w.Text)
			add(TermInsurance, w.Text)
		default:
			add(TermPhoneTail, last(w.Text))
			add(TermNumberTail, last(w.Text))
			add(TermNumber, w.Text)
			add(TermHealthTail, last(w.Text))
			add(TermInsuranceTail, last(w.Text))
			add(TermInsurance, w.Text)
		}
	case strings.ContainsFunc(text, isHan):
		w.Text = joined(text)
		runes := []rune(w.Text)
		add(TermName, string(runes[:min(len(runes), longestName)]))
		if len(runes) >= 2 {
			add(TermVillage, string(runes[:min(len(runes), longestName)]))
		}
		if len(runes) == 2 {
			add(TermPair, w.Text)
			add(TermVillagePair, w.Text)
		}
	case len(text) >= 2:
		// A word in Latin script may be pinyin, initials, or a name as it is written. A document's number may begin with letters.
		letters := plainLatin(text)
		w.Text = letters
		add(TermPinyin, letters)
		add(TermInitials, letters)
		runes := []rune(letters)
		add(TermLatin, string(runes[:min(len(runes), longestName)]))
		if number := domain.NormaliseNumber(text); strings.ContainsFunc(number, unicode.IsDigit) {
			add(TermNumber, number)
			add(TermInsurance, number)
		}
	}
	return w
}

type terms struct {
	list []Term
	seen map[Term]bool
}

func (t *terms) add(k TermKind, text string) {
	one := Term{k, text}
	if text == "" || t.seen[one] {
		return
	}
	t.seen[one] = true
	t.list = append(t.list, one)
}

func (t *terms) name(name string) {
	name = strings.ToLower(domain.NormaliseName(name))
	for i, part := range nameParts(name) {
		if !strings.ContainsFunc(part, isHan) {
			t.latin(part)
			continue
		}
		if i == 0 {
			part = joined(name)
		}
		runes := []rune(part)
		for n := 1; n <= min(len(runes), longestName); n++ {
			t.add(TermName, string(runes[:n]))
		}
		for n := 0; n+2 <= len(runes) && n < longestName; n++ {
			t.add(TermPair, string(runes[n:n+2]))
		}
		t.pinyin(part)
	}
}

func (t *terms) village(village string) {
	runes := []rune(plainVillage(village))
	for n := 2; n <= min(len(runes), longestName); n++ {
		t.add(TermVillage, string(runes[:n]))
	}
	for n := 0; n+2 <= len(runes) && n < longestName; n++ {
		t.add(TermVillagePair, string(runes[n:n+2]))
	}
}

func plainVillage(village string) string {
	return joined(strings.ToLower(domain.NormaliseName(village)))
}

func (t *terms) pinyin(name string) {
	for _, r := range readings(name) {
		for _, prefix := range r.prefixes() {
			for _, s := range spellings(prefix) {
				t.add(TermPinyin, s)
			}
		}
		letters := r.initials()
		for n := 2; n <= len(letters); n++ {
			t.add(TermInitials, letters[:n])
		}
	}
}

func (t *terms) latin(part string) {
	runes := []rune(plainLatin(part))
	for n := 2; n <= min(len(runes), longestName); n++ {
		t.add(TermLatin, string(runes[:n]))
	}
}

// plainLatin leaves apostrophes out and writes ü as v, as pinyin keyboards do.
func plainLatin(s string) string {
	return strings.NewReplacer("ü", "v", "'", "", "’", "").Replace(s)
}

// nameParts are the words of a name: 买买提·艾力, Elisha Bradtke-Smith.
func nameParts(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '·' || r == '-' || r == '.' })
}

// joined is a name of Chinese characters without its dots and spaces.
func joined(name string) string { return strings.Join(nameParts(name), "") }

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// isNumberWord: digits, at least four of them; an identity number may end in x.
func isNumberWord(s string) bool {
	digits := digitsOf(strings.TrimSuffix(strings.TrimPrefix(s, "+"), "x"))
	rest := strings.Trim(s, "+x-0123456789")
	return rest == "" && len(digits) >= tail-1 && len(domain.NormaliseNumber(s)) >= tail
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func last(s string) string { return s[max(0, len(s)-tail):] }
