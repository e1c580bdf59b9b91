package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/bench"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

type benchCommand struct {
	County   string        `required:"" help:"County code; it must have the demo accounts, because invented patients and referrals are written."`
	Doctors  int           `default:"8" help:"Township doctors at work at once."`
	Desks    int           `default:"4" help:"Intake desks at work at once."`
	Duration time.Duration `help:"How long new journeys begin (20s unless --journeys is given)."`
	Journeys int           `help:"How many journeys to run; with --duration, whichever ends first."`
	Rate     float64       `help:"How many journeys begin a second at most; 0 = as many as the people at work manage. Latencies (commit to screen) are told at a rate below that."`
	Only     string        `enum:",create" default:"" help:"create: send referrals without a hold and nothing else, --doctors at once."`
	Gateway  string        `help:"Where the gateway serves pages, e.g. http://127.0.0.1:8080: people have open pages, and it is measured when they hear. Unset: TONGZHEN_HTTP_ADDR if something answers there."`
	Seed     int64         `help:"The same seed makes the same patients; 0 = from the clock."`
	Password string        `env:"TONGZHEN_DEMO_PASSWORD" default:"tongzhen-demo" help:"Password of the demo accounts."`
}

// errInvariants says that what the load left behind is wrong.
var errInvariants = errors.New("the load broke an invariant")

// Run puts load on the running system and checks what it left behind.
func (c *benchCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	if c.Duration == 0 && c.Journeys == 0 {
		c.Duration = 20 * time.Second
	}
	bar := newBenchProgress()
	report, err := bench.Run(ctx, bench.Clients{
		Directory:     directoryv1.NewDirectoryServiceClient(connection.Conn(host.Directory)),
		PatientRecord: patientrecordv1.NewPatientRecordServiceClient(connection.Conn(host.PatientRecord)),
		Scheduling:    schedulingv1.NewSchedulingServiceClient(connection.Conn(host.Scheduling)),
		Referral:      referralv1.NewReferralServiceClient(connection.Conn(host.Referral)),
		Notification:  notificationv1.NewNotificationServiceClient(connection.Conn(host.Notification)),
		Statistics:    referralv1.NewStatisticsServiceClient(connection.Conn(host.Referral)),
	}, bench.Options{
		County: c.County, Password: c.Password, Doctors: c.Doctors, Desks: c.Desks, Duration: c.Duration, Journeys: c.Journeys, Rate: c.Rate,
		OnlyCreate: c.Only == "create", Seed: c.Seed, Clock: clock.System(), Gateway: c.gateway(ctx, settings),
	}, bar.step)
	bar.done()
	if err != nil {
		return err
	}
	report.Print(os.Stdout)
	switch {
	case len(report.Violations) > 0:
		return errInvariants
	case report.Finished == 0:
		return fmt.Errorf("no %s was finished", report.What[:len(report.What)-1])
	}
	return nil
}

// gateway is where pages are served; "" if nothing answers there, or only with TLS, whose name the command does not know.
func (c *benchCommand) gateway(ctx context.Context, settings *host.Settings) string {
	if c.Gateway != "" {
		return c.Gateway
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", settings.HTTPAddr)
	if err != nil || settings.TLSCertFile != "" {
		return ""
	}
	_ = conn.Close() // it answered
	return "http://" + settings.HTTPAddr
}

// benchProgress is the bar, or where nobody watches a line every five seconds.
type benchProgress struct {
	*progress
	clock clock.Clock
	last  time.Time
}

const lineEvery = 5 * time.Second

func newBenchProgress() *benchProgress {
	return &benchProgress{progress: newProgress("bench"), clock: clock.System()}
}

func (p *benchProgress) step(done, total int, what string) {
	if p.bar != nil {
		p.progress.step(done, total, what)
		return
	}
	if now := p.clock.Now(); now.Sub(p.last) >= lineEvery {
		p.last = now
		fmt.Fprintf(os.Stderr, "%s: %d of %d\n", what, done, total)
	}
}
