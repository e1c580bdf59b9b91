package settings

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// versionRow is a version with what it changed.
type versionRow struct {
	*referralv1.SettingVersion
	Changes []shell.Difference
	// Unknown tells that the version before it is not told any more.
	Unknown bool
}

// historyData is what history.html sees.
type historyData struct {
	Subject, Path string
	Rows          []versionRow
	Version       int32
	RequestID     string
	Problem       string
	// Would is the version that is to be made again, once it was asked for.
	Would *shell.Restoring
}

// subjects with the pages on which they are set.
func subjects() map[string]string {
	return map[string]string{"SETTINGS": "/settings", "TARGETS": "/settings/targets", "REASONS": "/settings/reasons"}
}

func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	return p.showHistory(w, r, nil)
}

func (p *Pages) showHistory(w http.ResponseWriter, r *http.Request, cause error) error {
	subject := r.PathValue("subject")
	path, known := subjects()[subject]
	if !known {
		return errs.NotFound("subject")
	}
	found, err := p.Setting.ListSettingVersions(r.Context(), &referralv1.ListSettingVersionsRequest{Subject: subject})
	if err != nil {
		return err
	}
	data := historyData{Subject: subject, Path: path, RequestID: id.New()}
	status := http.StatusOK
	if cause != nil {
		data.Problem, status = p.Shell.ErrorText(r, cause), errs.HTTPStatus(cause)
	}
	versions := append(slices.Clone(found.GetVersions()), found.GetShipped())
	said := make([]map[string]string, len(versions))
	measures := p.measureNames(r, subject)
	for i, v := range versions {
		said[i] = p.lines(r, v, found.GetShipped().GetReasons(), measures)
	}
	for i, v := range found.GetVersions() {
		data.Version = max(data.Version, v.GetVersion())
		row := versionRow{SettingVersion: v, Unknown: versions[i+1].GetVersion() == 0 && v.GetVersion() > 1}
		if !row.Unknown {
			row.Changes = shell.Differences(said[i+1], said[i])
		}
		data.Rows = append(data.Rows, row)
	}
	wanted, asked := asked(r)
	if i := slices.IndexFunc(versions, func(v *referralv1.SettingVersion) bool { return v.GetVersion() == wanted }); asked && i > 0 {
		back := "/settings/history/" + subject
		data.Would = &shell.Restoring{
			Restore: wanted, Version: data.Version, Changes: shell.Differences(said[0], said[i]), Action: back, Back: back, RequestID: data.RequestID,
		}
	}
	return p.Shell.Render(w, r, p.historySet, shell.Page{Title: "settings.history", Nav: "settings", Status: status, Data: data})
}

// asked is the version that the address asks to be made again.
func asked(r *http.Request) (int32, bool) {
	wanted, err := strconv.ParseInt(r.URL.Query().Get("restore"), 10, 32)
	return int32(wanted), err == nil
}

// measureNames are the names of the measures that targets are of, by code; none for another subject, or while they cannot be read.
func (p *Pages) measureNames(r *http.Request, subject string) map[string]string {
	if subject != "TARGETS" {
		return nil
	}
	definitions, err := p.Statistics.ListDefinitions(r.Context(), &referralv1.ListDefinitionsRequest{})
	if err != nil {
		return nil
	}
	out := make(map[string]string, len(definitions.GetMeasures()))
	for _, m := range definitions.GetMeasures() {
		out[m.GetCode()] = p.Shell.T(r, "reason-text", "zh", m.GetName(), "en", m.GetNameEn())
	}
	return out
}

// lines are what a version says, line by line, in words. What it does not say of reasons is as shipped.
func (p *Pages) lines(r *http.Request, v *referralv1.SettingVersion, shipped *referralv1.ReasonSettings, measures map[string]string) map[string]string {
	out := map[string]string{}
	if s := v.GetSettings(); s != nil {
		out[p.Shell.T(r, "settings.hours")] = s.GetOpens() + "–" + s.GetCloses()
		out[p.Shell.T(r, "settings.bounce")] = strconv.Itoa(int(s.GetBounceBackDays()))
		out[p.Shell.T(r, "field.settings.holidays")] = strings.Join(s.GetHolidays(), " ")
		out[p.Shell.T(r, "field.settings.workdays")] = strings.Join(s.GetWorkdays(), " ")
		for _, l := range s.GetLimits() {
			out[p.rowName(r, l)] = p.limitText(r, l)
		}
	}
	for _, t := range v.GetTargets().GetTargets() {
		out[p.targetName(r, t, measures)] = strconv.FormatFloat(t.GetValue(), 'f', -1, 64)
	}
	if v.GetReasons() == nil {
		return out
	}
	words := map[string]*referralv1.ReasonSetting{}
	for _, one := range slices.Concat(shipped.GetReasons(), v.GetReasons().GetReasons()) {
		name := p.Shell.T(r, "reasons.action."+one.GetAction()) + " · " + one.GetCode()
		if was := words[name]; was != nil {
			one = &referralv1.ReasonSetting{
				CountsAs: one.GetCountsAs(), Hidden: one.GetHidden(), Text: cmp.Or(one.GetText(), was.GetText()), TextEn: cmp.Or(one.GetTextEn(), was.GetTextEn()),
			}
		}
		words[name] = one
		out[name] = p.reasonText(r, one)
	}
	return out
}

func (p *Pages) limitText(r *http.Request, l *referralv1.Limit) string {
	var out []string
	if n := l.GetWorkingDays(); n > 0 {
		out = append(out, strconv.Itoa(int(n))+" "+p.Shell.T(r, "settings.unit.WORKING"))
	}
	for _, minutes := range []int32{l.GetMinutes(), l.GetRepeatMinutes()} {
		if minutes > 0 {
			number, unit := inUnits(minutes)
			out = append(out, number+" "+p.Shell.T(r, "settings.unit."+unit))
		}
	}
	return strings.Join(out, " · ")
}

func (p *Pages) reasonText(r *http.Request, one *referralv1.ReasonSetting) string {
	var out []string
	if one.GetCountsAs() != "" {
		out = append(out, p.Shell.T(r, "reasons.countsAs.is")+" "+one.GetCountsAs())
	}
	if one.GetHidden() {
		out = append(out, p.Shell.T(r, "reasons.hidden"))
	}
	for _, text := range []string{one.GetText(), one.GetTextEn()} {
		if text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, " · ")
}

// restore writes an older version again, which undoes what came after it. The version that stands is checked as for every change.
func (p *Pages) restore(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	subject := r.PathValue("subject")
	if _, known := subjects()[subject]; !known {
		return errs.NotFound("subject")
	}
	found, err := p.Setting.ListSettingVersions(r.Context(), &referralv1.ListSettingVersionsRequest{Subject: subject})
	if err != nil {
		return err
	}
	wanted, err := strconv.ParseInt(r.PostFormValue("restore"), 10, 32)
	i := slices.IndexFunc(found.GetVersions(), func(v *referralv1.SettingVersion) bool { return err == nil && int64(v.GetVersion()) == wanted })
	if err != nil || i < 0 && wanted != 0 {
		return errs.NotFound("version")
	}
	old := &referralv1.SettingVersion{Settings: &referralv1.Settings{}, Targets: &referralv1.Targets{}, Reasons: &referralv1.ReasonSettings{}}
	if i >= 0 {
		old = found.GetVersions()[i]
	}
	seen, request := versionOf(r.PostForm), r.PostFormValue("requestId")
	switch subject {
	case "SETTINGS":
		old.Settings.Version = seen
		_, err = p.Setting.UpdateSettings(r.Context(), &referralv1.UpdateSettingsRequest{Settings: old.Settings, RequestId: request})
	case "TARGETS":
		old.Targets.Version = seen
		_, err = p.Setting.UpdateTargets(r.Context(), &referralv1.UpdateTargetsRequest{Targets: old.Targets, RequestId: request})
	case "REASONS":
		old.Reasons.Version = seen
		_, err = p.Setting.UpdateReasonSettings(r.Context(), &referralv1.UpdateReasonSettingsRequest{Settings: old.Reasons, RequestId: request})
	}
	if err != nil && slices.Contains([]errs.Kind{errs.KindStale, errs.KindInvalid, errs.KindUnavailable, errs.KindConflict}, errs.KindOf(err)) {
		return p.showHistory(w, r, err)
	}
	if err != nil {
		return err
	}
	p.Shell.Flash(w, "settings.restored")
	http.Redirect(w, r, "/settings/history/"+subject, http.StatusSeeOther)
	return nil
}
