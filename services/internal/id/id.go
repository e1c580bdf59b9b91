// Package id makes the identifiers of the system: UUID text, lower case, 36 characters. It owns their form and
// nothing about what they name. Safe for concurrent use.
package id

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/google/uuid"
)

// New is a UUIDv7: ids of one process grow in the order they were made, so that rows made together lie together.
func New() string {
	// crypto/rand ends the process rather than answer an error, so Must has nothing to panic about.
	return uuid.Must(uuid.NewV7()).String()
}

// Valid tells whether s has the form that New and FromFact give. Upper case, braces and "urn:uuid:" are refused:
// ids are compared as text.
func Valid(s string) bool {
	u, err := uuid.Parse(s)
	return err == nil && u.String() == s
}

// FromFact is an id that depends on the parts alone: a consumer that handles the same fact twice names the same
// effect. Parts are told apart by their length, so ("ab","c") and ("a","bc") differ. The form is UUIDv8 (RFC 9562)
// over SHA-256.
func FromFact(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var u uuid.UUID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}
