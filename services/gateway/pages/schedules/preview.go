package schedules

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// previewDays is how far the preview looks: three market days of the longest usual kind, and a month.
const previewDays = 35

// plannedDay is a day on which the template would have a session.
type plannedDay struct {
	*schedulingv1.PlannedDay
	Weekday string
}

// previewData is what the fragment "preview" sees.
type previewData struct {
	Days []plannedDay
	// Words say the pattern; Problem is what is missing.
	Words, Problem string
	Count          int
	Away           bool
	Place          shell.Workplace
}

// preview answers the coming days of the form as typed.
func (p *Pages) preview(w http.ResponseWriter, r *http.Request) error {
	if err := parse(r); err != nil {
		return err
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	return p.Shell.Fragment(w, r, p.template, "preview", p.previewOf(r, place.ID, r.PostFormValue("id"), r.PostForm))
}

// previewOf asks for the days. A form that is not whole yet says what is missing.
func (p *Pages) previewOf(r *http.Request, organization, template string, form url.Values) previewData {
	asked := r.Clone(r.Context())
	asked.PostForm, asked.Form = form, form
	t, err := templateOf(asked, organization)
	if err != nil {
		return previewData{Problem: p.Shell.ErrorText(r, err), Days: []plannedDay{}}
	}
	t.Id = template
	data := previewData{Days: []plannedDay{}}
	unchosen := t.GetPattern() == schedulingv1.Pattern_WEEKLY && len(t.GetWeekdays()) == 0
	unchosen = unchosen || strings.HasSuffix(t.GetPattern().String(), "DIGITS") && len(t.GetDigits()) == 0
	if unchosen || t.GetDepartmentCode() == "" {
		data.Problem = p.Shell.T(r, "schedules.preview.choose")
		return data
	}
	data.Words = p.words(r, t)
	answer, err := p.Calendar.PreviewTemplate(r.Context(), &schedulingv1.PreviewTemplateRequest{Template: t, From: max(t.GetFirstDay(), p.Shell.Now().Format(time.DateOnly)), Days: previewDays})
	if err != nil {
		data.Away = errs.KindOf(err) != errs.KindInvalid
		if !data.Away {
			data.Problem = p.Shell.ErrorText(r, shell.Under("template", err))
		}
		return data
	}
	for _, d := range answer.GetDays() {
		one := plannedDay{PlannedDay: d}
		if at, err := time.Parse(time.DateOnly, d.GetDate()); err == nil {
			one.Weekday = at.Weekday().String()
		}
		if d.GetClosedBy() == "" {
			data.Count++
		}
		data.Days = append(data.Days, one)
	}
	return data
}
