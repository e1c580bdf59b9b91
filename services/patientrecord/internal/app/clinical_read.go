package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// defaultEntries is a page of a record; measured is the most values that trends are drawn of.
const (
	defaultEntries = 50
	measured       = 2000
)

// Entry is the current version of an entry of a patient.
func (c *Clinical) Entry(ctx context.Context, caller authn.Identity, patient, entry string) (ShownEntry, error) {
	p, _, err := c.app.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return ShownEntry{}, err
	}
	w, err := c.app.store.Entry(ctx, caller.County, entry)
	if err == nil {
		err = c.visible(ctx, caller, p, w)
	}
	if err != nil {
		return ShownEntry{}, err
	}
	return c.shown(caller, w), c.seen(ctx, caller, "record.entry", p.ID(), entry)
}

// Versions of an entry of a patient, newest first.
func (c *Clinical) Versions(ctx context.Context, caller authn.Identity, patient, entry string) ([]ShownEntry, error) {
	p, _, err := c.app.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return nil, err
	}
	versions, err := c.app.store.Versions(ctx, caller.County, entry)
	if err == nil {
		err = c.visible(ctx, caller, p, versions...)
	}
	if err != nil {
		return nil, err
	}
	out := make([]ShownEntry, len(versions))
	for i, w := range versions {
		out[i] = c.shown(caller, w)
		if i > 0 {
			out[i].MayAmend, out[i].MayRight = false, false
		}
	}
	return out, c.seen(ctx, caller, "record.versions", p.ID(), entry)
}

// visible: all of these versions are of the patient, and none of them is withheld; else it is as if there were no such entry.
func (c *Clinical) visible(ctx context.Context, caller authn.Identity, p domain.Patient, versions ...domain.Written) error {
	sieve, err := c.app.sieve(ctx, caller, p)
	if err != nil {
		return err
	}
	return sieve.lets(p, versions...)
}

func (s *Sieve) lets(p domain.Patient, versions ...domain.Written) error {
	shown, err := s.written(versions)
	if err != nil {
		return err
	}
	if len(shown) < len(versions) || versions[0].PatientID != p.ID() {
		return errs.NotFound("entry")
	}
	return nil
}

func (c *Clinical) seen(ctx context.Context, caller authn.Identity, action, patient, entry string) error {
	l := look(caller, action, patient)
	l.ObjectType, l.ObjectID = "entry", entry
	return c.app.store.Audit(ctx, caller.County, l)
}

// EntryPage is a page of a record; Next is zero on the last one. What is withheld leaves a shorter page.
type EntryPage struct {
	Entries  []ShownEntry
	Next     Cursor
	Withheld Withheld
}

// Entries is a page of a record, newest first.
func (c *Clinical) Entries(ctx context.Context, caller authn.Identity, patient string, l Listing, size int) (EntryPage, error) {
	var page EntryPage
	p, _, err := c.app.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return page, err
	}
	if size == 0 {
		size = defaultEntries
	}
	list, err := c.app.store.Entries(ctx, caller.County, p.ID(), l, size+1)
	if err != nil {
		return page, err
	}
	if len(list) > size {
		list = list[:size]
		page.Next = Cursor{Time: list[size-1].Time, ID: list[size-1].ID}
	}
	sieve, err := c.app.sieve(ctx, caller, p)
	if err != nil {
		return page, err
	}
	if list, err = sieve.written(list); err != nil {
		return page, err
	}
	page.Withheld = sieve.Withheld
	for _, w := range list {
		page.Entries = append(page.Entries, c.shown(caller, w))
	}
	return page, c.app.store.Audit(ctx, caller.County, sieve.with(look(caller, "record.entries", p.ID())))
}

// Charting is what is to be drawn.
type Charting struct {
	PatientID string
	// Names of charts; all when there are none.
	Names []string
	// Measuring without codes: the charts give them.
	Span Measuring
	// Panels are codes (system|code) under which several values are kept together.
	Panels []string
	// Read takes an observation apart.
	Read func(domain.Written) ([]domain.Reading, error)
}

// Drawn are the lines of a patient's values. Truncated: there are more than are answered.
type Drawn struct {
	Trends    []domain.Trend
	Truncated bool
	Withheld  Withheld
}

// Trends are the lines of a patient's values.
func (c *Clinical) Trends(ctx context.Context, caller authn.Identity, in Charting) (Drawn, error) {
	var out Drawn
	charts, ok := c.measures.Charts(in.Names...)
	if !ok {
		return out, errs.Invalid(errs.Bad("names", errs.ReasonFieldUnknown))
	}
	p, _, err := c.app.open(ctx, caller, in.PatientID, domain.LevelFull)
	if err != nil {
		return out, err
	}
	in.Span.Codes = c.codes(charts, in.Panels)
	list, err := c.app.store.Measured(ctx, caller.County, p.ID(), in.Span, measured+1)
	if err != nil {
		return out, err
	}
	if out.Truncated = len(list) > measured; out.Truncated {
		list = list[:measured]
	}
	sieve, err := c.app.sieve(ctx, caller, p)
	if err != nil {
		return out, err
	}
	if list, err = sieve.written(list); err != nil {
		return out, err
	}
	out.Withheld = sieve.Withheld
	var readings []domain.Reading
	for _, w := range list {
		r, err := in.Read(w)
		if err != nil {
			return out, err
		}
		readings = append(readings, r...)
	}
	details, age := p.Demographics().Details(), -1
	if details.BirthDate.Year > 0 {
		age = details.BirthDate.AgeOn(c.app.today())
	}
	out.Trends = c.measures.Trends(charts, readings, details.Sex, age)
	return out, c.app.store.Audit(ctx, caller.County, sieve.with(look(caller, "record.trends", p.ID())))
}

// codes that are drawn, with those of the panels they may be in.
func (c *Clinical) codes(charts []domain.Chart, panels []string) []string {
	out := slices.Clone(panels)
	for _, chart := range charts {
		for _, name := range chart.Measures {
			measure, _ := c.measures.ByName(name)
			out = append(out, measure.Codes...)
		}
	}
	return out
}
