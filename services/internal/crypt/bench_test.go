package crypt_test

import (
	"bytes"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

// BenchmarkRing takes the column of a referral's form, about 800 bytes, and one search token.
func BenchmarkRing(b *testing.B) {
	ring := crypt.TestRing()
	plain := bytes.Repeat([]byte("x"), 800)
	sealed, err := ring.Seal("referral", "content", "r1", plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := ring.Seal("referral", "content", "r1", plain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := ring.Open("referral", "content", "r1", sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("token", func(b *testing.B) {
		for b.Loop() {
			ring.Token("name", "莫德昌")
		}
	})
}
