package desk

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"rsc.io/qr"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// slipText is as long as a slip's code in a county with a long address.
const slipText = "https://zhuanzhen.county.example/verify/450321-26-0000123-4?k=ABCDEFGH"

// shot is what a bad camera makes of a slip: the code is side pixels wide and turned by some degrees, the light falls from one side, everything is grainy.
func shot(t testing.TB, side, degrees float64) []byte {
	t.Helper()
	code, err := qr.Encode(slipText, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	const pixels, quiet = 640, 4
	random := rand.New(rand.NewPCG(1, 2))
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	module := side / float64(code.Size)
	picture := image.NewGray(image.Rect(0, 0, pixels, pixels))
	// bright is the paper's brightness at a place, by modules from the middle of the code.
	bright := func(x, y float64) float64 {
		column, row := int(math.Floor(x+float64(code.Size)/2)), int(math.Floor(y+float64(code.Size)/2))
		switch {
		case column < -quiet || row < -quiet || column >= code.Size+quiet || row >= code.Size+quiet:
			return 0.45 + 0.25*math.Sin(x)*math.Cos(y) // the table
		case code.Black(column, row):
			return 0.2
		default:
			return 0.9
		}
	}
	for y := range pixels {
		for x := range pixels {
			sum := 0.0
			for sample := range 4 { // its glass is not sharp
				dx, dy := float64(x-pixels/2)+float64(sample%2)-0.5, float64(y-pixels/2)+float64(sample/2)-0.5
				sum += bright((dx*cos+dy*sin)/module, (dy*cos-dx*sin)/module)
			}
			light := 0.6 + 0.4*float64(x)/pixels
			picture.SetGray(x, y, color.Gray{Y: uint8(min(255, max(0, 255*light*sum/4+6*random.NormFloat64())))})
		}
	}
	return compressed(t, picture)
}

func compressed(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestACodeIsReadFromABadPicture(t *testing.T) {
	t.Parallel()
	for _, side := range []float64{150, 200, 400} {
		for _, degrees := range []float64{0, 7, 90, 200} {
			picture := shot(t, side, degrees)
			if text, err := readCode(picture); text != slipText || err != nil || len(picture) > maxPicture {
				t.Errorf("%v pixels, %v degrees, %d bytes: %q, %v", side, degrees, len(picture), text, err)
			}
		}
	}
	colour := image.NewRGBA(image.Rect(0, 0, 64, 48))
	if text, err := readCode(compressed(t, colour)); text != "" || err != nil {
		t.Errorf("nothing is read as %q, %v", text, err)
	}
}

func TestWhatIsNoSmallPictureIsRefusedBeforeItIsUnpacked(t *testing.T) {
	t.Parallel()
	small := compressed(t, image.NewGray(image.Rect(0, 0, 16, 16)))
	huge := bytes.Clone(small)
	frame := bytes.Index(huge, []byte{0xff, 0xc0})
	copy(huge[frame+5:], []byte{0xff, 0xff, 0xff, 0xff}) // height and width
	passes := bytes.Clone(small)
	passes[frame+1] = progressive[1]
	for name, picture := range map[string][]byte{
		"nothing": nil, "text": []byte("https://county.example"), "half": small[:len(small)/2], "huge": huge, "in passes": passes,
		"wide": compressed(t, image.NewGray(image.Rect(0, 0, maxSide+1, 1))),
	} {
		if text, err := readCode(picture); text != "" || errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// Whatever is sent, and whatever pixels it holds, nothing breaks.
func FuzzReadCode(f *testing.F) {
	f.Add(shot(f, 200, 7))
	f.Add([]byte{0xff, 0xd8})
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := readCode(data); err != nil && (text != "" || errs.KindOf(err) != errs.KindInvalid) {
			t.Errorf("%q, %v", text, err)
		}
		if side := int(math.Sqrt(float64(len(data)))); side > 0 {
			codeIn(&image.Gray{Pix: data[:side*side], Stride: side, Rect: image.Rect(0, 0, side, side)})
		}
	})
}

func BenchmarkReadCode(b *testing.B) {
	noise := image.NewGray(image.Rect(0, 0, 640, 640))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(random.IntN(256))
	}
	for name, picture := range map[string][]byte{"slip": shot(b, 200, 7), "desk": shot(b, 20, 7), "noise": compressed(b, noise)} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(float64(len(picture)), "bytes")
			for b.Loop() {
				_, _ = readCode(picture)
			}
		})
	}
}
