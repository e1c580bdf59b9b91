// Package rest serves /api/v1: JSON over HTTP, generated from the contracts.
//
// Owns: sign-out, the headers Idempotency-Key and If-Match, and the form of errors. Refuses: the session cookie (only a
// bearer secret counts here) and anything of a person who is not signed in but the sign-in itself. Safe for concurrent
// use.
package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/tongzhen/tongzhen/proto"
	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/gateway/trail"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Prefix of every route.
const Prefix = "/api/v1"

// maxBody is the most a request body may hold, in bytes; attachments have a route of their own.
const maxBody = 1 << 20

// Conns are the connections to the services; all are required.
type Conns struct {
	Directory, Referral, PatientRecord, Scheduling, Notification *grpc.ClientConn
}

// Trail is the audit record of all services.
func (c Conns) Trail() *trail.Trail {
	return trail.New([]string{"directory", "patientrecord", "referral", "scheduling", "notification"},
		[]grpc.ClientConnInterface{c.Directory, c.PatientRecord, c.Referral, c.Scheduling, c.Notification})
}

// Deps is what the API needs; all fields are required.
type Deps struct {
	Conns  Conns
	Door   *door.Door
	Text   *text.Catalogue
	Logger *slog.Logger
	Clock  clock.Clock
}

type api struct {
	deps  Deps
	mux   *runtime.ServeMux
	folds map[string]fold
}

// New builds the handler of everything below Prefix.
func New(ctx context.Context, deps Deps) (http.Handler, error) {
	a := &api{deps: deps, folds: folds()}
	a.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
			MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true},
		}),
		runtime.WithErrorHandler(a.onError),
		runtime.WithMiddlewares(a.foldHeaders),
		runtime.WithIncomingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
	)
	referral := deps.Conns.Referral
	for _, routes := range []struct {
		register func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error
		conn     *grpc.ClientConn
	}{
		{directoryv1.RegisterDirectoryServiceHandler, deps.Conns.Directory},
		{directoryv1.RegisterAccountServiceHandler, deps.Conns.Directory},
		{directoryv1.RegisterPlaceServiceHandler, deps.Conns.Directory},
		{directoryv1.RegisterRosterServiceHandler, deps.Conns.Directory},
		{referralv1.RegisterReferralServiceHandler, referral},
		{referralv1.RegisterFollowUpServiceHandler, referral},
		{referralv1.RegisterCriteriaServiceHandler, referral},
		{referralv1.RegisterCandidateServiceHandler, referral},
		{referralv1.RegisterHandoverServiceHandler, referral},
		{referralv1.RegisterDowntimeServiceHandler, referral},
		{referralv1.RegisterStatisticsServiceHandler, referral},
		{referralv1.RegisterSettingServiceHandler, referral},
		{patientrecordv1.RegisterPatientRecordServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterAccessServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterClinicalRecordServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterPatientIndexServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterAttachmentServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterRecognitionServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterConsentServiceHandler, deps.Conns.PatientRecord},
		{patientrecordv1.RegisterExportServiceHandler, deps.Conns.PatientRecord},
		{schedulingv1.RegisterSchedulingServiceHandler, deps.Conns.Scheduling},
		{schedulingv1.RegisterAllocationServiceHandler, deps.Conns.Scheduling},
		{schedulingv1.RegisterCalendarServiceHandler, deps.Conns.Scheduling},
		{notificationv1.RegisterNotificationServiceHandler, deps.Conns.Notification},
		{notificationv1.RegisterDeliveryServiceHandler, deps.Conns.Notification},
		{notificationv1.RegisterAlarmServiceHandler, deps.Conns.Notification},
	} {
		if err := routes.register(ctx, a.mux, routes.conn); err != nil {
			return nil, fmt.Errorf("register REST routes: %w", err)
		}
	}
	if err := commonv1.RegisterAuditServiceHandlerClient(ctx, a.mux, deps.Conns.Trail()); err != nil {
		return nil, fmt.Errorf("register REST routes: %w", err)
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET "+Prefix+"/openapi.json", openAPI)
	routes.HandleFunc("DELETE "+Prefix+"/sessions/current", a.signOut)
	a.documents(routes)
	a.copies(routes)
	a.exports(routes)
	// An ended secret in the header must not keep anybody from signing in anew.
	routes.HandleFunc("POST "+Prefix+"/sessions", a.forward)
	routes.Handle(Prefix+"/", deps.Door.Bearer(http.HandlerFunc(a.signedIn), a.fail))
	return routes, nil
}

func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(proto.OpenAPI)
}

// signedIn lets nobody through without a session: without a person's token a call would go out in the gateway's own name.
func (a *api) signedIn(w http.ResponseWriter, r *http.Request) {
	if _, ok := door.VisitorFrom(r.Context()); !ok {
		a.fail(w, r, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "sign in first", nil))
		return
	}
	a.forward(w, r)
}

func (a *api) forward(w http.ResponseWriter, r *http.Request) {
	// The secret ends at the gateway; services get the call token only.
	r.Header.Del("Authorization")
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	a.mux.ServeHTTP(w, r)
}

func (a *api) signOut(w http.ResponseWriter, r *http.Request) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		a.fail(w, r, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "sign in first", nil))
		return
	}
	if err := a.deps.Door.SignOut(r.Context(), secret); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
