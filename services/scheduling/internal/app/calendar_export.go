package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/schedulefile"
)

// Export asks for the sessions of an organisation as a file.
type Export struct {
	Span
	Department, Format string
}

// Exported is a file.
type Exported struct {
	Content               []byte
	ContentType, FileName string
}

// ExportSchedules writes the sessions of local dates, half-open, default today and the horizon: those that take place, in iCalendar the cancelled ones
// as such too. It holds no patients. FIELD_OUT_OF_RANGE for more than fit a file that can be imported again.
func (p *Planner) ExportSchedules(ctx context.Context, by Planning, q Export, now time.Time) (Exported, error) {
	if err := by.read(q.OrganizationID); err != nil {
		return Exported{}, err
	}
	first, last, err := p.span(q.Span, now, p.cal.HorizonDays+1)
	if err != nil {
		return Exported{}, err
	}
	list, err := p.app.store.Sessions(ctx, SessionQuery{County: by.County, OrganizationID: q.OrganizationID, Department: q.Department,
		From: domain.Date(first), To: domain.Date(last), Limit: schedulefile.MaxSessions + 1})
	if err != nil {
		return Exported{}, err
	}
	if len(list) > schedulefile.MaxSessions {
		return Exported{}, errs.Invalid(errs.Bad("to", errs.ReasonFieldOutOfRange))
	}
	var sessions []schedulefile.Session
	cancelled := map[string]bool{}
	for _, v := range list {
		if v.Cancelled && q.Format != "ICS" {
			continue
		}
		cancelled[v.ID] = v.Cancelled
		sessions = append(sessions, schedulefile.Session{Session: v.Session})
	}
	name := "schedule-" + domain.Date(first) + "-" + domain.Date(last.AddDate(0, 0, -1))
	if q.Format == "ICS" {
		return Exported{schedulefile.WriteICS(sessions, cancelled, now), "text/calendar; charset=utf-8", name + ".ics"}, nil
	}
	content, err := schedulefile.WriteCSV(sessions, p.app.zone)
	return Exported{content, "text/csv; charset=utf-8", name + ".csv"}, err
}
