package accounts

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// place is an organisation with its departments, as one choice: "<organisation>" or "<organisation>/<department>".
type place struct {
	Name    string
	Options []shell.Named
}

type oneData struct {
	// Row is the account that stands; the zero row for a new one.
	Row       row
	Form      shell.Form
	Problem   string
	RequestID string
	Version   int32
	Places    []place
	// Grantable are the roles that the visitor may give.
	Grantable []string
	Changes   []change
	// Leaves is what is still in the name of an account that was disabled.
	Leaves leaves
	// Alone: the account itself cannot be read, only what was typed is shown.
	Alone bool
}

// Holds tells whether the form has a role ticked.
func (d oneData) Holds(role string) bool {
	return slices.Contains(strings.Fields(d.Form.Value("roles")), role)
}

// RolesNow are those that somebody else gave meanwhile.
func (d oneData) RolesNow() []string { return strings.Fields(d.Form.Changed["roles"]) }

func roles(r *http.Request) []commonv1.Role_Code {
	visitor, _ := door.VisitorFrom(r.Context())
	return visitor.Account.GetRoles()
}

// valuesOf an account, as the form has them. Roles are one value.
func valuesOf(a *directoryv1.Account) url.Values {
	words := make([]string, len(a.GetRoles()))
	for i, role := range a.GetRoles() {
		words[i] = role.String()
	}
	return url.Values{
		"name": {a.GetName()}, "place": {placeOf(a.GetOrganizationId(), a.GetDepartmentCode())}, "roles": {strings.Join(words, " ")},
		"phone": {a.GetPhone()}, "email": {a.GetEmail()},
	}
}

func placeOf(organization, department string) string {
	if department == "" {
		return organization
	}
	return organization + "/" + department
}

// typed is the account that the form says. Roles come as several values and are kept as one.
func typed(r *http.Request) (*directoryv1.Account, error) {
	if err := r.ParseForm(); err != nil {
		return nil, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	words := r.PostForm["roles"]
	r.PostForm.Set("roles", strings.Join(words, " "))
	f := r.PostForm
	organization, department, _ := strings.Cut(f.Get("place"), "/")
	a := &directoryv1.Account{
		Login: f.Get("login"), Name: f.Get("name"), OrganizationId: organization, DepartmentCode: department, Phone: f.Get("phone"), Email: f.Get("email"),
	}
	for _, word := range words {
		a.Roles = append(a.Roles, commonv1.Role_Code(commonv1.Role_Code_value[word]))
	}
	return a, nil
}

// called gives what directory refuses the names of the form's fields.
func called(err error) error {
	e, ok := errs.As(err)
	if !ok || e.Kind != errs.KindInvalid {
		return err
	}
	fields := slices.Clone(e.Fields)
	for i, f := range fields {
		name, _, _ := strings.Cut(strings.TrimPrefix(f.Name, "account."), "[")
		if name == "organizationId" || name == "departmentCode" {
			name = "place"
		}
		fields[i].Name = name
		fields[i].Meta = map[string]string{"max": f.Meta["max"], "label": "field.account." + name}
	}
	return errs.Invalid(fields...)
}

func (p *Pages) showNew(w http.ResponseWriter, r *http.Request) error {
	data := oneData{RequestID: id.New(), Form: shell.Form{Values: url.Values{"place": {r.URL.Query().Get("organization")}}}}
	return p.drawOne(w, r, http.StatusOK, data)
}

// drawOne completes the page with what there is to choose from. A refused form is shown without it when directory is away.
func (p *Pages) drawOne(w http.ResponseWriter, r *http.Request, status int, data oneData) error {
	county, err := p.Shell.Names().County(r.Context())
	if err == nil {
		data.Places = p.places(r, county, data.Form)
		var found *directoryv1.SearchAccountsResponse
		found, err = p.Accounts.SearchAccounts(r.Context(), &directoryv1.SearchAccountsRequest{PageSize: 1})
		for _, role := range found.GetGrantableRoles() {
			data.Grantable = append(data.Grantable, role.String())
		}
	}
	if err != nil && status == http.StatusOK {
		return err
	}
	title := "accounts.new"
	if r.PathValue("id") != "" {
		title = "accounts.one"
	}
	return p.Shell.Render(w, r, p.one, shell.Page{Title: title, Nav: p.nav(r), Status: status, Data: data})
}

// places are the organisations in which people work, each with its departments, and where the account stands already.
func (p *Pages) places(r *http.Request, county *shell.County, form shell.Form) []place {
	language := p.Shell.Language(r)
	var out []place
	var offered []shell.Named
	for _, o := range county.Organizations {
		if o.GetDisabled() || o.GetType() == directoryv1.OrganizationType_EXTERNAL {
			continue
		}
		name := county.OrganizationName(language, o.GetId())
		one := place{Name: name, Options: []shell.Named{{ID: o.GetId(), Name: name}}}
		for _, d := range county.Departments(o.GetId()) {
			one.Options = append(one.Options, shell.Named{
				ID: placeOf(o.GetId(), d.GetCode()), Name: name + " · " + county.DepartmentName(language, o.GetId(), d.GetCode()),
			})
		}
		out, offered = append(out, one), append(offered, one.Options...)
	}
	standing := form.Standing("place", offered, func(value string) string {
		organization, department, _ := strings.Cut(value, "/")
		return p.Shell.StandingPlace(r, county, organization, department)
	})
	for _, one := range standing {
		out = append(out, place{Name: one.Name, Options: []shell.Named{one}})
	}
	return out
}

func (p *Pages) create(w http.ResponseWriter, r *http.Request) error {
	account, err := typed(r)
	var made *directoryv1.IssuedAccount
	if err == nil {
		made, err = p.Accounts.CreateAccount(r.Context(), &directoryv1.CreateAccountRequest{Account: account, RequestId: r.PostFormValue("requestId")})
	}
	if err != nil {
		return p.Shell.Again(w, r, called(err), func(again shell.Refused) error {
			return p.drawOne(w, r, again.Status, oneData{Form: again.Form, Problem: again.Problem, RequestID: again.RequestID})
		})
	}
	return p.drawSlips(w, r, slipsData{Slips: p.slipsOf(r, made), ID: made.GetAccount().GetId(), Made: true})
}

// load reads an account with its history.
func (p *Pages) load(r *http.Request) (oneData, error) {
	account := r.PathValue("id")
	one, err := p.Accounts.GetAccount(r.Context(), &directoryv1.GetAccountRequest{Id: account})
	if err != nil {
		return oneData{}, err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return oneData{}, err
	}
	history, err := p.Accounts.ListAccountChanges(r.Context(), &directoryv1.ListAccountChangesRequest{Id: account})
	if err != nil {
		return oneData{}, err
	}
	out := oneData{
		Row: p.rowOf(r, county, one), RequestID: id.New(), Version: one.GetAccount().GetVersion(), Changes: p.changesOf(r, county, history.GetChanges()),
	}
	if one.GetState() == directoryv1.AccountState_DISABLED {
		out.Leaves = p.leavesOf(r, county, one)
	}
	return out, nil
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r)
	if err != nil {
		return err
	}
	data.Form.Values = shell.Original(valuesOf(data.Row.GetAccount()), nil)
	return p.drawOne(w, r, http.StatusOK, data)
}

func (p *Pages) update(w http.ResponseWriter, r *http.Request) error {
	account, err := typed(r)
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err == nil {
		_, err = p.Accounts.UpdateAccount(r.Context(), &directoryv1.UpdateAccountRequest{
			Id: r.PathValue("id"), Account: account, Version: int32(version), RequestId: r.PostFormValue("requestId"),
		})
	}
	if err != nil {
		return p.refused(w, r, called(err), int32(version))
	}
	p.Shell.Flash(w, "accounts.saved")
	http.Redirect(w, r, root+"/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	return nil
}

// refused shows the form with what was typed; after somebody else's change upon what stands now.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, cause error, version int32) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r)
		if errs.KindOf(err) == errs.KindNotFound || errs.KindOf(err) == errs.KindDenied {
			return err
		}
		data.Alone = err != nil
		data.Form, data.Problem, data.RequestID = again.Form, again.Problem, again.RequestID
		if errs.KindOf(cause) == errs.KindStale && err == nil {
			data.Form.Rebase(valuesOf(data.Row.GetAccount()), nil)
		} else {
			data.Version = version
		}
		return p.drawOne(w, r, again.Status, data)
	})
}
