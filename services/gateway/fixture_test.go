package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway"
	"github.com/tongzhen/tongzhen/services/gateway/rest"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// now is 09:30 in the county.
var now = time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)

const (
	townshipID, hospitalID = "0192f0c1-0000-7000-8000-000000000001", "0192f0c1-0000-7000-8000-000000000002"
	patientID, referralID  = "0192f0c1-0000-7000-8000-000000000011", "0192f0c1-0000-7000-8000-000000000012"
	slotID, holdID         = "0192f0c1-0000-7000-8000-000000000013", "0192f0c1-0000-7000-8000-000000000014"
	noticeID, bookingID    = "0192f0c1-0000-7000-8000-000000000015", "0192f0c1-0000-7000-8000-000000000016"
)

// world is the gateway with every peer faked.
type world struct {
	t       *testing.T
	clk     *clock.Fixed
	signer  *authn.Signer
	log     *buffer
	service *gateway.Service
	archive *archive

	mu       sync.Mutex
	answers  map[string]func(ctx context.Context, in proto.Message) (proto.Message, error)
	calls    map[string][]proto.Message
	sessions map[string]*directoryv1.Account
}

func newWorld(t *testing.T) *world { return newWorldOn(t, quietBus{}) }

func newWorldOn(t *testing.T, b bus.Bus) *world {
	t.Helper()
	key, err := authn.GenerateKey()
	check(t, err)
	signer, err := authn.NewSigner(key)
	check(t, err)
	w := &world{
		t: t, clk: clock.NewFixed(now), signer: signer, log: &buffer{}, calls: map[string][]proto.Message{},
		archive:  &archive{},
		sessions: map[string]*directoryv1.Account{"township": doctor(), "desk": clerk()},
	}
	w.answers = w.defaults()
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	network := rpc.InProcess()
	dial := func(target string) *grpc.ClientConn {
		conn, err := network.Dial(t.Context(), "gateway", target, rpc.ClientConfig{Signer: signer, Clock: w.clk})
		check(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	w.serve(network, logger, "directory", func(r grpc.ServiceRegistrar) {
		directoryv1.RegisterDirectoryServiceServer(r, directoryv1.UnimplementedDirectoryServiceServer{})
		directoryv1.RegisterRosterServiceServer(r, directoryv1.UnimplementedRosterServiceServer{})
		directoryv1.RegisterAccountServiceServer(r, directoryv1.UnimplementedAccountServiceServer{})
		directoryv1.RegisterPlaceServiceServer(r, directoryv1.UnimplementedPlaceServiceServer{})
		commonv1.RegisterAuditServiceServer(r, commonv1.UnimplementedAuditServiceServer{})
	})
	w.serve(network, logger, "referral", func(r grpc.ServiceRegistrar) {
		referralv1.RegisterReferralServiceServer(r, referralv1.UnimplementedReferralServiceServer{})
		commonv1.RegisterAuditServiceServer(r, commonv1.UnimplementedAuditServiceServer{})
		referralv1.RegisterCriteriaServiceServer(r, referralv1.UnimplementedCriteriaServiceServer{})
		referralv1.RegisterCandidateServiceServer(r, referralv1.UnimplementedCandidateServiceServer{})
		referralv1.RegisterFollowUpServiceServer(r, referralv1.UnimplementedFollowUpServiceServer{})
		referralv1.RegisterStatisticsServiceServer(r, referralv1.UnimplementedStatisticsServiceServer{})
		referralv1.RegisterHandoverServiceServer(r, referralv1.UnimplementedHandoverServiceServer{})
		referralv1.RegisterDowntimeServiceServer(r, referralv1.UnimplementedDowntimeServiceServer{})
		referralv1.RegisterSettingServiceServer(r, referralv1.UnimplementedSettingServiceServer{})
	})
	w.serve(network, logger, "patientrecord", func(r grpc.ServiceRegistrar) {
		patientrecordv1.RegisterPatientRecordServiceServer(r, patientrecordv1.UnimplementedPatientRecordServiceServer{})
		patientrecordv1.RegisterAttachmentServiceServer(r, w.archive)
		commonv1.RegisterAuditServiceServer(r, commonv1.UnimplementedAuditServiceServer{})
		patientrecordv1.RegisterRecognitionServiceServer(r, patientrecordv1.UnimplementedRecognitionServiceServer{})
		patientrecordv1.RegisterFeedServiceServer(r, patientrecordv1.UnimplementedFeedServiceServer{})
		patientrecordv1.RegisterClinicalRecordServiceServer(r, patientrecordv1.UnimplementedClinicalRecordServiceServer{})
		patientrecordv1.RegisterPatientIndexServiceServer(r, patientrecordv1.UnimplementedPatientIndexServiceServer{})
		patientrecordv1.RegisterAccessServiceServer(r, patientrecordv1.UnimplementedAccessServiceServer{})
		patientrecordv1.RegisterConsentServiceServer(r, patientrecordv1.UnimplementedConsentServiceServer{})
		patientrecordv1.RegisterExportServiceServer(r, patientrecordv1.UnimplementedExportServiceServer{})
	})
	w.serve(network, logger, "scheduling", func(r grpc.ServiceRegistrar) {
		schedulingv1.RegisterSchedulingServiceServer(r, schedulingv1.UnimplementedSchedulingServiceServer{})
		schedulingv1.RegisterCalendarServiceServer(r, schedulingv1.UnimplementedCalendarServiceServer{})
		schedulingv1.RegisterAllocationServiceServer(r, schedulingv1.UnimplementedAllocationServiceServer{})
		commonv1.RegisterAuditServiceServer(r, commonv1.UnimplementedAuditServiceServer{})
	})
	w.serve(network, logger, "notification", func(r grpc.ServiceRegistrar) {
		notificationv1.RegisterNotificationServiceServer(r, notificationv1.UnimplementedNotificationServiceServer{})
		notificationv1.RegisterDeliveryServiceServer(r, notificationv1.UnimplementedDeliveryServiceServer{})
		notificationv1.RegisterAlarmServiceServer(r, notificationv1.UnimplementedAlarmServiceServer{})
		commonv1.RegisterAuditServiceServer(r, commonv1.UnimplementedAuditServiceServer{})
	})
	w.service, err = gateway.New(t.Context(), gateway.Config{Demo: true, Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}}, gateway.Deps{
		Conns: rest.Conns{
			Directory: dial("directory"), Referral: dial("referral"), PatientRecord: dial("patientrecord"),
			Scheduling: dial("scheduling"), Notification: dial("notification"),
		},
		Bus: b, Cache: cache.Memory(w.clk), Ring: crypt.TestRing(), Clock: w.clk, Logger: logger,
	})
	check(t, err)
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve runs a fake peer behind the real server: the gateway may call for persons only, but for the methods of the
// door.
func (w *world) serve(network *rpc.Network, logger *slog.Logger, name string, register func(grpc.ServiceRegistrar)) {
	table := authz.Table{}
	register(registrar(func(desc *grpc.ServiceDesc, _ any) {
		for _, s := range desc.Streams {
			table["/"+desc.ServiceName+"/"+s.StreamName] = authz.Rule{AnyPerson: true}
		}
		for _, m := range desc.Methods {
			full := "/" + desc.ServiceName + "/" + m.MethodName
			table[full] = authz.Rule{AnyPerson: true}
			switch full {
			case directoryv1.DirectoryService_SignIn_FullMethodName:
				table[full] = authz.Rule{Open: true}
			case directoryv1.DirectoryService_SignOut_FullMethodName, directoryv1.DirectoryService_ExchangeSession_FullMethodName:
				table[full] = authz.Rule{Services: []string{"gateway"}}
			case referralv1.HandoverService_VerifySlip_FullMethodName, linkMethod, acknowledgeMethod:
				table[full] = authz.Rule{Services: []string{"gateway"}}
			}
		}
	}))
	server, err := rpc.NewServer(rpc.ServerConfig{
		Service: name, Table: table, Verifier: authn.NewVerifier(authn.KeysOf(w.signer), w.clk), Logger: slog.New(slog.DiscardHandler), Clock: w.clk,
	}, func(r grpc.ServiceRegistrar) {
		register(registrar(func(desc *grpc.ServiceDesc, impl any) { r.RegisterService(w.faked(desc), impl) }))
	})
	check(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	listener := network.Listen(name)
	go func() {
		defer close(done)
		if err := server.Serve(ctx, listener); err != nil {
			logger.Error("fake peer ended", "error", err)
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
}

type registrar func(*grpc.ServiceDesc, any)

func (f registrar) RegisterService(desc *grpc.ServiceDesc, impl any) { f(desc, impl) }

// faked is the service with every method answered by w.answers.
func (w *world) faked(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	out := *desc
	out.Methods = nil
	for _, m := range desc.Methods {
		original := m.Handler
		m.Handler = func(srv any, ctx context.Context, dec func(any) error, outer grpc.UnaryServerInterceptor) (any, error) {
			return original(srv, ctx, dec, func(ctx context.Context, in any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
				return outer(ctx, in, info, func(ctx context.Context, in any) (any, error) { return w.answer(ctx, info.FullMethod, in) })
			})
		}
		out.Methods = append(out.Methods, m)
	}
	return &out
}

func (w *world) answer(ctx context.Context, method string, in any) (proto.Message, error) {
	message, _ := in.(proto.Message)
	w.mu.Lock()
	w.calls[method] = append(w.calls[method], proto.Clone(message))
	answer := w.answers[method]
	w.mu.Unlock()
	if answer == nil {
		return nil, errs.New(errs.KindInternal, errs.ReasonInternal, "no answer prepared", nil)
	}
	return answer(ctx, message)
}

// on prepares the answer to a method.
func on[In, Out proto.Message](w *world, method string, f func(ctx context.Context, in In) (Out, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[method] = answering(f)
}

func answering[In, Out proto.Message](f func(ctx context.Context, in In) (Out, error)) func(context.Context, proto.Message) (proto.Message, error) {
	return func(ctx context.Context, in proto.Message) (proto.Message, error) {
		typed, ok := in.(In)
		if !ok {
			return nil, errs.New(errs.KindInternal, errs.ReasonInternal, "the answer was prepared for another method", nil)
		}
		out, err := f(ctx, typed)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// refuse prepares a refusal.
func (w *world) refuse(method string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[method] = func(context.Context, proto.Message) (proto.Message, error) { return nil, err }
}

// always prepares the same answer.
func (w *world) always(method string, out proto.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[method] = func(context.Context, proto.Message) (proto.Message, error) { return out, nil }
}

// called is what a method was asked, in order.
func called[In proto.Message](w *world, method string) []In {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []In
	for _, in := range w.calls[method] {
		if typed, ok := in.(In); ok {
			out = append(out, typed)
		}
	}
	return out
}

// defaults are the answers of a county where all goes well.
func (w *world) defaults() map[string]func(context.Context, proto.Message) (proto.Message, error) {
	same := func(out proto.Message) func(context.Context, proto.Message) (proto.Message, error) {
		return func(context.Context, proto.Message) (proto.Message, error) { return out, nil }
	}
	all := map[string]func(context.Context, proto.Message) (proto.Message, error){
		directoryv1.DirectoryService_ExchangeSession_FullMethodName: answering(w.exchange),
		directoryv1.DirectoryService_SignOut_FullMethodName:         answering(w.signOut),
		directoryv1.DirectoryService_SignIn_FullMethodName:          answering(w.signIn),

		patientrecordv1.RecognitionService_ListRecognisable_FullMethodName: same(&patientrecordv1.ListRecognisableResponse{}),
	}
	for _, answers := range []map[string]proto.Message{samples(), writing(), living(), working(), charting(), handedOver(), accessing(), papers(), agreeing(), leaving(), capacity(), sending(), onDuty(), keepingAccounts(), placing()} {
		for method, out := range answers {
			all[method] = same(out)
		}
	}
	return all
}

func (w *world) exchange(_ context.Context, in *directoryv1.ExchangeSessionRequest) (*directoryv1.CallToken, error) {
	w.mu.Lock()
	account := w.sessions[in.GetAccessToken()]
	w.mu.Unlock()
	if account == nil {
		return nil, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "no such session", nil)
	}
	at := w.clk.Now()
	roles := []string{}
	for _, r := range account.GetRoles() {
		roles = append(roles, r.String())
	}
	token, err := w.signer.Sign(authn.Identity{
		Subject: account.GetId(), Organization: account.GetOrganizationId(), County: account.GetCounty(), Name: account.GetName(), Roles: roles, SessionID: "s",
	}, 5*time.Minute, at)
	return &directoryv1.CallToken{
		Token: token, ExpiresAt: timestamppb.New(at.Add(5 * time.Minute)), Account: account, SessionExpiresAt: timestamppb.New(now.Add(12 * time.Hour)),
	}, err
}

func (w *world) signOut(_ context.Context, in *directoryv1.SignOutRequest) (*emptypb.Empty, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sessions, in.GetAccessToken())
	return &emptypb.Empty{}, nil
}

func (w *world) signIn(_ context.Context, in *directoryv1.SignInRequest) (*directoryv1.Session, error) {
	if in.GetPassword() != "right" {
		return nil, errs.New(errs.KindUnauthenticated, errs.ReasonBadCredentials, "wrong", nil)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions["fresh"] = doctor()
	return &directoryv1.Session{AccessToken: "fresh", ExpiresAt: timestamppb.New(now.Add(12 * time.Hour)), Account: doctor()}, nil
}

// browser keeps cookies as a browser does and remembers what everybody between it and us could read.
// browser has the session of an account, "" for none.
// api calls REST with a session's secret, "" for none.
// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// quietBus is for tests in which nothing happens live.
type quietBus struct{ bus.Bus }

func (quietBus) Ready(context.Context) error { return nil }
