package crypt_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

func TestWhatWasSealedOpensInItsPlace(t *testing.T) {
	t.Parallel()
	ring := crypt.TestRing()
	rapid.Check(t, func(t *rapid.T) {
		table, column, row := rapid.String().Draw(t, "table"), rapid.String().Draw(t, "column"), rapid.String().Draw(t, "row")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := ring.Seal(table, column, row, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ring.Open(table, column, row, sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %x, %v, want %x", got, err, plain)
		}
	})
}

func TestASealedValueShowsNothingAndNeverRepeats(t *testing.T) {
	t.Parallel()
	ring := crypt.TestRing()
	plain := []byte("marked patient data")
	a := seal(t, ring, plain)
	b := seal(t, ring, plain)
	if bytes.Equal(a, b) {
		t.Error("the same text twice gives the same bytes")
	}
	if bytes.Contains(a, plain) {
		t.Error("the text can be read")
	}
}

func TestASealedValueOpensNowhereElse(t *testing.T) {
	t.Parallel()
	ring := crypt.TestRing()
	sealed := seal(t, ring, []byte("word"))
	for _, place := range [][3]string{
		{"patient", "name", "2"}, {"patient", "phone", "1"}, {"referral", "name", "1"},
		{"patien", "tname", "1"}, {"patient", "name1", ""}, {"", "", ""},
	} {
		if _, err := ring.Open(place[0], place[1], place[2], sealed); !errors.Is(err, crypt.ErrTampered) {
			t.Errorf("%v: got %v, want ErrTampered", place, err)
		}
	}
}

func TestEveryChangedBitAndEveryCutIsNoticed(t *testing.T) {
	t.Parallel()
	ring := crypt.TestRing()
	sealed := seal(t, ring, []byte("word"))
	for i := range sealed {
		for bit := range 8 {
			forged := bytes.Clone(sealed)
			forged[i] ^= 1 << bit
			_, err := ring.Open("patient", "name", "1", forged)
			if want := crypt.ErrTampered; i >= 4 && !errors.Is(err, want) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
			if want := crypt.ErrUnknownKey; i < 4 && !errors.Is(err, want) {
				t.Fatalf("key id byte %d bit %d: %v", i, bit, err)
			}
		}
		if _, err := ring.Open("patient", "name", "1", sealed[:i]); err == nil {
			t.Fatalf("%d of %d bytes were accepted", i, len(sealed))
		}
	}
}

func TestAfterRotationOldValuesOpenAndNewOnesNeedTheNewRing(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	before := parse(t, text)
	old := seal(t, before, []byte("old"))
	after := parse(t, rotated(t, text, crypt.DataKeys))
	if got, err := after.Open("patient", "name", "1", old); err != nil || string(got) != "old" {
		t.Errorf("old value: %q, %v", got, err)
	}
	fresh := seal(t, after, []byte("new"))
	if bytes.Equal(fresh[:4], old[:4]) {
		t.Error("the new key is not used")
	}
	if _, err := before.Open("patient", "name", "1", fresh); !errors.Is(err, crypt.ErrUnknownKey) {
		t.Errorf("got %v, want ErrUnknownKey", err)
	}
	if !bytes.Equal(before.Token("name", "x"), after.Token("name", "x")) {
		t.Error("a new data key changed the tokens")
	}
}

func TestTokensFollowTheIndexKeys(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	before := parse(t, text)
	a := before.Token("name", "张三")
	if len(a) != 16 || !bytes.Equal(a, before.Token("name", "张三")) {
		t.Fatalf("token %x is not 16 bytes that repeat", a)
	}
	for _, other := range [][2]string{{"phone", "张三"}, {"name", "张四"}, {"name张", "三"}, {"", "name张三"}} {
		if bytes.Equal(a, before.Token(other[0], other[1])) {
			t.Errorf("%v has the same token", other)
		}
	}
	after := parse(t, rotated(t, text, crypt.IndexKeys))
	all := after.Tokens("name", "张三")
	if len(all) != 2 || !bytes.Equal(all[0], after.Token("name", "张三")) || !bytes.Equal(all[1], a) {
		t.Errorf("tokens %x, want the new and then the old %x", all, a)
	}
	if got, err := after.Open("patient", "name", "1", seal(t, before, []byte("w"))); err != nil || string(got) != "w" {
		t.Errorf("a new index key broke the data: %v", err)
	}
}

func TestARingIsReadFromAFileThatNobodyElseMayRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ring.json")
	if err := crypt.GenerateRingFile(path); err != nil {
		t.Fatal(err)
	}
	first, err := crypt.LoadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, first, []byte("word"))
	if err := crypt.GenerateRingFile(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a ring in use was replaced: %v", err)
	}
	second, err := crypt.LoadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open("patient", "name", "1", sealed); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.LoadRing(path); err == nil {
		t.Error("a ring that everybody may read was accepted")
	}
}

func TestABrokenRingIsRefusedAndNotQuoted(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("QUJD", 10) + "QUI="
	good := fmt.Sprintf(`{"current":"00000001","keys":{"00000001":%q}}`, strings.Repeat("QUJD", 10)+"QUI=")
	if _, err := crypt.ParseRing(fmt.Appendf(nil, `{"data":%s,"index":%s}`, good, good)); err != nil {
		t.Fatalf("the pattern of this test is refused: %v", err)
	}
	for name, text := range map[string]string{
		"empty":           ``,
		"no index":        fmt.Sprintf(`{"data":%s}`, good),
		"unknown field":   fmt.Sprintf(`{"data":%s,"index":%s,"more":1}`, good, good),
		"something after": fmt.Sprintf(`{"data":%s,"index":%s}{}`, good, good),
		"current missing": fmt.Sprintf(`{"data":{"current":"00000002","keys":{"00000001":%q}},"index":%s}`, key, good),
		"short key":       fmt.Sprintf(`{"data":{"current":"00000001","keys":{"00000001":"QUJD"}},"index":%s}`, good),
		"bad id":          fmt.Sprintf(`{"data":{"current":"1","keys":{"1":%q}},"index":%s}`, key, good),
		"upper case id":   fmt.Sprintf(`{"data":{"current":"0000000A","keys":{"0000000A":%q}},"index":%s}`, key, good),
		"bad base64":      fmt.Sprintf(`{"data":{"current":"00000001","keys":{"00000001":"%s!"}},"index":%s}`, key, good),
	} {
		_, err := crypt.ParseRing([]byte(text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "QUJD") {
			t.Errorf("%s: the error quotes a key: %v", name, err)
		}
	}
}

func TestARingPrintsNoKey(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	var file struct {
		Data struct{ Keys map[string][]byte }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("%v %+v %#v %s %x", parse(t, text), parse(t, text), parse(t, text), parse(t, text), parse(t, text))
	for _, key := range file.Data.Keys {
		for _, leak := range []string{hex.EncodeToString(key), string(key), fmt.Sprint(key)} {
			if strings.Contains(out, leak) {
				t.Errorf("a key is in %s", out)
			}
		}
	}
	if !strings.HasPrefix(out, "ring(") {
		t.Errorf("got %s", out)
	}
}

func FuzzOpenNeverAcceptsForeignBytes(f *testing.F) {
	ring := crypt.TestRing()
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1})
	f.Add(bytes.Repeat([]byte{0, 0, 0, 1}, 12))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := ring.Open("patient", "name", "1", sealed); err == nil {
			t.Errorf("%x opened", sealed)
		}
	})
}

func FuzzParseRingRefusesOrWorks(f *testing.F) {
	text, err := crypt.NewRing()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"data":{},"index":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := crypt.ParseRing(text)
		if err != nil {
			return
		}
		if got, err := ring.Open("patient", "name", "1", seal(t, ring, []byte("word"))); err != nil || string(got) != "word" {
			t.Errorf("a ring that was accepted does not work: %v", err)
		}
		ring.Token("name", "x")
	})
}

func seal(t *testing.T, ring *crypt.Ring, plain []byte) []byte {
	t.Helper()
	sealed, err := ring.Seal("patient", "name", "1", plain)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// rotated is the ring with a new current key.
func rotated(t *testing.T, ring []byte, use crypt.Use) []byte {
	t.Helper()
	text, id, err := crypt.AddKey(ring, use)
	if err == nil {
		text, err = crypt.MakeCurrent(text, use, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newRing(t *testing.T) []byte {
	t.Helper()
	text, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parse(t *testing.T, text []byte) *crypt.Ring {
	t.Helper()
	ring, err := crypt.ParseRing(text)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
