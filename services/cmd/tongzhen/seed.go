package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

type seedCommand struct {
	County string    `required:"" help:"County code, e.g. 450321."`
	Seed   int64     `default:"1" help:"The same seed and day give the same county."`
	AsOf   time.Time `format:"2006-01-02" help:"First day with clinic sessions; default today."`
}

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
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	if c.AsOf.IsZero() {
		c.AsOf = time.Now()
	}
	bar := newProgress("seed")
	report, err := seed.County(ctx, seedClients[grpc.ClientConnInterface](connection), seed.Options{County: c.County, AsOf: c.AsOf, Seed: c.Seed, Password: demoPassword()}, bar.step)
	bar.done()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d organisations, %d accounts, %d rosters, %d slots, %d beds, %d patients made; %d changed\n",
		report.County, report.Organizations, report.Accounts, report.Rosters, report.Slots, report.Beds, report.Patients, report.Changed)
	return nil
}
