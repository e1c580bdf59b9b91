// Package preferences holds how a person wants to be told beside the inbox, what the county allows, and the table of who is told of what.
//
// Everybody sets the own; the county's rules are its administrator's. Who may what the notification service decides.
package preferences

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell *shell.Shell
	Alarm notificationv1.AlarmServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	own, county, table *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{"preferences.html": &p.own, "county.html": &p.county, "table.html": &p.table} {
		parsed, err := deps.Shell.Parse(files, file, "channels.html")
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /preferences", p.Shell.Page(p.showOwn))
	mux.Handle("POST /preferences", p.Shell.Page(p.saveOwn))
	mux.Handle("GET /preferences/county", p.Shell.Page(p.showCounty))
	mux.Handle("POST /preferences/county", p.Shell.Page(p.saveCounty))
	mux.Handle("GET /preferences/table", p.Shell.Page(p.showTable))
}

// personal are the channels on which one person is reached; all are these and those of groups.
func personal() []string { return []string{"WECOM_APP", "EMAIL", "SMS"} }

func all() []string { return append(personal(), "WECOM_ROBOT", "DINGTALK_ROBOT", "WEBHOOK") }

// box is one channel of a list of them. Fixed: the county always uses it.
type box struct {
	Channel        string
	Checked, Fixed bool
}

func boxes(channels, checked, fixed []string) (out []box) {
	for _, c := range channels {
		out = append(out, box{c, slices.Contains(checked, c) || slices.Contains(fixed, c), slices.Contains(fixed, c)})
	}
	return out
}

func within(channels, allowed []string) []string {
	return slices.DeleteFunc(slices.Clone(channels), func(c string) bool { return !slices.Contains(allowed, c) })
}

type ownData struct {
	Form            shell.Form
	Urgent, Routine []box
	County          *notificationv1.CountyRules
	// Languages of messages; the first is none in particular.
	Languages []string
	RequestID string
	Version   int32
	Problem   string
	Admin     bool
}

func (p *Pages) showOwn(w http.ResponseWriter, r *http.Request) error {
	have, err := p.Alarm.GetPreferences(r.Context(), &notificationv1.GetPreferencesRequest{})
	if err != nil {
		return err
	}
	return p.drawOwn(w, r, have, shell.Refused{Form: shell.Form{Values: shell.Original(valuesOf(have), nil)}, RequestID: id.New()})
}

func valuesOf(p *notificationv1.Preferences) url.Values {
	values := url.Values{
		"preferences.urgent": p.GetUrgent(), "preferences.routine": p.GetRoutine(), "preferences.quietFrom": {p.GetQuietFrom()}, "preferences.quietTo": {p.GetQuietTo()},
		"preferences.digestTimes": {strings.Join(p.GetDigestTimes(), " ")}, "preferences.language": {p.GetLanguage()},
	}
	if values.Set("preferences.soundForUrgent", ""); p.GetSoundForUrgent() {
		values.Set("preferences.soundForUrgent", "on")
	}
	return values
}

func (p *Pages) drawOwn(w http.ResponseWriter, r *http.Request, have *notificationv1.Preferences, again shell.Refused) error {
	allowed := within(personal(), have.GetCounty().GetAllowed())
	return p.Shell.Render(w, r, p.own, shell.Page{Title: "preferences.title", Nav: "preferences", Status: again.Status, Data: ownData{
		Form: again.Form, County: have.GetCounty(), Version: again.Version(have.GetVersion()), RequestID: again.RequestID, Problem: again.Problem,
		Urgent:    boxes(allowed, again.Form.Values["preferences.urgent"], have.GetCounty().GetAlwaysUrgent()),
		Routine:   boxes(allowed, again.Form.Values["preferences.routine"], nil),
		Languages: []string{"", "zh-CN", "en"}, Admin: admin(r),
	}})
}

func (p *Pages) saveOwn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	_, err := p.Alarm.SetPreferences(r.Context(), &notificationv1.SetPreferencesRequest{RequestId: f.Get("requestId"), Preferences: &notificationv1.Preferences{
		Version: number(f.Get("version")), Urgent: f["preferences.urgent"], Routine: f["preferences.routine"],
		QuietFrom: f.Get("preferences.quietFrom"), QuietTo: f.Get("preferences.quietTo"), DigestTimes: times(f.Get("preferences.digestTimes")),
		Language: f.Get("preferences.language"), SoundForUrgent: f.Get("preferences.soundForUrgent") != "",
	}})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			have, err := p.Alarm.GetPreferences(r.Context(), &notificationv1.GetPreferencesRequest{})
			if err != nil {
				return err
			}
			again.Rebase(valuesOf(have), have.GetVersion())
			return p.drawOwn(w, r, have, again)
		})
	}
	p.Shell.Flash(w, "preferences.saved")
	http.Redirect(w, r, "/preferences", http.StatusSeeOther)
	return nil
}

type countyData struct {
	Form                            shell.Form
	Allowed, Emergency, Urgent      []box
	QuietAllowed, PatientSMS, Edits bool
	// SMSIdle tells that the county wants SMS to patients, and none can go out.
	SMSIdle            bool
	RequestID, Problem string
	Version            int32
}

func (p *Pages) showCounty(w http.ResponseWriter, r *http.Request) error {
	have, err := p.Alarm.GetCountyRules(r.Context(), &notificationv1.GetCountyRulesRequest{})
	if err != nil {
		return err
	}
	values := shell.Original(rulesOf(have), nil)
	if have.GetPatientSms() && !have.GetPatientSmsWorks() {
		values.Set("smsIdle", "on")
	}
	return p.drawCounty(w, r, have.GetVersion(), shell.Refused{Form: shell.Form{Values: values}, RequestID: id.New()})
}

func rulesOf(have *notificationv1.CountyRules) url.Values {
	values := url.Values{
		"rules.allowed": have.GetAllowed(), "rules.alwaysEmergency": have.GetAlwaysEmergency(), "rules.alwaysUrgent": have.GetAlwaysUrgent(),
		"rules.quietHoursMost": {strconv.Itoa(int(have.GetQuietHoursMost()))}, "rules.ringSeconds": {strconv.Itoa(int(have.GetRingSeconds()))},
		"rules.callMinutes": {strconv.Itoa(int(have.GetCallMinutes()))},
	}
	for name, on := range map[string]bool{"rules.quietAllowed": have.GetQuietAllowed(), "rules.patientSms": have.GetPatientSms()} {
		if values.Set(name, ""); on {
			values.Set(name, "on")
		}
	}
	return values
}

func (p *Pages) drawCounty(w http.ResponseWriter, r *http.Request, version int32, again shell.Refused) error {
	v := again.Form.Values
	return p.Shell.Render(w, r, p.county, shell.Page{Title: "preferences.county", Nav: "preferences", Status: again.Status, Data: countyData{
		Form: again.Form, Allowed: boxes(all(), v["rules.allowed"], nil), Emergency: boxes(personal(), v["rules.alwaysEmergency"], nil),
		Urgent: boxes(personal(), v["rules.alwaysUrgent"], nil), QuietAllowed: v.Get("rules.quietAllowed") != "", PatientSMS: v.Get("rules.patientSms") != "",
		SMSIdle: v.Get("smsIdle") != "", Edits: admin(r), RequestID: again.RequestID, Problem: again.Problem, Version: version,
	}})
}

func (p *Pages) saveCounty(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	f := r.PostForm
	_, err := p.Alarm.SetCountyRules(r.Context(), &notificationv1.SetCountyRulesRequest{RequestId: f.Get("requestId"), Rules: &notificationv1.CountyRules{
		Version: number(f.Get("version")), Allowed: f["rules.allowed"], AlwaysEmergency: f["rules.alwaysEmergency"], AlwaysUrgent: f["rules.alwaysUrgent"],
		QuietAllowed: f.Get("rules.quietAllowed") != "", QuietHoursMost: number(f.Get("rules.quietHoursMost")), RingSeconds: number(f.Get("rules.ringSeconds")),
		CallMinutes: number(f.Get("rules.callMinutes")), PatientSms: f.Get("rules.patientSms") != "",
	}})
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			have, err := p.Alarm.GetCountyRules(r.Context(), &notificationv1.GetCountyRulesRequest{})
			if err == nil {
				again.Rebase(rulesOf(have), have.GetVersion())
			}
			return p.drawCounty(w, r, again.Version(number(f.Get("version"))), again)
		})
	}
	p.Shell.Flash(w, "preferences.saved")
	http.Redirect(w, r, "/preferences/county", http.StatusSeeOther)
	return nil
}

func (p *Pages) showTable(w http.ResponseWriter, r *http.Request) error {
	list, err := p.Alarm.ListRules(r.Context(), &notificationv1.ListRulesRequest{})
	if err != nil {
		return err
	}
	rows := make([]tableRow, len(list.GetRules()))
	for i, rule := range list.GetRules() {
		rows[i] = tableRow{Rule: rule}
		// Of a ladder: the step, the direction if it has one, and the rung.
		if parts := strings.Fields(rule.GetWhen()); rule.GetEvent() == "deadline_passed" && len(parts) > 1 {
			rows[i].Step, rows[i].Rung = parts[0], parts[len(parts)-1]
			if len(parts) > 2 {
				rows[i].Direction = parts[1]
			}
		}
	}
	return p.Shell.Render(w, r, p.table, shell.Page{Title: "preferences.table", Nav: "preferences", Data: rows})
}

// tableRow is a row of the table; of a ladder with its step, direction and rung.
type tableRow struct {
	*notificationv1.Rule
	Step, Direction, Rung string
}

// number is a whole number, or one that no field takes.
func number(text string) int32 {
	if strings.TrimSpace(text) == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// times are the clock times of a field, with anything between.
func times(text string) []string {
	return strings.Fields(strings.NewReplacer("，", " ", ",", " ", "、", " ", "：", ":").Replace(text))
}

func admin(r *http.Request) bool {
	visitor, ok := door.VisitorFrom(r.Context())
	return ok && slices.Contains(visitor.Account.GetRoles(), commonv1.Role_COUNTY_ADMIN)
}
