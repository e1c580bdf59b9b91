package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Index is the use cases about who is who: corrections, full numbers, and records of one person. Safe for concurrent use.
type Index struct{ a *App }

// NewIndex makes the use cases.
func NewIndex(a *App) *Index { return &Index{a: a} }

// Update is a correction of a patient's demographics. Change gets the details as they are and answers with what they should be.
type Update struct {
	Request Request
	Patient string
	// Version that the caller saw.
	Version int32
	Change  func(domain.Details) domain.Details
}

// updated is what an Update was answered with: the patient as corrected, or the record that has the number.
type updated struct {
	Shown Shown
	Taken string
}

// Update corrects the demographics; the caller's organisation must see the whole record. An identity number that another record has is
// ALREADY_REGISTERED with metadata "patientId" and "matchId": nothing is changed, and the two records are a match to be decided. The other
// record is not opened: typing a number is no way around breaking the glass, and counts as a look-up by number.
func (x *Index) Update(ctx context.Context, caller authn.Identity, in Update) (Shown, error) {
	p, _, err := x.a.open(ctx, caller, in.Patient, domain.LevelFull)
	if err != nil {
		return Shown{}, err
	}
	was := p.Demographics().Details()
	if number := domain.NormaliseNumber(in.Change(was).IdentityNumber); number != "" && number != was.IdentityNumber {
		if err := x.a.allowLookup(ctx, caller); err != nil {
			return Shown{}, err
		}
	}
	var out updated
	err = x.a.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		out = updated{}
		answered, err := u.Replayed(ctx, &out)
		if err != nil || answered {
			return err
		}
		if out, err = x.update(ctx, u, caller, in); err != nil {
			return err
		}
		return u.Replay(out)
	})
	if err != nil {
		return Shown{}, err
	}
	if out.Taken != "" {
		return Shown{}, x.taken(ctx, caller, p.ID(), out.Taken)
	}
	return out.Shown, nil
}

func (x *Index) update(ctx context.Context, u Unit, caller authn.Identity, in Update) (updated, error) {
	p, err := u.Patient(ctx, in.Patient)
	if err != nil {
		return updated{}, err
	}
	if p.Version() != in.Version {
		return updated{}, errs.Stale(p.Version(), "")
	}
	d, problems := domain.NewDemographics(in.Change(p.Demographics().Details()), x.a.today())
	if len(problems) > 0 {
		return updated{}, refused(problems, "")
	}
	other, taken, err := u.PatientByNumber(ctx, d.Number())
	if err != nil {
		return updated{}, err
	}
	// A number that the record has already may be another's as well, since the two are no longer one person: that was said before.
	if taken && other.ID() != p.ID() && d.Number() != p.Demographics().Number() {
		seen := look(caller, "patient.register", other.ID())
		seen.Detail = errs.ReasonAlreadyRegistered
		u.Look(seen)
		return updated{Taken: other.ID()}, numberTaken(ctx, u, p, other, d.Details())
	}
	if corrected, changed := p.Correct(d, p.Home(), u.Now()); changed {
		if p, err = putCorrected(ctx, u, p, corrected); err != nil {
			return updated{}, err
		}
	}
	return updated{Shown: show(p, domain.LevelFull, false)}, nil
}

// taken is the refusal that leads on to the match.
func (x *Index) taken(ctx context.Context, caller authn.Identity, patient, other string) error {
	e := errs.Conflict(errs.ReasonAlreadyRegistered, "another record has this identity number").With("patientId", other)
	err := x.a.store.Change(ctx, command(caller, Request{}), func(u Unit) error {
		m, ok, err := u.MatchOf(ctx, patient, other)
		if ok {
			e = e.With("matchId", m.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return e
}

// numberTaken makes a match of two records because somebody brought for p the number of other. A person's word that they are two people stays.
func numberTaken(ctx context.Context, u Unit, p, other domain.Patient, brought domain.Details) error {
	m, ok, err := u.MatchOf(ctx, p.ID(), other.ID())
	if err != nil || ok && m.State == domain.MatchDifferent {
		return err
	}
	brought.DocumentType, brought.IdentityNumber = domain.NoDocument, ""
	c := compare(brought, other.Demographics().Details()).NumberTaken()
	if !ok {
		m = domain.NewMatch(id.New(), p.ID(), other.ID(), c)
	} else if m.State != domain.MatchOpen || !slices.Contains(m.Comparison.Agrees, domain.FeatureNumber) {
		m.Version++
		m.State, m.Comparison = domain.MatchOpen, c
	} else {
		return nil
	}
	u.PutMatch(m)
	return nil
}

// putCorrected writes the corrected record of a patient, the patient's own or one that was merged into it, and answers with the patient.
func putCorrected(ctx context.Context, u Unit, p, corrected domain.Patient) (domain.Patient, error) {
	u.PutPatient(corrected)
	if p.ID() == corrected.ID() {
		p = corrected
	}
	return p, rematchFamily(ctx, u, p, corrected)
}

// rematchFamily is rematch of a patient with the records that were merged into it, of which the corrected one may be one.
func rematchFamily(ctx context.Context, u Unit, p, corrected domain.Patient) error {
	family, err := u.Family(ctx, p.ID())
	if err != nil {
		return err
	}
	records, also := []domain.Patient{p}, []domain.Details(nil)
	for _, m := range family {
		r := corrected
		if m.Merged != corrected.ID() {
			if r, err = u.Record(ctx, m.Merged); err != nil {
				return err
			}
		}
		records, also = append(records, r), append(also, r.Demographics().Details())
	}
	u.Reindex(records...)
	return rematch(ctx, u, p, also...)
}

// Reveal is a patient with every number in full, for who sees the whole record and says why. Each is an entry of its own in the audit.
func (x *Index) Reveal(ctx context.Context, caller authn.Identity, patient, purpose string) (Shown, error) {
	p, level, err := x.a.open(ctx, caller, patient, domain.LevelFull)
	if err != nil {
		return Shown{}, err
	}
	seen := look(caller, "patient.reveal", p.ID())
	seen.Detail = purpose
	if err := x.a.store.Audit(ctx, caller.County, seen); err != nil {
		return Shown{}, err
	}
	return show(p, level, false), nil
}

// Likely is a record that may be the patient's who is being registered.
type Likely struct {
	Shown      Shown
	Comparison domain.Comparison
}

// Likely finds records that a registration would likely double, best first, masked as in a list, also those to which the organisation has no
// relation; it counts as a look-up by number does.
func (x *Index) Likely(ctx context.Context, caller authn.Identity, in domain.Details) ([]Likely, error) {
	d, problems := domain.NewDemographics(in, x.a.today())
	if len(problems) > 0 {
		return nil, refused(problems, "")
	}
	if err := x.a.allowLookup(ctx, caller); err != nil {
		return nil, err
	}
	alike, err := x.a.store.Alike(ctx, caller.County, d.Details())
	if err != nil {
		return nil, err
	}
	var out []Likely
	var list []Shown
	for _, other := range alike {
		c := closest([]domain.Details{d.Details()}, other)
		if !c.Likely() {
			continue
		}
		held, err := x.a.store.Relations(ctx, caller.County, other.Patient.ID(), caller.Organization)
		if err != nil {
			return nil, err
		}
		out = append(out, Likely{Shown: show(other.Patient, domain.LevelOf(held, x.a.clk.Now()), true), Comparison: c})
	}
	slices.SortFunc(out, func(a, b Likely) int { return b.Comparison.Score - a.Comparison.Score })
	for _, l := range out {
		list = append(list, l.Shown)
	}
	return out, x.a.audited(ctx, caller, "patient.find_alike", list)
}
