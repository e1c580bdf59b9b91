package authn_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/authn"
)

func TestAPasswordFitsItsHashOnly(t *testing.T) {
	t.Parallel()
	hash, err := authn.HashPassword("通诊-tongzhen")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the cost is not the agreed one: %s", hash)
	}
	for pw, want := range map[string]bool{"通诊-tongzhen": true, "tongzhen": false, "": false, "通诊-tongzhen\x20": false} {
		if got := authn.CheckPassword(hash, pw); got != want {
			t.Errorf("CheckPassword(%q) = %v, want %v", pw, got, want)
		}
	}
	again, err := authn.HashPassword("通诊-tongzhen")
	if err != nil || again == hash {
		t.Errorf("the salt repeats: %v", err)
	}
	if _, err := authn.HashPassword(""); err == nil {
		t.Error("an empty password was hashed")
	}
}

func TestAHashThatCannotBeReadFitsNoPassword(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{
		"", "$", "plain", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=19456,t=2,p=0$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", strings.Repeat("$", 1000),
	} {
		if authn.CheckPassword(hash, "") || authn.CheckPassword(hash, "pw") {
			t.Errorf("%q fits", hash)
		}
	}
}

func TestMoreHashesThanSlotsAllEnd(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := authn.HashPassword("pw"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func FuzzCheckPasswordTakesAnyHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$")
	f.Fuzz(func(t *testing.T, hash string) {
		if authn.CheckPassword(hash, "pw") {
			t.Errorf("%q fits", hash)
		}
	})
}
