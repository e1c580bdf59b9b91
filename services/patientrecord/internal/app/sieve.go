package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Sieve is the one place that decides which of a patient's entries a caller is shown, once open has let the caller in. Every read path that
// shows entries to a person runs them through Filter and answers with what was withheld; what services get for their rules is never
// sieved, and never shown.
type Sieve struct {
	app        *App
	department string
	// open: nothing is withheld, because a purpose was stated.
	open bool
	// child: everything is withheld until a purpose is stated.
	child bool
	// Opening is the one that is open, if there is one.
	Opening domain.Opening
	// Withheld counts what Filter has left out.
	Withheld Withheld
}

// Withheld tells that something is not shown; of which class it is would tell what it is.
type Withheld struct {
	Count int
	// Child: everything is, because the patient is under 14.
	Child bool
}

// sieve for a caller who may see the patient's entries.
func (a *App) sieve(ctx context.Context, caller authn.Identity, p domain.Patient) (*Sieve, error) {
	s := &Sieve{app: a, department: caller.Department, open: caller.IsService()}
	if s.open {
		return s, nil
	}
	now := a.clk.Now()
	openings, err := a.store.Openings(ctx, caller.County, p.ID(), caller.Subject)
	if err != nil {
		return nil, err
	}
	openings = slices.DeleteFunc(openings, func(o domain.Opening) bool { return !o.Holds(now) })
	if len(openings) > 0 {
		withdrawn, err := a.refusedSensitive(ctx, caller, p)
		if err != nil {
			return nil, err
		}
		openings = slices.DeleteFunc(openings, func(o domain.Opening) bool { return withdrawn && o.Purpose.NeedsConsent() })
	}
	for _, o := range openings {
		if o.Organization == caller.Organization && o.To.After(s.Opening.To) {
			s.Opening, s.open = o, true
		}
	}
	if s.open {
		return s, nil
	}
	return s, a.mind(ctx, s, caller, p)
}

// closed is the sieve for somebody of the caller's organisation, whoever it is: of no department, and without a stated purpose.
func (a *App) closed(ctx context.Context, caller authn.Identity, p domain.Patient) (*Sieve, error) {
	s := &Sieve{app: a}
	return s, a.mind(ctx, s, caller, p)
}

// mind closes a sieve for a child whom the caller's organisation does not look after.
func (a *App) mind(ctx context.Context, s *Sieve, caller authn.Identity, p domain.Patient) error {
	if !p.IsChild(a.today()) {
		return nil
	}
	known, err := a.looksAfter(ctx, caller, p.ID())
	s.child = !known
	s.Withheld.Child = s.child
	return err
}

// looksAfter: the patient's home centre, or the receiver of a referral under way.
func (a *App) looksAfter(ctx context.Context, caller authn.Identity, patient string) (bool, error) {
	held, err := a.store.Relations(ctx, caller.County, patient, caller.Organization)
	if err != nil {
		return false, err
	}
	now := a.clk.Now()
	for _, r := range held {
		switch {
		case !r.Holds(now):
		case r.Kind == domain.Home:
			return true, nil
		case r.Kind == domain.Referral:
			s, ok, err := a.store.Standing(ctx, caller.County, r.Source)
			if err != nil {
				return false, err
			}
			if ok && s.Receiver == caller.Organization && !s.Ended() {
				return true, nil
			}
		}
	}
	return false, nil
}

// Filter answers with the entries that are shown, in order, and counts the others.
func (s *Sieve) Filter(entries []domain.Entry) ([]domain.Entry, error) {
	if s.open {
		return entries, nil
	}
	shown := make([]domain.Entry, 0, len(entries))
	for _, e := range entries {
		hidden, err := s.hides(e)
		if err != nil {
			return nil, err
		}
		if hidden {
			s.Withheld.Count++
			continue
		}
		shown = append(shown, e)
	}
	return shown, nil
}

func (s *Sieve) hides(e domain.Entry) (bool, error) {
	if s.child {
		return true, nil
	}
	if s.app.classes.Idle() {
		return false, nil
	}
	marks, err := s.app.marks(e)
	if err != nil {
		return false, err
	}
	if marks.Department == "" {
		marks.Department = e.Department
	}
	return slices.ContainsFunc(s.app.classes.Classes(marks), func(c domain.Class) bool { return !s.app.classes.Treats(s.department, c) }), nil
}

// written is Filter for versions of entries.
func (s *Sieve) written(list []domain.Written) ([]domain.Written, error) {
	shown := make([]domain.Written, 0, len(list))
	for _, w := range list {
		kept, err := s.Filter([]domain.Entry{w.Entry})
		if err != nil {
			return nil, err
		}
		if len(kept) > 0 {
			shown = append(shown, w)
		}
	}
	return shown, nil
}

// filterAll is Filter for entries by kind.
func (s *Sieve) filterAll(by map[domain.EntryKind][]domain.Entry) (map[domain.EntryKind][]domain.Entry, error) {
	out := make(map[domain.EntryKind][]domain.Entry, len(by))
	for kind, list := range by {
		shown, err := s.Filter(list)
		if err != nil {
			return nil, err
		}
		out[kind] = shown
	}
	return out, nil
}

// level is what is seen in the end: the whole record with nothing withheld on purpose is SENSITIVE.
func (s *Sieve) level(l domain.Level) domain.Level {
	if l == domain.LevelFull && s.Opening.ID != "" {
		return domain.LevelSensitive
	}
	return l
}

// with notes the stated purpose in the audit of a look.
func (s *Sieve) with(l Access) Access {
	if s.Opening.ID != "" {
		l.Detail = "PURPOSE_" + string(s.Opening.Purpose)
	}
	return l
}
