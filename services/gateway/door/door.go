// Package door turns a browser's cookie or an API client's bearer secret into a visitor whose call token every call to
// a service carries.
//
// Owns: the session cookie, the exchange of the secret for a call token and its cache, the refusal of cross-site
// requests and the security headers. Refuses: to decide what a visitor may do; services do that. The cookie counts only
// on pages and the live stream, the bearer secret only on the API, so that a forged form can never reach the API.
// Invariants: 1. the secret is never logged and never leaves this package but to directory; 2. after sign-out on this
// process no cached token of that session is used and none of its streams stays open; 3. an account that changed is asked for anew, so that who was
// disabled is out at once; 4. who has a one-time password changes it, and nothing else. Safe for concurrent use.
package door

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// CookieName names the session cookie. Its value is the opaque secret of the session and nothing else.
const CookieName = "tongzhen_session"

// renewBefore is how long before its end a cached call token is traded anew, so that a call never starts with a token
// that ends on its way.
const renewBefore = time.Minute

// Visitor is a signed-in person for the length of one request.
type Visitor struct {
	Account *directoryv1.Account
	// Token is the call token.
	Token string
	// Expires is when the session ends at the latest.
	Expires time.Time
	Session Session
	// ChangePassword: the password is a one-time password.
	ChangePassword bool
}

// PasswordPath is the page on which a password is changed, and PasswordRoute the same for API clients.
const (
	PasswordPath  = "/account/password"
	PasswordRoute = "/api/v1/sessions/current:changePassword"
)

// waits tells that the visitor has to change the password before this.
func (v *Visitor) waits(path string) bool {
	return v.ChangePassword && path != PasswordPath && path != PasswordRoute && path != "/sign-out" && path != "/display"
}

// Session tells sessions apart without their secrets.
type Session [sha256.Size]byte

type entry struct {
	visitor *Visitor
	until   time.Time
	// used: the exchange counted as use of the session.
	used bool
}

// Door resolves sessions.
type Door struct {
	directory directoryv1.DirectoryServiceClient
	clock     clock.Clock
	// ended is told of every session that was signed out.
	ended func(Session)

	mu     sync.Mutex
	tokens map[Session]entry
	// forgotten counts sign-outs: an exchange that was on its way during one is not kept.
	forgotten uint64
}

// New makes a door. ended is called after each sign-out.
func New(directory directoryv1.DirectoryServiceClient, clk clock.Clock, ended func(Session)) *Door {
	return &Door{directory: directory, clock: clk, ended: ended, tokens: map[Session]entry{}}
}

type visitorKey struct{}

// VisitorFrom tells who makes the request, if anybody is signed in.
func VisitorFrom(ctx context.Context) (*Visitor, bool) {
	v, ok := ctx.Value(visitorKey{}).(*Visitor)
	return v, ok
}

type renewKey struct{}

// Renewed is ctx with a call token that has not ended, for what lasts longer than a token lives; without a visitor, or when directory cannot
// be asked, ctx itself.
func Renewed(ctx context.Context) context.Context {
	again, ok := ctx.Value(renewKey{}).(func(context.Context, bool) (*Visitor, error))
	if !ok {
		return ctx
	}
	v, err := again(ctx, false)
	if err != nil {
		return ctx
	}
	return withVisitor(ctx, v)
}

// Watches tells that emergencies ring at the visitor's page while nobody touches it: its session stays in use as long as the page is open.
func (v *Visitor) Watches() bool {
	return slices.Contains(v.Account.GetRoles(), commonv1.Role_INTAKE_DESK)
}

// Ended tells that the visitor's session is over: signed out elsewhere, its account disabled, or idle. Nobody who could be asked is no end. Asking is no
// use of the session, but for who watches.
func Ended(ctx context.Context) bool {
	again, ok := ctx.Value(renewKey{}).(func(context.Context, bool) (*Visitor, error))
	v, signedIn := VisitorFrom(ctx)
	if !ok || !signedIn {
		return false
	}
	_, err := again(ctx, !v.Watches())
	return errs.KindOf(err) == errs.KindUnauthenticated
}

// idle tells that a page asks by itself: the stream, and what it fetches again for it.
func idle(r *http.Request) bool { return r.URL.Path == "/events" || r.Header.Get("X-Idle") != "" }

func withVisitor(ctx context.Context, v *Visitor) context.Context {
	return rpc.WithToken(context.WithValue(ctx, visitorKey{}, v), v.Token)
}

// Resolve trades a session secret for a visitor, and counts as use of the session. Errors: Unauthenticated SESSION_EXPIRED, Unavailable.
func (d *Door) Resolve(ctx context.Context, secret string) (*Visitor, error) {
	return d.resolve(ctx, secret, false)
}

// resolve counts as use unless nobody is there (idle).
func (d *Door) resolve(ctx context.Context, secret string, idle bool) (*Visitor, error) {
	key := Session(sha256.Sum256([]byte(secret)))
	now := d.clock.Now()
	d.mu.Lock()
	cached, ok := d.tokens[key]
	forgotten := d.forgotten
	d.mu.Unlock()
	if ok && now.Before(cached.until) && (idle || cached.used) {
		return cached.visitor, nil
	}
	answer, err := d.directory.ExchangeSession(rpc.AsService(ctx), &directoryv1.ExchangeSessionRequest{AccessToken: secret, Idle: idle})
	if err != nil {
		switch errs.KindOf(err) {
		case errs.KindUnauthenticated, errs.KindInvalid: // what cannot be a secret is no session either
			d.drop(key)
			return nil, errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "no such session", err)
		}
		return nil, err
	}
	v := &Visitor{Account: answer.GetAccount(), Token: answer.GetToken(), Expires: answer.GetSessionExpiresAt().AsTime(), Session: key, ChangePassword: answer.GetPasswordChangeRequired()}
	until := answer.GetExpiresAt().AsTime().Add(-renewBefore)
	if v.Expires.Before(until) {
		until = v.Expires
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.prune(now)
	if d.forgotten == forgotten {
		d.tokens[key] = entry{visitor: v, until: until, used: !idle}
	}
	return v, nil
}

// prune drops ended tokens once there are many; callers hold mu.
func (d *Door) prune(now time.Time) {
	if len(d.tokens) < 10_000 {
		return
	}
	for k, e := range d.tokens {
		if !now.Before(e.until) {
			delete(d.tokens, k)
		}
	}
}

// drop is for a secret that is no session any more. It does not count as a forget: anybody can bring wrong secrets, and must not keep
// others' tokens from being kept.
func (d *Door) drop(key Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tokens, key)
}

func (d *Door) forget(key Session) {
	d.mu.Lock()
	delete(d.tokens, key)
	d.forgotten++
	d.mu.Unlock()
	d.ended(key)
}

// AccountChanged drops the tokens of an account, which say what it was before, and ends its streams. Directory answers the next exchange by what it is
// now: nothing at all to who was disabled.
func (d *Door) AccountChanged(accountID string) {
	var sessions []Session
	d.mu.Lock()
	for key, e := range d.tokens {
		if e.visitor.Account.GetId() == accountID {
			delete(d.tokens, key)
			sessions = append(sessions, key)
		}
	}
	d.forgotten++
	d.mu.Unlock()
	for _, key := range sessions {
		d.ended(key)
	}
}

// SignOut ends the session of a secret here and at directory.
func (d *Door) SignOut(ctx context.Context, secret string) error {
	// Afterwards, so that no exchange that directory still answered is kept; also when directory is away.
	defer d.forget(sha256.Sum256([]byte(secret)))
	_, err := d.directory.SignOut(rpc.AsService(ctx), &directoryv1.SignOutRequest{AccessToken: secret})
	return err
}

// SetCookie gives the browser the secret. The cookie ends with the browser; the session ends at directory.
func (d *Door) SetCookie(w http.ResponseWriter, secret string) {
	Keep(w, CookieName, secret, 0)
}

// ClearCookie takes the secret back.
func (d *Door) ClearCookie(w http.ResponseWriter) {
	Forget(w, CookieName)
}

// Cookie resolves the cookie of pages and the live stream. Without a valid one the request goes on without a visitor;
// onError answers when directory cannot be asked.
func (d *Door) Cookie(next http.Handler, onError func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(CookieName)
		if err != nil || cookie.Value == "" {
			next.ServeHTTP(w, r)
			return
		}
		v, err := d.resolve(r.Context(), cookie.Value, idle(r))
		switch {
		case err == nil && v.waits(r.URL.Path):
			toPassword(w, r)
		case err == nil:
			again := func(ctx context.Context, idle bool) (*Visitor, error) { return d.resolve(ctx, cookie.Value, idle) }
			next.ServeHTTP(w, r.WithContext(context.WithValue(withVisitor(r.Context(), v), renewKey{}, again)))
		case errs.KindOf(err) == errs.KindUnauthenticated:
			d.ClearCookie(w)
			next.ServeHTTP(w, r)
		default:
			onError(w, r, err)
		}
	})
}

// toPassword sends a page to where the password is changed; what a script asks for meanwhile is refused.
func toPassword(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Fragment") != "" || r.URL.Path == "/events" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	http.Redirect(w, r, PasswordPath, http.StatusSeeOther)
}

// Bearer resolves "Authorization: Bearer" of the API. A request without it goes on without a visitor and is refused by
// the service it reaches; a wrong or ended secret is refused here.
func (d *Door) Bearer(next http.Handler, onError func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		v, err := d.Resolve(r.Context(), secret)
		if err != nil {
			onError(w, r, err)
			return
		}
		if v.waits(r.URL.Path) {
			onError(w, r, errs.Denied(errs.ReasonPasswordChange))
			return
		}
		next.ServeHTTP(w, r.WithContext(withVisitor(r.Context(), v)))
	})
}

// Headers sets what every answer carries: no framing, no sniffing, nothing from another host, no inline script; when
// secure, TLS alone for a year. The cookies of an answer to what came by TLS go by TLS alone; so do all when secure.
func Headers(next http.Handler, secure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if secure || OverTLS(r) {
			w = &tlsWriter{ResponseWriter: w}
		}
		if h.Get("Cache-Control") == "" {
			h.Set("Cache-Control", "no-store")
		}
		next.ServeHTTP(w, r)
	})
}
