package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // the county's zone on machines without zone files

	"github.com/klauspost/compress/gzhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/gateway/live"
	"github.com/tongzhen/tongzhen/services/gateway/pages/account"
	"github.com/tongzhen/tongzhen/services/gateway/pages/apidocs"
	"github.com/tongzhen/tongzhen/services/gateway/pages/candidates"
	"github.com/tongzhen/tongzhen/services/gateway/pages/desk"
	"github.com/tongzhen/tongzhen/services/gateway/pages/down"
	"github.com/tongzhen/tongzhen/services/gateway/pages/followups"
	"github.com/tongzhen/tongzhen/services/gateway/pages/home"
	"github.com/tongzhen/tongzhen/services/gateway/pages/inbox"
	"github.com/tongzhen/tongzhen/services/gateway/pages/patients"
	"github.com/tongzhen/tongzhen/services/gateway/pages/queue"
	"github.com/tongzhen/tongzhen/services/gateway/pages/record"
	"github.com/tongzhen/tongzhen/services/gateway/pages/refer"
	"github.com/tongzhen/tongzhen/services/gateway/pages/referrals"
	"github.com/tongzhen/tongzhen/services/gateway/pages/settings"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/pages/statistics"
	"github.com/tongzhen/tongzhen/services/gateway/pages/styleguide"
	"github.com/tongzhen/tongzhen/services/gateway/pages/village"
	"github.com/tongzhen/tongzhen/services/gateway/rest"
	"github.com/tongzhen/tongzhen/services/gateway/style"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/run"
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
	door    *door.Door
	names   *shell.Names
	feed    *hl7.Feed
	pages   *shell.Table
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
	d := door.New(directory, deps.Clock, hub.End)
	names := shell.NewNames(directory, deps.Clock)
	sh, err := shell.New(shell.Deps{
		Text: catalogue, Assets: assets, Names: names,
		Criteria:     shell.NewCriteria(referralv1.NewCriteriaServiceClient(deps.Conns.Referral), deps.Clock),
		Notification: notificationv1.NewNotificationServiceClient(deps.Conns.Notification),
		Alarm:        notificationv1.NewAlarmServiceClient(deps.Conns.Notification),
		Referral:     referralv1.NewReferralServiceClient(deps.Conns.Referral),
		Consent:      patientrecordv1.NewConsentServiceClient(deps.Conns.PatientRecord),
		Clock:        deps.Clock, Logger: deps.Logger, Ring: deps.Ring, Zone: cfg.Zone,
	})
	if err != nil {
		return nil, err
	}
	api, err := rest.New(ctx, rest.Deps{Conns: deps.Conns, Door: d, Text: catalogue, Logger: deps.Logger, Clock: deps.Clock})
	if err != nil {
		return nil, err
	}
	pages, err := pageMux(cfg, deps, sh, d, directory)
	if err != nil {
		return nil, err
	}
	small, err := compressed()
	if err != nil {
		return nil, err
	}
	s := &Service{deps: deps, hub: hub, names: names, door: d, feed: newFeed(cfg, deps), pages: pages}
	sameSite := http.NewCrossOriginProtection()
	sameSite.SetDenyHandler(http.HandlerFunc(sh.FromElsewhere))
	root := http.NewServeMux()
	root.Handle(style.Prefix, small(assets))
	root.Handle(rest.Prefix+"/", small(limited(api, cfg)))
	root.Handle("GET "+rest.Prefix+"/verify/{number}", limited(pages, cfg)) // without a token
	fhirRoutes(root, cfg, deps, d)
	root.Handle("GET /events", d.Cookie(s.hub, sh.Fail))
	signedIn := d.Cookie(hub.Placed(sameSite.Handler(pages)), sh.Fail)
	slowRoutes(root, deps, api, signedIn)
	root.Handle("/", small(limited(signedIn, cfg)))
	s.handler = otelhttp.NewHandler(door.Behind(door.Headers(root, cfg.Secure), cfg.Proxies), "http", otelhttp.WithSpanNameFormatter(spanName), otelhttp.WithFilter(traced))
	return s, nil
}

// compressed makes answers small for whoever reads gzip. The length of a page that holds secrets of a patient must not tell whether something
// that was sent with the request stands in it too, so that each length is a little random (BREACH).
func compressed() (func(http.Handler) http.HandlerFunc, error) {
	small, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.RandomJitter(32, 0, false), gzhttp.ContentTypes([]string{
		"text/html", "text/css", "text/javascript", "text/plain", "text/csv", "text/calendar", "image/svg+xml", "application/json", "application/fhir+json",
	}))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	return small, nil
}

// Pages are the routes of all pages, "GET /patients/{id}", in alphabetical order.
func (s *Service) Pages() []string { return s.pages.Patterns() }

// traced leaves out the links of messages: whoever has their address may acknowledge, and a span keeps addresses.
func traced(r *http.Request) bool { return !strings.HasPrefix(r.URL.Path, "/k/") }

// pageMux serves every page to whoever is signed in.
func pageMux(cfg Config, deps Deps, sh *shell.Shell, d *door.Door, directory directoryv1.DirectoryServiceClient) (*shell.Table, error) {
	mux := shell.NewTable()
	accountPages, err := account.New(account.Deps{
		Shell: sh, Door: d, Directory: directory, Accounts: directoryv1.NewAccountServiceClient(deps.Conns.Directory), Demo: cfg.Demo,
	})
	if err != nil {
		return nil, err
	}
	accountPages.Routes(mux)
	if cfg.Demo {
		guide, err := styleguide.New(sh)
		if err != nil {
			return nil, err
		}
		guide.Routes(mux)
	}
	for _, add := range []func(shell.Mux, Config, Deps, *shell.Shell) error{
		patientPages, clinicalPages, matchPages, writingPages, slipPages, attachmentPages, workplaces, accessPages, recognitionPages, feedPages,
		referralPages, auditPages, capacityPages, deliveryPages, dutyPages, linkPages, keptAccountPages, placePages,
	} {
		if err := add(mux, cfg, deps, sh); err != nil {
			return nil, err
		}
	}
	mux.Handle("/", sh.Open(notFound))
	return mux, nil
}

func patientPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	pages, err := patients.New(patients.Deps{
		Shell: sh, Cache: deps.Cache, Ring: deps.Ring,
		Record:   patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Index:    patientrecordv1.NewPatientIndexServiceClient(deps.Conns.PatientRecord),
		Referral: referralv1.NewReferralServiceClient(deps.Conns.Referral),
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	return nil
}

// referralPages are a referral's own page, the desk's queue, the notices, and the page to try the REST interface.
func referralPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	var (
		referral     = referralv1.NewReferralServiceClient(deps.Conns.Referral)
		notification = notificationv1.NewNotificationServiceClient(deps.Conns.Notification)
	)
	received := &queue.Queue{
		Shell: sh, Referral: referral,
		Scheduling: schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling), Allocation: schedulingv1.NewAllocationServiceClient(deps.Conns.Scheduling),
	}
	pages, err := referrals.New(referrals.Deps{
		Shell: sh, Referral: referral, Notification: notification, Queue: received,
		Alarm:       notificationv1.NewAlarmServiceClient(deps.Conns.Notification),
		Clinical:    patientrecordv1.NewClinicalRecordServiceClient(deps.Conns.PatientRecord),
		FollowUps:   referralv1.NewFollowUpServiceClient(deps.Conns.Referral),
		Record:      patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord),
		Scheduling:  schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling),
		Calendar:    schedulingv1.NewCalendarServiceClient(deps.Conns.Scheduling),
		Allocation:  schedulingv1.NewAllocationServiceClient(deps.Conns.Scheduling),
		Handover:    referralv1.NewHandoverServiceClient(deps.Conns.Referral),
		Candidate:   referralv1.NewCandidateServiceClient(deps.Conns.Referral),
		Recognition: patientrecordv1.NewRecognitionServiceClient(deps.Conns.PatientRecord),
		Cache:       deps.Cache, Ring: deps.Ring,
	})
	if err != nil {
		return err
	}
	pages.Routes(mux)
	deskPages, err := desk.New(desk.Deps{
		Shell: sh, Referral: referral, Handover: referralv1.NewHandoverServiceClient(deps.Conns.Referral), Queue: received, Limiter: deps.Cache,
		Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord), Cache: deps.Cache, Ring: deps.Ring,
	})
	if err != nil {
		return err
	}
	deskPages.Routes(mux)
	homePages, err := home.New(home.Deps{Shell: sh, Referral: referral, FollowUp: referralv1.NewFollowUpServiceClient(deps.Conns.Referral), Notification: notification})
	if err != nil {
		return err
	}
	homePages.Routes(mux)
	inboxPages, err := inbox.New(inbox.Deps{Shell: sh, Notification: notification, Referral: referral})
	if err != nil {
		return err
	}
	inboxPages.Routes(mux)
	apiPages, err := apidocs.New(sh)
	if err != nil {
		return err
	}
	apiPages.Routes(mux)
	return nil
}

// writingPages are those on which a patient is sent up or down, and what happened without a referral is recorded.
func writingPages(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	var (
		patientRecord = patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord)
		referral      = referralv1.NewReferralServiceClient(deps.Conns.Referral)
		criteria      = referralv1.NewCriteriaServiceClient(deps.Conns.Referral)
		candidate     = referralv1.NewCandidateServiceClient(deps.Conns.Referral)
		followUp      = referralv1.NewFollowUpServiceClient(deps.Conns.Referral)
		scheduling    = schedulingv1.NewSchedulingServiceClient(deps.Conns.Scheduling)
		handover      = referralv1.NewHandoverServiceClient(deps.Conns.Referral)
		documents     = patientrecordv1.NewAttachmentServiceClient(deps.Conns.PatientRecord)
	)
	referPages, err := refer.New(refer.Deps{
		Shell: sh, Record: patientRecord, Referral: referral, Criteria: criteria, Scheduling: scheduling, Handover: handover, Attachments: documents,
		Allocation: schedulingv1.NewAllocationServiceClient(deps.Conns.Scheduling), Consents: patientrecordv1.NewConsentServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	referPages.Routes(mux)
	downPages, err := down.New(down.Deps{
		Shell: sh, Record: patientRecord, Referral: referral, Criteria: criteria, Candidate: candidate, FollowUp: followUp, Handover: handover, Attachments: documents,
		Clinical: patientrecordv1.NewClinicalRecordServiceClient(deps.Conns.PatientRecord),
	})
	if err != nil {
		return err
	}
	downPages.Routes(mux)
	recordPages, err := record.New(record.Deps{Shell: sh, Record: patientRecord, Referral: referral})
	if err != nil {
		return err
	}
	recordPages.Routes(mux)
	return nil
}

// workplaces are the lists that are worked through across referrals, the figures and the settings.
func workplaces(mux shell.Mux, _ Config, deps Deps, sh *shell.Shell) error {
	referral := referralv1.NewReferralServiceClient(deps.Conns.Referral)
	followUpPages, err := followups.New(followups.Deps{Shell: sh, FollowUp: referralv1.NewFollowUpServiceClient(deps.Conns.Referral)})
	if err != nil {
		return err
	}
	followUpPages.Routes(mux)
	villagePages, err := village.New(village.Deps{
		Shell: sh, FollowUp: referralv1.NewFollowUpServiceClient(deps.Conns.Referral),
		Record: patientrecordv1.NewPatientRecordServiceClient(deps.Conns.PatientRecord), Cache: deps.Cache, Ring: deps.Ring,
	})
	if err != nil {
		return err
	}
	villagePages.Routes(mux)
	candidatePages, err := candidates.New(candidates.Deps{Shell: sh, Candidate: referralv1.NewCandidateServiceClient(deps.Conns.Referral), Referral: referral})
	if err != nil {
		return err
	}
	candidatePages.Routes(mux)
	statisticPages, err := statistics.New(statistics.Deps{
		Shell: sh, Statistics: referralv1.NewStatisticsServiceClient(deps.Conns.Referral), Referral: referral,
		Setting:     referralv1.NewSettingServiceClient(deps.Conns.Referral),
		Recognition: patientrecordv1.NewRecognitionServiceClient(deps.Conns.PatientRecord),
		Roster:      directoryv1.NewRosterServiceClient(deps.Conns.Directory),
	})
	if err != nil {
		return err
	}
	statisticPages.Routes(mux)
	settingPages, err := settings.New(settings.Deps{
		Shell: sh, Setting: referralv1.NewSettingServiceClient(deps.Conns.Referral), Criteria: referralv1.NewCriteriaServiceClient(deps.Conns.Referral),
		Statistics: referralv1.NewStatisticsServiceClient(deps.Conns.Referral), Referral: referral,
	})
	if err != nil {
		return err
	}
	settingPages.Routes(mux)
	return nil
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

// stopTimeout is how long reading of facts may take to end.
const stopTimeout = 10 * time.Second

// Run feeds the live stream, and follows what organisations are called, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	defer s.hub.Close()
	return run.Group(ctx, stopTimeout,
		run.Part{Name: "live", Runner: run.Func(func(ctx context.Context) error { return s.hub.Run(ctx, s.door.AccountChanged) })},
		run.Part{Name: "names", Runner: run.Func(func(ctx context.Context) error { return s.names.Follow(ctx, s.deps.Bus) })},
	)
}

// Close ends the open streams, so that the HTTP server can stop.
func (s *Service) Close() { s.hub.Close() }

// Health answers nil when the gateway can serve.
func (s *Service) Health(ctx context.Context) error { return s.deps.Bus.Ready(ctx) }
