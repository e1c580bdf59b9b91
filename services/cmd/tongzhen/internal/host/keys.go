package host

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// keys are what all services of a deployment share.
type keys struct {
	ring     *crypt.Ring
	ringFile string
	signer   *authn.Signer
	verifier *authn.Verifier
	// tls is for calls between processes, both ways; nil = none leave this machine.
	tls *tls.Config
}

// openKeys reads the keys. Without configured files they live in the data folder and are made at the first start.
func openKeys(s Settings, clk clock.Clock) (*keys, error) {
	k := &keys{}
	var err error
	if k.ringFile, err = keyFile(s.KeyringFile, s.ringFile(), crypt.GenerateRingFile); err != nil {
		return nil, err
	}
	if k.ring, err = crypt.LoadRing(k.ringFile); err != nil {
		return nil, err
	}
	if _, err := keyFile(s.SigningKeyFile, s.signingFile(), authn.GenerateKeyFile); err != nil {
		return nil, err
	}
	if k.signer, err = loadSigner(s); err != nil {
		return nil, err
	}
	k.verifier = authn.NewVerifier(authn.KeysOf(k.signer), clk)
	if s.TLSCAFile != "" {
		k.tls, err = rpc.LoadTLS(s.TLSCertFile, s.TLSKeyFile, s.TLSCAFile)
	}
	return k, err
}

func keyFile(configured, embedded string, make func(path string) error) (string, error) {
	if configured != "" {
		return configured, nil
	}
	if err := make(embedded); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make %s: %w", embedded, err)
	}
	return embedded, nil
}

// ErrBusy says that the data folder is held by another process: by a system that runs, or one that is just starting.
var ErrBusy = errors.New("is in use by another process")

// lockDataDir takes the data folder for this process; a second one would write the same files.
func lockDataDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of data folder: %w", err)
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data folder %s %w", dir, ErrBusy)
	}
	return f, nil
}
