package accounts

import (
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// askData is a question before something is done that a person feels at once.
type askData struct {
	Do        string
	Row       row
	Leaves    leaves
	RequestID string
	Problem   string
}

// asks shows what it would mean, and the button.
func (p *Pages) asks(do string) shell.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return p.drawAsk(w, r, http.StatusOK, askData{Do: do, RequestID: id.New()})
	}
}

func (p *Pages) drawAsk(w http.ResponseWriter, r *http.Request, status int, data askData) error {
	one, err := p.Accounts.GetAccount(r.Context(), &directoryv1.GetAccountRequest{Id: r.PathValue("id")})
	if err != nil {
		return err
	}
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	data.Row = p.rowOf(r, county, one)
	if data.Do == "disable" {
		data.Leaves = p.leavesOf(r, county, one)
	}
	return p.Shell.Render(w, r, p.ask, shell.Page{Title: "accounts." + data.Do, Nav: p.nav(r), Status: status, Data: data})
}

func (p *Pages) postName(r *http.Request, county *shell.County, post *directoryv1.Post) string {
	language, organization := p.Shell.Language(r), post.GetOrganizationId()
	name := county.OrganizationName(language, organization)
	switch post.GetDepartmentCode() {
	case "":
		return name
	case "DESK":
		return name + " · " + p.Shell.T(r, "role.INTAKE_DESK")
	}
	return name + " · " + county.DepartmentName(language, organization, post.GetDepartmentCode())
}

func (p *Pages) disable(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Accounts.DisableAccount(r.Context(), switched(r))
	return p.done(w, r, err, "disable", "accounts.disabled")
}

func (p *Pages) enable(w http.ResponseWriter, r *http.Request) error {
	_, err := p.Accounts.EnableAccount(r.Context(), switched(r))
	if errs.KindOf(err) == errs.KindStale {
		return p.refused(w, r, err, 0)
	}
	return p.done(w, r, err, "", "accounts.enabled")
}

func switched(r *http.Request) *directoryv1.SwitchAccountRequest {
	version, _ := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	return &directoryv1.SwitchAccountRequest{Id: r.PathValue("id"), Version: int32(version), RequestId: r.PostFormValue("requestId")}
}

// done goes back to the account; a refused question is asked again on what stands now.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, err error, do, said string) error {
	if err != nil && do != "" {
		return p.askAgain(w, r, err, do)
	}
	if err != nil {
		return err
	}
	p.Shell.Flash(w, said)
	http.Redirect(w, r, root+"/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	return nil
}

func (p *Pages) askAgain(w http.ResponseWriter, r *http.Request, cause error, do string) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		return p.drawAsk(w, r, again.Status, askData{Do: do, RequestID: again.RequestID, Problem: again.Problem})
	})
}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) error {
	made, err := p.Accounts.ResetPassword(r.Context(), &directoryv1.ResetPasswordRequest{Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId")})
	if err != nil {
		return p.askAgain(w, r, err, "reset")
	}
	return p.drawSlips(w, r, slipsData{Slips: p.slipsOf(r, made), ID: made.GetAccount().GetId()})
}

// slip is what a person is handed: on paper, once.
type slip struct {
	Name, Login, Organization, Password string
	// Until is when the password stops signing in.
	Until *timestamppb.Timestamp
}

type slipsData struct {
	Slips []slip
	// ID of the account when there is one; Made tells that it is new.
	ID   string
	Made bool
	// Address is where to sign in.
	Address string
}

// slipsOf is the account's slip; none when the request was answered before, because the password was told then.
func (p *Pages) slipsOf(_ *http.Request, made *directoryv1.IssuedAccount) []slip {
	if made.GetOneTimePassword() == "" {
		return nil
	}
	a := made.GetAccount()
	return []slip{{a.GetName(), a.GetLogin(), a.GetOrganizationName(), made.GetOneTimePassword(), made.GetOneTimePasswordExpireTime()}}
}

// address is where people sign in, as it is reached from here.
func (p *Pages) address(r *http.Request) string {
	if p.Secure || door.OverTLS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (p *Pages) drawSlips(w http.ResponseWriter, r *http.Request, data slipsData) error {
	w.Header().Set("Cache-Control", "no-store")
	data.Address = p.address(r)
	return p.Shell.Render(w, r, p.slips, shell.Page{Title: "accounts.slip", Nav: p.nav(r), Data: data})
}
