package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

type keysRetireCommand struct {
	Key string `arg:"" help:"Id of the key, as keys status shows it."`
}

// Run takes the key out of the ring's file when every service says that nothing needs it.
func (c *keysRetireCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	connection, err := host.Connect(ctx, *settings, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	list, err := keyStatus(ctx, connection, true)
	if err != nil {
		return err
	}
	use, err := ringOf(list, c.Key)
	if err != nil {
		return err
	}
	if needs := needing(list, use, c.Key); len(needs) > 0 {
		return fmt.Errorf("key %s is still needed; run keys rotate --resume for what can be made anew:\n  %s", c.Key, strings.Join(needs, "\n  "))
	}
	if err := host.RetireKey(*settings, use, c.Key); err != nil {
		return err
	}
	known, done := context.WithTimeout(ctx, keysKnown)
	defer done()
	err = everywhere(known, connection, func(s *commonv1.KeyStatus) bool {
		return !slices.Contains(append(s.GetDataKeys(), s.GetIndexKeys()...), c.Key)
	})
	if err != nil {
		return fmt.Errorf("key %s is out of the key ring's file: %w; give every process this file", c.Key, err)
	}
	fmt.Printf("key %s is retired; backups from before need the key ring that was saved with them\n", c.Key)
	return nil
}

// ringOf is the ring in which every service has the key as a former one.
func ringOf(list []serviceKeys, key string) (crypt.Use, error) {
	for _, s := range list {
		switch {
		case key == s.status.GetDataKey() || key == s.status.GetIndexKey():
			return "", fmt.Errorf("%s is a current key; run keys rotate first", key)
		case slices.Contains(s.status.GetDataKeys(), key):
			return crypt.DataKeys, nil
		case slices.Contains(s.status.GetIndexKeys(), key):
			return crypt.IndexKeys, nil
		}
	}
	return "", fmt.Errorf("no service knows a key %s", key)
}

// needing is what still needs the key, in words. Values under other keys than the current one are not told apart by key.
func needing(list []serviceKeys, use crypt.Use, key string) (out []string) {
	for _, s := range list {
		if use == crypt.DataKeys {
			for _, c := range s.status.GetColumns() {
				if c.GetRemaining() > 0 || !c.GetDone() {
					out = append(out, fmt.Sprintf("%s: %d values of %s.%s are not under the current key", s.name, c.GetRemaining(), c.GetTable(), c.GetColumn()))
				}
			}
			continue
		}
		if terms := s.status.GetTerms(); terms != nil && !terms.GetDone() {
			out = append(out, fmt.Sprintf("%s: search terms of %d patients are not under the current key", s.name, terms.GetRemaining()))
		}
		for _, n := range s.status.GetNeeds() {
			if n.GetKey() == key {
				out = append(out, fmt.Sprintf("%s: %d rows of %s can only be found by it", s.name, n.GetRows(), n.GetTable()))
			}
		}
	}
	return out
}
