package account

import (
	"net/http"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

type passwordData struct {
	Form    shell.Form
	Problem string
	// First: the password is a one-time password, and nothing else can be done before.
	First bool
	// Login is for password managers, which keep a password under it.
	Login string
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) error {
	return p.drawPassword(w, r, http.StatusOK, passwordData{})
}

func (p *Pages) drawPassword(w http.ResponseWriter, r *http.Request, status int, data passwordData) error {
	visitor, _ := door.VisitorFrom(r.Context())
	data.First, data.Login = visitor.ChangePassword, visitor.Account.GetLogin()
	return p.shell.Render(w, r, p.passwordSet, shell.Page{Title: "password.title", Status: status, Bare: data.First, Data: data})
}

// changePassword keeps nothing of what was typed after a refusal: a password is not shown again.
func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) error {
	chosen := r.PostFormValue("newPassword")
	var err error
	if r.PostFormValue("again") != chosen {
		err = errs.Invalid(errs.Bad("again", errs.ReasonFieldCombination))
	} else {
		_, err = p.accounts.ChangePassword(r.Context(), &directoryv1.ChangePasswordRequest{CurrentPassword: r.PostFormValue("currentPassword"), NewPassword: chosen})
	}
	if err != nil {
		return p.shell.Again(w, r, err, func(again shell.Refused) error {
			again.Form.Values = nil
			return p.drawPassword(w, r, again.Status, passwordData{Form: again.Form, Problem: again.Problem})
		})
	}
	visitor, _ := door.VisitorFrom(r.Context())
	p.door.AccountChanged(visitor.Account.GetId()) // the token says that it has to be changed
	p.shell.Flash(w, "password.changed")
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
