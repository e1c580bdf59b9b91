package gateway

import (
	"context"
	"crypto/tls"
	"net"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
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
