// Package shell is what every page stands in: the layout, the renderer, wording in the visitor's language, names of
// organisations, form values with their errors, and the page for what went wrong.
//
// Owns no page. A page is parsed once per language with [Shell.Parse] and answered with [Shell.Render], which renders to
// a buffer first, so that nobody ever sees half a page. Safe for concurrent use after New.
package shell

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/live"
	"github.com/tongzhen/tongzhen/services/gateway/style"
	"github.com/tongzhen/tongzhen/services/gateway/text"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
)

//go:embed *.html
var files embed.FS

// Deps is what a shell needs; all fields are required.
type Deps struct {
	Text         *text.Catalogue
	Assets       *style.Assets
	Names        *Names
	Criteria     *Criteria
	Notification notificationv1.NotificationServiceClient
	Alarm        notificationv1.AlarmServiceClient
	Referral     referralv1.ReferralServiceClient
	Consent      patientrecordv1.ConsentServiceClient
	Clock        clock.Clock
	Logger       *slog.Logger
	// Ring makes the keys that seal what browsers keep.
	Ring *crypt.Ring
	// Zone is the county's time zone, in which days and times are shown.
	Zone *time.Location
}

// Shell renders pages.
type Shell struct {
	deps    Deps
	buffers sync.Pool
	failure *Set
	bareSet *Set
	// base are the templates that every page may use. It is cloned and never executed.
	base *template.Template
}

// New makes a shell.
func New(deps Deps) (*Shell, error) {
	s := &Shell{deps: deps, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	base := template.New("page").Funcs(s.funcs(deps.Text.Languages()[0])).Option(strict)
	var err error
	if s.base, err = base.ParseFS(files, "layout.html", "components.html", "summary.html"); err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	failure, err := s.Parse(files, "failure.html")
	if err != nil {
		return nil, err
	}
	s.failure = failure
	s.bareSet, err = s.Parse(files, "bare.html")
	return s, err
}

// Set is one page in every language. A language is put together when it is first shown.
type Set struct {
	byLanguage map[string]func() (*template.Template, error)
}

// strict makes a name that a page does not give an error instead of "<no value>".
const strict = "missingkey=error"

// Parse reads a page's templates. They must define "content"; they may use what components.html defines. What is wrong in their text is told
// here; the layout is added when the page is first shown, because adding it to every page was most of the time of a start.
func (s *Shell) Parse(fsys fs.FS, patterns ...string) (*Set, error) {
	own, err := template.New("page").Funcs(s.funcs(s.deps.Text.Languages()[0])).ParseFS(fsys, patterns...)
	if err != nil {
		return nil, fmt.Errorf("parse page %v: %w", patterns, err)
	}
	set := &Set{byLanguage: map[string]func() (*template.Template, error){}}
	for _, language := range s.deps.Text.Languages() {
		set.byLanguage[language] = sync.OnceValues(func() (*template.Template, error) { return s.compose(own, language) })
	}
	return set, nil
}

// compose is a page with the layout in a language. Rendering changes a tree, so that every page and language has copies.
func (s *Shell) compose(own *template.Template, language string) (*template.Template, error) {
	t, err := s.base.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy layout: %w", err)
	}
	t.Funcs(s.funcs(language)).Option(strict)
	for _, part := range own.Templates() {
		if part.Tree == nil {
			continue
		}
		if _, err := t.AddParseTree(part.Name(), part.Tree.Copy()); err != nil {
			return nil, fmt.Errorf("add template %s: %w", part.Name(), err)
		}
	}
	return t, nil
}

// Page is what a handler answers with.
type Page struct {
	// Title is a text key, shown in the window's title and as the heading.
	Title string
	// Nav is the page of the rail that is marked: home, patients, referrals, desk, arrivals, candidates, followups, waitlist, sessions, beds,
	// overview, statistics, audit, deliveries or inbox.
	Nav string
	// Status is the HTTP status; 0 = 200.
	Status int
	// Bare leaves out rail and heading (sign-in).
	Bare bool
	Data any
}

// view is what layout.html sees.
type view struct {
	Page
	Language  string
	Languages []string
	Account   *directoryv1.Account
	// Keep are the keys with which the browser seals what the account types.
	Keep string
	// Now is when the page was made, in milliseconds: the ages of what the browser keeps go by it.
	Now int64
	// Organization is the account's, by name.
	Organization string
	Nav2         []navItem
	Rings        Rings
	// Live is where the page hears of what happens after it was drawn; Watches: its session is in use as long as it is open.
	Live    string
	Watches bool
	Open    int32
	Flash   string
	// Sent is the draft that was sent before the redirect to this page.
	Sent  string
	Path  string
	Large bool
}

// Render answers with a page.
func (s *Shell) Render(w http.ResponseWriter, r *http.Request, set *Set, page Page) error {
	v := view{Page: page, Language: s.Language(r), Languages: s.deps.Text.Languages(), Path: here(r), Large: cookie(r, "type") == "large"}
	if visitor, ok := door.VisitorFrom(r.Context()); ok && !page.Bare {
		v.Account, v.Organization = visitor.Account, s.organization(r, visitor.Account)
		v.Keep, v.Now = s.keepKeys(visitor.Account), s.Now().UnixMilli()
		v.Open = s.openCount(r)
		v.Rings = s.Rings(r)
		v.Live, v.Watches = live.Address(r.Context()), visitor.Watches()
		v.Nav2 = navFor(visitor.Account, page.Nav, counts{open: v.Open, deferred: s.deferredCount(r, visitor.Account), calls: v.Rings.OpenCalls})
	}
	if key, draft := takeFlash(w, r); s.deps.Text.Has(key) {
		v.Flash, v.Sent = key, draft
	}
	return s.execute(w, set, v.Language, "layout", page.Status, v)
}

// Fragment answers with one named template of a page, for the part of a page that live updates fetch again.
func (s *Shell) Fragment(w http.ResponseWriter, r *http.Request, set *Set, name string, data any) error {
	return s.execute(w, set, s.Language(r), name, http.StatusOK, data)
}

func (s *Shell) execute(w http.ResponseWriter, set *Set, language, name string, status int, data any) error {
	buffer, _ := s.buffers.Get().(*bytes.Buffer)
	defer s.buffers.Put(buffer)
	buffer.Reset()
	page, err := set.byLanguage[language]()
	if err != nil {
		return fmt.Errorf("compose %s: %w", name, err)
	}
	if err := page.ExecuteTemplate(buffer, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", language)
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, err = buffer.WriteTo(w)
	return err
}

// organization is the account's in the visitor's language; the account itself knows the Chinese name, which is better than none.
func (s *Shell) organization(r *http.Request, a *directoryv1.Account) string {
	if language := s.Language(r); language != "zh-CN" {
		if county, err := s.deps.Names.County(r.Context()); err == nil && county.Organization(a.GetOrganizationId()) != nil {
			return county.OrganizationName(language, a.GetOrganizationId())
		}
	}
	return a.GetOrganizationName()
}

// Language is the visitor's language: the chosen one, else the browser's.
func (s *Shell) Language(r *http.Request) string {
	return s.deps.Text.Language(cookie(r, "language"), r.Header.Get("Accept-Language"))
}

// T is a text in the visitor's language.
func (s *Shell) T(r *http.Request, key string, pairs ...any) string {
	return s.deps.Text.T(s.Language(r), key, pairs...)
}

// Now is the moment in the county's zone.
func (s *Shell) Now() time.Time { return s.deps.Clock.Now().In(s.deps.Zone) }

// Zone is the county's time zone.
func (s *Shell) Zone() *time.Location { return s.deps.Zone }

// Names answers names of organisations and departments.
func (s *Shell) Names() *Names { return s.deps.Names }

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// IsTownship tells whether the account works where patients are sent up from.
func IsTownship(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_VILLAGE_DOCTOR, commonv1.Role_CENTRE_HEAD)
}

// IsCounty tells whether the account works where referrals are answered.
func IsCounty(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_INTAKE_DESK, commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_BED_MANAGER)
}

// ReferralAt is where an account reads of a referral: its sheet, or for who only administers the county its course; "" for who may read neither.
func ReferralAt(a *directoryv1.Account, id string) string {
	switch {
	case id == "":
		return ""
	case IsCounty(a), IsTownship(a):
		return "/referrals/" + id
	case has(a, commonv1.Role_COUNTY_ADMIN):
		return "/statistics/cases/" + id
	default:
		return ""
	}
}

func has(a *directoryv1.Account, roles ...commonv1.Role_Code) bool {
	for _, held := range a.GetRoles() {
		for _, want := range roles {
			if held == want {
				return true
			}
		}
	}
	return false
}

// IsVillage tells whether the account is a village doctor's and no more: who asks, and sees the patients of the village.
func IsVillage(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_VILLAGE_DOCTOR) && !has(a, commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_CENTRE_HEAD)
}

// seesFigures tells whether the account leads a place whose figures it looks at: the county, a department, a centre.
func seesFigures(a *directoryv1.Account) bool {
	return has(a, commonv1.Role_COUNTY_ADMIN, commonv1.Role_DEPARTMENT_HEAD, commonv1.Role_CENTRE_HEAD)
}

// Home is the page a person starts at.
func Home(a *directoryv1.Account) string {
	switch {
	case IsCounty(a):
		return "/desk"
	case IsTownship(a):
		return "/home"
	case has(a, commonv1.Role_COUNTY_ADMIN):
		return "/overview"
	case has(a, commonv1.Role_AUDITOR):
		return "/audit"
	default:
		return "/inbox"
	}
}
