package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

// demoCounty is 阳朔县.
const demoCounty = "450321"

type serveCommand struct {
	Services []string `arg:"" optional:"" help:"directory, patientrecord, scheduling, referral, notification, gateway; none = all."`
	Demo     bool     `help:"Create the demo county at the first start and show the demo accounts; loopback only."`

	DemoReferrals int `env:"TONGZHEN_DEMO_REFERRALS" help:"With --demo: at the first start the county gets a history of half a year with about so many referrals before the doors open; 0 = none."`
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(ctx context.Context, settings *host.Settings) error {
	if c.Demo && !settings.OnLoopback() {
		return errors.New("--demo has known passwords and listens on loopback only: set TONGZHEN_HTTP_ADDR to 127.0.0.1:PORT")
	}
	if c.Demo && c.DemoReferrals != 0 {
		if err := c.history(ctx, settings); err != nil {
			return err
		}
	}
	h, err := host.Open(ctx, *settings, host.Options{Services: c.Services, Demo: c.Demo, Version: version})
	if err != nil {
		return err
	}
	return errors.Join(h.Run(ctx, func() { c.ready(ctx, settings, h) }), h.Close())
}

// demoMonths is how long the history of the demo county is.
const demoMonths = 6

// history makes the demo county with a history at the first start; a data folder that was used stays as it is.
func (c *serveCommand) history(ctx context.Context, settings *host.Settings) error {
	bar := newProgress("demo history")
	_, lived, err := past{demoOptions(), c.DemoReferrals, demoMonths}.make(ctx, *settings, monthly(bar))
	bar.done()
	if errors.Is(err, host.ErrUsed) {
		return nil
	}
	if err == nil {
		tellLived(lived)
	}
	return err
}

func demoOptions() seed.Options {
	return seed.Options{County: demoCounty, AsOf: time.Now(), Seed: 1, Password: demoPassword(), Keep: true}
}

func (c *serveCommand) ready(ctx context.Context, settings *host.Settings, h *host.Host) {
	if !c.Demo {
		return
	}
	if err := c.demo(ctx, h); err != nil {
		fmt.Fprintln(os.Stderr, "tongzhen: the demo county could not be created:", err)
		return
	}
	fmt.Printf("\nTongzhen is ready: http://%s\n\n", settings.HTTPAddr)
	fmt.Printf("  accounts  township, township2 (township doctors) · desk (intake desk) · specialist · head · baisha1 (head of a centre) · village · admin · auditor\n")
	fmt.Printf("  password  %s\n\n", demoPassword())
}

// demo fills an empty system; one that has the county is left as it is, but for clinic sessions of the days to come. On a machine that is too slow
// at the moment it goes on until all is there, and says so.
func (c *serveCommand) demo(ctx context.Context, h *host.Host) error {
	bar := newProgress("demo county")
	_, err := seed.Whole(ctx, seedClients(h), demoOptions(), seed.Watch{
		Progress: bar.step, Again: func(err error, after time.Duration) bool {
			fmt.Fprintf(os.Stderr, "tongzhen: the demo county is not complete yet, the next try is in %s: %v\n", after, err)
			return true
		},
	})
	bar.done()
	return err
}

func demoPassword() string {
	if p := strings.TrimSpace(os.Getenv("TONGZHEN_DEMO_PASSWORD")); p != "" {
		return p
	}
	return "tongzhen-demo"
}
