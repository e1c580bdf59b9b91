package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

type seedCommand struct {
	County string    `required:"" help:"County code, e.g. 450321."`
	Seed   int64     `default:"1" help:"The same seed and day give the same county."`
	AsOf   time.Time `format:"2006-01-02" help:"First day with clinic sessions, and last of a history; default today."`

	Referrals int `help:"Make a history with about so many referrals: on a new data folder, with no system running on it."`
	Months    int `default:"6" help:"How many months the history has."`
}

// seedPatience is how long seed waits in all for a system that is just starting: longer than migrations take.
const seedPatience = 2 * time.Minute

// connector is a running host, or a connection to one.
type connector[C grpc.ClientConnInterface] interface{ Conn(name string) C }

func seedClients[C grpc.ClientConnInterface](c connector[C]) seed.Clients {
	return seed.Clients{
		Directory:     directoryv1.NewDirectoryServiceClient(c.Conn(host.Directory)),
		Roster:        directoryv1.NewRosterServiceClient(c.Conn(host.Directory)),
		Scheduling:    schedulingv1.NewSchedulingServiceClient(c.Conn(host.Scheduling)),
		Calendar:      schedulingv1.NewCalendarServiceClient(c.Conn(host.Scheduling)),
		PatientRecord: patientrecordv1.NewPatientRecordServiceClient(c.Conn(host.PatientRecord)),
	}
}

// Run seeds a county; running it again changes nothing that is there.
func (c *seedCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	if c.AsOf.IsZero() {
		c.AsOf = time.Now()
	}
	if c.Referrals != 0 {
		return c.past(ctx, settings)
	}
	// A system that is just starting holds the data folder already and does not answer yet.
	var busy error
	again := seed.Patient(seedPatience, func(err error, after time.Duration) {
		if errors.Is(err, host.ErrBusy) {
			err = busy
		}
		fmt.Fprintf(os.Stderr, "tongzhen: waiting for the system to start, the next try is in %s: %v\n", after, err)
	})
	var connection *host.Connection
	err = seed.Insist(ctx, func(ctx context.Context) (err error) {
		connection, err = host.Connect(ctx, *settings, c.County)
		if errors.Is(err, host.ErrBusy) {
			busy = err
			return errs.Unavailable("system", err)
		}
		return err
	}, again)
	switch {
	case errors.Is(err, host.ErrBusy):
		return busy
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	bar := newProgress("seed")
	report, err := seed.Whole(ctx, seedClients[grpc.ClientConnInterface](connection), c.options(), seed.Watch{Progress: bar.step, Again: again})
	bar.done()
	if err != nil {
		return err
	}
	tell(report)
	return nil
}

func (c *seedCommand) options() seed.Options {
	return seed.Options{County: c.County, AsOf: c.AsOf, Seed: c.Seed, Password: demoPassword()}
}

// past makes the county with a history.
func (c *seedCommand) past(ctx context.Context, settings *host.Settings) error {
	bar := newProgress("history")
	made, lived, err := past{c.options(), c.Referrals, c.Months}.make(ctx, *settings, monthly(bar))
	bar.done()
	if err != nil {
		return err
	}
	tell(made)
	tellLived(lived)
	return nil
}

func tell(report seed.Report) {
	fmt.Printf("%s: %d organisations, %d accounts, %d rosters, %d slots, %d beds, %d patients made; %d changed\n",
		report.County, report.Organizations, report.Accounts, report.Rosters, report.Slots, report.Beds, report.Patients, report.Changed)
}
