package document

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// quality of JPEG: no difference on a photographed report, half the size of the best.
const quality = 88

// encodeAnew keeps the pixels of an image and nothing else.
func encodeAnew(data []byte, mediaType string) (Document, error) {
	decodeConfig, decode := jpeg.DecodeConfig, jpeg.Decode
	if mediaType == PNG {
		decodeConfig, decode = png.DecodeConfig, png.Decode
	}
	// The header is read first: what the pixels would cost is known before a single one is made.
	config, err := decodeConfig(bytes.NewReader(data))
	if err != nil || config.Width < 1 || config.Height < 1 {
		return Document{}, refuse(ImageBroken)
	}
	if config.Width > MaxPixels/config.Height {
		return Document{}, refuse(Pixels)
	}
	decoded, err := decode(bytes.NewReader(data))
	if err != nil || decoded.Bounds().Dx() != config.Width || decoded.Bounds().Dy() != config.Height {
		return Document{}, refuse(ImageBroken)
	}
	turn := upright
	if mediaType == JPEG {
		turn = orientationOf(data)
	}
	for side := MaxSide; side >= ThumbnailSide; side -= side / 4 {
		picture := turned(fitted(decoded, side), turn)
		content, err := encode(picture, mediaType)
		if err != nil {
			return Document{}, refuse(ImageBroken)
		}
		if len(content) > MaxBytes {
			continue // noise, kept smaller
		}
		thumbnail, err := encode(opaque(fitted(picture, ThumbnailSide)), JPEG)
		if err != nil {
			return Document{}, refuse(ImageBroken)
		}
		size := picture.Bounds()
		return Document{MediaType: mediaType, Content: content, Thumbnail: thumbnail, Width: size.Dx(), Height: size.Dy()}, nil
	}
	return Document{}, refuse(TooLarge)
}

func encode(picture image.Image, mediaType string) ([]byte, error) {
	var out bytes.Buffer
	if mediaType == PNG {
		err := png.Encode(&out, picture)
		return out.Bytes(), err
	}
	err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality})
	return out.Bytes(), err
}

// opaque puts the picture on white: a JPEG knows no transparency.
func opaque(picture image.Image) image.Image {
	if o, ok := picture.(interface{ Opaque() bool }); ok && o.Opaque() {
		return picture
	}
	b := picture.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Bounds(), picture, b.Min, draw.Over)
	return out
}

// fitted is the picture with its longer side at most so many pixels: the average of the area behind each pixel. One that fits is answered
// as it is.
func fitted(picture image.Image, side int) image.Image {
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	if max(w, h) <= side {
		return picture
	}
	dw, dh := max(1, w*side/max(w, h)), max(1, h*side/max(w, h))
	out := image.NewRGBA(image.Rect(0, 0, dw, dh))
	columns, rows := shares(w, dw), shares(h, dh)
	// One line of the source at a time is turned into plain pixels, so that the picture is never there twice.
	line, narrow := image.NewRGBA(image.Rect(0, 0, w, 1)), make([]float32, 4*dw)
	have := -1
	sum := make([]float32, 4*dw)
	for y, row := range rows {
		clear(sum)
		for i, weight := range row.weights {
			if at := row.first + i; at != have {
				draw.Draw(line, line.Bounds(), picture, image.Pt(b.Min.X, b.Min.Y+at), draw.Src)
				narrowed(narrow, line.Pix, columns)
				have = at
			}
			for k, v := range narrow {
				sum[k] += weight * v
			}
		}
		for k, v := range sum {
			out.Pix[y*out.Stride+k] = uint8(min(255, v+0.5))
		}
	}
	return out
}

// share is which source pixels make one pixel, and how much of each; the weights add up to 1.
type share struct {
	first   int
	weights []float32
}

func shares(from, to int) []share {
	out := make([]share, to)
	ratio := float64(from) / float64(to)
	for i := range out {
		begin, end := float64(i)*ratio, min(float64(i+1)*ratio, float64(from))
		first := int(begin)
		s := share{first: first}
		for at := first; at < from && float64(at) < end; at++ {
			s.weights = append(s.weights, float32((min(end, float64(at+1))-max(begin, float64(at)))/(end-begin)))
		}
		out[i] = s
	}
	return out
}

func narrowed(out []float32, pix []uint8, columns []share) {
	for x, c := range columns {
		var r, g, b, a float32
		p := pix[4*c.first:]
		for i, weight := range c.weights {
			q := p[4*i : 4*i+4]
			r += weight * float32(q[0])
			g += weight * float32(q[1])
			b += weight * float32(q[2])
			a += weight * float32(q[3])
		}
		out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = r, g, b, a
	}
}
