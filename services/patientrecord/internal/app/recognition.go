package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// RecognitionDeps is what recognition stands on besides the app itself.
type RecognitionDeps struct {
	Store    RecognitionStore
	Contents Contents
	// Shipped is the catalogue that counties change.
	Shipped   []domain.Item
	Published []stats.Measure
}

// Recognition is the use cases of mutual recognition. Safe for concurrent use.
type Recognition struct {
	app *App
	RecognitionDeps
}

// NewRecognition makes the use cases; who may look is decided as for every record.
func NewRecognition(a *App, d RecognitionDeps) *Recognition {
	return &Recognition{app: a, RecognitionDeps: d}
}

// ordersShown bounds the history of a patient's orders.
const ordersShown = 100

// Look asks what of a patient is recognisable.
type Look struct {
	Patient, Referral string
	Setting           domain.Setting
}

// Findings are valid results, and those that are not, by item in the order of the catalogue.
type Findings struct {
	Valid, Others []domain.Recognisable
	// Withheld counts the entries that were left out because they are sensitive.
	Withheld int
}

// outlook is all that decides about a patient's results but the results themselves and the moment.
type outlook struct {
	contents Contents
	items    []domain.Item
	view     domain.Viewpoint
	// only are the entries to which a look below FULL is confined, those of the hand-over package; nil: all of the record.
	only  map[string]bool
	sieve *Sieve
	noted map[domain.EntryRef]bool
}

// sight checks that the caller may look, and reads the county's catalogue and directions.
func (r *Recognition) sight(ctx context.Context, caller authn.Identity, q Look) (s outlook, err error) {
	if q.Setting == "" {
		q.Setting = domain.Outpatient
	}
	if !domain.KnownSetting(q.Setting) {
		return s, errs.Invalid(errs.Bad("setting", errs.ReasonFieldUnknown))
	}
	s.contents = r.Contents
	if s.only, s.sieve, err = r.confined(ctx, caller, q); err != nil {
		return s, err
	}
	set, err := r.Store.RecognitionSet(ctx, caller.County)
	if err != nil {
		return s, err
	}
	tiers, err := r.Store.Tiers(ctx, caller.County)
	if err != nil {
		return s, err
	}
	if s.noted, err = r.Store.Noted(ctx, caller.County, caller.Organization, q.Patient); err != nil {
		return s, err
	}
	s.items = r.catalogue(set)
	s.view = domain.Viewpoint{Organization: caller.Organization, Setting: q.Setting, Accepts: directions(set), Tiers: tiers}
	return s, nil
}

// confined checks the level; see outlook.only. A referral must be the patient's, as far as its facts have come.
func (r *Recognition) confined(ctx context.Context, caller authn.Identity, q Look) (map[string]bool, *Sieve, error) {
	p, level, err := r.app.open(ctx, caller, q.Patient, domain.LevelPackage)
	if err != nil {
		return nil, nil, err
	}
	sieve, err := r.app.sieve(ctx, caller, p)
	if err != nil {
		return nil, nil, err
	}
	if q.Referral != "" {
		standing, known, err := r.app.store.Standing(ctx, caller.County, q.Referral)
		if err != nil {
			return nil, nil, err
		}
		if known && standing.PatientID != q.Patient {
			return nil, nil, errs.Invalid(errs.Bad("referralId", errs.ReasonFieldUnknown))
		}
	}
	if level >= domain.LevelFull {
		return nil, sieve, nil
	}
	only := map[string]bool{}
	if q.Referral == "" {
		return only, sieve, nil
	}
	handed, err := r.app.Package(ctx, caller, q.Referral, 0)
	if errs.KindOf(err) == errs.KindNotFound {
		return only, sieve, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range handed.Results {
		only[e.ID] = handed.Summary.Patient.ID == q.Patient
	}
	return only, sieve, nil
}

// hold holds the entries against every item, in the order of the catalogue.
func (s outlook) hold(there Examinations, at time.Time) ([]domain.Recognisable, error) {
	entries, err := s.sieve.Filter(there.Entries)
	if err != nil {
		return nil, err
	}
	results := make([]domain.Finding, 0, len(entries))
	for _, e := range entries {
		if s.only != nil && !s.only[e.ID] {
			continue
		}
		result, err := s.contents.Finding(e)
		if err != nil {
			return nil, err
		}
		if result.Organization == "" && result.Elsewhere == "" {
			result.Organization = there.Writers[e.ID]
		}
		results = append(results, result)
	}
	var out []domain.Recognisable
	s.view.At = at
	for _, item := range s.items {
		found, ok := domain.Recognise(item, results, s.view)
		if !ok {
			continue
		}
		found.Noted = !slices.ContainsFunc(found.Results, func(x domain.Finding) bool {
			return !s.noted[domain.EntryRef{ID: x.EntryID, Version: x.Version}]
		})
		out = append(out, found)
	}
	return out, nil
}

// Recognisable answers what the patient has that the caller's organisation may recognise now.
func (r *Recognition) Recognisable(ctx context.Context, caller authn.Identity, q Look) (Findings, error) {
	s, err := r.sight(ctx, caller, q)
	if err != nil {
		return Findings{}, err
	}
	entries, err := r.Store.Examinations(ctx, caller.County, q.Patient)
	if err != nil {
		return Findings{}, err
	}
	found, err := s.hold(entries, r.app.clk.Now())
	if err != nil {
		return Findings{}, err
	}
	out := Findings{Withheld: s.sieve.Withheld.Count}
	for _, f := range found {
		if f.Refusal == "" {
			out.Valid = append(out.Valid, f)
		} else {
			out.Others = append(out.Others, f)
		}
	}
	if err := r.app.store.Audit(ctx, caller.County, s.sieve.with(look(caller, "record.recognisable", q.Patient))); err != nil {
		return Findings{}, err
	}
	return out, nil
}

// NewOrder is an order as a clinician gives it.
type NewOrder struct {
	Request Request
	Look
	Lines []domain.OrderLine
}

// Order notes what was ordered and what was recognised instead; see domain.Decide. The results are read, decided about and written in one
// transaction: one that is withdrawn at the same moment is either seen or there.
func (r *Recognition) Order(ctx context.Context, caller authn.Identity, in NewOrder) (order domain.Order, err error) {
	s, err := r.sight(ctx, caller, in.Look)
	if err != nil {
		return domain.Order{}, err
	}
	err = r.app.store.Change(ctx, command(caller, in.Request), func(u Unit) error {
		answered, err := u.Replayed(ctx, &order)
		if err != nil || answered {
			return err
		}
		if _, err := u.Patient(ctx, in.Patient); err != nil {
			return err
		}
		// What another order recognised meanwhile counts.
		if s.noted, err = u.Noted(ctx, caller.Organization, in.Patient); err != nil {
			return err
		}
		entries, err := u.Examinations(ctx, in.Patient)
		if err != nil {
			return err
		}
		lines, err := s.decide(in.Lines, entries, u.Now())
		if err != nil {
			return err
		}
		order = domain.Order{
			ID: id.New(), PatientID: in.Patient, Organization: caller.Organization, Account: caller.Subject, Setting: s.view.Setting,
			ReferralID: in.Referral, Time: u.Now(), Day: domain.DateOf(u.Now().In(r.app.zone)).Text(), Lines: lines,
		}
		u.PutOrder(order)
		return u.Replay(order)
	})
	return order, err
}

func (s outlook) decide(lines []domain.OrderLine, entries Examinations, at time.Time) ([]domain.OrderLine, error) {
	found, err := s.hold(entries, at)
	if err != nil {
		return nil, err
	}
	items, there := make(map[string]domain.Item, len(s.items)), make(map[string]domain.Recognisable, len(found))
	for _, i := range s.items {
		items[i.Code] = i
	}
	for _, f := range found {
		there[f.Item.Code] = f
	}
	out, problems := domain.Decide(lines, items, there)
	if len(problems) > 0 {
		return nil, refused(problems, "")
	}
	return out, nil
}

// Orders of a patient, newest first. Below level FULL those of the own organisation only; what others ordered of a sensitive kind is left out.
func (r *Recognition) Orders(ctx context.Context, caller authn.Identity, patient string) ([]domain.Order, error) {
	p, level, err := r.app.open(ctx, caller, patient, domain.LevelPackage)
	if err != nil {
		return nil, err
	}
	sieve, err := r.app.sieve(ctx, caller, p)
	if err != nil {
		return nil, err
	}
	orders, err := r.Store.Orders(ctx, caller.County, patient, ordersShown)
	if err != nil {
		return nil, err
	}
	set, err := r.Store.RecognitionSet(ctx, caller.County)
	if err != nil {
		return nil, err
	}
	hidden := map[string]bool{}
	for _, item := range r.catalogue(set) {
		hidden[item.Code] = sieve.hidesItem(item)
	}
	var out []domain.Order
	for _, o := range orders {
		if level < domain.LevelFull && o.Organization != caller.Organization {
			continue
		}
		if o.Account != caller.Subject {
			o.Lines = slices.DeleteFunc(o.Lines, func(l domain.OrderLine) bool { return hidden[l.ItemCode] })
		}
		if len(o.Lines) > 0 {
			out = append(out, o)
		}
	}
	if err := r.app.store.Audit(ctx, caller.County, sieve.with(look(caller, "record.orders", patient))); err != nil {
		return nil, err
	}
	return out, nil
}

// hidesItem tells whether that an item was ordered is itself sensitive: an HIV test.
func (s *Sieve) hidesItem(item domain.Item) bool {
	if s.open {
		return false
	}
	marks := domain.Marks{Words: []string{item.Name, item.NameEn}}
	for _, codes := range append(slices.Clone(item.Parts), item.Codes) {
		for _, code := range codes {
			system, value, _ := strings.Cut(code, "|")
			marks.Codes = append(marks.Codes, domain.Coding{System: system, Code: value})
		}
	}
	return s.child || slices.ContainsFunc(s.app.classes.Classes(marks), func(c domain.Class) bool { return !s.app.classes.Treats(s.department, c) })
}
