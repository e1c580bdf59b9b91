// Package accounts holds the pages on which a county's accounts are looked after: the list, one account with its history, what asks before it is done,
// the slips with one-time passwords, and the import of a file.
//
// Who may do what is decided by directory. A one-time password is in the answer to the form that made it and nowhere else; the same form sent again
// says so.
package accounts

import (
	"embed"
	"net/http"
	"net/url"
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need.
type Deps struct {
	Shell    *shell.Shell
	Accounts directoryv1.AccountServiceClient
	// Statistics and Calendar tell what is in somebody's name.
	Statistics referralv1.StatisticsServiceClient
	Calendar   schedulingv1.CalendarServiceClient
	// Secure: the gateway is reached over TLS.
	Secure bool
}

// Pages serves them.
type Pages struct {
	Deps
	list, one, ask, slips, file *shell.Set
}

const root = "/settings/accounts"

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	for file, set := range map[string]**shell.Set{"list.html": &p.list, "one.html": &p.one, "ask.html": &p.ask, "slips.html": &p.slips, "file.html": &p.file} {
		if *set, err = deps.Shell.Parse(files, file, "parts.html"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET "+root, p.Shell.Page(p.showList))
	mux.Handle("GET "+root+"/new", p.Shell.Page(p.showNew))
	mux.Handle("POST "+root+"/new", p.Shell.Page(p.create))
	mux.Handle("GET "+root+"/{id}", p.Shell.Page(p.showOne))
	mux.Handle("POST "+root+"/{id}", p.Shell.Page(p.update))
	mux.Handle("GET "+root+"/{id}/disable", p.Shell.Page(p.asks("disable")))
	mux.Handle("POST "+root+"/{id}/disable", p.Shell.Page(p.disable))
	mux.Handle("POST "+root+"/{id}/enable", p.Shell.Page(p.enable))
	mux.Handle("GET "+root+"/{id}/reset", p.Shell.Page(p.asks("reset")))
	mux.Handle("POST "+root+"/{id}/reset", p.Shell.Page(p.reset))
	mux.Handle("GET "+root+"/file", p.Shell.Page(p.showFile))
	mux.Handle("POST "+root+"/file", p.Shell.Page(p.importFile))
	mux.Handle("GET "+root+"/file/sample", p.Shell.Page(p.sample))
}

// row is an account with the names of its place.
type row struct {
	*directoryv1.AccountDetail
	Organization, Department string
	// Expired: the one-time password was not used in time.
	Expired bool
}

// filter is what the address asks the list for.
type filter struct{ Query, Organization, Role, State string }

type listData struct {
	Filter        filter
	Rows          []row
	Organizations []shell.Named
	Roles, States []string
	Next          string
	// New is the way to a new account, of the organisation that is looked at.
	New string
}

// Any tells that something is asked for.
func (f filter) Any() bool { return f != filter{} }

func (f filter) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Query, "organization": f.Organization, "role": f.Role, "state": f.State} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := filter{Query: q.Get("q"), Organization: q.Get("organization"), Role: q.Get("role"), State: q.Get("state")}
	found, err := p.Accounts.SearchAccounts(r.Context(), &directoryv1.SearchAccountsRequest{
		Query: f.Query, OrganizationId: f.Organization, PageToken: q.Get("page"),
		Role:  commonv1.Role_Code(commonv1.Role_Code_value[f.Role]),
		State: directoryv1.AccountState_Code(directoryv1.AccountState_Code_value[f.State]),
	})
	if err != nil {
		return err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	data := listData{Filter: f, States: []string{"ACTIVE", "NEW", "DISABLED"}, New: root + "/new"}
	for _, o := range county.Organizations {
		data.Organizations = append(data.Organizations, shell.Named{ID: o.GetId(), Name: county.OrganizationName(p.Shell.Language(r), o.GetId())})
	}
	for n := range len(commonv1.Role_Code_name) {
		if role := commonv1.Role_Code(n); role != commonv1.Role_UNSPECIFIED && role != commonv1.Role_SYSTEM {
			data.Roles = append(data.Roles, role.String())
		}
	}
	for _, one := range found.GetAccounts() {
		data.Rows = append(data.Rows, p.rowOf(r, county, one))
	}
	if f.Organization != "" {
		data.New += "?" + url.Values{"organization": {f.Organization}}.Encode()
	}
	if next := found.GetNextPageToken(); next != "" {
		values := f.values()
		values.Set("page", next)
		data.Next = root + "?" + values.Encode()
	}
	return p.Shell.Render(w, r, p.list, shell.Page{Title: "accounts.title", Nav: p.nav(r), Data: data})
}

func (p *Pages) rowOf(r *http.Request, county *shell.County, one *directoryv1.AccountDetail) row {
	language, a := p.Shell.Language(r), one.GetAccount()
	out := row{AccountDetail: one, Organization: county.OrganizationName(language, a.GetOrganizationId())}
	if out.Organization == "" {
		out.Organization = a.GetOrganizationName()
	}
	if until := one.GetOneTimePasswordExpireTime(); until != nil {
		out.Expired = !p.Shell.Now().Before(until.AsTime())
	}
	if a.GetDepartmentCode() != "" {
		out.Department = county.DepartmentName(language, a.GetOrganizationId(), a.GetDepartmentCode())
	}
	return out
}

// nav is the page of the rail: the county's administrator comes from the settings, a system administrator has the accounts there.
func (p *Pages) nav(r *http.Request) string {
	if slices.Contains(roles(r), commonv1.Role_COUNTY_ADMIN) {
		return "settings"
	}
	return "accounts"
}
