package gateway

import (
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/deliveries"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// deliveryPages are what goes out of the house, and the addresses it goes to.
func deliveryPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := deliveries.New(deliveries.Deps{Shell: sh, Delivery: notificationv1.NewDeliveryServiceClient(deps.Conns.Notification)})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
