package errs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// secret stands for what must not leave the process.
const secret = "秘-张三-41072519"

func TestEveryKindHasItsCodeAndItsHTTPStatus(t *testing.T) {
	t.Parallel()
	rows := []struct {
		err    error
		kind   errs.Kind
		reason string
		code   codes.Code
		http   int
	}{
		{nil, 0, "", codes.OK, http.StatusOK},
		{errs.Invalid(errs.Required("form.treatment")), errs.KindInvalid, errs.ReasonFieldRequired, codes.InvalidArgument, 400},
		{errs.Invalid(errs.Bad("version", errs.ReasonVersionRequired)), errs.KindInvalid, errs.ReasonVersionRequired, codes.InvalidArgument, 428},
		{errs.New(errs.KindUnauthenticated, errs.ReasonLocked, "", nil), errs.KindUnauthenticated, errs.ReasonLocked, codes.Unauthenticated, 401},
		{errs.Denied(errs.ReasonRole), errs.KindDenied, errs.ReasonRole, codes.PermissionDenied, 403},
		{errs.NotFound("referral"), errs.KindNotFound, errs.ReasonNotFound, codes.NotFound, 404},
		{errs.Stale(3, "ACCEPTED"), errs.KindStale, errs.ReasonStaleVersion, codes.Aborted, 409},
		{errs.Conflict(errs.ReasonSlotTaken, "the slot is taken"), errs.KindConflict, errs.ReasonSlotTaken, codes.AlreadyExists, 409},
		{errs.WrongState("ACCEPT", "CLOSED"), errs.KindWrongState, errs.ReasonActionNotAvailable, codes.FailedPrecondition, 412},
		{errs.New(errs.KindLimited, errs.ReasonRateLimited, "", nil), errs.KindLimited, errs.ReasonRateLimited, codes.ResourceExhausted, 429},
		{errs.Unavailable("directory", nil), errs.KindUnavailable, errs.ReasonPeerAway, codes.Unavailable, 503},
		{errs.New(errs.KindInternal, errs.ReasonInternal, "", nil), errs.KindInternal, errs.ReasonInternal, codes.Internal, 500},
		{errors.New(secret), errs.KindInternal, errs.ReasonInternal, codes.Internal, 500},
		{context.DeadlineExceeded, errs.KindUnavailable, errs.ReasonPeerAway, codes.Unavailable, 503},
		{fmt.Errorf("load: %w", context.Canceled), errs.KindUnavailable, errs.ReasonPeerAway, codes.Unavailable, 503},
		{fmt.Errorf("load referral: %w", errs.NotFound("referral")), errs.KindNotFound, errs.ReasonNotFound, codes.NotFound, 404},
		{&errs.Error{Message: "no kind"}, errs.KindInternal, errs.ReasonInternal, codes.Internal, 500},
		{&errs.Error{Kind: 200}, errs.KindInternal, errs.ReasonInternal, codes.Internal, 500},
		{status.Error(codes.DeadlineExceeded, secret), errs.KindUnavailable, errs.ReasonPeerAway, codes.Unavailable, 503},
	}
	for _, r := range rows {
		if got := errs.KindOf(r.err); got != r.kind {
			t.Errorf("KindOf(%v) = %v, want %v", r.err, got, r.kind)
		}
		if got := errs.ReasonOf(r.err); got != r.reason {
			t.Errorf("ReasonOf(%v) = %q, want %q", r.err, got, r.reason)
		}
		s := errs.ToStatus(r.err)
		if s.Code() != r.code {
			t.Errorf("ToStatus(%v) = %v, want %v", r.err, s.Code(), r.code)
		}
		if got := errs.HTTPStatus(r.err); got != r.http {
			t.Errorf("HTTPStatus(%v) = %d, want %d", r.err, got, r.http)
		}
		back := errs.FromStatus(s.Err())
		if got := errs.KindOf(back); got != r.kind {
			t.Errorf("%v comes back as %v, want %v", r.err, got, r.kind)
		}
		if got := errs.ReasonOf(back); got != r.reason {
			t.Errorf("%v comes back with %q, want %q", r.err, got, r.reason)
		}
	}
}

func TestWhatIsNotClassifiedStaysInside(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New(secret),
		errs.New(errs.KindInternal, errs.ReasonInternal, secret, errors.New(secret)).With("k", secret),
		errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "a peer is away", errors.New(secret)),
		errs.Unavailable("directory", errors.New(secret)),
		&errs.Error{Message: secret},
		status.Error(codes.Unknown, secret),
		status.Error(codes.InvalidArgument, secret),
		fmt.Errorf("%s: %w", secret, context.Canceled),
	} {
		wire, failed := proto.Marshal(errs.ToStatus(err).Proto())
		if failed != nil {
			t.Fatal(failed)
		}
		if bytes.Contains(wire, []byte(secret)) {
			t.Errorf("%v leaves as %q", err, wire)
		}
	}
}

func TestAnErrorCrossesGRPCWithoutLoss(t *testing.T) {
	t.Parallel()
	reasons := constants(t)
	text := rapid.StringMatching(`[a-zA-Z0-9_.\[\]]{1,20}`)
	meta := rapid.MapOfN(rapid.StringMatching(`[a-z][a-zA-Z0-9.]{0,10}`).Filter(func(s string) bool {
		return !strings.HasPrefix(s, "field.")
	}), rapid.String(), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		in := &errs.Error{
			Kind:       errs.Kind(rapid.IntRange(1, int(errs.KindUnavailable)).Draw(t, "kind")),
			Reason:     rapid.SampledFrom(reasons).Draw(t, "reason"),
			Message:    rapid.String().Draw(t, "message"),
			Meta:       nilIfEmpty(meta.Draw(t, "meta")),
			RetryAfter: time.Duration(rapid.IntRange(0, 100_000).Draw(t, "retry")) * time.Millisecond,
		}
		for range rapid.IntRange(0, 3).Draw(t, "fields") {
			in.Fields = append(in.Fields, errs.Field{
				Name:   text.Draw(t, "name"),
				Reason: rapid.SampledFrom(reasons).Draw(t, "field reason"),
				Meta:   nilIfEmpty(meta.Draw(t, "field meta")),
			})
		}
		out, ok := errs.As(errs.FromStatus(errs.ToStatus(in).Err()))
		if !ok {
			t.Fatal("not an *Error")
		}
		got := errs.Error{Kind: out.Kind, Reason: out.Reason, Message: out.Message, Fields: out.Fields, Meta: out.Meta, RetryAfter: out.RetryAfter}
		if !reflect.DeepEqual(got, *in) {
			t.Fatalf("got %+v, want %+v", got, *in)
		}
	})
}

func nilIfEmpty(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

func TestAForeignStatusKeepsItsKindAndHidesItsText(t *testing.T) {
	t.Parallel()
	for code, want := range map[codes.Code]errs.Kind{
		codes.Unavailable:       errs.KindUnavailable,
		codes.Canceled:          errs.KindUnavailable,
		codes.DeadlineExceeded:  errs.KindUnavailable,
		codes.Unimplemented:     errs.KindInternal,
		codes.Unknown:           errs.KindInternal,
		codes.DataLoss:          errs.KindInternal,
		codes.OutOfRange:        errs.KindInternal,
		codes.ResourceExhausted: errs.KindLimited,
		codes.NotFound:          errs.KindNotFound,
	} {
		e, ok := errs.As(errs.FromStatus(status.Error(code, secret)))
		if !ok || e.Kind != want {
			t.Errorf("%v comes back as %v, want %v", code, e, want)
			continue
		}
		if e.Reason == "" || strings.Contains(e.Error(), secret) {
			t.Errorf("%v comes back as %q", code, e.Error())
		}
	}
}

func TestFromStatusLeavesOurOwnErrorsAlone(t *testing.T) {
	t.Parallel()
	if errs.FromStatus(nil) != nil {
		t.Error("nil became an error")
	}
	err := error(errs.NotFound("patient"))
	if got := errs.FromStatus(err); !errors.Is(got, err) {
		t.Errorf("got %v", got)
	}
}

func TestWithAnswersACopy(t *testing.T) {
	t.Parallel()
	a := errs.Conflict(errs.ReasonOpenReferralExists, "one is open").With("number", "1")
	b := a.With("number", "2")
	if a.Meta["number"] != "1" || b.Meta["number"] != "2" {
		t.Errorf("a %v, b %v", a.Meta, b.Meta)
	}
}

func TestAnErrorTellsTheOperatorKindReasonAndMessageButNotTheCause(t *testing.T) {
	t.Parallel()
	cause := errors.New(secret)
	err := errs.New(errs.KindUnavailable, errs.ReasonPeerAway, "directory is away", cause)
	if got, want := err.Error(), "unavailable PEER_AWAY: directory is away"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	fields := errs.Invalid(errs.Required("name"), errs.Bad("phone", errs.ReasonFieldTooLong, "max", "30"))
	if got := fields.Error(); !strings.Contains(got, "phone FIELD_TOO_LONG") {
		t.Errorf("got %q", got)
	}
}

func TestEveryReasonIsOneOfTheContractAndEachOfThoseHasItsConstant(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range constants(t) {
		seen[r] = true
		if n, ok := commonv1.ErrorReason_Code_value[r]; !ok || n == 0 {
			t.Errorf("%s is not in ErrorReason", r)
		}
	}
	for r, n := range commonv1.ErrorReason_Code_value {
		if n != 0 && !seen[r] {
			t.Errorf("%s has no constant", r)
		}
	}
}

// constants reads the values of the Reason constants out of their source.
func constants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatal("no reasons found")
	}
	return out
}
