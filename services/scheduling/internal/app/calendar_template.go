package app

import (
	"cmp"
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// TemplateQuery selects templates of an organisation; those that ended before today only if asked for.
type TemplateQuery struct {
	OrganizationID, Department string
	Ended                      bool
}

// Templates of an organisation.
func (p *Planner) Templates(ctx context.Context, by Planning, q TemplateQuery, now time.Time) ([]domain.Template, error) {
	if err := by.read(q.OrganizationID); err != nil {
		return nil, err
	}
	after := domain.DayOf(now, p.app.zone)
	if q.Ended {
		after = time.Time{}
	}
	return p.app.store.Templates(ctx, Department{by.County, q.OrganizationID, q.Department}, after)
}

// read refuses the plans of another organisation.
func (p Planning) read(organizationID string) error {
	if !p.sees(organizationID) {
		return errs.Denied(errs.ReasonRole)
	}
	return nil
}

// SaveTemplate adds or changes a template and makes its sessions anew. What it is for and what it was for must be the caller's to plan.
// STALE_VERSION, ROLE, fields. A repeated request makes what is left to make: its counts are those of what it made.
func (p *Planner) SaveTemplate(ctx context.Context, by Planning, t domain.Template) (domain.Template, PlanOutcome, error) {
	err := p.putTemplate(ctx, by, t)
	if err != nil {
		return t, PlanOutcome{}, err
	}
	out, err := p.planAll(ctx, by.Caller, []string{t.ID})
	if err != nil {
		return t, out, err
	}
	saved, err := p.template(ctx, by, t.ID)
	return saved, out, err
}

func (p *Planner) template(ctx context.Context, by Planning, templateID string) (t domain.Template, err error) {
	err = p.app.store.Change(ctx, Command{Caller: by.Caller}, func(u Unit) error {
		t, err = u.Template(ctx, templateID)
		return err
	})
	return t, err
}

func (p *Planner) putTemplate(ctx context.Context, by Planning, t domain.Template) error {
	if err := by.checkRequest(); err != nil {
		return err
	}
	if err := refuseFaults("template.", checkID(t.ID, t.Faults())); err != nil {
		return err
	}
	if err := by.check(t.OrganizationID, t.DepartmentCode); err != nil {
		return err
	}
	return p.write(ctx, by.command("SaveTemplate", t), t.ID, func(u Unit) error {
		was, err := absent(u.Template(ctx, t.ID))
		if err != nil {
			return err
		}
		if was.Version > 0 && !by.may(was.OrganizationID, was.DepartmentCode) {
			return errs.Denied(errs.ReasonRole)
		}
		if err := version(t.Version, was.Version); err != nil {
			return err
		}
		if err := checkDevice(ctx, u, t); err != nil {
			return err
		}
		u.Note("template.save", "template", t.ID, string(t.Pattern.Code))
		if err := u.PutTemplate(ctx, t); err != nil {
			return err
		}
		return u.Record(ctx, changeOfTemplate(ChangeBefore, was), changeOfTemplate(ChangeSaved, t))
	})
}

// checkID adds that an id is none of ours.
func checkID(value string, faults []domain.Fault) []domain.Fault {
	if value != "" && !id.Valid(value) {
		faults = append(faults, domain.Fault{Field: "id", Reason: domain.FaultInvalid})
	}
	return faults
}

// checkDevice refuses a device that is not of the department.
func checkDevice(ctx context.Context, u Unit, t domain.Template) error {
	if t.EquipmentID == "" {
		return nil
	}
	device, err := absent(u.Device(ctx, t.EquipmentID))
	if err != nil {
		return err
	}
	if device.OrganizationID != t.OrganizationID || device.DepartmentCode != t.DepartmentCode {
		return errs.Invalid(errs.Bad("template.equipmentId", errs.ReasonFieldUnknown))
	}
	return nil
}

// PreviewDay is a day of a template before it is saved.
type PreviewDay struct {
	domain.Planned
	// Conflicts is another template that wants the same practitioner or device then; empty if there is none.
	Conflicts string
}

const previewDays = 30

// PreviewQuery asks for the days of a template from a local date on; default today and 30 days.
type PreviewQuery struct {
	Template domain.Template
	From     string
	Days     int
}

// Preview answers the days of a template. It writes nothing.
func (p *Planner) Preview(ctx context.Context, by Planning, q PreviewQuery, now time.Time) ([]PreviewDay, error) {
	t := q.Template
	if err := refuseFaults("template.", checkID(t.ID, t.Faults())); err != nil {
		return nil, err
	}
	if err := by.check(t.OrganizationID, t.DepartmentCode); err != nil {
		return nil, err
	}
	first, err := p.from(q.From, now)
	if err != nil {
		return nil, err
	}
	last := first.AddDate(0, 0, cmp.Or(q.Days, previewDays))
	exceptions, err := p.app.store.Exceptions(ctx, Department{County: by.County, OrganizationID: t.OrganizationID}, first, last)
	if err != nil {
		return nil, err
	}
	others, err := p.app.store.Templates(ctx, Department{County: by.County, OrganizationID: t.OrganizationID}, first)
	if err != nil {
		return nil, err
	}
	year, out := p.year(exceptions), []PreviewDay{}
	for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
		planned, has := t.On(day, year)
		if !has {
			continue
		}
		planned.Session.Day = domain.Date(day)
		d := PreviewDay{Planned: planned}
		for _, other := range others {
			if o, on := other.On(day, year); on && o.ClosedBy == "" && planned.ClosedBy == "" && t.Meets(other) {
				d.Conflicts = other.ID
				break
			}
		}
		out = append(out, d)
	}
	return out, nil
}
