package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

type adminCommand struct {
	Account     adminAccountCommand     `cmd:"" help:"Accounts: the first administrator, who leaves, who lost a password."`
	Audit       adminAuditCommand       `cmd:"" help:"Check and export the record of who did and who saw what."`
	Delivery    adminDeliveryCommand    `cmd:"" help:"Messages that left the house: see them, and send again what was given up."`
	Keys        adminKeysCommand        `cmd:"" help:"The keys that patient data is encrypted with."`
	Recognition adminRecognitionCommand `cmd:"" help:"Hold the figures of recognised results against the orders."`
	Statistics  adminStatisticsCommand  `cmd:"" help:"Hold the figures against the histories of the referrals."`
}

type adminStatisticsCommand struct {
	Check   statisticsCheckCommand   `cmd:"" help:"Recompute a county's figures from the histories and list what differs; exit code 1 if anything does."`
	Rebuild statisticsRebuildCommand `cmd:"" help:"Make a county's figures what the histories say, and list what was mended."`
}

type statisticsCheckCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
}

type statisticsRebuildCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
}

// errDiffer says that figures and histories do not agree.
var errDiffer = errors.New("the figures differ from the histories; `tongzhen admin statistics rebuild` mends them")

// Run compares and changes nothing; people may go on working.
func (c *statisticsCheckCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withStatistics(ctx, settings, c.County, func(ctx context.Context, client referralv1.StatisticsServiceClient) error {
		found, err := client.CheckStatistics(ctx, &referralv1.CheckStatisticsRequest{County: c.County})
		if err != nil {
			return err
		}
		printDifferences(found, "differ")
		if len(found.GetDifferences()) > 0 {
			return errDiffer
		}
		return nil
	})
}

// Run mends what a check would list; people may go on working.
func (c *statisticsRebuildCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withStatistics(ctx, settings, c.County, func(ctx context.Context, client referralv1.StatisticsServiceClient) error {
		mended, err := client.RebuildStatistics(ctx, &referralv1.RebuildStatisticsRequest{County: c.County})
		if err != nil {
			return err
		}
		printDifferences(mended, "were mended")
		return nil
	})
}

// statisticsTimeout is for a county with millions of referrals.
const statisticsTimeout = 10 * time.Minute

func withStatistics(ctx context.Context, settings *host.Settings, county string, do func(context.Context, referralv1.StatisticsServiceClient) error) (err error) {
	ctx, done := context.WithTimeout(ctx, statisticsTimeout)
	defer done()
	connection, err := host.Connect(ctx, *settings, county)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return do(ctx, referralv1.NewStatisticsServiceClient(connection.Conn(host.Referral)))
}

// shownDifferences are enough to see what is wrong.
const shownDifferences = 20

func printDifferences(found *referralv1.CheckStatisticsResponse, what string) {
	shown := found.GetDifferences()[:min(shownDifferences, len(found.GetDifferences()))]
	for _, d := range shown {
		fmt.Printf("%s %s %s: stored %d, recomputed %d\n", d.GetDay(), d.GetCounter(), strings.Join(d.GetKey(), " "), d.GetStored(), d.GetRecomputed())
	}
	if more := len(found.GetDifferences()) - len(shown); more > 0 {
		fmt.Printf("and %d more\n", more)
	}
	fmt.Printf("%d referrals, %d contributions recomputed; %d totals %s\n", found.GetReferrals(), found.GetCells(), len(found.GetDifferences()), what)
}
