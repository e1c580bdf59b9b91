package hl7

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
)

// Limits of a server; zero fields get what is said.
type Limits struct {
	// Connections at once; 64.
	Connections int
	// Idle is how long a connection may wait for a message; 10 minutes. Message how long one may take to come; 30 s. Answer how long storing and
	// acknowledging may take; 30 s.
	Idle, Message, Answer time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Connections == 0 {
		l.Connections = 64
	}
	for _, d := range []struct {
		to *time.Duration
		or time.Duration
	}{{&l.Idle, 10 * time.Minute}, {&l.Message, 30 * time.Second}, {&l.Answer, 30 * time.Second}} {
		if *d.to == 0 {
			*d.to = d.or
		}
	}
	return l
}

// Server speaks MLLP. Messages of one connection are taken in their order, one at a time.
type Server struct {
	feed   *Feed
	limits Limits
	// tls may be nil: then senders speak plainly, for networks that are trusted.
	tls *tls.Config
}

// NewServer makes a server; it begins with Serve.
func NewServer(f *Feed, limits Limits, config *tls.Config) *Server {
	return &Server{feed: f, limits: limits.withDefaults(), tls: config}
}

// Serve takes connections until ctx ends: those that wait are closed, a message under way is still acknowledged.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var open sync.WaitGroup
	defer open.Wait()
	free := make(chan struct{}, s.limits.Connections)
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case err != nil:
			if temporary(err) {
				select {
				case <-time.After(acceptPause):
				case <-ctx.Done():
				}
				continue
			}
			return fmt.Errorf("accept HL7 connections: %w", err)
		}
		from := remote(conn)
		if !s.feed.Senders.at(from) {
			s.feed.Logger.WarnContext(ctx, "HL7 connection refused", "address", from.String())
			_ = conn.Close()
			continue
		}
		select {
		case free <- struct{}{}:
		default:
			s.feed.Logger.WarnContext(ctx, "too many HL7 connections", "address", from.String())
			_ = conn.Close()
			continue
		}
		open.Go(func() {
			defer func() { <-free }()
			s.talk(ctx, conn, from)
		})
	}
}

// acceptPause is how long a server waits for descriptors to become free.
const acceptPause = 100 * time.Millisecond

// temporary tells a connection that was gone before it was accepted, and a machine that has nothing to spare, from a listener that is broken.
func temporary(err error) bool {
	for _, passing := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, os.ErrDeadlineExceeded} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

func remote(conn net.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// deadline is by the machine's clock, as the network's is.
func deadline(in time.Duration) time.Time { return clock.System().Now().Add(in) }

// talk serves one connection.
func (s *Server) talk(ctx context.Context, conn net.Conn, from netip.Addr) {
	defer func() { _ = conn.Close() }()
	if s.tls != nil {
		conn = tls.Server(conn, s.tls)
	}
	// A wait for a message ends with ctx; a message under way does not.
	waiting := &gate{conn: conn}
	stop := context.AfterFunc(ctx, waiting.close)
	defer stop()
	reader := bufio.NewReaderSize(conn, 16<<10)
	for {
		if !waiting.enter(s.limits.Idle) {
			return
		}
		err := waitFrame(reader)
		waiting.leave(s.limits.Message)
		if err == nil {
			err = s.message(ctx, conn, reader, from)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && ctx.Err() == nil {
				s.feed.Logger.WarnContext(ctx, "HL7 connection ended", "address", from.String(), "error", err)
			}
			return
		}
	}
}

// message takes one message and acknowledges it.
func (s *Server) message(ctx context.Context, conn net.Conn, reader *bufio.Reader, from netip.Addr) error {
	raw, large, err := readFrame(reader)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.Answer)
	defer cancel()
	ack, err := s.feed.Take(bounded, from, raw, large)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(deadline(s.limits.Answer)); err != nil {
		return err
	}
	_, err = conn.Write(frame(ack))
	return err
}

// gate lets a stop interrupt a wait and nothing else.
type gate struct {
	mu      sync.Mutex
	conn    net.Conn
	waits   bool
	stopped bool
}

func (g *gate) enter(idle time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = true
	return !g.stopped && g.conn.SetReadDeadline(deadline(idle)) == nil
}

func (g *gate) leave(rest time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waits = false
	_ = g.conn.SetReadDeadline(deadline(rest))
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	if g.waits {
		_ = g.conn.SetReadDeadline(time.Unix(1, 0))
	}
}
