package document

import (
	"encoding/binary"
	"image"
	"image/draw"
)

// orientation is how a camera was held: 1 to 8 of the EXIF tag 0x0112.
type orientation uint16

const upright orientation = 1

const (
	orientationTag = 0x0112
	exifMarker     = 0xe1
	scanMarker     = 0xda
)

// orientationOf reads the tag out of a JPEG's EXIF block. Whatever cannot be read is upright: the picture is then shown as it lies.
func orientationOf(data []byte) orientation {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, length := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == scanMarker || length < 2 || at+2+length > len(data) {
			break
		}
		block := data[at+4 : at+2+length]
		if marker == exifMarker && len(block) > 6 && string(block[:6]) == "Exif\x00\x00" {
			return tagIn(block[6:])
		}
		at += 2 + length
	}
	return upright
}

// tagIn looks for the tag in the first directory of a TIFF block.
func tagIn(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	const entry = 12
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return upright
	}
	n := int(order.Uint16(tiff[at:]))
	for i := range n {
		e := at + 2 + i*entry
		if e+entry > len(tiff) {
			break
		}
		if order.Uint16(tiff[e:]) == orientationTag {
			if o := orientation(order.Uint16(tiff[e+8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
	}
	return upright
}

// turned is the picture as it is to be looked at.
func turned(picture image.Image, o orientation) image.Image {
	if o == upright {
		return picture
	}
	b := picture.Bounds()
	w, h := b.Dx(), b.Dy()
	plain := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(plain, plain.Bounds(), picture, b.Min, draw.Src)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	size := out.Bounds()
	for y := range size.Dy() {
		for x := range size.Dx() {
			sx, sy := source(o, x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], plain.Pix[plain.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// source is which pixel of a picture of w × h comes to x, y.
func source(o orientation, x, y, w, h int) (sx, sy int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}
