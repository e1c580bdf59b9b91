package scan_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/scan"
)

// clamd is a peer that speaks INSTREAM and finds what holds "EICAR".
func clamd(t *testing.T, network, address string, answer func(content []byte) string) net.Addr {
	t.Helper()
	lis, err := new(net.ListenConfig).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	go func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				command := make([]byte, len("zINSTREAM\x00"))
				if _, err := io.ReadFull(conn, command); err != nil || string(command) != "zINSTREAM\x00" {
					return
				}
				var content bytes.Buffer
				for {
					var size uint32
					if binary.Read(conn, binary.BigEndian, &size) != nil {
						return
					}
					if size == 0 {
						break
					}
					if _, err := io.CopyN(&content, conn, int64(size)); err != nil {
						return
					}
				}
				_, _ = io.WriteString(conn, answer(content.Bytes()))
			}()
		}
	}()
	return lis.Addr()
}

func eicar(content []byte) string {
	if bytes.Contains(content, []byte("EICAR")) {
		return "stream: Eicar-Signature FOUND\x00"
	}
	return "stream: OK\x00"
}

func TestEveryScannerLetsThroughWhatIsCleanAndOnlyClamdKnowsWhatIsNot(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "clamd")
	clamd(t, "unix", socket, eicar)
	port := clamd(t, "tcp", "127.0.0.1:0", eicar)
	for setting, finds := range map[string]bool{"": false, "none": false, "unix:" + socket: true, "tcp:" + port.String(): true} {
		s, err := scan.New(setting)
		if err != nil {
			t.Fatal(err)
		}
		large := bytes.Repeat([]byte("x"), 3<<20+7)
		for _, clean := range [][]byte{nil, []byte("a"), large} {
			if err := s.Scan(t.Context(), clean); err != nil {
				t.Errorf("%q refuses a clean file: %v", setting, err)
			}
		}
		err = s.Scan(t.Context(), append(large, "EICAR"...))
		e, refused := errs.As(err)
		if refused != finds || finds && (e.Reason != errs.ReasonFileRefused || e.Fields[0].Meta["cause"] != "INFECTED") {
			t.Errorf("%q: %v", setting, err)
		}
	}
}

func TestAScannerThatDoesNotAnswerKeepsFilesOut(t *testing.T) {
	t.Parallel()
	silent := clamd(t, "tcp", "127.0.0.1:0", func([]byte) string { return "" })
	broken := clamd(t, "tcp", "127.0.0.1:0", func([]byte) string { return "INSTREAM size limit exceeded. ERROR\x00" })
	for _, setting := range []string{"unix:" + filepath.Join(t.TempDir(), "nobody"), "tcp:" + silent.String(), "tcp:" + broken.String()} {
		s, err := scan.New(setting)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Scan(t.Context(), []byte("x"))
		if e, _ := errs.As(err); errs.KindOf(err) != errs.KindUnavailable || errs.ReasonOf(err) != errs.ReasonScannerAway || e.RetryAfter == 0 {
			t.Errorf("%s: %v", setting, err)
		}
	}
	never, cancel := context.WithCancel(t.Context())
	cancel()
	s := scan.NewClamd("tcp", silent.String())
	if err := s.Scan(never, []byte("x")); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("a call that ended: %v", err)
	}
}

func TestASettingThatNamesNoScannerIsRefused(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"clamd", "unix:", "tcp:localhost", "http://127.0.0.1:3310"} {
		if _, err := scan.New(setting); err == nil {
			t.Errorf("%q was taken", setting)
		}
	}
}
