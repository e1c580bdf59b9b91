package gateway_test

import (
	"strings"
	"testing"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestTheBarNamesTheOrganisationInTheVisitorsLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for language, want := range map[string]string{"en": "Baisha Township Health Centre", "zh-CN": "白沙镇卫生院"} {
		b := w.browser("township")
		b.language = language
		if body := b.get("/inbox").Body.String(); !strings.Contains(body, `<span class="where">`+want+`</span>`) {
			t.Errorf("%s: %s is not in the bar", language, want)
		}
	}
	away := newWorld(t)
	away.refuse(directoryv1.DirectoryService_ListOrganizations_FullMethodName, errs.Unavailable("directory", nil))
	if got := away.browser("township").get("/inbox"); got.Code != 200 || !strings.Contains(got.Body.String(), `<span class="where">白沙镇卫生院</span>`) {
		t.Errorf("without directory: %d", got.Code)
	}
}
