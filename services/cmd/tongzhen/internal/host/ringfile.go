package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tongzhen/tongzhen/services/internal/config"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

// ringFile is where the key ring lies.
func (s Settings) ringFile() string {
	if s.KeyringFile != "" {
		return s.KeyringFile
	}
	return filepath.Join(s.DataDir, "keyring.json")
}

// AddKey puts one more key into the ring's file and answers its id. It is not written with before UseKey.
func AddKey(s Settings, use crypt.Use) (id string, err error) {
	err = editRing(s, func(ring []byte) (text []byte, err error) {
		text, id, err = crypt.AddKey(ring, use)
		return text, err
	})
	return id, err
}

// UseKey makes a key of the ring's file the one that is written with.
func UseKey(s Settings, use crypt.Use, id string) error {
	return editRing(s, func(ring []byte) ([]byte, error) { return crypt.MakeCurrent(ring, use, id) })
}

// RetireKey takes a former key out of the ring's file.
func RetireKey(s Settings, use crypt.Use, id string) error {
	return editRing(s, func(ring []byte) ([]byte, error) { return crypt.Retire(ring, use, id) })
}

// editRing replaces the file as a whole, so that nobody reads half of it, one command at a time, so that none takes away another's key.
func editRing(s Settings, edit func(ring []byte) ([]byte, error)) (err error) {
	path := s.ringFile()
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock key ring: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := flock(lock); err != nil {
		return errors.New("another command is changing the key ring; try again when it has ended")
	}
	text, err := config.ReadSecretFile(path)
	if err != nil {
		return fmt.Errorf("load key ring: %w", err)
	}
	next, err := edit([]byte(text.Reveal()))
	if err != nil {
		return err
	}
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write key ring: %w", err)
	}
	if err := config.CreateSecretFile(path+".new", next); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	return nil
}
