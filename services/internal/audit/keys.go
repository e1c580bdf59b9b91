package audit

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Keys finds the public half of a signing key by its id.
type Keys func(ctx context.Context, keyID string) (ed25519.PublicKey, error)

// findKeys looks up the key of every head once. An unknown key is nil, which fits no signature.
func findKeys(ctx context.Context, keys Keys, heads []Head) (map[string]ed25519.PublicKey, error) {
	found := make(map[string]ed25519.PublicKey)
	for _, h := range heads {
		if _, asked := found[h.KeyID]; asked {
			continue
		}
		key, err := keys(ctx, h.KeyID)
		if err != nil {
			if errs.KindOf(err) == errs.KindUnavailable {
				return nil, fmt.Errorf("find key %s: %w", h.KeyID, err)
			}
			key = nil
		}
		found[h.KeyID] = key
	}
	return found, nil
}
