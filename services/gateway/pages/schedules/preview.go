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

// The preview shows a month, and where that holds fewer than the next few days, these: a market that comes three times a month, or every other month.
const (
	previewDays  = 35
	previewAhead = 400
	nextDays     = 5
)

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
	// Next are the first days on which it takes place; Count how many it has in the month that is shown.
	Next  []plannedDay
	Count int
	Away  bool
	Place shell.Workplace
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
	p.known(asked, organization, t)
	data := previewData{Days: []plannedDay{}}
	unchosen := t.GetPattern() == schedulingv1.Pattern_WEEKLY && len(t.GetWeekdays()) == 0
	unchosen = unchosen || strings.HasSuffix(t.GetPattern().String(), "DIGITS") && len(t.GetDigits()) == 0
	if unchosen || t.GetDepartmentCode() == "" {
		data.Problem = p.Shell.T(r, "schedules.preview.choose")
		return data
	}
	data.Words = p.words(r, t)
	from := max(t.GetFirstDay(), p.Shell.Now().Format(time.DateOnly))
	answer, err := p.Calendar.PreviewTemplate(r.Context(), &schedulingv1.PreviewTemplateRequest{Template: t, From: from, Days: previewAhead})
	if err != nil {
		data.Away = errs.KindOf(err) != errs.KindInvalid
		if !data.Away {
			data.Problem = p.Shell.ErrorText(r, shell.Under("template", err))
		}
		return data
	}
	data.plan(answer.GetDays(), from)
	return data
}

// plan takes of the days those that are shown.
func (d *previewData) plan(days []*schedulingv1.PlannedDay, from string) {
	first, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return
	}
	month := first.AddDate(0, 0, previewDays).Format(time.DateOnly)
	for _, planned := range days {
		one, within := plannedDay{PlannedDay: planned}, planned.GetDate() < month
		if !within && len(d.Next) == nextDays {
			return
		}
		if at, err := time.Parse(time.DateOnly, planned.GetDate()); err == nil {
			one.Weekday = at.Weekday().String()
		}
		if planned.GetClosedBy() == "" && len(d.Next) < nextDays {
			d.Next = append(d.Next, one)
		}
		if planned.GetClosedBy() == "" && within {
			d.Count++
		}
		d.Days = append(d.Days, one)
	}
}
