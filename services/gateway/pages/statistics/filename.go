package statistics

import (
	"fmt"
	"strings"
)

// fileName is the name of a file to keep: in the visitor's words, and in plain ASCII for what reads no other.
type fileName struct{ Plain, Words string }

// attachment is the header of a file with both names (RFC 6266): filename for old readers, filename* in UTF-8 (RFC 8187, before that 5987) for the
// rest.
func (n fileName) attachment() string {
	return `attachment; filename="` + n.Plain + `"; filename*=UTF-8''` + extended(n.Words)
}

// extended writes what is no attr-char of RFC 8187 as bytes in percent, and what a file may not be called as a dash.
func extended(name string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
	var out strings.Builder
	for _, b := range []byte(strings.NewReplacer("/", "-", `\`, "-", ":", "-", "*", "-", "?", "-", `"`, "-", "<", "-", ">", "-", "|", "-").Replace(name)) {
		if strings.IndexByte(plain, b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}
