package domain_test

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

func TestAOneTimePasswordIsReadOffPaper(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}$`)
	seen := map[string]bool{}
	for range 200 {
		p, err := domain.OneTimePassword(rand.Reader)
		if err != nil || !form.MatchString(p) || seen[p] || domain.CheckPassword("password", "k7mq", p) != nil {
			t.Fatalf("%q, %v", p, err)
		}
		seen[p] = true
	}
	// Bytes that would make some letters likelier are left out.
	if p, err := domain.OneTimePassword(bytes.NewReader(append(bytes.Repeat([]byte{255, 248}, 3), bytes.Repeat([]byte{30}, 12)...))); err != nil || p != "9999-9999-9999" {
		t.Errorf("%q, %v", p, err)
	}
	if _, err := domain.OneTimePassword(strings.NewReader("short")); err == nil {
		t.Error("a password was made without chance")
	}
}

func TestAChosenPasswordIsNotOneThatIsTriedFirst(t *testing.T) {
	t.Parallel()
	for password, reason := range map[string]string{
		"": domain.ReasonRequired, "1234567": domain.ReasonOutOfRange, strings.Repeat("x", domain.PasswordMax+1): domain.ReasonOutOfRange,
		"Li.Xiao-Ming": domain.ReasonInvalid, "Abc12345": domain.ReasonInvalid, "P@ssw0rd": domain.ReasonInvalid,
		"12345678": domain.ReasonCombination, "abcdefgh": domain.ReasonCombination, "--------": domain.ReasonCombination, "只有汉字也是一种字符": domain.ReasonCombination,
		"tongzhen-demo": "", "k7mq-2fdx-9wbn": "", "桂林山水甲天下1": "",
	} {
		err := domain.CheckPassword("newPassword", "li.xiao-ming", password)
		if want := map[bool]string{true: "newPassword " + reason}[reason != ""]; (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %v", password, err)
		}
	}
}
