package host

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/config"
)

func (s Settings) signingFile() string {
	if s.SigningKeyFile != "" {
		return s.SigningKeyFile
	}
	return filepath.Join(s.DataDir, "signing.pem")
}

// formerFile holds the public halves of keys that signed before.
func (s Settings) formerFile() string {
	if s.FormerSigningKeysFile != "" {
		return s.FormerSigningKeysFile
	}
	return filepath.Join(s.DataDir, "signing-former.pem")
}

// loadSigner reads the signing key, and the public halves of those before it if there were any.
func loadSigner(s Settings) (*authn.Signer, error) {
	signer, err := authn.LoadSigner(s.signingFile())
	if err != nil {
		return nil, err
	}
	former, err := formerKeys(s)
	if err != nil {
		return nil, err
	}
	return signer.WithFormer(former...), nil
}

func formerKeys(s Settings) ([]ed25519.PublicKey, error) {
	text, err := os.ReadFile(s.formerFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load former signing keys: %w", err)
	}
	return authn.ParsePublicKeys(text)
}

// NewSigningKey replaces the signing key; the public half of the one before is kept first, so that whatever it signed can be checked for ever.
// Processes use it from their next start.
func NewSigningKey(s Settings) (former, id string, err error) {
	signer, err := authn.LoadSigner(s.signingFile())
	if err != nil {
		return "", "", err
	}
	known, err := formerKeys(s)
	if err != nil {
		return "", "", err
	}
	former, _ = signer.Public()
	keep := true
	for _, k := range known {
		keep = keep && authn.KeyID(k) != former
	}
	if keep {
		if err := appendPublic(s.formerFile(), signer); err != nil {
			return "", "", err
		}
	}
	next := s.signingFile() + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("write signing key: %w", err)
	}
	text, err := authn.GenerateKey()
	if err != nil {
		return "", "", err
	}
	if err := config.CreateSecretFile(next, text); err != nil {
		return "", "", err
	}
	made, err := authn.NewSigner(text)
	if err != nil {
		return "", "", err
	}
	if err := os.Rename(next, s.signingFile()); err != nil {
		return "", "", fmt.Errorf("write signing key: %w", err)
	}
	id, _ = made.Public()
	return former, id, nil
}

func appendPublic(path string, signer *authn.Signer) (err error) {
	text, err := signer.PublicPEM()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the former signing key: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(text); err != nil {
		return fmt.Errorf("keep the former signing key: %w", err)
	}
	return file.Sync()
}
