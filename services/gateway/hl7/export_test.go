package hl7

import (
	"bufio"
	"io"
)

// Frame is a message in its frame.
func Frame(raw []byte) []byte { return frame(raw) }

// Frames reads as a connection does until r ends or is refused; large tells of each whether it was beyond MaxSize.
func Frames(r io.Reader) (frames [][]byte, large []bool, err error) {
	reader := bufio.NewReaderSize(r, 16)
	for {
		if err := waitFrame(reader); err != nil {
			return frames, large, err
		}
		raw, beyond, err := readFrame(reader)
		if err != nil {
			return frames, large, err
		}
		frames, large = append(frames, raw), append(large, beyond)
	}
}
