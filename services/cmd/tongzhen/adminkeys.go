package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

type adminKeysCommand struct {
	Rotate  keysRotateCommand  `cmd:"" help:"Encrypt patient data, or hash search terms, under a new key while the system runs; may be killed and started again."`
	Status  keysStatusCommand  `cmd:"" help:"Show which keys the services know, how much is not under the current ones, and what needs a former one."`
	Retire  keysRetireCommand  `cmd:"" help:"Take a former key out of the key ring; refused while anything needs it."`
	Signing keysSigningCommand `cmd:"" help:"Make a new key that signs call tokens and the audit record; used from the next start of every process. What the former one signed can still be checked."`
}

type keysRotateCommand struct {
	Index  bool `help:"The key of search terms, not the one that encrypts."`
	Resume bool `help:"Make no new key; only bring what is left under the current one."`
}

// use is the ring that the command is about.
func (c *keysRotateCommand) use() crypt.Use {
	if c.Index {
		return crypt.IndexKeys
	}
	return crypt.DataKeys
}

type keysSigningCommand struct{}

// Run replaces the key; nothing of the running system is touched.
func (keysSigningCommand) Run(settings *host.Settings) error {
	former, id, err := host.NewSigningKey(*settings)
	if err != nil {
		return err
	}
	fmt.Printf("the signing key is %s; start every process anew. Of the former one, %s, the public half is kept\n", id, former)
	return nil
}

type keysStatusCommand struct{}

const (
	// keysAsked is the pause between two questions to the services.
	keysAsked = time.Second
	// keysKnown bounds how long every service may take to read the ring's file again.
	keysKnown = 30 * time.Second
)

// sealing are the services that seal patient data.
func sealing() []string { return []string{host.PatientRecord, host.Referral, host.Notification} }

// Run adds a key, waits until every service knows it, makes it the current one, and waits until nothing is left under another.
func (c *keysRotateCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	connection, err := host.Connect(ctx, *settings, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	if !c.Resume {
		if err := newKey(ctx, *settings, connection, c.use()); err != nil {
			return err
		}
	}
	if c.Index {
		return reindexed(ctx, connection)
	}
	return resealed(ctx, connection)
}

func newKey(ctx context.Context, settings host.Settings, connection *host.Connection, use crypt.Use) error {
	known, current := (*commonv1.KeyStatus).GetDataKeys, (*commonv1.KeyStatus).GetDataKey
	if use == crypt.IndexKeys {
		known, current = (*commonv1.KeyStatus).GetIndexKeys, (*commonv1.KeyStatus).GetIndexKey
	}
	id, err := host.AddKey(settings, use)
	if err != nil {
		return err
	}
	wait, done := context.WithTimeout(ctx, keysKnown)
	defer done()
	err = everywhere(wait, connection, func(s *commonv1.KeyStatus) bool { return slices.Contains(known(s), id) })
	if err != nil {
		return fmt.Errorf("key %s is in the key ring's file but not used: %w; give every process this file, then run the command again", id, err)
	}
	if err := host.UseKey(settings, use, id); err != nil {
		return err
	}
	wait, done = context.WithTimeout(ctx, keysKnown)
	defer done()
	if err := everywhere(wait, connection, func(s *commonv1.KeyStatus) bool { return current(s) == id }); err != nil {
		return fmt.Errorf("key %s is the current one in the key ring's file: %w; give every process this file, then run the command with --resume", id, err)
	}
	if use == crypt.IndexKeys {
		fmt.Printf("new search terms are hashed with key %s\n", id)
		return nil
	}
	fmt.Printf("new values are encrypted with key %s\n", id)
	return nil
}

// everywhere waits until what is asked holds at every service.
func everywhere(ctx context.Context, connection *host.Connection, holds func(*commonv1.KeyStatus) bool) error {
	tick := time.NewTicker(keysAsked)
	defer tick.Stop()
	for _, name := range sealing() {
		client := commonv1.NewKeyServiceClient(connection.Conn(name))
		for {
			status, err := client.GetKeyStatus(ctx, &commonv1.GetKeyStatusRequest{})
			if err == nil && holds(status) {
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("%s does not know it", name)
			}
		}
	}
	return nil
}

// reindexed waits until no search terms are left under another key than the current one.
func reindexed(ctx context.Context, connection *host.Connection) error {
	bar := newProgress("hashing")
	defer bar.done()
	tick := time.NewTicker(keysAsked)
	defer tick.Stop()
	total := int64(0)
	for {
		list, err := keyStatus(ctx, connection, true)
		if err != nil {
			return err
		}
		left, finished := int64(0), true
		for _, s := range list {
			if terms := s.status.GetTerms(); terms != nil {
				left, finished = left+terms.GetRemaining(), finished && terms.GetDone()
			}
		}
		total = max(total, left)
		bar.step(int(total-left), int(total), "hashing")
		if finished {
			fmt.Println("no search terms are left under another key")
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// resealed waits until nothing is left under another key than the current one but what is damaged. Counting reads much, so it is done at the
// beginning and once every column says that it is done.
func resealed(ctx context.Context, connection *host.Connection) error {
	bar := newProgress("encrypting")
	defer bar.done()
	tick := time.NewTicker(keysAsked)
	defer tick.Stop()
	total := int64(0)
	for count := true; ; {
		list, err := keyStatus(ctx, connection, count)
		if err != nil {
			return err
		}
		var left, walked, unreadable int64
		finished := true
		for _, s := range list {
			for _, c := range s.status.GetColumns() {
				left, walked, unreadable, finished = left+c.GetRemaining(), walked+c.GetResealed(), unreadable+c.GetUnreadable(), finished && c.GetDone()
			}
		}
		total = max(total, walked+left)
		bar.step(int(walked), int(total), "encrypting")
		if count && finished && left == unreadable {
			fmt.Printf("%d values were encrypted anew; nothing is left under another key\n", walked)
			if unreadable > 0 {
				return fmt.Errorf("%d damaged values were left as they are; the services' logs name table and row", unreadable)
			}
			return nil
		}
		count = finished
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serviceKeys is one service's answer.
type serviceKeys struct {
	name   string
	status *commonv1.KeyStatus
}

func keyStatus(ctx context.Context, connection *host.Connection, count bool) ([]serviceKeys, error) {
	var list []serviceKeys
	for _, name := range sealing() {
		status, err := commonv1.NewKeyServiceClient(connection.Conn(name)).GetKeyStatus(ctx, &commonv1.GetKeyStatusRequest{Count: count})
		if err != nil {
			return nil, fmt.Errorf("ask %s for its keys: %w", name, err)
		}
		list = append(list, serviceKeys{name, status})
	}
	return list, nil
}

// Run shows and changes nothing.
func (c *keysStatusCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	connection, err := host.Connect(ctx, *settings, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	list, err := keyStatus(ctx, connection, true)
	if err != nil {
		return err
	}
	for _, s := range list {
		fmt.Printf("%s: data key %s of %d, index key %s of %d\n", s.name, s.status.GetDataKey(), len(s.status.GetDataKeys()), s.status.GetIndexKey(), len(s.status.GetIndexKeys()))
		for _, c := range s.status.GetColumns() {
			fmt.Printf("  %s.%s: %d under other keys, %d of them damaged\n", c.GetTable(), c.GetColumn(), c.GetRemaining(), c.GetUnreadable())
		}
		if terms := s.status.GetTerms(); terms != nil {
			fmt.Printf("  %s: search terms of %d patients under other keys\n", terms.GetTable(), terms.GetRemaining())
		}
		for _, n := range s.status.GetNeeds() {
			fmt.Printf("  %s: %d rows need the index key %s\n", n.GetTable(), n.GetRows(), n.GetKey())
		}
	}
	return nil
}
