package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/fhir/endpoint"
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

// fhirRoutes serve what hospitals' systems send as FHIR.
func fhirRoutes(root *http.ServeMux, cfg Config, deps Deps, d *door.Door) {
	names := shell.NewNames(directoryv1.NewDirectoryServiceClient(deps.Conns.Directory), deps.Clock)
	served := limited(endpoint.New(endpoint.Deps{
		Door: d, Feed: patientrecordv1.NewFeedServiceClient(deps.Conns.PatientRecord),
		Patient: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord), Logger: deps.Logger, Began: deps.Clock.Now(),
		Organizations: func(ctx context.Context) ([]*directoryv1.Organization, error) {
			county, err := names.County(ctx)
			if err != nil {
				return nil, err
			}
			return county.Organizations, nil
		},
	}), cfg)
	root.Handle(endpoint.Prefix, served)
	root.Handle(endpoint.Prefix+"/", served)
}

// feedPages are the senders and the quarantine.
func feedPages(mux shell.Mux, cfg Config, deps Deps, sh *shell.Shell) error {
	pages, err := feeds.New(feeds.Deps{
		Shell: sh, Messages: patientrecordv1.NewFeedServiceClient(deps.Conns.PatientRecord), Feed: newFeed(cfg, deps),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}
