package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

type adminDeliveryCommand struct {
	List   deliveryListCommand   `cmd:"" help:"List messages that left the house, or were to, the newest first."`
	Show   deliveryShowCommand   `cmd:"" help:"Show one with its attempts."`
	Replay deliveryReplayCommand `cmd:"" help:"Send again what was given up, marked as a repeat."`
}

const deliveryTimeout = time.Minute

// deliveries calls notification for a county.
func deliveries(ctx context.Context, settings *host.Settings, county string, do func(context.Context, notificationv1.DeliveryServiceClient) error) (err error) {
	ctx, done := context.WithTimeout(ctx, deliveryTimeout)
	defer done()
	connection, err := host.Connect(ctx, *settings, county)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	return do(ctx, notificationv1.NewDeliveryServiceClient(connection.Conn(host.Notification)))
}

type deliveryListCommand struct {
	County  string `required:"" help:"County code, e.g. 450321."`
	State   string `default:"DEAD" enum:"PENDING,SENDING,SENT,DEAD,CANCELLED,SKIPPED,ALL" help:"Only those in this state; ALL for all."`
	Channel string `default:"" enum:",WECOM_ROBOT,WECOM_APP,DINGTALK_ROBOT,EMAIL,SMS,WEBHOOK" help:"Only those of this channel."`
	Limit   int32  `default:"50" help:"How many, 200 at most."`
}

// Run prints a line for each.
func (c *deliveryListCommand) Run(ctx context.Context, settings *host.Settings) error {
	return deliveries(ctx, settings, c.County, func(ctx context.Context, client notificationv1.DeliveryServiceClient) error {
		list, err := client.ListDeliveries(ctx, &notificationv1.ListDeliveriesRequest{
			County: c.County, State: notificationv1.DeliveryState_Code(notificationv1.DeliveryState_Code_value[c.State]),
			Channel: notificationv1.Channel_Code(notificationv1.Channel_Code_value[c.Channel]), PageSize: c.Limit,
		})
		if err != nil {
			return err
		}
		printDeliveries(os.Stdout, list)
		return nil
	})
}

func printDeliveries(w io.Writer, list *notificationv1.ListDeliveriesResponse) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "id\tcreated\tchannel\tto\tevent\tstate\tattempts\treason")
	for _, d := range list.GetDeliveries() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", d.GetId(), local(d.GetCreateTime()), d.GetChannel(), d.GetAddressMasked(), d.GetEvent(), d.GetState(),
			d.GetAttemptCount(), d.GetReason())
	}
	_ = table.Flush() // into what the caller gave; whoever is gone is not told
	fmt.Fprintf(w, "%d shown; %d given up in all\n", len(list.GetDeliveries()), list.GetDeadCount())
}

// local is an instant as people on this machine read it.
func local(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().Local().Format("2006-01-02 15:04:05")
}

type deliveryShowCommand struct {
	County string `required:"" help:"County code, e.g. 450321."`
	ID     string `arg:"" help:"The message's id."`
}

// Run prints one with its attempts.
func (c *deliveryShowCommand) Run(ctx context.Context, settings *host.Settings) error {
	return deliveries(ctx, settings, c.County, func(ctx context.Context, client notificationv1.DeliveryServiceClient) error {
		d, err := client.GetDelivery(ctx, &notificationv1.GetDeliveryRequest{Id: c.ID, County: c.County})
		if err != nil {
			return err
		}
		printDelivery(os.Stdout, d)
		return nil
	})
}

func printDelivery(w io.Writer, d *notificationv1.Delivery) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"id", d.GetId()}, {"channel", d.GetChannel().String()}, {"to", d.GetAddressMasked()}, {"account", d.GetAccountId()}, {"organization", d.GetOrganizationId()},
		{"patient", d.GetPatientId()}, {"event", d.GetEvent()}, {"referral", d.GetReferralNumber()}, {"urgency", d.GetUrgency().String()},
		{"state", d.GetState().String()}, {"reason", d.GetReason()}, {"created", local(d.GetCreateTime())}, {"due", local(d.GetDueTime())}, {"sent", local(d.GetSentTime())},
	} {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	_ = table.Flush()
	fmt.Fprintln(table, "\nattempt\tbegan\tended\toutcome\tcode\tprovider's id\trepeat")
	for _, a := range d.GetAttempts() {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%t\n", a.GetNumber(), local(a.GetStartTime()), local(a.GetEndTime()), a.GetOutcome(), a.GetProviderCode(),
			a.GetProviderMessageId(), a.GetAgain())
	}
	_ = table.Flush()
}

type deliveryReplayCommand struct {
	County  string        `required:"" help:"County code, e.g. 450321."`
	ID      string        `arg:"" optional:"" help:"The message's id; or --all."`
	All     bool          `help:"All that were given up, 1,000 at most."`
	Channel string        `default:"" enum:",WECOM_ROBOT,WECOM_APP,DINGTALK_ROBOT,EMAIL,SMS,WEBHOOK" help:"With --all: only those of this channel."`
	Since   time.Duration `default:"24h" help:"With --all: only those that came within this time."`
}

// Run sends one or all again.
func (c *deliveryReplayCommand) Run(ctx context.Context, settings *host.Settings) error {
	if (c.ID == "") == !c.All {
		return errors.New("name one message by its id, or say --all")
	}
	return deliveries(ctx, settings, c.County, func(ctx context.Context, client notificationv1.DeliveryServiceClient) error {
		if c.ID != "" {
			d, err := client.ReplayDelivery(ctx, &notificationv1.ReplayDeliveryRequest{Id: c.ID, County: c.County})
			if err != nil {
				return err
			}
			fmt.Printf("%s is sent again\n", d.GetId())
			return nil
		}
		done, err := client.ReplayDeliveries(ctx, &notificationv1.ReplayDeliveriesRequest{
			County: c.County, Channel: notificationv1.Channel_Code(notificationv1.Channel_Code_value[c.Channel]),
			Since: timestamppb.New(clock.System().Now().Add(-c.Since)),
		})
		if err != nil {
			return err
		}
		fmt.Printf("%d messages are sent again\n", done.GetReplayed())
		return nil
	})
}
