package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// The services of these tests have one method, Ask: Coding → Coding, and forms have Fill, whose request has rules.
const (
	askPath  = "/tongzhen.referral.v1.TestService/Ask"
	fillPath = "/tongzhen.form.v1.TestService/Fill"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type asked func(ctx context.Context, in *commonv1.Coding) (*commonv1.Coding, error)

func yes(_ context.Context, in *commonv1.Coding) (*commonv1.Coding, error) { return in, nil }

// registerAsk adds Ask.
func registerAsk(h asked) func(grpc.ServiceRegistrar) {
	return register(askPath, func() proto.Message { return &commonv1.Coding{} }, func(ctx context.Context, in proto.Message) (proto.Message, error) {
		coding, ok := in.(*commonv1.Coding)
		if !ok {
			return nil, errors.New("not a Coding")
		}
		return h(ctx, coding)
	})
}

func register(path string, request func() proto.Message, h func(context.Context, proto.Message) (proto.Message, error)) func(grpc.ServiceRegistrar) {
	service, method, _ := bytes.Cut([]byte(path[1:]), []byte("/"))
	desc := grpc.ServiceDesc{ServiceName: string(service), HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: string(method),
		Handler: func(_ any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			in := request()
			if err := dec(in); err != nil {
				return nil, err
			}
			return interceptor(ctx, in, &grpc.UnaryServerInfo{FullMethod: path}, func(ctx context.Context, req any) (any, error) {
				msg, ok := req.(proto.Message)
				if !ok {
					return nil, errors.New("not a message")
				}
				return h(ctx, msg)
			})
		},
	}}}
	return func(r grpc.ServiceRegistrar) { r.RegisterService(&desc, struct{}{}) }
}

// formType is a message with one field for every rule of interest.
func formType(t *testing.T) protoreflect.MessageDescriptor {
	t.Helper()
	field := func(n int32, name string, typ descriptorpb.FieldDescriptorProto_Type, rules *validate.FieldRules) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{
			Name: &name, Number: &n, Type: &typ, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
		if rules != nil {
			f.Options = &descriptorpb.FieldOptions{}
			proto.SetExtension(f.Options, validate.E_Field, rules)
		}
		return f
	}
	text := func(r *validate.StringRules) *validate.FieldRules {
		return &validate.FieldRules{Type: &validate.FieldRules_String_{String_: r}}
	}
	const str, i32, msg = descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_INT32, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	items := field(7, "past_items", msg, &validate.FieldRules{Type: &validate.FieldRules_Repeated{Repeated: &validate.RepeatedRules{MaxItems: proto.Uint64(2)}}})
	items.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	items.TypeName = proto.String(".tongzhen.form.v1.Item")
	person := field(8, "person", msg, &validate.FieldRules{Required: proto.Bool(true)})
	person.TypeName = proto.String(".tongzhen.form.v1.Item")
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("form.proto"), Package: proto.String("tongzhen.form.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Item"), Field: []*descriptorpb.FieldDescriptorProto{
				field(1, "short_code", str, text(&validate.StringRules{Pattern: proto.String("^$|^[0-9]{4}$")})),
			}},
			{Name: proto.String("Form"), Field: []*descriptorpb.FieldDescriptorProto{
				field(1, "full_name", str, text(&validate.StringRules{MinLen: proto.Uint64(2), MaxLen: proto.Uint64(5)})),
				field(2, "id", str, text(&validate.StringRules{WellKnown: &validate.StringRules_Uuid{Uuid: true}})),
				field(3, "page_size", i32, &validate.FieldRules{Type: &validate.FieldRules_Int32{Int32: &validate.Int32Rules{
					GreaterThan: &validate.Int32Rules_Gte{Gte: 0}, LessThan: &validate.Int32Rules_Lte{Lte: 200}}}}),
				field(4, "state", str, text(&validate.StringRules{In: []string{"", "OPEN"}})),
				items, person,
			}},
		},
	}
	built, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return built.Messages().ByName("Form")
}

func newForm(t *testing.T) *dynamicpb.Message { return dynamicpb.NewMessage(formType(t)) }

// world is a network with one key, one clock and one log.
type world struct {
	t       *testing.T
	signer  *authn.Signer
	clk     *clock.Fixed
	log     *buffer
	network *rpc.Network
}

func newWorld(t *testing.T) *world {
	t.Helper()
	text, err := authn.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := authn.NewSigner(text)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, signer: signer, clk: clock.NewFixed(noon), log: &buffer{}, network: rpc.InProcess()}
}

func (w *world) config(service string, table authz.Table) rpc.ServerConfig {
	return rpc.ServerConfig{
		Service: service, Table: table, Clock: w.clk,
		Verifier: authn.NewVerifier(authn.KeysOf(w.signer), w.clk),
		Logger:   slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

// serve runs Ask as the service "referral" in memory until the test ends; stop ends it before.
func (w *world) serve(rule authz.Rule, h asked) (stop func()) {
	w.t.Helper()
	return w.run("referral", authz.Table{askPath: rule}, registerAsk(h))
}

func (w *world) run(service string, table authz.Table, reg func(grpc.ServiceRegistrar)) (stop func()) {
	w.t.Helper()
	s, err := rpc.NewServer(w.config(service, table), reg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lis := w.network.Listen(service)
	go func() {
		defer close(done)
		if err := s.Serve(ctx, lis); err != nil {
			w.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

func (w *world) client(self string) rpc.ClientConfig {
	return rpc.ClientConfig{Self: self, Signer: w.signer, Clock: w.clk}
}

func (w *world) dial(self, target string) *grpc.ClientConn {
	w.t.Helper()
	conn, err := w.network.Dial(w.t.Context(), self, target, w.client(self))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// token is a person's, with the roles.
func (w *world) token(roles ...string) string {
	w.t.Helper()
	text, err := w.signer.Sign(authn.Identity{Subject: "account-1", County: "450321", Organization: "o1", Roles: roles}, 5*time.Minute, w.clk.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func ask(ctx context.Context, conn *grpc.ClientConn, code string) (string, error) {
	var out commonv1.Coding
	err := conn.Invoke(ctx, askPath, &commonv1.Coding{Code: code}, &out)
	return out.GetCode(), err
}

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
