package hl7_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/tongzhen/tongzhen/services/gateway/hl7"
)

// FuzzFrames: however the bytes come, the same messages are read; none is beyond the bound, and none ends without its end block. filler
// lengthens what is sent, up to beyond the largest message.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x0bMSH|a\x1c\r\x0bMSH|b\x1c\r"), uint32(0))
	f.Add([]byte("\x0bMSH|broken off\x0bMSH|b\x1c"), uint32(3))
	f.Add([]byte("\x0bMSH|no end"), uint32(0))
	f.Add([]byte("\r\n\x1c\x1c\x0b\x1c"), uint32(5000))
	f.Add([]byte("\x0bMSH|"), uint32(hl7.MaxSize))
	f.Add([]byte("\x0bMSH|large\x1c\r"), uint32(hl7.MaxSize+2))
	f.Fuzz(func(t *testing.T, raw []byte, filler uint32) {
		if n := int(filler % (hl7.MaxSize + 100)); n > 0 {
			raw = append(append(slices.Clone(raw), bytes.Repeat([]byte("x"), n)...), raw...)
		}
		frames, large, err := hl7.Frames(bytes.NewReader(raw))
		if err == nil {
			t.Fatal("reading ended without a reason")
		}
		if ends := bytes.Count(raw, []byte{0x1c}); len(frames) > ends {
			t.Fatalf("%d messages with %d ends", len(frames), ends)
		}
		for i, one := range frames {
			if len(one) > hl7.MaxSize || large[i] && len(one) == 0 || bytes.ContainsAny(one, "\x0b\x1c") {
				t.Fatalf("message %d of %d bytes", i, len(one))
			}
		}
		if len(raw) > 64<<10 {
			return
		}
		for name, slow := range map[string]io.Reader{"byte by byte": iotest.OneByteReader(bytes.NewReader(raw)), "in halves": iotest.HalfReader(bytes.NewReader(raw))} {
			again, _, other := hl7.Frames(slow)
			if !slices.EqualFunc(again, frames, bytes.Equal) || !errors.Is(other, err) && other.Error() != err.Error() {
				t.Fatalf("%s: %d messages, %v; at once %d, %v", name, len(again), other, len(frames), err)
			}
		}
		for _, one := range frames {
			back, _, _ := hl7.Frames(bytes.NewReader(hl7.Frame(one)))
			if len(back) != 1 || !bytes.Equal(back[0], one) {
				t.Fatal("a message is not read as it was framed")
			}
		}
	})
}
