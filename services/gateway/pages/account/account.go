// Package account holds the pages of the session itself: sign in, sign out, the own password, language and type size, and the way home.
package account

import (
	"embed"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need.
type Deps struct {
	Shell     *shell.Shell
	Door      *door.Door
	Directory directoryv1.DirectoryServiceClient
	Accounts  directoryv1.AccountServiceClient
	// Demo shows the demo accounts on the sign-in page.
	Demo bool
}

// Pages serves them.
type Pages struct {
	shell                  *shell.Shell
	door                   *door.Door
	directory              directoryv1.DirectoryServiceClient
	accounts               directoryv1.AccountServiceClient
	signInSet, passwordSet *shell.Set
	demo                   bool
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{shell: deps.Shell, door: deps.Door, directory: deps.Directory, accounts: deps.Accounts, demo: deps.Demo}
	var err error
	if p.signInSet, err = deps.Shell.Parse(files, "sign_in.html"); err != nil {
		return nil, err
	}
	p.passwordSet, err = deps.Shell.Parse(files, "password.html")
	return p, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /{$}", p.shell.Page(p.home))
	mux.Handle("GET /sign-in", p.shell.Open(p.form))
	mux.Handle("POST /sign-in", p.shell.Open(p.signIn))
	mux.Handle("GET "+door.PasswordPath, p.shell.Page(p.password))
	mux.Handle("POST "+door.PasswordPath, p.shell.Page(p.changePassword))
	mux.Handle("POST /sign-out", p.shell.Open(p.signOut))
	mux.Handle("POST /display", p.shell.Open(p.display))
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	visitor, _ := door.VisitorFrom(r.Context())
	http.Redirect(w, r, shell.Home(visitor.Account), http.StatusSeeOther)
	return nil
}

type signInData struct {
	Form    shell.Form
	Problem string
	Back    string
	Demo    bool
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	// Whoever was sent here from a page signs in anew even with a session: a service did not accept it.
	if _, ok := door.VisitorFrom(r.Context()); ok && !r.URL.Query().Has("back") {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return p.render(w, r, http.StatusOK, signInData{Back: shell.LocalPath(r.URL.Query().Get("back"))})
}

func (p *Pages) render(w http.ResponseWriter, r *http.Request, status int, data signInData) error {
	data.Demo = p.demo
	return p.shell.Render(w, r, p.signInSet, shell.Page{Title: "sign-in.title", Status: status, Bare: true, Data: data})
}

// signIn keeps the account's name after a refusal, never the password.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	account := strings.TrimSpace(r.PostFormValue("account"))
	data := signInData{Form: shell.Form{Values: url.Values{"account": {account}}}, Back: shell.LocalPath(r.PostFormValue("back"))}
	// Directory limits tries by address too.
	ctx := metadata.AppendToOutgoingContext(rpc.AsService(r.Context()), "x-forwarded-for", door.Address(r))
	session, err := p.directory.SignIn(ctx, &directoryv1.SignInRequest{
		Account: account, Password: r.PostFormValue("password"),
	})
	switch errs.KindOf(err) {
	case errs.KindUnauthenticated, errs.KindInvalid, errs.KindLimited:
		data.Form.Errors = p.shell.FieldErrors(r, err)
		data.Problem = p.shell.ErrorText(r, err)
		return p.render(w, r, errs.HTTPStatus(err), data)
	}
	if err != nil {
		return err
	}
	// Whoever had a session in this browser leaves it, so that a fixed or forgotten one is of no use.
	if old, cerr := r.Cookie(door.CookieName); cerr == nil && old.Value != "" {
		_ = p.door.SignOut(r.Context(), old.Value)
	}
	p.door.SetCookie(w, session.GetAccessToken())
	http.Redirect(w, r, data.Back, http.StatusSeeOther)
	return nil
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(door.CookieName); err == nil && c.Value != "" {
		if err := p.door.SignOut(r.Context(), c.Value); err != nil && errs.KindOf(err) != errs.KindUnauthenticated {
			return err
		}
	}
	p.door.ClearCookie(w)
	p.shell.Flash(w, "signed-out")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	return nil
}

// display keeps the chosen language and type size for a year.
func (p *Pages) display(w http.ResponseWriter, r *http.Request) error {
	for _, name := range []string{"language", "type"} {
		if value := r.PostFormValue(name); value != "" && len(value) < 10 {
			door.Keep(w, name, value, 365*86400)
		}
	}
	http.Redirect(w, r, shell.LocalPath(r.PostFormValue("back")), http.StatusSeeOther)
	return nil
}
