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
	// Shipped are those that an own one may count as; New is the number of the fields of an own one that is new.
	Shipped []*referralv1.Reason
	New     int
	// Hidden counts those that are not offered.
	Hidden int
}

// reasonsData is what reasons.html sees.
type reasonsData struct {
	Form shell.Form
	// Now is what stands, by field.
	Now       url.Values
	Groups    []reasonGroup
	Version   int32
	RequestID string
	Edits     bool
	Problem   string
	Changed   bool
}

// Field is the name of a field of a row.
func (reasonsData) Field(name string, n int) string { return name + "." + strconv.Itoa(n) }

// Wrong tells that something in a group was refused, or is not as it was typed.
func (d reasonsData) Wrong(g reasonGroup) bool {
	wrong := func(n int) bool {
		return slices.ContainsFunc([]string{"text", "textEn", "countsAs"}, func(name string) bool {
			return d.Form.Error(d.Field(name, n)) != "" || d.Differs(d.Field(name, n)) != ""
		})
	}
	return wrong(g.New) || slices.ContainsFunc(g.Rows, func(row reasonRow) bool { return wrong(row.N) })
}

// Differs is what stands in a field when somebody else changed it and it is not what was typed; else "".
func (d reasonsData) Differs(field string) string {
	if now := d.Now.Get(field); d.Changed && now != d.Form.Value(field) {
		return now
	}
	return ""
}

// Word is the text of a shipped reason in the language of the page.
func (g reasonGroup) Word(code string) *referralv1.Reason {
	i := slices.IndexFunc(g.Shipped, func(r *referralv1.Reason) bool { return r.GetCode() == code })
	if i < 0 {
		return &referralv1.Reason{Text: code, TextEn: code}
	}
	return g.Shipped[i]
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
			if one.GetCountsAs() == "" {
				group.Shipped = append(group.Shipped, one)
			}
			data.Form.Values.Set(data.Field("text", n), one.GetText())
			data.Form.Values.Set(data.Field("textEn", n), one.GetTextEn())
			data.Form.Values.Set(data.Field("hidden", n), "")
			if one.GetHidden() {
				group.Hidden++
				data.Form.Values.Set(data.Field("hidden", n), "1")
			}
			n++
		}
		group.New = n
		n++
		data.Groups = append(data.Groups, group)
	}
	data.Now = data.Form.Values
	return data, nil
}

// typedReason is a row as the form sent it: its setting, and the number of its fields.
type typedReason struct {
	*referralv1.ReasonSetting
	n int
}

// typedReasons reads the form; what is as shipped the service leaves out again. A new row in which nothing was typed is none.
func typedReasons(form url.Values) []typedReason {
	var out []typedReason
	for n, action := range form["action"] {
		field := func(name string) string { return strings.TrimSpace(form.Get(name + "." + strconv.Itoa(n))) }
		one := typedReason{&referralv1.ReasonSetting{Action: action, Text: field("text"), TextEn: field("textEn"), Hidden: field("hidden") != "", CountsAs: field("countsAs")}, n}
		if n < len(form["code"]) {
			one.Code = form["code"][n]
		}
		if one.Code != "" || one.Text != "" || one.TextEn != "" {
			out = append(out, one)
		}
	}
	return out
}

// typed puts what was typed into the fields of the page as it is now: another may have added a reason meanwhile, so that the numbers differ. What was
// not touched shows what the other one made of it.
func (d *reasonsData) typed(rows []typedReason, sent shell.Form) {
	values := shell.Original(d.Form.Values, nil)
	for _, row := range rows {
		n := d.number(row)
		hidden := ""
		if row.Hidden {
			hidden = "1"
		}
		for name, value := range map[string]string{"text": row.Text, "textEn": row.TextEn, "countsAs": row.CountsAs, "hidden": hidden} {
			if !d.Changed || !sent.Untouched(d.Field(name, row.n)) {
				values.Set(d.Field(name, n), value)
			}
		}
	}
	d.Form.Values = values
}

// number is that of the fields of a row on the page as it is now.
func (d *reasonsData) number(row typedReason) int {
	for _, g := range d.Groups {
		if g.Action != row.Action {
			continue
		}
		for _, known := range g.Rows {
			if known.GetCode() == row.Code {
				return known.N
			}
		}
		return g.New
	}
	return row.n
}

func (p *Pages) saveReasons(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	typed := typedReasons(r.PostForm)
	asked := &referralv1.UpdateReasonSettingsRequest{Settings: &referralv1.ReasonSettings{Version: versionOf(r.PostForm)}, RequestId: r.PostFormValue("requestId")}
	for _, row := range typed {
		asked.Settings.Reasons = append(asked.Settings.Reasons, row.ReasonSetting)
	}
	_, cause := p.Setting.UpdateReasonSettings(r.Context(), asked)
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
		data.Changed = errs.KindOf(cause) == errs.KindStale
		data.typed(typed, again.Form)
		data.Form.Errors = p.reasonErrors(r, cause, typed, &data)
		data.Problem, data.RequestID, data.Version = again.Problem, again.RequestID, again.Version(data.Version)
		return p.Shell.Render(w, r, p.reasonsSet, shell.Page{Title: "reasons.title", Nav: "settings", Status: again.Status, Data: data})
	})
}

var reasonField = regexp.MustCompile(`^settings\.reasons\[(\d+)\]\.(\w+)$`)

func (p *Pages) reasonErrors(r *http.Request, cause error, typed []typedReason, on *reasonsData) []shell.FieldError {
	e, ok := errs.As(cause)
	if !ok || e.Kind != errs.KindInvalid {
		return nil
	}
	var out []shell.FieldError
	for _, f := range e.Fields {
		found := reasonField.FindStringSubmatch(f.Name)
		if found == nil {
			continue
		}
		if i, err := strconv.Atoi(found[1]); err == nil && i < len(typed) {
			f.Name = "reasons." + found[2]
			out = append(out, shell.FieldError{Name: on.Field(found[2], on.number(typed[i])), Text: p.Shell.ErrorText(r, errs.Invalid(f))})
		}
	}
	return out
}
