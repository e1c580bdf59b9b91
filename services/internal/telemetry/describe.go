package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"google.golang.org/grpc/status"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Describe is what may be told about an error outside the process's memory: the text of an *errs.Error and what our
// code put before it; of the causes below and of everything unclassified the type only, because a driver may quote the
// data that it refused. What is known to quote nothing but the machine (connections, files, contexts, SQLSTATE, SQLite
// and gRPC codes) is told.
func Describe(err error) string {
	if err == nil {
		return ""
	}
	var parts []string
	describe(err, func(s string) {
		if s != "" && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	})
	return strings.Join(parts, ": ")
}

func describe(err error, say func(string)) {
	text, whole := known(err)
	if text == "" {
		text = wrapping(err)
	}
	say(text)
	if whole {
		return
	}
	switch x := err.(type) { //nolint:errorlint // It walks the tree by itself.
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			describe(inner, say)
			return
		}
	case interface{ Unwrap() []error }:
		for _, inner := range x.Unwrap() {
			describe(inner, say)
		}
		return
	}
	if _, ok := err.(*errs.Error); !ok { //nolint:errorlint // Same.
		say(fmt.Sprintf("%T", err))
	}
}

// wrapping is what stands before an *errs.Error: nobody but us wraps those, with ids and kinds.
func wrapping(err error) string {
	inner := errors.Unwrap(err)
	if _, ours := errs.As(inner); !ours {
		return ""
	}
	prefix, ok := strings.CutSuffix(err.Error(), ": "+inner.Error())
	if !ok {
		return ""
	}
	return prefix
}

// known is the text that err itself may be told by; whole says that nothing below it adds to that.
func known(err error) (text string, whole bool) {
	switch x := err.(type) { //nolint:errorlint // Only this very error, not one below it.
	case *errs.Error:
		return x.Error(), false
	case *net.OpError:
		return x.Error(), true
	case *net.DNSError:
		return x.Error(), true
	case *fs.PathError:
		return x.Error(), true
	case syscall.Errno:
		return x.Error(), true
	case interface{ GRPCStatus() *status.Status }:
		return "gRPC " + x.GRPCStatus().Code().String(), true
	case interface{ SQLState() string }:
		return "SQLSTATE " + x.SQLState(), true
	case interface {
		error
		Code() int
	}:
		return fmt.Sprintf("%T", err) + " " + strconv.Itoa(x.Code()), true
	}
	for _, sentinel := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, sentinel) && err.Error() == sentinel.Error() {
			return sentinel.Error(), true
		}
	}
	return "", false
}
