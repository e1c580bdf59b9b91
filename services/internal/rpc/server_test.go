package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// mark stands for patient data.
const mark = "张三-MARK-45032119"

func TestAServerWhoseTableDoesNotFitItsMethodsIsNotMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	streams := func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{ServiceName: "s", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
			StreamName: "Watch", ServerStreams: true, ClientStreams: true, Handler: func(any, grpc.ServerStream) error { return nil },
		}}}, struct{}{})
	}
	for name, c := range map[string]struct {
		table authz.Table
		reg   func(grpc.ServiceRegistrar)
		want  string
	}{
		"method without a rule": {authz.Table{}, registerAsk(yes), askPath + " has no rule"},
		"rule without a method": {authz.Table{askPath: {Open: true}, "/a/B": {Open: true}}, registerAsk(yes), "/a/B has no method"},
		"rule for nobody":       {authz.Table{askPath: {}}, registerAsk(yes), "admits nobody"},
		"unknown role":          {authz.Table{askPath: {Roles: []string{"DOKTOR"}}}, registerAsk(yes), "DOKTOR"},
		"stream both ways":      {authz.Table{"/s/Watch": {Open: true}}, streams, "streams both ways"},
	} {
		_, err := rpc.NewServer(w.config("referral", c.table), c.reg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := rpc.NewServer(rpc.ServerConfig{Service: "referral"}, registerAsk(yes)); err == nil {
		t.Error("a server without verifier, logger and clock was made")
	}
}

func TestTheErrorOfAServiceReachesItsCallerAsItWasMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := errs.Stale(3, "ACCEPTED")
	made.RetryAfter = time.Second
	made.Fields = []errs.Field{errs.Bad("form.treatment", errs.ReasonFieldTooLong, "max", "4000")}
	w.serve(authz.Rule{AnyPerson: true}, func(context.Context, *commonv1.Coding) (*commonv1.Coding, error) {
		return nil, fmt.Errorf("accept referral 1: %w", made)
	})
	_, err := ask(rpc.WithToken(t.Context(), w.token()), w.dial("gateway", "referral"), "x")
	got, ok := errs.As(err)
	if !ok || got.Kind != errs.KindStale || got.Reason != errs.ReasonStaleVersion || got.Meta["version"] != "3" ||
		got.RetryAfter != time.Second || len(got.Fields) != 1 || got.Fields[0].Meta["max"] != "4000" {
		t.Errorf("got %+v", err)
	}
	if n := strings.Count(w.log.String(), "STALE_VERSION"); n == 0 || strings.Count(w.log.String(), "\n") != 1 {
		t.Errorf("not logged once: %s", w.log)
	}
}

func TestWhatIsUnclassifiedOrPanicsIsInternalAndSaysNoMore(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]asked{
		"error":       func(context.Context, *commonv1.Coding) (*commonv1.Coding, error) { return nil, errors.New(mark) },
		"panic":       func(context.Context, *commonv1.Coding) (*commonv1.Coding, error) { panic(mark) },
		"panic error": func(context.Context, *commonv1.Coding) (*commonv1.Coding, error) { panic(errors.New(mark)) },
		"runtime panic": func(_ context.Context, in *commonv1.Coding) (*commonv1.Coding, error) {
			return nil, beyond(in.GetCode())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serve(authz.Rule{AnyPerson: true}, h)
			conn := w.dial("gateway", "referral")
			for range 2 { // the second call finds a server that lives
				_, err := ask(rpc.WithToken(t.Context(), w.token()), conn, mark)
				if errs.KindOf(err) != errs.KindInternal {
					t.Fatalf("got %v, want internal", err)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					if strings.Contains(e.Error(), "MARK") {
						t.Errorf("the caller learns %v", e)
					}
				}
			}
			log := w.log.String()
			if name != "error" {
				if strings.Contains(log, "MARK") {
					t.Errorf("the panic's text is in the log: %s", log)
				}
				if !strings.Contains(log, "server_test.go") {
					t.Errorf("no stack in the log: %s", log)
				}
			}
		})
	}
}

func beyond(key string) error {
	none := []error{}
	return none[len(key)]
}

func TestHealthAndReflectionAreOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.serve(authz.Rule{AnyPerson: true}, yes)
	cfg := w.client("gateway")
	cfg.Signer = nil
	conn, err := w.network.Dial(t.Context(), "gateway", "referral", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", answer, err)
	}
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(list); err != nil {
		t.Fatal(err)
	}
	services, err := stream.Recv()
	if err != nil || !strings.Contains(services.String(), "tongzhen.referral.v1.TestService") {
		t.Errorf("reflection: %v, %v", services, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	stop()
}

func TestWithoutCertificatesNothingButLoopbackIsServedOrDialled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		if lis, err := rpc.ListenLoopback(t.Context(), addr); err == nil {
			t.Errorf("%s was listened on", addr)
			_ = lis.Close()
		}
	}
	lis, err := rpc.ListenLoopback(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := lis.Close(); err != nil {
		t.Error(err)
	}
	open, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := rpc.NewServer(w.config("referral", authz.Table{askPath: {Open: true}}), registerAsk(yes))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), open); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("Serve: %v", err)
	}
	for addr, good := range map[string]bool{
		"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, "unix:/run/x.sock": true,
		"10.0.0.1:1": false, "referral:9000": false, "0.0.0.0:1": false, "127.0.0.1": false, "localhost.example.org:1": false,
	} {
		conn, err := rpc.Dial(t.Context(), addr, w.client("gateway"))
		if (err == nil) != good {
			t.Errorf("Dial(%s): %v", addr, err)
		}
		if conn != nil {
			_ = conn.Close()
		}
	}
}

func TestAServiceIsCalledOverLoopback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	addr := w.serveTCP(rpc.ServerConfig{}, authz.Rule{Services: []string{"scheduling"}})
	conn, err := rpc.Dial(t.Context(), addr, w.client("scheduling"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := ask(t.Context(), conn, "x"); err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestACallWithoutADeadlineGetsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	left := make(chan time.Duration, 1)
	addr := w.serveAsk(rpc.ServerConfig{}, authz.Rule{Open: true}, func(ctx context.Context, in *commonv1.Coding) (*commonv1.Coding, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return nil, errors.New("no deadline")
		}
		left <- time.Until(deadline)
		return in, nil
	})
	foreign, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if _, err := ask(context.Background(), foreign, "x"); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got > 10*time.Second || got < 5*time.Second {
		t.Errorf("the server gives %v, want 10 s", got)
	}
	ours, err := rpc.Dial(t.Context(), addr, w.client("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	if _, err := ask(context.Background(), ours, "x"); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got > 5*time.Second || got < 2*time.Second {
		t.Errorf("the client gives %v, want 5 s", got)
	}
}

func TestAStoppedServerEndsCallsInFlightAndThenItself(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		work time.Duration
		code codes.Code
		took time.Duration
	}{
		"a call that ends is waited for": {3 * time.Second, codes.OK, 3 * time.Second},
		"a call that hangs is cut":       {time.Hour, codes.Unavailable, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				entered := make(chan struct{})
				stop := w.serve(authz.Rule{AnyPerson: true}, func(ctx context.Context, in *commonv1.Coding) (*commonv1.Coding, error) {
					close(entered)
					select {
					case <-time.After(c.work):
						return in, nil
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				})
				cfg := w.client("gateway")
				cfg.Timeout = 20 * time.Minute
				conn, err := w.network.Dial(t.Context(), "gateway", "referral", cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				answered := make(chan error)
				go func() {
					_, err := ask(rpc.WithToken(context.Background(), w.token()), conn, "x")
					answered <- err
				}()
				<-entered
				start := time.Now()
				go stop()
				if err := <-answered; status.Code(errs.ToStatus(err).Err()) != c.code {
					t.Errorf("the call in flight: %v, want %v", err, c.code)
				}
				stop()
				if took := time.Since(start); took != c.took {
					t.Errorf("stopping took %v, want %v", took, c.took)
				}
			})
		})
	}
}
