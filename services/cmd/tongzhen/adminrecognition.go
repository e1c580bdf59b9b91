package main

import (
	"context"
	"errors"
	"fmt"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

type adminRecognitionCommand struct {
	Check recognitionCheckCommand `cmd:"" help:"Recompute a county's figures of recognition from its orders; exit code 1 if anything differs."`
}

type recognitionCheckCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
}

// Run compares and changes nothing; people may go on working.
func (c *recognitionCheckCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	ctx, done := context.WithTimeout(ctx, statisticsTimeout)
	defer done()
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	client := patientrecordv1.NewRecognitionServiceClient(connection.Conn(host.PatientRecord))
	found, err := client.CheckRecognitionStatistics(ctx, &patientrecordv1.CheckRecognitionStatisticsRequest{County: c.County})
	if err != nil {
		return err
	}
	fmt.Printf("%d orders, %d contributions recomputed; %d totals differ\n", found.GetOrders(), found.GetCells(), found.GetDifferences())
	if found.GetDifferences() > 0 {
		return errors.New("the figures of recognition differ from the orders")
	}
	return nil
}
