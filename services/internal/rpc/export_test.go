package rpc

import "google.golang.org/protobuf/proto"

// NULs is nuls for tests.
func NULs(m proto.Message) []string { return nuls(m.ProtoReflect()) }
