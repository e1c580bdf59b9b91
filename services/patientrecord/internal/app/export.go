package app

import (
	"context"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// ExportStore is what of a Store belongs to the ledger of exports.
type ExportStore interface {
	// Exports that the query asks for, newest first.
	Exports(ctx context.Context, county string, q ExportQuery) ([]domain.Export, error)
}

// ExportUnit is what of a Unit belongs to the ledger of exports.
type ExportUnit interface {
	// PutExport adds a row.
	PutExport(e domain.Export)
}

// ExportQuery selects rows. Empty fields select all; From is inclusive, To exclusive.
type ExportQuery struct {
	PatientID, Account, Organization, Kind string
	From, To                               time.Time
	After                                  Cursor
	Limit                                  int
}

const (
	defaultExports = 50
	// copied is how many entries one copy holds, as many as one import.
	copied   = 20_000
	copyPage = 1000
	// copiedDocuments and copiedConsents are far more than anybody has.
	copiedDocuments = 2000
	copiedConsents  = 1000
)

// Copy is what a patient gets of the own record.
type Copy struct {
	Patient     Shown
	Entries     []domain.Written
	Attachments []domain.Attachment
	Consents    []domain.Consent
	Time        time.Time
}

// ReadCopy is what the person may have who states this. What is sensitive is in it exactly when the statement says so, whatever else is open to
// the caller.
func (a *App) ReadCopy(ctx context.Context, caller authn.Identity, patient string, st domain.CopyStatement) (Copy, error) {
	p, level, err := a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return Copy{}, err
	}
	if ps := st.Check(p, a.today()); len(ps) > 0 {
		return Copy{}, refused(ps, "")
	}
	out := Copy{Patient: show(p, level, false), Time: a.clk.Now()}
	// That a child's record is sensitive as a whole is about who looks; here the guardian asks.
	sieve := &Sieve{app: a, open: st.Sensitive}
	if out.Entries, err = a.copiedEntries(ctx, caller, p, st, sieve); err != nil {
		return Copy{}, err
	}
	if out.Attachments, err = a.store.Attachments(ctx, caller.County, AttachmentFilter{Patient: p.ID(), Limit: copiedDocuments}); err != nil {
		return Copy{}, err
	}
	if out.Consents, err = a.store.Consents(ctx, caller.County, ConsentQuery{PatientID: p.ID(), Limit: copiedConsents}); err != nil {
		return Copy{}, err
	}
	seen := look(caller, "copy.read", p.ID())
	if seen.Detail = st.AskedBy + " " + st.Purpose; st.Sensitive {
		seen.Detail += " SENSITIVE"
	}
	return out, a.store.Audit(ctx, caller.County, seen)
}

func (a *App) copiedEntries(ctx context.Context, caller authn.Identity, p domain.Patient, st domain.CopyStatement, sieve *Sieve) ([]domain.Written, error) {
	var out []domain.Written
	l := Listing{From: st.From, To: st.To}
	for {
		page, err := a.store.Entries(ctx, caller.County, p.ID(), l, copyPage)
		if err != nil {
			return nil, err
		}
		shown, err := sieve.written(page)
		if err != nil {
			return nil, err
		}
		if out = append(out, shown...); len(out) > copied {
			return nil, errs.Invalid(errs.Bad("statement.from", errs.ReasonFieldOutOfRange))
		}
		if len(page) < copyPage {
			return out, nil
		}
		last := page[len(page)-1]
		l.After = Cursor{Time: last.Time, ID: last.ID}
	}
}

// Exporting is what is about to be handed out.
type Exporting struct {
	Request    Request
	Kind, Form string
	// PatientID and Statement of an own copy.
	PatientID string
	Statement domain.CopyStatement
	Entries   int
	Digest    [32]byte
}

// RecordExport writes a row of the ledger. Whoever hands something out calls it before.
func (a *App) RecordExport(ctx context.Context, caller authn.Identity, in Exporting) (domain.Export, error) {
	if ps := domain.CheckExport(in.Kind, in.Form); len(ps) > 0 {
		return domain.Export{}, refused(ps, "")
	}
	row := domain.Export{Kind: in.Kind, Form: in.Form, Entries: in.Entries, Digest: in.Digest}
	switch {
	case in.Kind == domain.ExportOwnCopy:
		p, _, err := a.open(ctx, caller, in.PatientID, domain.LevelFull)
		if err != nil {
			return domain.Export{}, err
		}
		ps := in.Statement.Check(p, a.today())
		if in.Statement.Form != in.Form {
			ps = append(ps, domain.Problem{Field: "form", Reason: domain.ReasonCombination, Cause: "statement"})
		}
		if len(ps) > 0 {
			return domain.Export{}, refused(ps, "")
		}
		row.PatientID, row.Home, row.Statement = p.ID(), p.Home(), in.Statement
	case in.PatientID != "":
		return domain.Export{}, errs.Invalid(errs.Bad("patientId", errs.ReasonFieldCombination, "with", "kind"))
	case !caller.IsService() && !mayExport(caller, in.Kind):
		return domain.Export{}, errs.Denied(errs.ReasonRole)
	}
	err := a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		found, err := u.Replayed(ctx, &row)
		if err != nil || found {
			return err
		}
		row.ID, row.By = id.New(), recorder(caller, u)
		u.PutExport(row)
		return u.Replay(row)
	})
	if err != nil {
		return domain.Export{}, err
	}
	return row, nil
}

func mayExport(caller authn.Identity, kind string) bool {
	if kind == domain.ExportAudit {
		return caller.Has("AUDITOR")
	}
	return caller.Has("COUNTY_ADMIN") || caller.Has("DEPARTMENT_HEAD") || caller.Has("CENTRE_HEAD")
}

// ExportPage is a page of the ledger; Next is zero on the last one.
type ExportPage struct {
	Exports []domain.Export
	Next    Cursor
}

// Exports lists the ledger: an auditor's is the county's, without the names of who asked; a clinician's that of a patient of the own centre.
func (a *App) Exports(ctx context.Context, caller authn.Identity, q ExportQuery) (ExportPage, error) {
	auditor := caller.Has("AUDITOR")
	if !auditor {
		if q.PatientID == "" {
			return ExportPage{}, errs.Invalid(errs.Required("patientId"))
		}
		p, _, err := a.open(ctx, caller, q.PatientID, domain.LevelFull)
		if err != nil {
			return ExportPage{}, err
		}
		if p.Home() != caller.Organization {
			return ExportPage{}, errs.Denied(errs.ReasonRole)
		}
		q.PatientID = p.ID()
	}
	if q.Limit == 0 {
		q.Limit = defaultExports
	}
	size := q.Limit
	q.Limit++
	list, err := a.store.Exports(ctx, caller.County, q)
	if err != nil {
		return ExportPage{}, err
	}
	page := ExportPage{Exports: list}
	if len(list) > size {
		page.Exports = list[:size]
		page.Next = Cursor{Time: list[size-1].By.At, ID: list[size-1].ID}
	}
	for i := range page.Exports {
		if auditor {
			page.Exports[i].Statement.Name, page.Exports[i].Statement.Note = "", ""
		}
	}
	seen := look(caller, "export.list", q.PatientID)
	seen.ObjectType, seen.ObjectID = "export", ""
	return page, a.store.Audit(ctx, caller.County, seen)
}
