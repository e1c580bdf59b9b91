package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/schedulefile"
)

// Import is a file of an organisation: CSV, or iCalendar with what its events do not say.
type Import struct {
	OrganizationID, Format string
	Content                []byte
	DepartmentCode         string
	SlotMinutes            int
	DryRun                 bool
}

// Imported is what an import did, or with DryRun would do.
type Imported struct {
	Templates, Sessions, Unchanged int
	Problems                       []schedulefile.Problem
}

func (i *Imported) refuse(line int, f domain.Fault) {
	i.Problems = append(i.Problems, schedulefile.Problem{Line: line, Field: f.Field, Reason: f.Reason})
}

// importChunk is how many sessions are written in one transaction.
const importChunk = 100

// ImportSchedules reads templates and sessions. What cannot be planned is named by line, and the rest is written; the same file again changes nothing,
// as what has no id of its own has one that follows from what it is.
func (p *Planner) ImportSchedules(ctx context.Context, by Planning, in Import, now time.Time) (Imported, error) {
	var out Imported
	if err := by.read(in.OrganizationID); err != nil {
		return out, err
	}
	o := schedulefile.Options{Zone: p.app.zone, DepartmentCode: in.DepartmentCode, SlotMinutes: in.SlotMinutes,
		From: now, To: p.localMidnight(p.horizon(now).AddDate(0, 0, 1))}
	var file schedulefile.File
	if in.Format == "ICS" {
		file = schedulefile.ReadICS(in.Content, o)
	} else {
		file = schedulefile.ReadCSV(in.Content, o)
	}
	out.Problems = file.Problems
	devices, err := p.app.store.Equipment(ctx, by.County, in.OrganizationID)
	if err != nil {
		return out, err
	}
	i := importer{p: p, by: by, in: in, devices: devices, out: &out, seen: map[string]int{}}
	if err := i.templates(ctx, file.Templates); err != nil {
		return out, err
	}
	if err := i.sessions(ctx, file.Sessions, now); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Problems, func(a, b schedulefile.Problem) int { return cmp.Compare(a.Line, b.Line) })
	return out, nil
}

func (p *Planner) localMidnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, p.app.zone).UTC()
}

// importer is one import under way.
type importer struct {
	p       *Planner
	by      Planning
	in      Import
	devices []domain.Equipment
	out     *Imported
	seen    map[string]int // lines by id
}

// device is the id of one that is named by id or by name; false if the department has no such.
func (i *importer) device(department, named string) (string, bool) {
	if named == "" {
		return "", true
	}
	for _, d := range i.devices {
		if d.DepartmentCode == department && (d.ID == named || d.Name == named) {
			return d.ID, true
		}
	}
	return "", false
}

// admit tells whether a line may be written at all: its device is known, its department the caller's, and no line before says the same.
func (i *importer) admit(line int, rowID, department string, known bool) bool {
	switch {
	case !known:
		i.out.refuse(line, domain.Fault{Field: "equipment", Reason: domain.FaultUnknown})
	case !i.by.may(i.in.OrganizationID, department):
		i.out.refuse(line, domain.Fault{Field: "department", Reason: domain.FaultUnknown})
	case !id.Valid(rowID):
		i.out.refuse(line, domain.Fault{Field: "id", Reason: domain.FaultInvalid})
	case i.seen[rowID] > 0:
		i.out.refuse(line, domain.Fault{Field: "", Reason: domain.FaultTogether})
	default:
		i.seen[rowID] = line
		return true
	}
	return false
}

func (i *importer) templates(ctx context.Context, rows []schedulefile.Template) error {
	for _, row := range rows {
		t := row.Template
		t.OrganizationID = i.in.OrganizationID
		var known bool
		t.EquipmentID, known = i.device(t.DepartmentCode, row.Equipment)
		t.ID = cmp.Or(t.ID, id.FromFact("import-template", i.in.OrganizationID, t.DepartmentCode, t.Kind, t.Grade, t.PractitionerID, t.PractitionerName,
			t.EquipmentID, string(t.Pattern.Code), domain.Clock(max(t.Starts, 0)), domain.Date(t.FirstDay)))
		if !i.admit(row.Line, t.ID, t.DepartmentCode, known) {
			continue
		}
		if bad := t.Faults(); len(bad) > 0 {
			for _, f := range bad {
				i.out.refuse(row.Line, f)
			}
			continue
		}
		if err := i.template(ctx, row.Line, t); err != nil {
			return err
		}
	}
	return nil
}

// template writes one that is new or differs.
func (i *importer) template(ctx context.Context, line int, t domain.Template) error {
	was, err := absent(i.p.template(ctx, i.by, t.ID))
	if err != nil {
		return err
	}
	t.Version = was.Version
	switch {
	case was.Version > 0 && was.OrganizationID != t.OrganizationID:
		i.out.refuse(line, domain.Fault{Field: "id", Reason: domain.FaultTogether})
		return nil
	case was.Version > 0 && sameTemplate(was, t):
		i.out.Unchanged++
		return nil
	}
	if !i.in.DryRun {
		once := i.by
		once.RequestID = ""
		if _, _, err := i.p.SaveTemplate(ctx, once, t); err != nil {
			return err
		}
	}
	i.out.Templates++
	return nil
}

func sameTemplate(a, b domain.Template) bool {
	lists := slices.Equal(a.Pattern.Weekdays, b.Pattern.Weekdays) && slices.Equal(a.Pattern.Digits, b.Pattern.Digits)
	days := a.FirstDay.Equal(b.FirstDay) && a.LastDay.Equal(b.LastDay) && a.Pattern.Anchor.Equal(b.Pattern.Anchor)
	rest := a.DepartmentCode == b.DepartmentCode && a.Kind == b.Kind && cmp.Or(a.Grade, domain.General) == cmp.Or(b.Grade, domain.General) &&
		a.PractitionerID == b.PractitionerID && a.PractitionerName == b.PractitionerName && a.EquipmentID == b.EquipmentID && a.Location == b.Location &&
		a.Starts == b.Starts && a.Ends == b.Ends && a.SlotMinutes == b.SlotMinutes && a.OnHolidays == b.OnHolidays
	return lists && days && rest && a.Pattern.Code == b.Pattern.Code && a.Pattern.Every == b.Pattern.Every
}

func (i *importer) sessions(ctx context.Context, rows []schedulefile.Session, now time.Time) error {
	var ready []schedulefile.Session
	for _, row := range rows {
		s := &row.Session
		s.OrganizationID = i.in.OrganizationID
		var known bool
		s.EquipmentID, known = i.device(s.DepartmentCode, row.Equipment)
		key := row.Key
		if key == "" {
			key = s.Start.Format(time.RFC3339)
		}
		s.ID = cmp.Or(s.ID, id.FromFact("import-session", i.in.OrganizationID, s.DepartmentCode, s.Kind, s.PractitionerID, s.PractitionerName, s.EquipmentID, key))
		if i.admit(row.Line, s.ID, s.DepartmentCode, known) {
			ready = append(ready, row)
		}
	}
	for chunk := range slices.Chunk(ready, importChunk) {
		if err := i.chunk(ctx, chunk, now); err != nil {
			return err
		}
	}
	return nil
}

// chunk writes those that are new, and to come. One that is known is as it was.
func (i *importer) chunk(ctx context.Context, rows []schedulefile.Session, now time.Time) error {
	ids := make([]string, len(rows))
	for n, row := range rows {
		ids[n] = row.ID
	}
	var known map[string]bool
	err := i.p.app.store.Change(ctx, Command{Caller: i.by.Caller}, func(u Unit) (err error) {
		known, err = u.Known(ctx, ids)
		return err
	})
	if err != nil {
		return err
	}
	var made [][]domain.Slot
	for _, row := range rows {
		if known[row.ID] {
			i.out.Unchanged++
			continue
		}
		slots, bad := i.cut(row.Session, now)
		if len(bad) > 0 {
			for _, f := range bad {
				i.out.refuse(row.Line, f)
			}
			continue
		}
		made = append(made, slots)
	}
	i.out.Sessions += len(made)
	if i.in.DryRun || len(made) == 0 {
		return nil
	}
	_, _, err = i.p.app.store.AddCapacity(ctx, Command{Caller: i.by.Caller}, Capacity{Sessions: made})
	return err
}

func (i *importer) cut(s domain.Session, now time.Time) ([]domain.Slot, []domain.Fault) {
	if bad := s.Faults(); len(bad) > 0 {
		return nil, bad
	}
	if !s.Start.After(now) || s.Start.After(now.AddDate(0, 0, longestSpan)) {
		return nil, []domain.Fault{{Field: "date", Reason: domain.FaultRange}}
	}
	slots, err := i.p.app.cut(i.by.County, s)
	if err != nil {
		return nil, []domain.Fault{{Field: "ends", Reason: domain.FaultRange}}
	}
	return slots, nil
}
