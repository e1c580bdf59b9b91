package statistics

import (
	"mime"
	"testing"
)

func TestAFileIsNamedInTheWordsOfTheVisitor(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"双向转诊统计 2026-02-01 至 2026-02-28.xlsx": "双向转诊统计 2026-02-01 至 2026-02-28.xlsx", "a/b:c\"d'%.csv": "a-b-c-d'%.csv",
	} {
		header := fileName{"tongzhen-2026-02-01.xlsx", words}.attachment()
		kind, params, err := mime.ParseMediaType(header)
		if err != nil || kind != "attachment" || params["filename"] != want {
			t.Errorf("%s: %q, %v", header, params["filename"], err)
		}
		for _, r := range header {
			if r > '~' || r < ' ' {
				t.Fatalf("%q is not ASCII", header)
			}
		}
	}
}
