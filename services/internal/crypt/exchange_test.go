package crypt_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

func TestAnAddedKeyIsKnownBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	ring := parse(t, text)
	before := ring.Keys()
	added, id, err := crypt.AddKey(text, crypt.DataKeys)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Replace(added); err != nil {
		t.Fatal(err)
	}
	keys := ring.Keys()
	if keys.Data != before.Data || !slices.Contains(keys.AllData, id) {
		t.Fatalf("keys %+v: the added key %s should be known and not current", keys, id)
	}
	old := seal(t, ring, []byte("old"))
	current, err := crypt.MakeCurrent(added, crypt.DataKeys, id)
	if err != nil {
		t.Fatal(err)
	}
	// Another process uses the key while this one only knows it.
	fresh := seal(t, parse(t, current), []byte("new"))
	if got, err := ring.Open("patient", "name", "1", fresh); err != nil || string(got) != "new" {
		t.Errorf("a value of the process that goes ahead: %q, %v", got, err)
	}
	if err := ring.Replace(current); err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Open("patient", "name", "1", old); err != nil || string(got) != "old" || ring.Keys().Data != id {
		t.Errorf("old value %q, %v; current key %s, want %s", got, err, ring.Keys().Data, id)
	}
}

func TestARingNeverLosesAKey(t *testing.T) {
	t.Parallel()
	ring := parse(t, newRing(t))
	keys := ring.Keys()
	if err := ring.Replace(newRing(t)); err == nil {
		t.Fatal("a ring without the keys in use was taken over")
	}
	if got := ring.Keys(); got.Data != keys.Data || got.Index != keys.Index {
		t.Errorf("the ring changed to %+v", got)
	}
	if _, err := crypt.MakeCurrent(newRing(t), crypt.IndexKeys, "ffffffff"); err == nil {
		t.Error("a key that the ring does not hold became the current one")
	}
}

func TestAProcessTakesOverWhatTheFileSays(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	path := filepath.Join(t.TempDir(), "keyring.json")
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	ring := parse(t, text)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- crypt.Follow(ctx, ring, path) }()
	next := rotated(t, text, crypt.DataKeys)
	want := parse(t, next).Keys().Data
	write(next)
	deadline := time.After(10 * crypt.FollowEvery)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ring.Keys().Data != want {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the file's new key was not taken over")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Whoever rotates writes the file twice within a tick of the file system's clock, here to the same microsecond.
func TestAFileOfTheSameTimeIsAnotherFile(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	path := filepath.Join(t.TempDir(), "keyring.json")
	at := time.Date(2026, time.March, 18, 9, 0, 0, 0, time.UTC)
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path+".new", at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	wait := func(ring *crypt.Ring, want string) {
		t.Helper()
		deadline := time.After(10 * crypt.FollowEvery)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for ring.Keys().Data != want {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatal("the file's new key was not taken over")
			}
		}
	}
	second := rotated(t, text, crypt.DataKeys)
	third := rotated(t, second, crypt.DataKeys)
	write(second)
	ring := parse(t, text)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- crypt.Follow(ctx, ring, path) }()
	wait(ring, parse(t, second).Keys().Data)
	write(third)
	wait(ring, parse(t, third).Keys().Data)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAFormerKeyIsTakenAwayByNameOnly(t *testing.T) {
	t.Parallel()
	text := newRing(t)
	ring := parse(t, text)
	former := ring.Keys().Index
	if _, err := crypt.Retire(text, crypt.IndexKeys, former); err == nil {
		t.Error("the current key was taken away")
	}
	if _, err := crypt.Retire(text, crypt.IndexKeys, "ffffffff"); err == nil {
		t.Error("a key that is not there was taken away")
	}
	text, key, err := crypt.AddKey(text, crypt.IndexKeys)
	if err == nil {
		text, err = crypt.MakeCurrent(text, crypt.IndexKeys, key)
	}
	if err == nil {
		err = ring.Replace(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := len(ring.Tokens("name", "a")); n != 2 {
		t.Fatalf("%d tokens", n)
	}
	less, err := crypt.Retire(text, crypt.IndexKeys, former)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Replace(less); err != nil {
		t.Fatal(err)
	}
	if keys := ring.Keys(); slices.Contains(keys.AllIndex, former) || keys.Index != key || len(ring.Tokens("name", "a")) != 1 {
		t.Errorf("keys %+v", keys)
	}
	// A process that still has the key takes it over as well, and one with an older file does not bring it back.
	if err := ring.Replace(text); err != nil {
		t.Errorf("a ring with more keys: %v", err)
	}
}
