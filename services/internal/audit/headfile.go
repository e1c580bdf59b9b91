package audit

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// headLine is a head as the log and the head file hold it: one JSON object a line.
type headLine struct {
	Message   string    `json:"msg"`
	Service   string    `json:"part"`
	County    string    `json:"county"`
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"`
	Head      time.Time `json:"head"`
	KeyID     string    `json:"key_id"`
	Signature string    `json:"signature"`
}

// head is what the line says.
func (l headLine) head() (Head, error) {
	hash, hashErr := hex.DecodeString(l.Hash)
	signature, signatureErr := hex.DecodeString(l.Signature)
	if hashErr != nil || signatureErr != nil || l.Service == "" || l.County == "" || l.Seq < 1 {
		return Head{}, errors.New("not a whole head")
	}
	return Head{County: l.County, Seq: l.Seq, Hash: hash, Time: l.Head, KeyID: l.KeyID, Signature: signature}, nil
}

// headMessage marks the lines of the log that are heads.
const headMessage = "audit head"

func lineOf(service string, h Head) headLine {
	return headLine{
		Message: headMessage, Service: service, County: h.County, Seq: h.Seq, Hash: hex.EncodeToString(h.Hash), Head: h.Time.UTC(),
		KeyID: h.KeyID, Signature: hex.EncodeToString(h.Signature),
	}
}

// HeadFile is an append-only copy of signed heads on another disk or machine than the database: whoever cuts off the end of a record there
// does not reach it. The zero HeadFile writes nothing. Several processes may append to one file.
type HeadFile struct {
	// Path of the file, made with mode 0600; "" = none.
	Path string
	// Service whose heads these are.
	Service string
}

// Append writes the heads and waits until they are on the disk.
func (f HeadFile) Append(heads ...Head) (err error) {
	if f.Path == "" || len(heads) == 0 {
		return nil
	}
	var text []byte
	for _, h := range heads {
		line, err := json.Marshal(lineOf(f.Service, h))
		if err != nil {
			return fmt.Errorf("write audit heads: %w", err)
		}
		text = append(append(text, line...), '\n')
	}
	file, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write audit heads: %w", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("write audit heads: %w", closeErr)
		}
	}()
	if _, err := file.Write(text); err != nil {
		return fmt.Errorf("write audit heads: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("write audit heads: %w", err)
	}
	return nil
}

// ReadHeads finds the heads in a head file or in the log, by service. Other lines are passed over; a head that is not whole is an error.
func ReadHeads(r io.Reader) (map[string][]Head, error) {
	heads := map[string][]Head{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if !strings.Contains(lines.Text(), headMessage) {
			continue
		}
		var l headLine
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.Message != headMessage {
			continue
		}
		h, err := l.head()
		if err != nil {
			return nil, fmt.Errorf("read audit heads: line %d: %w", n, err)
		}
		heads[l.Service] = append(heads[l.Service], h)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read audit heads: %w", err)
	}
	return heads, nil
}
