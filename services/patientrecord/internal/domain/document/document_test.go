package document_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain/document"
)

// picture has a red corner on the upper left and is blue else.
func picture(w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{B: 255, A: 255}
			if x < w/2 && y < h/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			out.SetRGBA(x, y, c)
		}
	}
	return out
}

func asJPEG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts a block with an orientation and the words of a place behind the beginning of a JPEG.
func withEXIF(jpg []byte, o uint16, order binary.AppendByteOrder) []byte {
	tiff := []byte("MM\x00\x2a")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II\x2a\x00")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(order.AppendUint16(tiff, 0x0112), 3)
	tiff = order.AppendUint16(order.AppendUint16(order.AppendUint32(tiff, 1), o), 0)
	block := append([]byte("Exif\x00\x00"), tiff...)
	block = append(block, "GPS 24.77 N 110.49 E"...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, byte((len(block)+2)>>8), byte(len(block)+2))
	return append(append(out, block...), jpg[2:]...)
}

func cause(err error) document.Cause {
	var r *document.Refusal
	if errors.As(err, &r) {
		return r.Cause
	}
	return ""
}

func decodedOf(t *testing.T, d document.Document) image.Image {
	t.Helper()
	decode := jpeg.Decode
	if d.MediaType == document.PNG {
		decode = png.Decode
	}
	p, err := decode(bytes.NewReader(d.Content))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnImageIsEncodedAnewUprightAndWithoutWhatTheCameraWrote(t *testing.T) {
	t.Parallel()
	// Where the red corner of the picture as it lies comes to, by orientation: left, top.
	corners := map[uint16][2]bool{1: {true, true}, 2: {false, true}, 3: {false, false}, 4: {true, false}, 5: {true, true}, 6: {false, true}, 7: {false, false}, 8: {true, false}}
	for o, corner := range corners {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			d, err := document.Make(withEXIF(asJPEG(t, picture(80, 48)), o, order))
			if err != nil {
				t.Fatal(err)
			}
			w, h := 80, 48
			if o >= 5 {
				w, h = h, w
			}
			if d.MediaType != document.JPEG || d.Width != w || d.Height != h || bytes.Contains(d.Content, []byte("Exif")) || bytes.Contains(d.Content, []byte("GPS")) {
				t.Errorf("orientation %d: %s %d × %d", o, d.MediaType, d.Width, d.Height)
			}
			x, y := w-5, h-5
			if corner[0] {
				x = 5
			}
			if corner[1] {
				y = 5
			}
			if r, _, b, _ := decodedOf(t, d).At(x, y).RGBA(); r < 0xc000 || b > 0x4000 {
				t.Errorf("orientation %d: the red corner is not at %d, %d", o, x, y)
			}
		}
	}
}

func TestALargeImageIsKeptSmallerAndHasAThumbnail(t *testing.T) {
	t.Parallel()
	d, err := document.Make(asPNG(t, picture(3600, 1200)))
	if err != nil {
		t.Fatal(err)
	}
	if d.MediaType != document.PNG || d.Width != document.MaxSide || d.Height != 1000 {
		t.Errorf("%s %d × %d", d.MediaType, d.Width, d.Height)
	}
	if r, _, b, _ := decodedOf(t, d).At(10, 10).RGBA(); r != 0xffff || b != 0 {
		t.Errorf("a plain area changed its colour: %x %x", r, b)
	}
	thumb, err := jpeg.DecodeConfig(bytes.NewReader(d.Thumbnail))
	if err != nil || thumb.Width != document.ThumbnailSide || thumb.Height != document.ThumbnailSide/3 {
		t.Errorf("thumbnail %v %v", thumb, err)
	}
	small, err := document.Make(asPNG(t, picture(3, 2)))
	if err != nil || small.Width != 3 || len(small.Thumbnail) == 0 {
		t.Errorf("a small image: %d %v", small.Width, err)
	}
}

func TestTheTypeIsToldByTheContent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data []byte
		want document.Cause
	}{
		"nothing":       {nil, document.Empty},
		"a GIF":         {[]byte("GIF89a\x01\x00\x01\x00"), document.Type},
		"a page":        {[]byte("<!doctype html><script>"), document.Type},
		"HEIC":          {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), document.HEIC},
		"half a JPEG":   {asJPEG(t, picture(64, 64))[:300], document.ImageBroken},
		"half a PNG":    {asPNG(t, picture(64, 64))[:60], document.ImageBroken},
		"JPEG by name":  {[]byte("\xff\xd8\xff hello"), document.ImageBroken},
		"over 10 MB":    {append([]byte("\xff\xd8\xff"), make([]byte, document.MaxBytes)...), document.TooLarge},
		"a bomb of PNG": {bomb(), document.Pixels},
	} {
		if _, err := document.Make(c.data); cause(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// bomb is a PNG whose header says 60000 × 60000.
func bomb() []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), 60000), 60000)
	header = append(header, 8, 0, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(header))
}

func FuzzMake(f *testing.F) {
	jpg, pic := asJPEG(f, picture(20, 12)), asPNG(f, picture(9, 5))
	gray := image.NewGray16(image.Rect(0, 0, 5, 5))
	for _, seed := range [][]byte{jpg, pic, asPNG(f, gray), withEXIF(jpg, 6, binary.BigEndian), withEXIF(jpg, 3, binary.LittleEndian), bomb(), jpg[:100], pic[:40], {}, []byte("GIF89a"), plain("")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := document.Make(data)
		if err != nil {
			if cause(err) == "" {
				t.Errorf("an error without a cause: %v", err)
			}
			return
		}
		if len(d.Content) > document.MaxBytes || max(d.Width, d.Height) > document.MaxSide {
			t.Errorf("%d bytes, %d × %d", len(d.Content), d.Width, d.Height)
		}
		// What is kept can be kept again, and is what it says it is.
		again, err := document.Make(d.Content)
		if err != nil || again.MediaType != d.MediaType || again.Width != d.Width || again.Height != d.Height || again.Pages != d.Pages {
			t.Errorf("made again: %v", err)
		}
	})
}
