package main

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

type migrateCommand struct {
	Service string `help:"One service; default: all."`
	Status  bool   `help:"Only report versions."`
}

// Run applies or reports migrations.
func (c *migrateCommand) Run(ctx context.Context, settings *host.Settings) error {
	names := host.Backends()
	if c.Service != "" {
		names = []string{c.Service}
	}
	return host.Migrate(ctx, *settings, names, func(service string, s sqldb.SetStatus) {
		state := "current"
		if s.Current < s.Latest {
			state = "needs migration"
		}
		fmt.Printf("%-14s %-14s version %d of %d  %s\n", service, s.Set, s.Current, s.Latest, state)
	}, !c.Status)
}
