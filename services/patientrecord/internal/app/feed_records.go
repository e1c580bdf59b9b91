package app

import (
	"context"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// AcceptedRecord is what became of a record: Created tells that the sender named the patient for the first time, EntriesCreated the same of
// each entry.
type AcceptedRecord struct {
	PatientID      string
	Created        bool
	EntriesCreated []bool
}

// AcceptRecords stores what the caller's system says of patients, all of it or nothing; the same again changes nothing. An error names the
// place below records[i], or the record in its metadata.
func (f *Feed) AcceptRecords(ctx context.Context, caller authn.Identity, records []FeedRecord) (out []AcceptedRecord, err error) {
	if caller.Organization == "" || caller.County == "" {
		return nil, errs.Denied(errs.ReasonRole)
	}
	cmd := Command{County: caller.County, Account: caller.Subject, Organization: caller.Organization}
	err = f.store.Change(ctx, cmd, func(u Unit) error {
		out = make([]AcceptedRecord, 0, len(records))
		for i, r := range records {
			one, err := f.acceptRecord(ctx, u, caller.Organization, r)
			if err != nil {
				return inRecord(i, err)
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

func (f *Feed) acceptRecord(ctx context.Context, u Unit, organization string, r FeedRecord) (out AcceptedRecord, err error) {
	known, there, err := u.PatientBySource(ctx, r.SourceSystem, r.PatientIdentity)
	if err != nil {
		return out, err
	}
	for _, e := range r.Entries {
		before := false
		if there {
			if _, before, err = u.EntryOf(ctx, known.ID(), e.Entry.SourceSystem, e.Entry.SourceIdentity); err != nil {
				return out, err
			}
		}
		out.EntriesCreated = append(out.EntriesCreated, !before)
	}
	patient, err := f.write(ctx, u, organization, r)
	out.PatientID, out.Created = patient.ID(), !there
	return out, err
}

// inRecord says of a refusal which record it is about.
func inRecord(i int, err error) error {
	e, ok := errs.As(err)
	if !ok || e.Kind == errs.KindInternal || e.Kind == errs.KindUnavailable {
		return err
	}
	told := e.With("record", strconv.Itoa(i))
	for n := range told.Fields {
		told.Fields[n].Name = "records[" + strconv.Itoa(i) + "]." + told.Fields[n].Name
	}
	return told
}
