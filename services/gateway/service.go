package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	_ "time/tzdata" // the county's zone on machines without zone files

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/live"
	"github.com/tongzhen/tongzhen/services/gateway/pages/account"
	"github.com/tongzhen/tongzhen/services/gateway/pages/apidocs"
	"github.com/tongzhen/tongzhen/services/gateway/pages/desk"
	"github.com/tongzhen/tongzhen/services/gateway/pages/inbox"
	"github.com/tongzhen/tongzhen/services/gateway/pages/patients"
	"github.com/tongzhen/tongzhen/services/gateway/pages/refer"
	"github.com/tongzhen/tongzhen/services/gateway/pages/referrals"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/rest"
	"github.com/tongzhen/tongzhen/services/gateway/style"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

// Deps is what the gateway stands on; all fields are required.
type Deps struct {
	Conns rest.Conns
	Bus   bus.Bus
	Cache cache.Store
	// Ring seals search words while they are kept.
	Ring   *crypt.Ring
	Clock  clock.Clock
	Logger *slog.Logger
}

// Service is the gateway.
type Service struct {
	deps    Deps
	hub     *live.Hub
	handler http.Handler
}

// New builds the gateway whole.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	catalogue, err := text.New()
	if err != nil {
		return nil, err
	}
	assets, err := style.New()
	if err != nil {
		return nil, err
	}
	directory := directoryv1.NewDirectoryServiceClient(deps.Conns.Directory)
	hub := live.New(deps.Bus, deps.Clock, deps.Logger)
	d := door.New(directory, deps.Clock, cfg.Secure, hub.End)
	sh, err := shell.New(shell.Deps{
		Text: catalogue, Assets: assets, Names: shell.NewNames(directory, deps.Clock),
		Notification: notificationv1.NewNotificationServiceClient(deps.Conns.Notification),
		Referral:     referralv1.NewReferralServiceClient(deps.Conns.Referral),
		Clock:        deps.Clock, Logger: deps.Logger, Zone: cfg.Zone,
	})
	if err != nil {
		return nil, err
	}
	api, err := rest.New(ctx, rest.Deps{Conns: deps.Conns, Door: d, Text: catalogue, Logger: deps.Logger})
	if err != nil {
		return nil, err
	}
	pages, err := pageMux(cfg, deps, sh, d, directory)
	if err != nil {
		return nil, err
	}
	s := &Service{deps: deps, hub: hub}
	sameSite := http.NewCrossOriginProtection()
	sameSite.SetDenyHandler(http.HandlerFunc(sh.FromElsewhere))
	root := http.NewServeMux()
	root.Handle(style.Prefix, assets)
	root.Handle(rest.Prefix+"/", limited(api, cfg))
	root.Handle("GET /events", d.Cookie(s.hub, sh.Fail))
	root.Handle("/", limited(d.Cookie(sameSite.Handler(pages), sh.Fail), cfg))
	s.handler = otelhttp.NewHandler(door.Headers(root, cfg.Secure), "http", otelhttp.WithSpanNameFormatter(spanName))
	return s, nil
}

func pageMux(cfg Config, deps Deps, sh *shell.Shell, d *door.Door, directory directoryv1.DirectoryServiceClient) (*http.ServeMux, error) {
	mux := http.NewServeMux()
	accountPages, err := account.New(sh, d, directory, cfg.Demo)
	if err != nil {
		return nil, err
	}
	accountPages.Routes(mux)
	var (
		record       = patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord)
		referral     = referralv1.NewReferralServiceClient(deps.Conns.Referral)
		scheduling   = schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling)
		notification = notificationv1.NewNotificationServiceClient(deps.Conns.Notification)
	)
	patientPages, err := patients.New(patients.Deps{Shell: sh, Record: record, Cache: deps.Cache, Ring: deps.Ring})
	if err != nil {
		return nil, err
	}
	patientPages.Routes(mux)
	referPages, err := refer.New(refer.Deps{Shell: sh, Record: record, Referral: referral, Scheduling: scheduling})
	if err != nil {
		return nil, err
	}
	referPages.Routes(mux)
	referralPages, err := referrals.New(referrals.Deps{Shell: sh, Referral: referral, Record: record, Scheduling: scheduling, Notification: notification})
	if err != nil {
		return nil, err
	}
	referralPages.Routes(mux)
	deskPages, err := desk.New(desk.Deps{Shell: sh, Referral: referral})
	if err != nil {
		return nil, err
	}
	deskPages.Routes(mux)
	inboxPages, err := inbox.New(inbox.Deps{Shell: sh, Notification: notification, Referral: referral})
	if err != nil {
		return nil, err
	}
	inboxPages.Routes(mux)
	apiPages, err := apidocs.New(sh)
	if err != nil {
		return nil, err
	}
	apiPages.Routes(mux)
	mux.Handle("/", sh.Open(notFound))
	return mux, nil
}

// limited gives every page and call its deadline.
func limited(next http.Handler, cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), cfg.RequestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// spanName keeps ids out of span names.
func spanName(_ string, r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return r.Method + " /" + first
}

// Handler serves everything from outside.
func (s *Service) Handler() http.Handler { return s.handler }

// Run feeds the live stream until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	defer s.hub.Close()
	return s.hub.Run(ctx)
}

// Close ends the open streams, so that the HTTP server can stop.
func (s *Service) Close() { s.hub.Close() }

// Health answers nil when the gateway can serve.
func (s *Service) Health(ctx context.Context) error { return s.deps.Bus.Ready(ctx) }
