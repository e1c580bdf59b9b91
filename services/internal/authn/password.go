package authn

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is that of a hash: argon2id, t = 2, m = 19 MiB, p = 1.
type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

const (
	saltSize = 16
	hashSize = 32
	maxHash  = 512
)

func present() cost { return cost{memory: 19 << 10, time: 2, threads: 1} }

// slots bounds the memory that sign-ins take together, in the whole process: it is the machine's limit, so it is not
// a value that somebody could hold twice.
var slots = make(chan struct{}, 4)

// HashPassword is the hash to store, in the PHC form "$argon2id$v=19$m=…,t=…,p=…$salt$hash". At most four run at a
// time; the others wait.
func HashPassword(pw string) (string, error) {
	if pw == "" {
		return "", errors.New("hash password: it is empty")
	}
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	c := present()
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(derive(pw, salt, c, hashSize))), nil
}

// CheckPassword tells whether pw is the password of the hash. A hash that cannot be read, such as "" for an account
// that does not exist, costs as much time as a wrong password.
func CheckPassword(hash, pw string) bool {
	c, salt, want, ok := parseHash(hash)
	if !ok {
		derive(pw, make([]byte, saltSize), present(), hashSize)
		return false
	}
	return subtle.ConstantTimeCompare(derive(pw, salt, c, len(want)), want) == 1
}

func derive(pw string, salt []byte, c cost, size int) []byte {
	slots <- struct{}{}
	defer func() { <-slots }()
	return argon2.IDKey([]byte(pw), salt, c.time, c.memory, c.threads, uint32(size))
}

// parseHash bounds what it accepts: argon2 panics on zeros, and a forged row must not take the machine's memory.
func parseHash(hash string) (c cost, salt, sum []byte, ok bool) {
	if len(hash) > maxHash {
		return cost{}, nil, nil, false
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return cost{}, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); n != 3 || err != nil {
		return cost{}, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	ok = err1 == nil && err2 == nil && len(salt) >= 8 && len(sum) >= 16 && len(sum) <= 64 &&
		c.memory >= 8 && c.memory <= 64<<10 && c.time >= 1 && c.time <= 4 && c.threads >= 1 && c.threads <= 4
	return c, salt, sum, ok
}
