package main

import (
	"context"
	"errors"
	"fmt"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

type adminRecognitionCommand struct {
	Check   recognitionCheckCommand   `cmd:"" help:"Recompute a county's figures of recognition from its orders; exit code 1 if anything differs."`
	Rebuild recognitionRebuildCommand `cmd:"" help:"Make a county's figures of recognition what its orders say, and count what was mended."`
}

type recognitionCheckCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
}

type recognitionRebuildCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
}

// errOrdersDiffer says that figures and orders do not agree.
var errOrdersDiffer = errors.New("the figures of recognition differ from the orders; `tongzhen admin recognition rebuild` mends them")

// Run compares and changes nothing; people may go on working.
func (c *recognitionCheckCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withRecognition(ctx, settings, c.County, func(ctx context.Context, client patientrecordv1.RecognitionServiceClient) error {
		found, err := client.CheckRecognitionStatistics(ctx, &patientrecordv1.CheckRecognitionStatisticsRequest{County: c.County})
		if err != nil {
			return err
		}
		printOrders(found, "differ")
		if found.GetDifferences() > 0 {
			return errOrdersDiffer
		}
		return nil
	})
}

// Run mends what a check would count; people may go on working.
func (c *recognitionRebuildCommand) Run(ctx context.Context, settings *host.Settings) error {
	return withRecognition(ctx, settings, c.County, func(ctx context.Context, client patientrecordv1.RecognitionServiceClient) error {
		mended, err := client.RebuildRecognitionStatistics(ctx, &patientrecordv1.RebuildRecognitionStatisticsRequest{County: c.County})
		if err != nil {
			return err
		}
		printOrders(mended, "were mended")
		return nil
	})
}

func printOrders(found *patientrecordv1.CheckRecognitionStatisticsResponse, what string) {
	fmt.Printf("%d orders, %d contributions recomputed; %d totals %s\n", found.GetOrders(), found.GetCells(), found.GetDifferences(), what)
}

func withRecognition(ctx context.Context, settings *host.Settings, county string, do func(context.Context, patientrecordv1.RecognitionServiceClient) error) (err error) {
	ctx, done := context.WithTimeout(ctx, statisticsTimeout)
	defer done()
	connection, err := host.Connect(ctx, *settings, county)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return do(ctx, patientrecordv1.NewRecognitionServiceClient(connection.Conn(host.PatientRecord)))
}
