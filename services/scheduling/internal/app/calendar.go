package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

// Calendar is what a planner goes by besides what is kept.
type Calendar struct {
	Holiday func(day time.Time) bool
	Lunar   domain.LunarDay
	// HorizonDays is how many days ahead the sessions of templates are made.
	HorizonDays int
}

// Planner is the use cases of the calendar: from what sessions come, and what becomes of them.
type Planner struct {
	app *App
	cal Calendar
	// displaced is the department up to which Work has looked for places for displaced bookings; the zero one: it begins anew.
	displaced Department
}

// NewPlanner makes the use cases of the calendar beside those of capacity.
func NewPlanner(a *App, cal Calendar) *Planner { return &Planner{app: a, cal: cal} }

// Planning is who plans, and what: the whole county, or the own organisation, or one department of it.
type Planning struct {
	Caller
	Whole      bool
	Department string // empty: all of the own organisation
	RequestID  string
}

// may tells whether the department may be planned. Department "" is the whole organisation.
func (p Planning) may(organizationID, department string) bool {
	return p.Whole || organizationID != "" && organizationID == p.OrganizationID && (p.Department == "" || p.Department == department)
}

// sees tells whether the organisation's plans may be read.
func (p Planning) sees(organizationID string) bool {
	return p.Whole || organizationID != "" && organizationID == p.OrganizationID
}

func (p Planning) check(organizationID, department string) error {
	if !p.may(organizationID, department) {
		return errs.Denied(errs.ReasonRole)
	}
	return nil
}

// command of a write; body is what was asked, so that the same request id with another body is found out.
func (p Planning) command(method string, body any) Command {
	// Values of the domain always marshal.
	text, _ := json.Marshal(body)
	sum := sha256.Sum256(text)
	return Command{Caller: p.Caller, Request: Request{Method: method, ID: p.RequestID, BodyHash: sum[:]}}
}

// checkRequest refuses a request id that is none.
func (p Planning) checkRequest() error {
	if p.RequestID != "" && !id.Valid(p.RequestID) {
		return errs.Invalid(errs.Bad("requestId", errs.ReasonFieldInvalid))
	}
	return nil
}

// refuseFaults names the fields below a prefix as the contract's JSON does; nil if there are none.
func refuseFaults(prefix string, faults []domain.Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return errs.Invalid(FieldsOf(prefix, faults)...)
}

// FieldsOf are the fields below a prefix as the contract's JSON names them.
func FieldsOf(prefix string, faults []domain.Fault) (out []errs.Field) {
	for _, f := range faults {
		out = append(out, errs.Bad(prefix+camel(f.Field), f.Reason))
	}
	return out
}

func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
	}
	return strings.Join(parts, "")
}

// version checks the one that the caller saw: 0 adds, and then there must be none.
func version(seen, is int32) error {
	if seen != is {
		return errs.Stale(is, "")
	}
	return nil
}

// absent turns NotFound of a loaded value into none.
func absent[T any](v T, err error) (T, error) {
	if errs.KindOf(err) == errs.KindNotFound {
		var none T
		return none, nil
	}
	return v, err
}

// write runs a change that is answered by the id of what was written; a repeated request does nothing.
func (p *Planner) write(ctx context.Context, cmd Command, answer string, fn func(u Unit) error) error {
	return p.app.store.Change(ctx, cmd, func(u Unit) error {
		if _, repeated, err := u.Answered(ctx); err != nil || repeated {
			return err
		}
		if err := fn(u); err != nil {
			return err
		}
		u.Answer(answer)
		return nil
	})
}

// from reads a local date; default today.
func (p *Planner) from(text string, now time.Time) (time.Time, error) {
	first, ok := domain.ReadDate(text)
	if !ok {
		return first, errs.Invalid(errs.Bad("from", errs.ReasonFieldInvalid))
	}
	if text == "" {
		first = domain.DayOf(now, p.app.zone)
	}
	return first, nil
}

// longestSpan in days.
const longestSpan = 400

// span reads local dates, half-open; default today and so many days.
func (p *Planner) span(q Span, now time.Time, days int) (first, last time.Time, err error) {
	if first, err = p.from(q.From, now); err != nil {
		return first, last, err
	}
	last, ok := domain.ReadDate(q.To)
	switch {
	case !ok:
		return first, last, errs.Invalid(errs.Bad("to", errs.ReasonFieldInvalid))
	case q.To == "":
		last = first.AddDate(0, 0, days)
	case last.Before(first) || last.After(first.AddDate(0, 0, longestSpan)):
		return first, last, errs.Invalid(errs.Bad("to", errs.ReasonFieldOutOfRange))
	}
	return first, last, nil
}
