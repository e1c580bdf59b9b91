package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

func TestANULIsFoundWhereverTextCanBe(t *testing.T) {
	t.Parallel()
	meta := &commonv1.FactMeta{FactId: "f", Audience: []string{"a", "b"}, OccurTime: timestamppb.Now()}
	if got := rpc.NULs(meta); got != nil {
		t.Errorf("found %q where none is", got)
	}
	meta.FactId, meta.Audience[1] = "\x00", "b\x00c"
	got := rpc.NULs(meta)
	slices.Sort(got)
	if want := []string{"audience[1]", "factId"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for in, want := range map[*structpb.Value]string{
		structpb.NewStringValue("a\x00"): "fields[].stringValue",
		structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{structpb.NewStringValue("a"), structpb.NewStringValue("\x00")}}): "fields[].listValue.values[1].stringValue",
	} {
		if got := rpc.NULs(&structpb.Struct{Fields: map[string]*structpb.Value{"a": in}}); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := rpc.NULs(&structpb.Struct{Fields: map[string]*structpb.Value{"\x00": structpb.NewNumberValue(1)}}); !slices.Equal(got, []string{"fields[]"}) {
		t.Errorf("in a key: %q", got)
	}
}

// BenchmarkNULs looks through about as much as the request that a doctor sends: 16 texts in nested messages, 800 bytes.
func BenchmarkNULs(b *testing.B) {
	list := &structpb.ListValue{}
	for range 16 {
		list.Values = append(list.Values, structpb.NewStringValue(strings.Repeat("反复", 8)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if rpc.NULs(list) != nil {
			b.Fatal("found one")
		}
	}
}
