package desk

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// maxSide bounds a picture in pixels, either way.
const maxSide = 800

// progressive begins a JPEG that comes in many passes over all its pixels, thousands of them in few bytes. No canvas writes one.
var progressive = []byte{0xff, 0xc2}

// readCode is the text of the QR code in a JPEG, "" without one. Errors: Invalid "picture" for what is no small JPEG.
func readCode(picture []byte) (string, error) {
	bad := errs.Invalid(errs.Bad("picture", errs.ReasonFieldInvalid))
	// The header is read first: what the pixels would cost is known before a single one is made.
	size, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil || size.Width > maxSide || size.Height > maxSide || bytes.Contains(picture, progressive) {
		return "", bad
	}
	decoded, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return "", bad
	}
	switch decoded := decoded.(type) {
	case *image.Gray:
		return codeIn(decoded), nil
	case *image.YCbCr: // a camera's picture has its brightness apart
		return codeIn(&image.Gray{Pix: decoded.Y, Stride: decoded.YStride, Rect: decoded.Rect}), nil
	default:
		return "", bad
	}
}

// codeIn is the text of the QR code in a picture, "" without one and where the decoder breaks at what it took for one.
func codeIn(grey *image.Gray) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	size := grey.Rect.Size()
	source, err := gozxing.NewPlanarYUVLuminanceSource(grey.Pix, grey.Stride, len(grey.Pix)/grey.Stride, 0, 0, size.X, size.Y, false)
	if err != nil {
		return ""
	}
	bits, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
	if err != nil {
		return ""
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return ""
	}
	return found.GetText()
}
