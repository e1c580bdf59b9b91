package rpc_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

func TestWhatIsWrongWithARequestIsToldInOurReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := newForm(t)
	w.run("form", authz.Table{fillPath: {AnyPerson: true}}, register(fillPath,
		func() proto.Message { return dynamicpb.NewMessage(form.Descriptor()) },
		func(_ context.Context, _ proto.Message) (proto.Message, error) { return &commonv1.Coding{}, nil }))
	conn := w.dial("gateway", "form")

	set := func(m *dynamicpb.Message, name string, v any) {
		m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOf(v))
	}
	good := func() *dynamicpb.Message {
		m := dynamicpb.NewMessage(form.Descriptor())
		set(m, "full_name", mark[:6])
		set(m, "id", "0192f0c1-2b3c-7d4e-8f50-617283940a5b")
		m.Mutable(m.Descriptor().Fields().ByName("person"))
		return m
	}
	with := func(name string, v any) *dynamicpb.Message { m := good(); set(m, name, v); return m }
	items := func(codes ...string) *dynamicpb.Message {
		m := good()
		list := m.Mutable(m.Descriptor().Fields().ByName("past_items")).List()
		for _, code := range codes {
			item := list.AppendMutable().Message()
			item.Set(item.Descriptor().Fields().ByName("short_code"), protoreflect.ValueOfString(code))
		}
		return m
	}
	required := errs.Required
	for name, c := range map[string]struct {
		in   *dynamicpb.Message
		want []errs.Field
	}{
		"nothing wrong": {good(), nil},
		"all missing":   {dynamicpb.NewMessage(form.Descriptor()), []errs.Field{required("fullName"), required("id"), required("person")}},
		"too long":      {with("full_name", mark), []errs.Field{errs.Bad("fullName", errs.ReasonFieldTooLong, "max", "5")}},
		"too short":     {with("full_name", "张"), []errs.Field{errs.Bad("fullName", errs.ReasonFieldInvalid)}},
		"no uuid":       {with("id", mark), []errs.Field{errs.Bad("id", errs.ReasonFieldInvalid)}},
		"too many":      {with("page_size", int32(201)), []errs.Field{errs.Bad("pageSize", errs.ReasonFieldOutOfRange)}},
		"too few":       {with("page_size", int32(-1)), []errs.Field{errs.Bad("pageSize", errs.ReasonFieldOutOfRange)}},
		"not one of":    {with("state", mark), []errs.Field{errs.Bad("state", errs.ReasonFieldInvalid)}},
		"a NUL":         {with("full_name", "张\x00三"), []errs.Field{errs.Bad("fullName", errs.ReasonFieldInvalid)}},
		"in a list":     {items("0304", mark), []errs.Field{errs.Bad("pastItems[1].shortCode", errs.ReasonFieldInvalid)}},
		"a long list":   {items("", "", ""), []errs.Field{errs.Bad("pastItems", errs.ReasonFieldTooLong, "max", "2")}},
	} {
		err := conn.Invoke(rpc.WithToken(t.Context(), w.token()), fillPath, c.in, &commonv1.Coding{})
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		e, ok := errs.As(err)
		if !ok || e.Kind != errs.KindInvalid || e.Reason != c.want[0].Reason || !reflect.DeepEqual(e.Fields, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), "MARK") {
			t.Errorf("%s: the value is in %v", name, err)
		}
	}
	if strings.Contains(w.log.String(), "MARK") {
		t.Errorf("a value is in the log: %s", w.log)
	}
	// Whoever may not call the method learns nothing about its fields.
	err := conn.Invoke(rpc.WithToken(t.Context(), "rubbish"), fillPath, dynamicpb.NewMessage(form.Descriptor()), &commonv1.Coding{})
	if e, ok := errs.As(err); !ok || e.Kind != errs.KindUnauthenticated || len(e.Fields) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestAPeerThatIsAwayIsNamedAndFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.serve(authz.Rule{AnyPerson: true}, yes)
	conn := w.dial("gateway", "referral")
	ctx := rpc.WithToken(t.Context(), w.token())
	if _, err := ask(ctx, conn, "x"); err != nil {
		t.Fatal(err)
	}
	stop()
	_, err := ask(ctx, conn, "x")
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindUnavailable || e.Reason != errs.ReasonPeerAway || e.Meta["peer"] != "referral" || e.RetryAfter <= 0 {
		t.Fatalf("got %+v", err)
	}
	w.serve(authz.Rule{AnyPerson: true}, yes)
	conn.Connect()
	patience, over := context.WithTimeout(ctx, 20*time.Second)
	defer over()
	for {
		state := conn.GetState() // before the call: what changes during it is not waited for
		if _, err = ask(ctx, conn, "x"); err == nil {
			break
		}
		if !conn.WaitForStateChange(patience, state) {
			t.Fatalf("still %v", err)
		}
	}
}

func TestACallKeepsAPartOfItsCallersDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.serve(authz.Rule{AnyPerson: true}, func(ctx context.Context, _ *commonv1.Coding) (*commonv1.Coding, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		conn := w.dial("gateway", "referral")
		for given, want := range map[time.Duration]time.Duration{
			0:                      5 * time.Second,
			time.Minute:            5 * time.Second,
			time.Second:            980 * time.Millisecond,
			15 * time.Millisecond:  0,
			500 * time.Millisecond: 480 * time.Millisecond,
		} {
			ctx := rpc.WithToken(context.Background(), w.token())
			if given > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, given)
				defer cancel()
			}
			start := time.Now()
			_, err := ask(ctx, conn, "x")
			if took := time.Since(start); took != want || errs.KindOf(err) != errs.KindUnavailable {
				t.Errorf("with %v given: %v after %v, want unavailable after %v", given, err, took, want)
			}
		}
		// What is much work by its nature has a limit of its own, within the deadline that there is.
		for given, want := range map[time.Duration]time.Duration{0: 12 * time.Second, time.Minute: 12 * time.Second, 2 * time.Second: 1980 * time.Millisecond} {
			ctx := rpc.WithPatience(rpc.WithToken(context.Background(), w.token()), 12*time.Second)
			if given > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, given)
				defer cancel()
			}
			start := time.Now()
			if _, err := ask(ctx, conn, "x"); time.Since(start) != want || errs.KindOf(err) != errs.KindUnavailable {
				t.Errorf("with patience and %v given: %v after %v, want %v", given, err, time.Since(start), want)
			}
		}
		_ = conn.Close()
		stop()
	})
}

func TestADialWithoutANameOrAClockIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, cfg := range map[string]rpc.ClientConfig{
		"no name":  {Signer: w.signer, Clock: w.clk},
		"no clock": {Self: "gateway", Signer: w.signer},
	} {
		if _, err := rpc.Dial(t.Context(), "127.0.0.1:1", cfg); err == nil {
			t.Errorf("%s: it was dialled", name)
		}
	}
}
