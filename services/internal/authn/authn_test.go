package authn_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func person() authn.Identity {
	return authn.Identity{
		Subject: "0192f0c1-2b3c-7d4e-8f50-617283940a5b", Organization: "o1", Department: "0304", County: "450321",
		Name: "李医生", Roles: []string{"TOWNSHIP_DOCTOR", "CENTRE_HEAD"}, SessionID: "s1",
	}
}

func TestATokenBringsTheIdentityBack(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	v := authn.NewVerifier(authn.KeysOf(s.Signer), clock.NewFixed(noon))
	for _, want := range []authn.Identity{
		person(),
		{Subject: "service:scheduling", Service: "scheduling", County: "450321"},
		{Subject: "service:directory", Service: "directory"},
	} {
		got, err := v.Verify(t.Context(), sign(t, s, want))
		if err != nil {
			t.Errorf("%v: %v", want, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, want %#v", got, want)
		}
	}
}

func TestAServiceIsNoPersonAndHoldsNoRole(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for name, id := range map[string]authn.Identity{
		"nobody":                        {},
		"a person named like a service": {Subject: "service:referral", Roles: []string{"SYSTEM"}},
		"a service with roles":          {Service: "referral", Roles: []string{"SYSTEM"}},
		"a service with an account":     {Service: "referral", Subject: "0192f0c1"},
		"a service of another subject":  {Service: "referral", Subject: "service:directory"},
	} {
		if _, err := s.Sign(id, time.Minute, noon); err == nil {
			t.Errorf("%s got a token", name)
		}
	}
	// A token that somebody made by other means does not make a service with roles either.
	forged := forge(t, s, jwt.SigningMethodEdDSA, jwt.MapClaims{
		"iss": "tongzhen", "sub": "service:referral", "roles": []string{"SYSTEM"}, "org": "o1", "exp": noon.Add(time.Minute).Unix(),
	})
	id, err := authn.NewVerifier(authn.KeysOf(s.Signer), clock.NewFixed(noon)).Verify(t.Context(), forged)
	if err != nil || len(id.Roles) != 0 || id.Organization != "" || !id.IsService() {
		t.Errorf("got %#v, %v", id, err)
	}
}

func TestATokenEnds(t *testing.T) {
	t.Parallel()
	s, clk := newSigner(t), clock.NewFixed(noon)
	v := authn.NewVerifier(authn.KeysOf(s.Signer), clk)
	token := sign(t, s, person()) // one minute
	clk.Advance(59 * time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	clk.Advance(4 * time.Second) // its end and the two seconds that clocks may be apart
	expired(t, v, token)
	if _, err := s.Sign(person(), 0, noon); err == nil {
		t.Error("a token that is over already was made")
	}
}

func TestOnlyEdDSAOfAKnownKeyWithAnEndIsAccepted(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t), newSigner(t)
	v := authn.NewVerifier(authn.KeysOf(s.Signer), clock.NewFixed(noon))
	good := sign(t, s, person())
	parts := strings.Split(good, ".")
	whole := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": "tongzhen", "sub": "a1", "exp": noon.Add(time.Minute).Unix()}
	}
	without := func(key string) jwt.MapClaims { c := whole(); delete(c, key); return c }
	with := func(key string, value any) jwt.MapClaims { c := whole(); c[key] = value; return c }
	if _, err := v.Verify(t.Context(), forge(t, s, jwt.SigningMethodEdDSA, whole())); err != nil {
		t.Fatalf("the pattern of this test is refused: %v", err)
	}
	for name, token := range map[string]string{
		"empty":              "",
		"two parts":          parts[0] + "." + parts[1],
		"no signature":       parts[0] + "." + parts[1] + ".",
		"other content":      parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"x"}`)) + "." + parts[2],
		"key not known":      sign(t, other, person()),
		"alg none":           forge(t, s, jwt.SigningMethodNone, whole()),
		"alg HS256":          forge(t, s, jwt.SigningMethodHS256, whole()),
		"alg RS256":          forge(t, s, jwt.SigningMethodRS256, whole()),
		"no end":             forge(t, s, jwt.SigningMethodEdDSA, without("exp")),
		"no issuer":          forge(t, s, jwt.SigningMethodEdDSA, without("iss")),
		"other issuer":       forge(t, s, jwt.SigningMethodEdDSA, with("iss", "somebody")),
		"no subject":         forge(t, s, jwt.SigningMethodEdDSA, without("sub")),
		"service of no name": forge(t, s, jwt.SigningMethodEdDSA, with("sub", "service:")),
		"made tomorrow":      forge(t, s, jwt.SigningMethodEdDSA, with("iat", noon.Add(24*time.Hour).Unix())),
		"too long":           forge(t, s, jwt.SigningMethodEdDSA, with("name", strings.Repeat("x", 9000))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expired(t, v, token)
		})
	}
}

func TestWhenTheKeysCannotBeHadTheCallerIsToldToWait(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	away := func(context.Context, string) (ed25519.PublicKey, error) {
		return nil, errs.Unavailable("directory", errors.New("connection refused"))
	}
	_, err := authn.NewVerifier(away, clock.NewFixed(noon)).Verify(t.Context(), sign(t, s, person()))
	if got := errs.KindOf(err); got != errs.KindUnavailable {
		t.Errorf("got %v (%v), want unavailable", got, err)
	}
}

func TestAKeyFileIsMadeOnceAndReadByItsOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signing.pem")
	if err := authn.GenerateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := authn.GenerateKeyFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key in use was replaced: %v", err)
	}
	a, err := authn.LoadSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := authn.LoadSigner(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authn.NewVerifier(authn.KeysOf(a), clock.NewFixed(noon)).Verify(t.Context(), sign(t, signer{Signer: b}, person())); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	if _, err := authn.LoadSigner(path); err == nil {
		t.Error("a key that everybody may read was accepted")
	}
}

func TestASignerIsMadeOfAnEd25519KeyOnly(t *testing.T) {
	t.Parallel()
	key := newRSA(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty":   nil,
		"no PEM":  []byte("key"),
		"RSA":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"PKCS #1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"garbage": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("garbage")}),
	} {
		if _, err := authn.NewSigner(text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestASignerPrintsItsKeyIdAndAnIdentityItsSubject(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	kid, pub := s.Public()
	if kid != authn.KeyID(pub) || len(kid) != 16 {
		t.Errorf("key id %q", kid)
	}
	want := strings.TrimSpace(strings.Repeat("signer "+kid+" ", 4))
	if got := fmt.Sprintf("%v %+v %#v %x", s.Signer, s.Signer, s.Signer, s.Signer); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := fmt.Sprint(person()); got != person().Subject {
		t.Errorf("got %q", got)
	}
}

func TestASignatureOfBytesHoldsForItsPurposeAlone(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	_, pub := s.Public()
	sig := s.SignBytes("audit", []byte("head"))
	if !authn.VerifyBytes(pub, "audit", []byte("head"), sig) {
		t.Error("the signature does not hold")
	}
	if authn.VerifyBytes(pub, "other", []byte("head"), sig) || authn.VerifyBytes(pub, "audit", []byte("tail"), sig) ||
		authn.VerifyBytes(nil, "audit", []byte("head"), sig) {
		t.Error("the signature holds for something else")
	}
	// The bytes of a token, signed for a purpose, do not make a token.
	token := sign(t, s, person())
	cut := strings.LastIndex(token, ".")
	forged := token[:cut+1] + base64.RawURLEncoding.EncodeToString(s.SignBytes("", []byte(token[:cut])))
	expired(t, authn.NewVerifier(authn.KeysOf(s.Signer), clock.NewFixed(noon)), forged)
}

func TestAContextCarriesTheIdentityItWasGiven(t *testing.T) {
	t.Parallel()
	if _, ok := authn.FromContext(t.Context()); ok {
		t.Error("an empty context has an identity")
	}
	id, ok := authn.FromContext(authn.WithIdentity(t.Context(), person()))
	if !ok || id.Subject != person().Subject {
		t.Errorf("got %v, %v", id, ok)
	}
	if !id.Has("CENTRE_HEAD") || id.Has("SYSTEM") || id.IsService() {
		t.Errorf("roles of %#v", id)
	}
	if !authn.KnownRole("INTAKE_DESK") || authn.KnownRole("UNSPECIFIED") || authn.KnownRole("INTAKE_DESKS") {
		t.Error("roles are not those of the contract")
	}
}

func FuzzVerifyAcceptsNoForeignToken(f *testing.F) {
	s := newSigner(f)
	v := authn.NewVerifier(authn.KeysOf(newSigner(f).Signer), clock.NewFixed(noon))
	token, err := s.Sign(person(), time.Minute, noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if id, err := v.Verify(t.Context(), token); err == nil {
			t.Errorf("%q became %v", token, id)
		}
	})
}

func expired(t *testing.T, v *authn.Verifier, token string) {
	t.Helper()
	id, err := v.Verify(t.Context(), token)
	if errs.KindOf(err) != errs.KindUnauthenticated || errs.ReasonOf(err) != errs.ReasonSessionExpired {
		t.Errorf("got %v, %v, want SESSION_EXPIRED", id, err)
	}
}

// signer is a Signer whose private key the test holds too.
type signer struct {
	*authn.Signer
	private any
}

func newSigner(t testing.TB) signer {
	t.Helper()
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	s, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return signer{s, private}
}

func sign(t *testing.T, s signer, id authn.Identity) string {
	t.Helper()
	token, err := s.Sign(id, time.Minute, noon)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forge makes a token with claims of choice. HS256 takes the public key for its secret, the classic confusion.
func forge(t *testing.T, s signer, method jwt.SigningMethod, c jwt.MapClaims) string {
	t.Helper()
	kid, pub := s.Public()
	key := s.private
	switch method {
	case jwt.SigningMethodNone:
		key = jwt.UnsafeAllowNoneSignatureType
	case jwt.SigningMethodHS256:
		key = []byte(pub)
	case jwt.SigningMethodRS256:
		key = newRSA(t)
	}
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = kid
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestARememberedTokenEndsInTimeAndWithItsKey(t *testing.T) {
	t.Parallel()
	clk, signer := clock.NewFixed(noon), newSigner(t).Signer
	kid, pub := signer.Public()
	known, asked := true, 0
	v := authn.NewVerifier(func(_ context.Context, asks string) (ed25519.PublicKey, error) {
		asked++
		if !known || asks != kid {
			return nil, errors.New("no such key")
		}
		return pub, nil
	}, clk)
	token, err := signer.Sign(authn.Identity{Subject: "account-1", County: "450321", Roles: []string{"TOWNSHIP_DOCTOR"}}, 5*time.Minute, clk.Now())
	if err != nil {
		t.Fatal(err)
	}
	verify := func() error {
		id, err := v.Verify(t.Context(), token)
		if err == nil {
			if id.Subject != "account-1" || len(id.Roles) != 1 || id.Roles[0] != "TOWNSHIP_DOCTOR" {
				t.Errorf("identity %+v", id)
			}
			id.Roles[0] = "COUNTY_ADMIN" // must not reach the next caller
		}
		return err
	}
	for range 3 {
		if err := verify(); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 3 {
		t.Errorf("the key was asked for %d times in 3 calls", asked)
	}
	known = false
	if err := verify(); errs.KindOf(err) != errs.KindUnauthenticated {
		t.Errorf("with its key gone: %v", err)
	}
	known = true
	clk.Advance(5*time.Minute + 3*time.Second)
	if err := verify(); errs.KindOf(err) != errs.KindUnauthenticated {
		t.Errorf("after its end: %v", err)
	}
}
