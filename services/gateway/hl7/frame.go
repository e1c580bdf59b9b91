package hl7

import (
	"bufio"
	"errors"
	"io"
)

// The block characters of MLLP.
const (
	startBlock = 0x0b
	endBlock   = 0x1c
	cr         = 0x0d
)

const (
	// maxJunk bounds what may stand between two messages.
	maxJunk = 4 << 10
	// headKept is what is kept of a message beyond MaxSize: enough to see whose it is.
	headKept = 16 << 10
)

var errFraming = errors.New("no MLLP frame")

// waitFrame reads up to the start of a message; the error of r when the connection ends before.
func waitFrame(r *bufio.Reader) error {
	for junk := 0; ; junk++ {
		b, err := r.ReadByte()
		switch {
		case err != nil:
			return err
		case b == startBlock:
			return nil
		case junk == maxJunk:
			return errFraming
		}
	}
}

// readFrame reads the rest of a message after its start. A start within it begins it anew: what came before was broken off, is acknowledged to
// nobody and so is sent again. Of one beyond MaxSize it answers the head, and large. The CR after the end is passed over by the next
// waitFrame, so that a system that sends none is understood.
func readFrame(r *bufio.Reader) (raw []byte, large bool, err error) {
	for {
		b, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil, false, io.ErrUnexpectedEOF
		case err != nil:
			return nil, false, err
		case b == startBlock:
			raw, large = nil, false
		case b == endBlock:
			return raw, large, nil
		case large:
		case len(raw) == MaxSize:
			raw, large = raw[:headKept:headKept], true
		default:
			raw = append(raw, b)
		}
	}
}

// frame is a message in its frame.
func frame(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+3)
	out = append(out, startBlock)
	out = append(out, raw...)
	return append(out, endBlock, cr)
}
