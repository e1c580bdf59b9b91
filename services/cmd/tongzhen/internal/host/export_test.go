package host

import (
	"context"
	"net"
)

// ServeControl serves the control socket of a host without services until ctx ends.
func ServeControl(ctx context.Context, listener net.Listener) error {
	return newControl(nil).serve(ctx, listener)
}
