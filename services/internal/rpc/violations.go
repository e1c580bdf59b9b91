package rpc

import (
	"fmt"
	"strconv"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// fields puts what protovalidate found into our words. Nothing of a field's value is taken over.
func fields(refused *protovalidate.ValidationError) []errs.Field {
	out := make([]errs.Field, 0, len(refused.Violations))
	for _, v := range refused.Violations {
		out = append(out, field(v))
	}
	return out
}

func field(v *protovalidate.Violation) errs.Field {
	name := path(v)
	rule := v.Proto.GetRuleId() // "string.max_len", "int32.gte_lte", "required", or the author's own
	_, op, _ := strings.Cut(rule, ".")
	switch {
	case rule == "required", empty(v.FieldValue):
		return errs.Required(name)
	case strings.HasPrefix(op, "max_"):
		if v.RuleValue.IsValid() {
			return errs.Bad(name, errs.ReasonFieldTooLong, "max", fmt.Sprint(v.RuleValue.Interface()))
		}
		return errs.Bad(name, errs.ReasonFieldTooLong)
	case strings.HasPrefix(op, "gt"), strings.HasPrefix(op, "lt"):
		return errs.Bad(name, errs.ReasonFieldOutOfRange)
	case name == "":
		return errs.Bad(name, errs.ReasonFieldCombination)
	}
	return errs.Bad(name, errs.ReasonFieldInvalid)
}

// empty tells whether nothing was given, whichever rule noticed. A number of 0 was given.
func empty(v protoreflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	switch x := v.Interface().(type) {
	case string:
		return x == ""
	case []byte:
		return len(x) == 0
	case protoreflect.EnumNumber:
		return x == 0
	case protoreflect.List:
		return x.Len() == 0
	case protoreflect.Map:
		return x.Len() == 0
	}
	return false
}

// path is the field's place in proto3 JSON: "diagnoses[0].code". A key of a map is not told; it is data.
func path(v *protovalidate.Violation) string {
	var b strings.Builder
	for i, e := range v.Proto.GetField().GetElements() {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(lowerCamel(e.GetFieldName()))
		switch {
		case e.HasIndex():
			b.WriteString("[" + strconv.FormatUint(e.GetIndex(), 10) + "]")
		case e.HasSubscript():
			b.WriteString("[]")
		}
	}
	return b.String()
}

// lowerCamel is protobuf's rule for JSON names.
func lowerCamel(name string) string {
	var b strings.Builder
	up := false
	for _, c := range []byte(name) {
		if c == '_' {
			up = true
			continue
		}
		if up && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up = false
		b.WriteByte(c)
	}
	return b.String()
}
