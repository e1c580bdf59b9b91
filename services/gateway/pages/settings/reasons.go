package settings

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

// reasonedActions are those whose reasons a county may word and hide, in the order shown.
func reasonedActions() []string {
	return []string{"return", "decline", "redirect", "cancel", "dismiss_candidate", "record_arrival", "record_out", "dismiss_registration"}
}

// reasonRow is a reason on the form: its code, the words as they stand, and the number in the names of its fields.
type reasonRow struct {
	Action string
	*referralv1.Reason
	N int
}

// reasonGroup are the reasons of one action.
type reasonGroup struct {
	Action string
	Rows   []reasonRow
	// Hidden counts those that are not offered.
	Hidden int
}

// reasonsData is what reasons.html sees.
type reasonsData struct {
	Form      shell.Form
	Groups    []reasonGroup
	Version   int32
	RequestID string
	Edits     bool
	Problem   string
	Changed   bool
}

// Field is the name of a field of a row.
func (reasonsData) Field(name string, n int) string { return name + "." + strconv.Itoa(n) }

// Wrong tells that something in a group was refused, or changed by somebody else.
func (d reasonsData) Wrong(g reasonGroup) bool {
	return slices.ContainsFunc(g.Rows, func(row reasonRow) bool {
		text, english := d.Field("text", row.N), d.Field("textEn", row.N)
		return d.Form.Error(text) != "" || d.Form.Error(english) != "" || d.Form.Renewed(text) || d.Form.Renewed(english) || d.Form.Renewed(d.Field("hidden", row.N))
	})
}

func (p *Pages) reasons(w http.ResponseWriter, r *http.Request) error {
	data, err := p.reasonsPage(r)
	if err != nil {
		return err
	}
	data.Form.Values = shell.Original(data.Form.Values, nil)
	return p.Shell.Render(w, r, p.reasonsSet, shell.Page{Title: "reasons.title", Nav: "settings", Data: data})
}

func (p *Pages) reasonsPage(r *http.Request) (reasonsData, error) {
	data := reasonsData{RequestID: id.New(), Edits: edits(r)}
	data.Form.Values = url.Values{}
	stands, err := p.Setting.GetReasonSettings(r.Context(), &referralv1.GetReasonSettingsRequest{})
	if err != nil {
		return data, err
	}
	data.Version = stands.GetVersion()
	n := 0
	for _, action := range reasonedActions() {
		list, err := p.Referral.ListReasons(r.Context(), &referralv1.ListReasonsRequest{Action: action})
		if err != nil {
			return data, err
		}
		group := reasonGroup{Action: action}
		for _, one := range list.GetReasons() {
			group.Rows = append(group.Rows, reasonRow{action, one, n})
			data.Form.Values.Set(data.Field("text", n), one.GetText())
			data.Form.Values.Set(data.Field("textEn", n), one.GetTextEn())
			data.Form.Values.Set(data.Field("hidden", n), "")
			if one.GetHidden() {
				group.Hidden++
				data.Form.Values.Set(data.Field("hidden", n), "1")
			}
			n++
		}
		data.Groups = append(data.Groups, group)
	}
	return data, nil
}

// reasonsOf reads the form; what is as shipped the service leaves out again.
func reasonsOf(form url.Values) *referralv1.ReasonSettings {
	out := &referralv1.ReasonSettings{Version: versionOf(form)}
	for n, action := range form["action"] {
		field := func(name string) string { return strings.TrimSpace(form.Get(name + "." + strconv.Itoa(n))) }
		code := ""
		if n < len(form["code"]) {
			code = form["code"][n]
		}
		out.Reasons = append(out.Reasons, &referralv1.ReasonSetting{
			Action: action, Code: code, Text: field("text"), TextEn: field("textEn"), Hidden: field("hidden") != "",
		})
	}
	return out
}

func (p *Pages) saveReasons(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	_, cause := p.Setting.UpdateReasonSettings(r.Context(), &referralv1.UpdateReasonSettingsRequest{
		Settings: reasonsOf(r.PostForm), RequestId: r.PostFormValue("requestId"),
	})
	if cause == nil {
		p.Shell.Flash(w, "reasons.saved")
		http.Redirect(w, r, "/settings/reasons", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.reasonsPage(r)
		if err != nil {
			return err
		}
		again.Rebase(data.Form.Values, data.Version)
		again.Form.Errors = p.reasonErrors(r, cause)
		data.Form, data.Problem, data.RequestID, data.Version = again.Form, again.Problem, again.RequestID, again.Version(data.Version)
		data.Changed = again.Form.Changed != nil
		return p.Shell.Render(w, r, p.reasonsSet, shell.Page{Title: "reasons.title", Nav: "settings", Status: again.Status, Data: data})
	})
}

var reasonField = regexp.MustCompile(`^settings\.reasons\[(\d+)\]\.(\w+)$`)

func (p *Pages) reasonErrors(r *http.Request, cause error) []shell.FieldError {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return nil
	}
	var out []shell.FieldError
	for _, f := range e.Fields {
		if found := reasonField.FindStringSubmatch(f.Name); found != nil {
			f.Name = "reasons." + found[2]
			out = append(out, shell.FieldError{Name: found[2] + "." + found[1], Text: p.Shell.ErrorText(r, errs.Invalid(f))})
		}
	}
	return out
}
