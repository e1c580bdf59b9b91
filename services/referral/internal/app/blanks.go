package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// Blanks keeps the forms that are printed with numbers allotted beforehand.
type Blanks interface {
	// AllotBlanks keeps a batch with an audit entry and answers it; the same request answers the batch that it made before. REQUEST_ID_REUSED.
	AllotBlanks(ctx context.Context, cmd Command, batch []domain.Blank) ([]domain.Blank, error)
	// Blank is one of a county; the zero value if there is none.
	Blank(ctx context.Context, county string, n domain.Number) (domain.Blank, error)
	// Blanks lists those of a county after a place, the newest batch first and by number in it, at most as many as are asked for.
	Blanks(ctx context.Context, county string, q BlankQuery) ([]domain.Blank, error)
	// VoidBlank takes back one that is outstanding, with an audit entry, and answers it. ACTION_NOT_AVAILABLE if it is not outstanding; the same
	// request answers as before.
	VoidBlank(ctx context.Context, cmd Command, b domain.Blank) (domain.Blank, error)
}

// BlankQuery narrows a list; what is empty does not.
type BlankQuery struct {
	OrganizationID, BatchID string
	// State is OUTSTANDING, USED or VOID.
	State string
	// Limit is how many are listed at most; After the last one of the page before, the zero value for the first page.
	Limit int
	After domain.Blank
}

// Allotment asks for a batch.
type Allotment struct {
	OrganizationID, Form string
	Count                int
}

// PrintedBlank is a form with the key of its QR code while it is outstanding.
type PrintedBlank struct {
	domain.Blank
	Key string
}

// everywhere tells that the caller sees and changes the blank forms of all organisations.
func everywhere(caller authn.Identity) bool {
	return slices.Contains(caller.Roles, "INTAKE_DESK") || slices.Contains(caller.Roles, "COUNTY_ADMIN")
}

// AllotBlanks gives an organisation a batch of numbers; nobody else ever gets one of them. Errors: fields, DENIED for another organisation's.
func (s *Service) AllotBlanks(ctx context.Context, cmd Command, in Allotment) ([]PrintedBlank, error) {
	caller := cmd.Caller
	if !everywhere(caller) && in.OrganizationID != caller.Organization {
		return nil, errs.Denied(errs.ReasonRole)
	}
	bad := invalidFields(domain.CheckAllotment(in.Form, in.Count))
	if in.OrganizationID == "" {
		bad = append(bad, errs.Required("organizationId"))
	}
	wrong, err := s.checkOrganization(ctx, caller.County, domain.Party{OrganizationID: in.OrganizationID}, "organizationId", "COUNTY_HOSPITAL", "TOWNSHIP_CENTRE", "VILLAGE_CLINIC")
	if err != nil {
		return nil, err
	}
	if bad = append(bad, wrong...); len(bad) > 0 {
		return nil, errs.Invalid(bad...)
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	year := cal.Year(now)
	// Whoever asks twice leaves a gap.
	first, err := s.Numbers.ReserveNumbers(ctx, caller.County, year, int64(in.Count))
	if err != nil {
		return nil, fmt.Errorf("reserve numbers of blank forms: %w", err)
	}
	batch := make([]domain.Blank, in.Count)
	for i := range batch {
		number, err := domain.NewNumber(caller.County, year, first+int64(i))
		if err != nil {
			return nil, err
		}
		batch[i] = domain.Blank{
			Number: number, BatchID: id.FromFact("blank forms", caller.County, caller.Subject, cmd.RequestID), Form: in.Form, OrganizationID: in.OrganizationID,
			PrintedBy: actor(caller), PrintTime: now, ValidUntil: cal.BlankUntil(now),
		}
	}
	made, err := s.Blanks.AllotBlanks(ctx, cmd, batch)
	return s.printed(made), err
}

// mostBlanks is a page of blank forms where no size is asked for: more than an organisation has outstanding.
const mostBlanks = 1000

// ListBlanks lists a page of those that the caller may see, with the token of the next one.
func (s *Service) ListBlanks(ctx context.Context, caller authn.Identity, q BlankQuery, pageToken string) (page []PrintedBlank, next string, err error) {
	if !everywhere(caller) {
		if q.OrganizationID != "" && q.OrganizationID != caller.Organization {
			return nil, "", errs.Denied(errs.ReasonRole)
		}
		q.OrganizationID = caller.Organization
	}
	if pageToken != "" {
		after, ok := parseToken(pageToken, false)
		if !ok {
			return nil, "", errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
		}
		q.After = domain.Blank{PrintTime: after.Time, Number: domain.Number(after.ID)}
	}
	if q.Limit <= 0 {
		q.Limit = mostBlanks
	}
	wanted := q.Limit
	q.Limit++
	list, err := s.Blanks.Blanks(ctx, caller.County, q)
	if len(list) > wanted {
		list = list[:wanted]
		last := list[wanted-1]
		next = token(Cursor{Time: last.PrintTime, ID: string(last.Number)}, false)
	}
	return s.printed(list), next, err
}

func (s *Service) printed(list []domain.Blank) []PrintedBlank {
	out := make([]PrintedBlank, len(list))
	for i, b := range list {
		out[i].Blank = b
		if b.Outstanding() {
			out[i].Key = slipKey(s.Slips.SlipToken(b.Number))
		}
	}
	return out
}

// VoidBlank takes a number back. Errors: NOT_FOUND, fields, ACTION_NOT_AVAILABLE.
func (s *Service) VoidBlank(ctx context.Context, cmd Command, number, reason, note string) (domain.Blank, error) {
	n, _ := domain.ParseNumber(number)
	b, err := s.Blanks.Blank(ctx, cmd.Caller.County, n)
	if err != nil {
		return domain.Blank{}, err
	}
	if b.Number == "" || !everywhere(cmd.Caller) && b.OrganizationID != cmd.Caller.Organization {
		return domain.Blank{}, errs.NotFound("blank form")
	}
	if bad := invalidFields(domain.CheckVoid(reason, note)); len(bad) > 0 {
		return domain.Blank{}, errs.Invalid(bad...)
	}
	b.VoidReason, b.VoidNote = reason, note
	return s.Blanks.VoidBlank(ctx, cmd, b)
}

// blankOf is the number under which a referral is entered that was written on a blank form; "" for every other.
func (s *Service) blankOf(ctx context.Context, caller authn.Identity, in Creation) (domain.Number, error) {
	typed := strings.TrimSpace(in.BlankNumber)
	switch {
	case typed == "" && in.Written.IsZero():
		return "", nil
	case typed == "":
		return "", errs.Invalid(errs.Required("blankNumber"))
	case in.Written.IsZero():
		return "", errs.Invalid(errs.Required("writtenTime"))
	case !in.Submit:
		return "", errs.Invalid(errs.Bad("blankNumber", errs.ReasonFieldCombination, "cause", "BLANK_DRAFT"))
	}
	n, ok := domain.ParseNumber(typed)
	if !ok {
		return "", errs.Invalid(errs.Bad("blankNumber", errs.ReasonFieldInvalid))
	}
	b, err := s.Blanks.Blank(ctx, caller.County, n)
	if err != nil {
		return "", err
	}
	if bad := b.CheckEntry(caller.Organization, in.Draft.Direction, in.Draft.Kind, in.Written, s.Clock.Now()); len(bad) > 0 {
		return "", errs.Invalid(invalidFields(bad)...)
	}
	return n, nil
}

func invalidFields(bad []domain.Field) []errs.Field {
	out := make([]errs.Field, len(bad))
	for i, f := range bad {
		out[i] = errs.Bad(f.Name, f.Reason)
	}
	return out
}

// verifyBlank is what anybody who holds a form may know that is not entered yet.
func (s *Service) verifyBlank(ctx context.Context, county string, n domain.Number) (Verification, error) {
	b, err := s.Blanks.Blank(ctx, county, n)
	if err != nil || b.Number == "" {
		return Verification{}, err
	}
	organization, _, err := s.Organizations.Organization(ctx, county, b.OrganizationID)
	if err != nil {
		return Verification{}, err
	}
	return Verification{
		Genuine: true, Blank: true, Number: n, BlankOrganization: organization.Name, ValidUntil: b.ValidUntil, Void: !b.VoidTime.IsZero(),
		Expired: !b.ValidUntil.After(s.Clock.Now()),
	}, nil
}
