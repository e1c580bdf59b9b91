package rpc

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// nuls are the paths of the text fields that hold a NUL character. PostgreSQL has no text with one, so no service can
// keep it; SQLite could, and both must answer alike.
func nuls(m protoreflect.Message) (paths []string) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			// A key is not told; it is data.
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				paths = below(paths, f.JSONName()+"[]", append(nul(f.MapKey(), k.Value()), nul(f.MapValue(), v)...))
				return true
			})
		case f.IsList():
			for i, list := 0, v.List(); i < list.Len(); i++ {
				if found := nul(f, list.Get(i)); found != nil {
					paths = below(paths, f.JSONName()+"["+strconv.Itoa(i)+"]", found)
				}
			}
		default:
			if found := nul(f, v); found != nil {
				paths = below(paths, f.JSONName(), found)
			}
		}
		return true
	})
	return paths
}

// nul looks into one value: nil if there is none, "" for the value itself.
func nul(f protoreflect.FieldDescriptor, v protoreflect.Value) []string {
	switch f.Kind() {
	case protoreflect.StringKind:
		if strings.IndexByte(v.String(), 0) >= 0 {
			return []string{""}
		}
	case protoreflect.MessageKind:
		return nuls(v.Message())
	}
	return nil
}

func below(paths []string, name string, found []string) []string {
	for _, path := range found {
		if path != "" {
			path = "." + path
		}
		paths = append(paths, name+path)
	}
	return paths
}
