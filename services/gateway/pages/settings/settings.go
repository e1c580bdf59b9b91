// Package settings holds the pages of what a county may set: the life of a referral, targets, the words of reasons, with the versions of each and
// the way back; the index of all settings; and the page of the referral criteria.
//
// An administrator changes the settings, everybody else reads them; who may is decided by the referral service. A refusal keeps
// everything that was typed; after a change by somebody else the form also says what stands now.
package settings

import (
	"embed"
	"net/http"
	"net/url"
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Setting    referralv1.SettingServiceClient
	Criteria   referralv1.CriteriaServiceClient
	Statistics referralv1.StatisticsServiceClient
	Referral   referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	settingsSet, criteriaSet, targetsSet, reasonsSet, historySet, indexSet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	var err error
	for file, set := range map[string]**shell.Set{
		"settings.html": &p.settingsSet, "criteria.html": &p.criteriaSet, "targets.html": &p.targetsSet, "reasons.html": &p.reasonsSet,
		"history.html": &p.historySet, "index.html": &p.indexSet,
	} {
		if *set, err = deps.Shell.Parse(files, file); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /settings", p.Shell.Page(p.settings))
	mux.Handle("POST /settings", p.Shell.Page(p.save))
	mux.Handle("GET /settings/all", p.Shell.Page(p.index))
	mux.Handle("GET /settings/targets", p.Shell.Page(p.targets))
	mux.Handle("POST /settings/targets", p.Shell.Page(p.saveTargets))
	mux.Handle("GET /settings/reasons", p.Shell.Page(p.reasons))
	mux.Handle("POST /settings/reasons", p.Shell.Page(p.saveReasons))
	mux.Handle("GET /settings/history/{subject}", p.Shell.Page(p.history))
	mux.Handle("POST /settings/history/{subject}", p.Shell.Page(p.restore))
	mux.Handle("GET /criteria", p.Shell.Page(p.criteria))
}

// settingsData is what settings.html sees.
type settingsData struct {
	Form shell.Form
	Rows []row
	// Edits tells that the visitor may change them.
	Edits     bool
	RequestID string
	Version   int32
	// Now is what stands, field by field; Changed tells that somebody else changed it since the form was shown.
	Now     url.Values
	Changed bool
	Problem string
}

// Differs is what somebody else has put into a field; "" for all others.
func (d settingsData) Differs(field string) string { return d.Form.Changed[field] }

// group are the limits of one step, which fold under its name.
type group struct {
	Step string
	Rows []row
}

// Given is the step if its limits are given by the case itself, else "".
func (g group) Given() string {
	if slices.ContainsFunc(g.Rows, func(r row) bool { return r.Working || r.Timed }) {
		return ""
	}
	return g.Step
}

// Groups are the limits step by step, in their order.
func (d settingsData) Groups() []group {
	var out []group
	for _, r := range d.Rows {
		if len(out) == 0 || out[len(out)-1].Step != r.GetStep() {
			out = append(out, group{Step: r.GetStep()})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, r)
	}
	return out
}

// Opens tells that a step stands open: something in it is wrong, or was changed by somebody else.
func (d settingsData) Opens(g group) bool {
	return d.Changed || slices.ContainsFunc(g.Rows, func(r row) bool {
		return d.Form.Error(r.Field("limit")) != "" || d.Form.Error(r.Field("repeat")) != ""
	})
}

func (p *Pages) settings(w http.ResponseWriter, r *http.Request) error {
	data, _, err := p.load(r)
	if err != nil {
		return err
	}
	data.Form.Values = shell.Original(data.Now, nil)
	return p.show(w, r, http.StatusOK, data)
}

func (p *Pages) load(r *http.Request) (settingsData, *referralv1.Settings, error) {
	stands, err := p.Setting.GetSettings(r.Context(), &referralv1.GetSettingsRequest{})
	if err != nil {
		return settingsData{}, nil, err
	}
	return settingsData{
		Rows: rowsOf(stands), Edits: edits(r),
		RequestID: id.New(), Version: stands.GetVersion(), Now: valuesOf(stands),
	}, stands, nil
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, data settingsData) error {
	return p.Shell.Render(w, r, p.settingsSet, shell.Page{Title: "settings.title", Nav: "settings", Status: status, Data: data})
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	wanted, bad := settingsOf(r.PostForm)
	_, err := p.Setting.UpdateSettings(r.Context(), &referralv1.UpdateSettingsRequest{Settings: wanted, RequestId: r.PostFormValue("requestId")})
	if err = together(bad, err); err != nil {
		return p.refused(w, r, err)
	}
	p.Shell.Flash(w, "settings.saved")
	http.Redirect(w, r, "/settings", http.StatusSeeOther)
	return nil
}

// refused shows the form with everything that was typed and what was wrong; after a change by somebody else upon what stands now.
func (p *Pages) refused(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, stands, err := p.load(r)
		if err != nil {
			return err
		}
		again.Rebase(data.Now, data.Version)
		again.Form.Errors = p.fieldErrors(r, cause, stands)
		data.Form, data.Problem, data.RequestID, data.Version = again.Form, again.Problem, again.RequestID, again.Version(data.Version)
		data.Changed = again.Form.Changed != nil
		return p.show(w, r, again.Status, data)
	})
}
