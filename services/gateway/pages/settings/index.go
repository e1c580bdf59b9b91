package settings

import (
	"net/http"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// entry is a page of settings; its texts are settings.index.<Name> and settings.index.<Name>.help.
type entry struct{ Name, Path, History string }

// indexed are all pages of settings in their order.
func indexed() []entry {
	return []entry{
		{"targets", "/settings/targets", "TARGETS"}, {"limits", "/settings", "SETTINGS"}, {"reasons", "/settings/reasons", "REASONS"}, {"criteria", "/criteria", ""},
		{"organizations", "/settings/organizations", ""}, {"formulary", "/settings/formulary", ""},
		{"recognition", "/settings/recognition", ""}, {"rosters", "/rosters", ""}, {"sessions", "/schedules", ""}, {"rules", "/preferences/county", ""},
		{"deliveries", "/deliveries", ""}, {"accounts", "/settings/accounts", ""},
	}
}

func (p *Pages) index(w http.ResponseWriter, r *http.Request) error {
	return p.Shell.Render(w, r, p.indexSet, shell.Page{Title: "settings.index", Nav: "settings", Data: struct {
		Entries []entry
		Edits   bool
	}{indexed(), edits(r)}})
}

// edits tells whether the visitor may change the county's settings; the services decide.
func edits(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.Contains(visitor.Account.GetRoles(), commonv1.Role_COUNTY_ADMIN)
}
