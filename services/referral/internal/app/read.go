package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// visible is a referral to which the caller's organisation has a relation: a side, or a receiver that gave it on (who may only read).
func (s *Service) visible(ctx context.Context, caller authn.Identity, id string) (View, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return View{}, err
	}
	return s.related(ctx, caller, v)
}

func (s *Service) related(ctx context.Context, caller authn.Identity, v View) (View, error) {
	side := v.Side(caller.Organization)
	v.Unread = v.Unread && side == domain.Receiver
	if side != "" {
		return v, nil
	}
	former, err := s.Reader.WasReceiver(ctx, caller.County, v.ID, caller.Organization)
	if err != nil {
		return View{}, err
	}
	if !former {
		return View{}, notFound()
	}
	return v, nil
}

// Get opens a referral; the audit trail has it before the answer.
func (s *Service) Get(ctx context.Context, caller authn.Identity, id string) (View, error) {
	v, err := s.visible(ctx, caller, id)
	if err != nil {
		return View{}, err
	}
	return v, s.Reader.NoteRead(ctx, caller, v.Snapshot)
}

// Find opens a referral by its printed number.
func (s *Service) Find(ctx context.Context, caller authn.Identity, number string) (View, error) {
	n, ok := domain.ParseNumber(number)
	if !ok {
		return View{}, errs.Invalid(errs.Bad("number", errs.ReasonFieldInvalid))
	}
	v, err := s.Reader.ByNumber(ctx, caller, n)
	if err != nil {
		return View{}, err
	}
	if v, err = s.related(ctx, caller, v); err != nil {
		return View{}, err
	}
	return v, s.Reader.NoteRead(ctx, caller, v.Snapshot)
}

// BatchGet answers those that the caller's organisation is a side of, in the order asked.
func (s *Service) BatchGet(ctx context.Context, caller authn.Identity, ids []string) ([]View, error) {
	views, err := s.Reader.Batch(ctx, caller, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]View, len(views))
	for _, v := range views {
		if side := v.Side(caller.Organization); side != "" {
			v.Unread = v.Unread && side == domain.Receiver
			byID[v.ID] = v
		}
	}
	out := make([]View, 0, len(byID))
	for _, id := range ids {
		if v, ok := byID[id]; ok {
			out = append(out, v)
			delete(byID, id)
		}
	}
	return out, nil
}

// Filter is a list as a person asks for it; dates are local, the token is opaque.
type Filter struct {
	Query
	ExpectedOn string
	// SentFrom and SentTo bound the day of submission, half open; either may be empty.
	SentFrom, SentTo string
	PageToken        string
	// DeclinedLately selects those of the caller's organisation that still wait for their sender after they were declined, whatever side and state are
	// asked for.
	DeclinedLately bool
}

const defaultPage, maxPage = 50, 200

// List answers a page of the caller's organisation's referrals and the token of the next; "" after the last.
func (s *Service) List(ctx context.Context, f Filter) ([]View, string, error) {
	q := f.Query
	if err := s.dates(ctx, f, &q); err != nil {
		return nil, "", err
	}
	if f.DeclinedLately {
		q.Inbox, q.Outbox, q.Village = false, true, false
		q.States, q.ClosedFrom = []domain.State{domain.StateDeclined}, domain.DeclinedSince(s.Clock.Now())
	}
	if q.OnTheWay && len(q.States) == 0 {
		q.States = domain.Awaited()
	}
	if q.ByDue && len(q.States) == 0 {
		// What is over is never due: sorting all of it would read an organisation's whole past.
		q.States = domain.Waiting()
	}
	if f.PageToken != "" {
		after, ok := parseToken(f.PageToken, q.ByDue)
		if !ok {
			return nil, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		q.After = &after
	}
	size := q.Limit
	if size <= 0 {
		size = defaultPage
	}
	size = min(size, maxPage)
	q.Limit = size + 1
	views, err := s.Reader.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for i := range views {
		views[i].Unread = views[i].Unread && views[i].Side(q.Caller.Organization) == domain.Receiver
	}
	if len(views) <= size {
		return views, "", nil
	}
	return views[:size], token(Place(views[size-1].Snapshot, q.ByDue), q.ByDue), nil
}

// dates reads the local dates of a filter.
func (s *Service) dates(ctx context.Context, f Filter, q *Query) error {
	if f.ExpectedOn == "" && f.SentFrom == "" && f.SentTo == "" {
		return nil
	}
	cal, err := s.Calendars.Calendar(ctx, q.Caller.County)
	if err != nil {
		return err
	}
	var wrong []errs.Field
	day := func(name, date string) domain.Window {
		out, ok := cal.Day(date)
		if date != "" && !ok {
			wrong = append(wrong, errs.Bad(name, errs.ReasonFieldInvalid))
		}
		return out
	}
	q.Expected = day("expectedOn", f.ExpectedOn)
	q.Sent = domain.Window{From: day("sentFrom", f.SentFrom).From, To: day("sentTo", f.SentTo).From}
	if len(wrong) > 0 {
		return errs.Invalid(wrong...)
	}
	return nil
}

// Counts counts by state what a filter lists, whatever states it names and whether or not it asks for the late alone; what is over is left out, because its number only grows.
func (s *Service) Counts(ctx context.Context, f Filter) (map[domain.State]StateCount, error) {
	q := f.Query
	q.States, q.Late = domain.Open(), false
	return s.Reader.Count(ctx, q)
}

// NoDue stands for "nothing is awaited" in the order by due time: it comes last.
func NoDue() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

// Place is where a referral stands in an order.
func Place(s domain.Snapshot, byDue bool) Cursor {
	if !byDue {
		return Cursor{Time: s.CreateTime, ID: s.ID}
	}
	c := Cursor{Rank: s.Urgency.Rank(), Time: s.DueTime, ID: s.ID}
	if c.Time.IsZero() {
		c.Time = NoDue()
	}
	return c
}

type pageToken struct {
	Due  bool      `json:"d,omitempty"`
	Rank int       `json:"r,omitempty"`
	Time time.Time `json:"t"`
	ID   string    `json:"i"`
}

func token(c Cursor, byDue bool) string {
	// A struct of times and texts always marshals.
	text, _ := json.Marshal(pageToken{byDue, c.Rank, c.Time, c.ID})
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseToken(s string, byDue bool) (Cursor, bool) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return Cursor{}, false
	}
	var t pageToken
	if json.Unmarshal(text, &t) != nil || t.Due != byDue {
		return Cursor{}, false
	}
	return Cursor{t.Rank, t.Time.UTC(), t.ID}, true
}

// History is the timeline: transitions and marks, oldest first.
func (s *Service) History(ctx context.Context, caller authn.Identity, id string) ([]HistoryRow, error) {
	if _, err := s.visible(ctx, caller, id); err != nil {
		return nil, err
	}
	return s.Reader.History(ctx, caller.County, id)
}

// Actions are the rows of the two tables that the caller may use now: none for one who may only read.
func (s *Service) Actions(ctx context.Context, caller authn.Identity, id string) ([]domain.Row, []domain.Mark, error) {
	v, err := s.visible(ctx, caller, id)
	if err != nil {
		return nil, nil, err
	}
	side := v.Side(caller.Organization)
	if !domain.MayAct(v.Direction, side, caller.Roles) {
		// A former receiver, or a colleague whose role does not act for this side.
		return nil, nil, nil
	}
	r := domain.Restore(v.Snapshot)
	return r.Actions(side, s.Clock.Now()), r.MarksFor(side), nil
}

const maxDiagnoses = 20

// SearchDiagnoses by code, words or pinyin initials; best first.
func (s *Service) SearchDiagnoses(query string) []domain.FoundDiagnosis {
	return s.Diagnoses.Search(query, maxDiagnoses)
}
