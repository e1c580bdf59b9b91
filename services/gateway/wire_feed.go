package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/gateway/pages/feeds"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

func newFeed(cfg Config, deps Deps) *hl7.Feed {
	return hl7.NewFeed(hl7.Deps{
		Senders: cfg.Senders, Feed: patientrecordv1.NewFeedServiceClient(deps.Conns.PatientRecord),
		Directory: directoryv1.NewDirectoryServiceClient(deps.Conns.Directory), Clock: deps.Clock, Logger: deps.Logger, Zone: cfg.Zone,
	})
}

// ServeHL7 takes HL7 v2 messages over MLLP until ctx ends; what is under way is still acknowledged. Without config it speaks plainly.
func (s *Service) ServeHL7(ctx context.Context, listener net.Listener, config *tls.Config) error {
	return hl7.NewServer(s.feed, hl7.Limits{}, config).Serve(ctx, listener)
}

// feedPages are the senders and the quarantine.
func feedPages(mux *http.ServeMux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := feeds.New(feeds.Deps{
		Shell: sh, Messages: patientrecordv1.NewFeedServiceClient(deps.Conns.PatientRecord), Feed: newFeed(cfg, deps),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
