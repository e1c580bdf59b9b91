// Package crypt keeps patient data unreadable in the databases. It owns the key rings, the sealing of columns and the
// tokens by which sealed text is searched. It refuses to know what is sealed, and how a text is normalised before it
// becomes a token.
//
// Invariants:
//  1. A sealed value opens only in the table, column and row it was sealed for.
//  2. Keys are added, and taken away only by name (Retire): everything sealed before stays readable.
//  3. Data keys and index keys are different rings: whoever can search cannot read.
//
// A Ring is safe for concurrent use, also while its keys are exchanged for more of them.
package crypt

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

const (
	keySize   = 32
	keyIDSize = 4
	tokenSize = 16
)

// ErrUnknownKey means that the value was sealed with a key that the ring does not hold.
var ErrUnknownKey = errors.New("unknown key id")

// ErrTampered means that the value is not what was sealed for this table, column and row.
var ErrTampered = errors.New("sealed value does not fit its place")

// keyID is the first bytes of a sealed value, in the ring's file as hexadecimal digits.
type keyID [keyIDSize]byte

// Ring holds the data keys and the index keys. It prints as the ids of its current keys.
type Ring struct{ held atomic.Pointer[held] }

// held is what a ring holds at one moment; it never changes.
type held struct {
	file    ringFile
	current keyID
	data    map[keyID]cipher.AEAD
	index   [][]byte // the current one first
	label   string
}

// Format keeps the keys out of whatever prints the ring.
func (r *Ring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.held.Load().label) }

// Seal encrypts a column of a row with the current data key: key id ‖ nonce ‖ AES-256-GCM, bound to its place.
// The nonce is random, so a key is good for 2³² values.
func (r *Ring) Seal(table, column, rowID string, plain []byte) ([]byte, error) {
	h := r.held.Load()
	aead := h.data[h.current]
	out := make([]byte, keyIDSize+aead.NonceSize(), keyIDSize+aead.NonceSize()+len(plain)+aead.Overhead())
	copy(out, h.current[:])
	nonce := out[keyIDSize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", table, column, err)
	}
	return aead.Seal(out, nonce, plain, place(table, column, rowID)), nil
}

// Open decrypts what Seal made for the same place, with whichever key it was.
func (r *Ring) Open(table, column, rowID string, sealed []byte) ([]byte, error) {
	if len(sealed) < keyIDSize {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, rowID, ErrTampered)
	}
	id := keyID(sealed[:keyIDSize])
	aead, ok := r.held.Load().data[id]
	if !ok {
		return nil, fmt.Errorf("open %s.%s of %s: %w %x", table, column, rowID, ErrUnknownKey, id[:])
	}
	rest := sealed[keyIDSize:]
	if len(rest) < aead.NonceSize() {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, rowID, ErrTampered)
	}
	plain, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], place(table, column, rowID))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of %s: %w", table, column, rowID, ErrTampered)
	}
	return plain, nil
}

// Token is what a text is stored and searched by: the first 16 bytes of an HMAC-SHA-256 with the current index key.
func (r *Ring) Token(kind, normalised string) []byte {
	return token(r.held.Load().index[0], kind, normalised)
}

// Tokens are those of all index keys, the current one first: what to search by while an index key is being replaced.
func (r *Ring) Tokens(kind, normalised string) [][]byte {
	index := r.held.Load().index
	out := make([][]byte, len(index))
	for i, key := range index {
		out[i] = token(key, kind, normalised)
	}
	return out
}

func token(key []byte, kind, normalised string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(joined(kind, normalised))
	return mac.Sum(nil)[:tokenSize]
}

func place(table, column, rowID string) []byte { return joined(table, column, rowID) }

// joined puts the length before each part, so that no two lists of parts give the same bytes.
func joined(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}
