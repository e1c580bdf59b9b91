package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Span is local dates of an organisation, half-open.
type Span struct{ OrganizationID, From, To string }

// Exceptions of the county, and of an organisation if one is named, that touch the span; default today and the horizon.
func (p *Planner) Exceptions(ctx context.Context, by Planning, q Span, now time.Time) ([]domain.Exception, error) {
	if q.OrganizationID != "" {
		if err := by.read(q.OrganizationID); err != nil {
			return nil, err
		}
	}
	first, last, err := p.span(q, now, p.cal.HorizonDays)
	if err != nil {
		return nil, err
	}
	return p.app.store.Exceptions(ctx, Department{County: by.County, OrganizationID: q.OrganizationID}, first, last)
}

// SaveException adds or changes an exception and makes the sessions that it concerns, or concerned, anew. STALE_VERSION, ROLE, fields.
// A repeated request makes what is left to make.
func (p *Planner) SaveException(ctx context.Context, by Planning, e domain.Exception) (domain.Exception, PlanOutcome, error) {
	if err := by.checkRequest(); err != nil {
		return e, PlanOutcome{}, err
	}
	if err := refuseFaults("exception.", checkID(e.ID, e.Faults())); err != nil {
		return e, PlanOutcome{}, err
	}
	err := by.checkException(ctx, e, func(ctx context.Context, id string) (domain.Template, error) { return p.template(ctx, by, id) })
	if err != nil {
		return e, PlanOutcome{}, err
	}
	err = p.write(ctx, by.command("SaveException", e), e.ID, func(u Unit) error {
		was, err := absent(u.Exception(ctx, e.ID))
		if err != nil {
			return err
		}
		if was.Version > 0 {
			if err := by.checkException(ctx, was, u.Template); err != nil {
				return err
			}
			if _, err := u.Replan(ctx, was); err != nil {
				return err
			}
		}
		if err := version(e.Version, was.Version); err != nil {
			return err
		}
		if err := u.PutException(ctx, e); err != nil {
			return err
		}
		u.Note("exception.save", "exception", e.ID, string(e.Effect))
		if err := u.Record(ctx, changeOfException(ChangeBefore, was), changeOfException(ChangeSaved, e)); err != nil {
			return err
		}
		_, err = u.Replan(ctx, e)
		return err
	})
	if err != nil {
		return e, PlanOutcome{}, err
	}
	out, err := p.planDue(ctx, by.Caller, e)
	if err != nil {
		return e, out, err
	}
	err = p.app.store.Change(ctx, Command{Caller: by.Caller}, func(u Unit) error {
		e, err = u.Exception(ctx, e.ID)
		return err
	})
	return e, out, err
}

// RemoveException lets the templates hold again on its days. One that is gone is NOT_FOUND.
func (p *Planner) RemoveException(ctx context.Context, by Planning, exceptionID string, seen int32) (domain.Exception, PlanOutcome, error) {
	var was domain.Exception
	err := p.app.store.Change(ctx, Command{Caller: by.Caller}, func(u Unit) error {
		var err error
		if was, err = u.Exception(ctx, exceptionID); err != nil {
			return err
		}
		if err := by.checkException(ctx, was, u.Template); err != nil {
			return err
		}
		if err := version(seen, was.Version); err != nil {
			return err
		}
		if err := u.RemoveException(ctx, exceptionID); err != nil {
			return err
		}
		u.Note("exception.remove", "exception", exceptionID, string(was.Effect))
		if err := u.Record(ctx, changeOfException(ChangeBefore, was), changeOfException(ChangeRemoved, was)); err != nil {
			return err
		}
		_, err = u.Replan(ctx, was)
		return err
	})
	if err != nil {
		return was, PlanOutcome{}, err
	}
	out, err := p.planDue(ctx, by.Caller, was)
	return was, out, err
}

// checkException tells whether the exception is the caller's to write: the county's own is for who plans the county, that of a template or
// practitioner alone for who plans the whole organisation, or the department that it names. template reads one: inside a change by its unit, as a second
// change would wait for the first.
func (p Planning) checkException(ctx context.Context, e domain.Exception, template func(ctx context.Context, id string) (domain.Template, error)) error {
	if e.OrganizationID == "" && !p.Whole {
		return errs.Denied(errs.ReasonRole)
	}
	department := e.DepartmentCode
	if department == "" && e.TemplateID != "" && p.Department != "" {
		t, err := template(ctx, e.TemplateID)
		if err != nil {
			return err
		}
		department = t.DepartmentCode
	}
	return p.check(e.OrganizationID, department)
}

// planDue makes the sessions of the templates that an exception concerns.
func (p *Planner) planDue(ctx context.Context, caller Caller, e domain.Exception) (PlanOutcome, error) {
	var templates []string
	err := p.app.store.Change(ctx, Command{Caller: caller}, func(u Unit) (err error) {
		templates, err = u.Replan(ctx, e)
		return err
	})
	if err != nil {
		return PlanOutcome{}, err
	}
	return p.planAll(ctx, caller, templates)
}
