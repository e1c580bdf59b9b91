package main

import (
	"bytes"
	"strings"
	"testing"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

func TestAnExportOfTheAuditHoldsNoFormula(t *testing.T) {
	t.Parallel()
	entry := &commonv1.AuditEntry{Service: "directory", Action: "sign_in", ObjectId: "+86", Detail: `=HYPERLINK("http://evil.example","login")`}
	for format, want := range map[string]string{"csv": `,'+86,,"'=HYPERLINK(""`, "jsonl": `"detail":"=HYPERLINK(`} {
		var out bytes.Buffer
		write, flush := entryWriter(&out, format)
		if err := write(entry); err != nil {
			t.Fatal(err)
		}
		if err := flush(); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s, %v", format, out.String(), err)
		}
	}
}
