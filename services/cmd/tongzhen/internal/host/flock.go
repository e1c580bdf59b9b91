package host

import (
	"os"
	"syscall"
)

// flock locks the file until it is closed or the process ends.
func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
