package bustest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is a NATS server on a loopback port that can be stopped and started again with its data.
type Server struct {
	URL     string
	Name    string
	options server.Options
	running *server.Server
}

// StartServer starts one for the test.
func StartServer(t *testing.T) *Server {
	t.Helper()
	s := &Server{Name: "single", options: server.Options{
		ServerName: "single", Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: t.TempDir(),
		NoSigs: true, NoLog: true,
	}}
	s.URL = fmt.Sprintf("nats://127.0.0.1:%d", s.options.Port)
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// StartCluster starts n servers that know one another; URL of each leads to itself alone.
func StartCluster(t *testing.T, n int) []*Server {
	t.Helper()
	var routes []*url.URL
	ports := make([]int, n)
	for i := range n {
		ports[i] = freePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])})
	}
	cluster := make([]*Server, n)
	for i := range n {
		name := fmt.Sprintf("node%d", i)
		s := &Server{Name: name, options: server.Options{
			ServerName: name, Host: "127.0.0.1", Port: freePort(t), JetStream: true,
			StoreDir: t.TempDir(), NoSigs: true, NoLog: true, Routes: routes,
			Cluster: server.ClusterOpts{Name: "tongzhen", Host: "127.0.0.1", Port: ports[i]},
		}}
		s.URL = fmt.Sprintf("nats://127.0.0.1:%d", s.options.Port)
		s.Start(t)
		t.Cleanup(s.Stop)
		cluster[i] = s
	}
	return cluster
}

// URLs is the address of all of them.
func URLs(servers []*Server) string {
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = s.URL
	}
	return strings.Join(urls, ",")
}

// Start starts it again, on the same port and data.
func (s *Server) Start(t *testing.T) {
	t.Helper()
	o := s.options // the server changes its options
	running, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	running.Start()
	if !running.ReadyForConnections(waitTime) {
		t.Fatal("the NATS server does not start")
	}
	s.running = running
}

// Stop ends it; stopping twice is harmless.
func (s *Server) Stop() {
	s.running.Shutdown()
	s.running.WaitForShutdown()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("not a TCP address")
	}
	return addr.Port
}

// dropStreams removes what a test left on a server that others use too.
func dropStreams(t *testing.T, address, prefix string) {
	t.Helper()
	conn, err := nats.Connect(address)
	if err != nil {
		return // the server was the test's own, and is gone
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Error(err)
		return
	}
	for _, name := range []string{"FACTS", "DEADLETTER"} {
		if err := js.DeleteStream(context.Background(), prefix+"_"+name); err != nil {
			t.Errorf("delete stream %s: %v", name, err)
		}
	}
}
