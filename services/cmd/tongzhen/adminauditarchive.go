package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/audit"
)

type auditArchiveCommand struct {
	County  string    `required:"" help:"County code, e.g. 450321."`
	Before  time.Time `required:"" format:"2006-01-02" help:"First day that stays, YYYY-MM-DD (days begin at midnight UTC+8)."`
	Service []string  `help:"Services to archive; all unless named."`
	Folder  string    `arg:"" help:"Folder for the files, one a service; made if it is not there. Keep them as long as the record, and a copy elsewhere." type:"path"`
}

// Run goes service by service: one that was archived stays archived when the next one fails, and the command may be run again.
func (c *auditArchiveCommand) Run(ctx context.Context, settings *host.Settings) error {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	services := c.Service
	if len(services) == 0 {
		services = host.Backends()
	}
	by := "service:cli"
	if who, err := user.Current(); err == nil {
		by += ":" + who.Username
	}
	for _, service := range services {
		name := fmt.Sprintf("audit-%s-%s-%s.jsonl", service, c.County, c.Before.Format("20060102"))
		path := filepath.Join(c.Folder, name)
		a, err := host.ArchiveAudit(ctx, *settings, host.AuditArchive{
			Service: service, County: c.County, Before: beijing(c.Before).AsTime(), File: path, By: by,
		})
		switch {
		case errors.Is(err, audit.ErrNothingToArchive):
			fmt.Printf("%s: nothing that old\n", service)
		case err != nil:
			return fmt.Errorf("%s: %w", service, err)
		default:
			fmt.Printf("%s: numbers %d to %d, %d entries, are in %s\n", service, a.FromSeq+1, a.ToSeq, a.Entries, path)
		}
	}
	return nil
}
