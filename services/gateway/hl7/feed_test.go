package hl7_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tongzhen/tongzhen/services/gateway/hl7"
	"github.com/tongzhen/tongzhen/services/internal/clock"
)

func TestWhatTheContractRefusesHoldsUpNothing(t *testing.T) {
	r := &record{}
	dial, _ := serve(t, r, hl7.Limits{})
	conn := dial()
	reader := bufio.NewReader(conn)
	long := []string{msh("ORU^R01", "C1"), pid, "OBR|1|P1|L55|GLU^血糖|||20261120083000"}
	for i := range 2001 {
		long = append(long, "OBX|"+strconv.Itoa(i+1)+"|NM|GLU^血糖|"+strconv.Itoa(i)+"|7.8|mmol/L|||||F")
	}
	for _, c := range []struct{ text, want string }{
		{message(long...), "MSA|AE|C1"}, {"", "MSA|AR|"}, {admission("C2"), "MSA|AA|C2"},
	} {
		send(t, conn, c.text)
		if got := answer(t, reader); !strings.Contains(got, c.want) {
			t.Errorf("answer %q, want %s", got, c.want)
		}
	}
	if len(r.got) != 2 || r.got[0].GetRecord() != nil || r.got[0].GetProblem().GetPosition() != "record.entries" {
		t.Errorf("kept %v", r.got)
	}
}

func TestSystemsBehindOneEngineShareAnAddress(t *testing.T) {
	shared, err := hl7.ReadSenders([]byte(`senders:
  - {application: HIS, addresses: [127.0.0.1], county: "450321", organization: "450321101", account: feed-his, charset: GB18030}
  - {application: LIS, addresses: [127.0.0.1], county: "450321", organization: "450321101", account: feed-lis}
`))
	if err != nil {
		t.Fatal(err)
	}
	r := &record{}
	feed := hl7.NewFeed(hl7.Deps{Senders: shared, Feed: r, Directory: directory{}, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Zone: zone})
	at := netip.MustParseAddr("127.0.0.1")
	if got, err := feed.Take(t.Context(), at, []byte("PID|no header"), false); err != nil || !strings.Contains(string(got), "MSA|AE|") || len(r.got) != 1 {
		t.Errorf("a message whose header cannot be read: %q, %v", got, err)
	}
	// "毛" in GB18030 is valid UTF-8 by chance; the sender's settings say what it is.
	raw := strings.NewReplacer("|YSX|", "||", "||||||UNICODE UTF-8", "").Replace(message(msh("ADT^A08", "C1"), "PID|1||B1||\xc3\xab"))
	if _, err := feed.Take(t.Context(), at, []byte(raw), false); err != nil || len(r.got) != 2 {
		t.Fatal(len(r.got), err)
	}
	if got := r.got[1].GetRecord().GetPatient().GetName(); got != "毛" {
		t.Errorf("the name is read as %q", got)
	}
}

type tired struct {
	net.Listener
	once sync.Once
}

func (l *tired) Accept() (conn net.Conn, err error) {
	l.once.Do(func() { err = &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)} })
	if err != nil {
		return nil, err
	}
	return l.Listener.Accept()
}

func TestAMachineWithoutDescriptorsGoesOn(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	feed := hl7.NewFeed(hl7.Deps{Senders: senders(t), Feed: &record{}, Directory: directory{}, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), Zone: zone})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- hl7.NewServer(feed, hl7.Limits{}, nil).Serve(ctx, &tired{Listener: listener}) }()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	send(t, conn, admission("C1"))
	if got := answer(t, bufio.NewReader(conn)); !strings.Contains(got, "MSA|AA|C1") {
		t.Errorf("answer %q", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
