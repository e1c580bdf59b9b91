package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/config"
)

// keySet is a ring of keys in the file: id → 32 bytes.
type keySet struct {
	Current string            `json:"current"`
	Keys    map[string][]byte `json:"keys"`
	// Retired are the ids of keys that were taken away on purpose.
	Retired []string `json:"retired,omitempty"`
}

// ringFile is the file's content.
type ringFile struct {
	Data  keySet `json:"data"`
	Index keySet `json:"index"`
}

// LoadRing reads a ring from a file that nobody else may read.
func LoadRing(path string) (*Ring, error) {
	text, err := config.ReadSecretFile(path)
	if err != nil {
		return nil, fmt.Errorf("load key ring: %w", err)
	}
	return ParseRing([]byte(text.Reveal()))
}

// GenerateRingFile writes a new ring, mode 0600. A file that exists is left alone: fs.ErrExist.
func GenerateRingFile(path string) error {
	text, err := NewRing()
	if err != nil {
		return err
	}
	return config.CreateSecretFile(path, text)
}

// NewRing is the JSON of a ring with one new data key and one new index key.
func NewRing() ([]byte, error) {
	var f ringFile
	if err := errors.Join(f.Data.add(), f.Index.add()); err != nil {
		return nil, err
	}
	return f.encode()
}

// Use is what keys are for.
type Use string

// The two rings.
const (
	// DataKeys seal values.
	DataKeys Use = "data"
	// IndexKeys make search tokens.
	IndexKeys Use = "index"
)

// AddKey is the JSON of the ring with one more key, and the key's id. The current key stays what it was: a key may be used for writing
// only when every process knows it.
func AddKey(ring []byte, use Use) (text []byte, id string, err error) {
	f, err := decode(ring)
	if err != nil {
		return nil, "", err
	}
	set := f.of(use)
	before := set.Current
	if err := set.add(); err != nil {
		return nil, "", err
	}
	id, set.Current = set.Current, before
	text, err = f.encode()
	return text, id, err
}

// MakeCurrent is the JSON of the ring with the key that it holds under this id as the one to write with. What was written with others
// stays readable.
func MakeCurrent(ring []byte, use Use, id string) ([]byte, error) {
	f, err := decode(ring)
	if err != nil {
		return nil, err
	}
	f.of(use).Current = id
	if err := f.of(use).check(string(use)); err != nil {
		return nil, err
	}
	return f.encode()
}

// Retire is the JSON of the ring without one of its former keys, whose id is remembered so that processes take the ring over. Whoever calls has
// made sure that nothing needs the key.
func Retire(ring []byte, use Use, id string) ([]byte, error) {
	f, err := decode(ring)
	if err != nil {
		return nil, err
	}
	set := f.of(use)
	switch _, there := set.Keys[id]; {
	case !there:
		return nil, fmt.Errorf("retire key: the ring has no %s key %s", use, id)
	case set.Current == id:
		return nil, fmt.Errorf("retire key: %s is the current %s key", id, use)
	}
	delete(set.Keys, id)
	set.Retired = append(set.Retired, id)
	return f.encode()
}

// Keys are the ids of what a ring holds.
type Keys struct {
	// Data and Index are the current ones.
	Data, Index string
	// AllData and AllIndex are in ascending order.
	AllData, AllIndex []string
}

// Keys that the ring holds now.
func (r *Ring) Keys() Keys {
	f := r.held.Load().file
	return Keys{
		Data: f.Data.Current, AllData: slices.Sorted(maps.Keys(f.Data.Keys)),
		Index: f.Index.Current, AllIndex: slices.Sorted(maps.Keys(f.Index.Keys)),
	}
}

// Prefix is what a value begins with that was sealed with the current data key.
func (r *Ring) Prefix() []byte {
	current := r.held.Load().current
	return current[:]
}

// Replace takes the keys of another JSON in place of those held. It refuses one that lacks a key the ring holds and does not say that it was
// retired, because what that key sealed could not be read any more.
func (r *Ring) Replace(text []byte) error {
	next, err := parse(text)
	if err != nil {
		return err
	}
	return r.adopt(next)
}

func (r *Ring) adopt(next *held) error {
	now := r.held.Load().file
	if err := next.file.Data.covers(now.Data, DataKeys); err != nil {
		return err
	}
	if err := next.file.Index.covers(now.Index, IndexKeys); err != nil {
		return err
	}
	r.held.Store(next)
	return nil
}

func (s keySet) covers(before keySet, use Use) error {
	for id, key := range before.Keys {
		if !bytes.Equal(key, s.Keys[id]) && !slices.Contains(s.Retired, id) {
			return fmt.Errorf("replace key ring: the new one lacks %s key %s", use, id)
		}
	}
	return nil
}

// ParseRing reads the JSON of a ring and refuses whatever is not whole. No error quotes the text.
func ParseRing(text []byte) (*Ring, error) {
	h, err := parse(text)
	if err != nil {
		return nil, err
	}
	r := &Ring{}
	r.held.Store(h)
	return r, nil
}

func parse(text []byte) (*held, error) {
	f, err := decode(text)
	if err != nil {
		return nil, err
	}
	r := &held{file: f, data: make(map[keyID]cipher.AEAD, len(f.Data.Keys))}
	for text, key := range f.Data.Keys {
		id, err := parseKeyID(text)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("read key ring: %w", err)
		}
		if r.data[id], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("read key ring: %w", err)
		}
	}
	if r.current, err = parseKeyID(f.Data.Current); err != nil {
		return nil, err
	}
	r.index = append(r.index, f.Index.Keys[f.Index.Current])
	for _, id := range slices.Sorted(maps.Keys(f.Index.Keys)) {
		if id != f.Index.Current {
			r.index = append(r.index, f.Index.Keys[id])
		}
	}
	r.label = fmt.Sprintf("ring(data %s of %d, index %s of %d)", f.Data.Current, len(r.data), f.Index.Current, len(r.index))
	return r, nil
}

// TestRing is a ring whose keys everybody can compute; it is for tests.
func TestRing() *Ring {
	one := func(what string) keySet {
		sum := sha256.Sum256([]byte("test ring " + what))
		return keySet{Current: "00000001", Keys: map[string][]byte{"00000001": sum[:]}}
	}
	text, err := ringFile{Data: one("data"), Index: one("index")}.encode()
	if err != nil {
		return nil
	}
	r, err := ParseRing(text)
	if err != nil {
		return nil
	}
	return r
}

func decode(text []byte) (ringFile, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f ringFile
	if err := d.Decode(&f); err != nil {
		return ringFile{}, errors.New("read key ring: not the JSON of a key ring")
	}
	if d.More() {
		return ringFile{}, errors.New("read key ring: something follows the JSON")
	}
	return f, errors.Join(f.Data.check("data"), f.Index.check("index"))
}

func (f *ringFile) of(use Use) *keySet {
	if use == IndexKeys {
		return &f.Index
	}
	return &f.Data
}

func (f ringFile) encode() ([]byte, error) {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write key ring: %w", err)
	}
	return append(text, '\n'), nil
}

func (s keySet) check(name string) error {
	if _, ok := s.Keys[s.Current]; !ok {
		return fmt.Errorf("read key ring: the current %s key is not among its keys", name)
	}
	for id, key := range s.Keys {
		if slices.Contains(s.Retired, id) {
			return fmt.Errorf("read key ring: %s key %s is retired and still there", name, id)
		}
		if _, err := parseKeyID(id); err != nil {
			return err
		}
		if len(key) != keySize {
			return fmt.Errorf("read key ring: %s key %s has %d bytes, want %d", name, id, len(key), keySize)
		}
	}
	return nil
}

// add makes a new key the current one.
func (s *keySet) add() error {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	if s.Keys == nil {
		s.Keys = map[string][]byte{}
	}
	var id keyID
	for {
		if _, err := rand.Read(id[:]); err != nil {
			return fmt.Errorf("make key id: %w", err)
		}
		s.Current = hex.EncodeToString(id[:])
		if _, taken := s.Keys[s.Current]; !taken && !slices.Contains(s.Retired, s.Current) {
			break
		}
	}
	s.Keys[s.Current] = key
	return nil
}

func parseKeyID(text string) (keyID, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != keyIDSize || hex.EncodeToString(raw) != text {
		return keyID{}, errors.New("read key ring: a key id is not 8 lower-case hexadecimal digits")
	}
	return keyID(raw), nil
}
