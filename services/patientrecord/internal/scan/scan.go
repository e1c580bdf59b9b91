// Package scan looks for harmful content in files before they are kept. It owns how a scanner is named in the settings and the protocol of
// clamd. Two implementations keep the contract of app.Scanner: None and Clamd, both safe for concurrent use.
package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

// New reads the setting: "" or "none" is no scanner; "unix:PATH" and "tcp:HOST:PORT" are a clamd.
func New(setting string) (app.Scanner, error) {
	network, address, _ := strings.Cut(setting, ":")
	switch {
	case setting == "", setting == "none":
		return None{}, nil
	case network == "unix" && address != "":
		return NewClamd(network, address), nil
	case network == "tcp":
		if _, _, err := net.SplitHostPort(address); err == nil {
			return NewClamd(network, address), nil
		}
	}
	return nil, fmt.Errorf("attachment scanner %q: want none, unix:PATH or tcp:HOST:PORT of a clamd", setting)
}

// None lets everything through: images are encoded anew and PDF files checked all the same.
type None struct{}

// Scan implements app.Scanner.
func (None) Scan(context.Context, []byte) error { return nil }

const (
	// scanTimeout bounds one scan: 10 MB take clamd well under a second.
	scanTimeout = 20 * time.Second
	// chunk of INSTREAM.
	chunk = 64 << 10
	// maxAnswer of clamd is one line.
	maxAnswer = 4 << 10
)

// Clamd asks a clamd by its INSTREAM command, one connection a file.
type Clamd struct {
	network, address string
	dialer           net.Dialer
}

// NewClamd scans at the address; network is unix or tcp. Nothing is opened before the first scan.
func NewClamd(network, address string) *Clamd { return &Clamd{network: network, address: address} }

// Scan implements app.Scanner.
func (c *Clamd) Scan(ctx context.Context, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	answer, err := c.ask(ctx, content)
	switch {
	case err != nil:
		return away(err)
	case strings.HasSuffix(answer, " OK"):
		return nil
	case strings.HasSuffix(answer, " FOUND"):
		return app.FileRefused("INFECTED")
	}
	// The answer is of the scanner's own making (size limit exceeded, no memory); it does not quote the file.
	return away(fmt.Errorf("clamd answers %q", answer))
}

func away(cause error) error {
	e := errs.New(errs.KindUnavailable, errs.ReasonScannerAway, "the scanner of attachments does not answer", cause)
	e.RetryAfter = time.Minute
	return e.With("peer", "scanner")
}

func (c *Clamd) ask(ctx context.Context, content []byte) (string, error) {
	conn, err := c.dialer.DialContext(ctx, c.network, c.address)
	if err != nil {
		return "", fmt.Errorf("connect to clamd: %w", err)
	}
	defer conn.Close()
	// The end of ctx ends whatever the connection waits for.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	sent := send(conn, content)
	answer, err := io.ReadAll(io.LimitReader(conn, maxAnswer))
	// clamd closes as soon as it knows; its answer counts more than what could not be sent then.
	if text := strings.TrimRight(string(answer), "\x00\n"); text != "" {
		return text, nil
	}
	return "", errors.Join(errors.New("clamd closed without an answer"), sent, err)
}

func send(w io.Writer, content []byte) error {
	if _, err := io.WriteString(w, "zINSTREAM\x00"); err != nil {
		return fmt.Errorf("send to clamd: %w", err)
	}
	for len(content) > 0 {
		piece := content[:min(chunk, len(content))]
		content = content[len(piece):]
		if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(piece)))); err != nil {
			return fmt.Errorf("send to clamd: %w", err)
		}
		if _, err := w.Write(piece); err != nil {
			return fmt.Errorf("send to clamd: %w", err)
		}
	}
	if _, err := w.Write(make([]byte, 4)); err != nil {
		return fmt.Errorf("send to clamd: %w", err)
	}
	return nil
}
