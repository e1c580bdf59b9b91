package gateway

import (
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/links"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// linkPages are behind the links of messages that left the house.
func linkPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := links.New(links.Deps{
		Shell: sh, Delivery: notificationv1.NewDeliveryServiceClient(deps.Conns.Notification), Limiter: deps.Cache, Ring: deps.Ring,
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
