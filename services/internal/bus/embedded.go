package bus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/nats-io/nats-server/v2/server"
)

// embedded is a server inside the process.
type embedded struct {
	server *server.Server
	// lock stays open as long as the server runs. It must be kept reachable: a collected file is closed, and with it
	// the lock is gone.
	lock *os.File
}

// startEmbedded locks the directory first: two servers on one directory would both start and spoil each other's files.
func startEmbedded(dir string) (*embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bus: make the data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("bus: lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("bus: data directory %s in use by another process: %w", dir, err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "tongzhen", DontListen: true, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("bus: make the embedded server: %w", err)
	}
	e := &embedded{server: s, lock: lock}
	s.Start()
	if !s.ReadyForConnections(firstConnect) || !s.JetStreamEnabled() {
		e.stop()
		return nil, errors.New("bus: the embedded server does not start")
	}
	return e, nil
}

func (e *embedded) stop() {
	if e == nil {
		return
	}
	e.server.Shutdown()
	e.server.WaitForShutdown()
	e.lock.Close()
}
