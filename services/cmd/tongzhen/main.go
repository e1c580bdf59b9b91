// Command tongzhen is the whole product in one binary: the services, the gateway and the commands that look after them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/config"
)

// version is set by the build.
var version = "dev"

// Exit codes: 0 done, 1 failed, 2 wrong usage.
const (
	exitFailed = 1
	exitUsage  = 2
)

type cli struct {
	Settings host.Settings   `embed:""`
	Config   kong.ConfigFlag `env:"TONGZHEN_CONFIG" help:"File with settings, YAML: the names of the flags. A flag and the environment go before it."`

	Serve   serveCommand   `cmd:"" help:"Run services; no name runs all of them and the gateway in this process."`
	Migrate migrateCommand `cmd:"" help:"Apply or report database migrations."`
	Seed    seedCommand    `cmd:"" help:"Create a demo county: organisations, accounts, slots, beds, patients, and with --referrals a history."`
	Bench   benchCommand   `cmd:"" help:"Put load on a demo county and check the invariants."`
	Import  importCommand  `cmd:"" help:"Bring in data from files."`
	Admin   adminCommand   `cmd:"" help:"Look after a running system."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("tongzhen"),
		kong.Description("Tongzhen (通诊): two-way referral for county medical communities."),
		kong.ShortUsageOnError(),
		kong.Configuration(settingsFile),
		kong.Exit(func(code int) {
			if code != 0 {
				code = exitUsage
			}
			os.Exit(code)
		}),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	command.Bind(&c.Settings)
	if err := command.Run(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "tongzhen:", err)
		stop()
		os.Exit(exitFailed) //nolint:gocritic // the deferred stop was called above
	}
}

// settingsFile reads the file of --config.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	return config.YAML(text)
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run() error {
	fmt.Println("tongzhen", version)
	return nil
}
