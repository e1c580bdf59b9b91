package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// Course is how far a case has come. Of the referral it holds what figures go by, of its history neither notes nor names.
type Course struct {
	Case  StatisticCase
	Steps []HistoryRow
	// Waits are the limits that run, the soonest first.
	Waits []LateCase
	Links []CaseLink
	// Standings are how it stands in every share.
	Standings []figures.Stand
}

// CaseLink is a referral that a case is linked with and that was sent. Of it, too, it holds what figures go by; of one that the caller's organisation
// neither sent nor is to receive, which the caller could not open, only that there is one.
type CaseLink struct {
	Relation Linked
	Referral domain.Snapshot
}

// Linked is how a referral belongs to a case.
type Linked string

// The ways.
const (
	LinkSentDown    Linked = "SENT_DOWN"     // the down-referral that answers it
	LinkAnswers     Linked = "ANSWERS"       // the up-referral that it answers
	LinkSentUpAgain Linked = "SENT_UP_AGAIN" // the township sent it up during the follow-up
	LinkBouncedBy   Linked = "BOUNCED_BY"    // the up-referral with which the patient was back too soon
	LinkBounceOf    Linked = "BOUNCE_OF"     // the down-referral after which it came
)

// CaseCourse answers it to whoever may see the figures that the case is behind. Errors: NOT_FOUND, also for what was never sent.
func (s *Service) CaseCourse(ctx context.Context, caller authn.Identity, id string) (Course, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return Course{}, err
	}
	if v.SubmitTime.IsZero() || !caller.Has("COUNTY_ADMIN") && v.Side(caller.Organization) == "" {
		return Course{}, notFound()
	}
	history, err := s.Reader.History(ctx, caller.County, id)
	if err != nil {
		return Course{}, err
	}
	out := Course{Case: StatisticCase{Referral: v.Snapshot, Count: 1}}
	last := v.DownReferral
	for _, h := range history {
		switch {
		case !h.Mark:
			out.Steps = append(out.Steps, h)
		case h.Action == domain.MarkAnsweredBy && v.DownReferral == "":
			last = h.Detail["referralId"] // it came to nothing
		}
	}
	running, err := s.Statistics.Running(ctx, caller.County, id)
	if err != nil {
		return Course{}, err
	}
	for _, d := range running {
		if slices.Contains(domain.LateSteps(), d.Step) {
			out.Waits = append(out.Waits, LateCase{Referral: v.Snapshot, Step: d.Step, Due: d.Due})
		}
	}
	if out.Links, err = s.caseLinks(ctx, caller, v.Snapshot, last); err != nil {
		return Course{}, err
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return Course{}, err
	}
	out.Standings = s.Published.Standings(v.Snapshot, cal.Zone(), stats.Date(cal.Today(s.Clock.Now())))
	out.tellNoDown()
	if !caller.Has("COUNTY_ADMIN") {
		out.closeLinks(caller.Organization)
	}
	slices.SortFunc(out.Waits, func(a, b LateCase) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Step, b.Step)) })
	return out, nil
}

// tellNoDown says of a case without a down-referral what became of the one that was sent.
func (c *Course) tellNoDown() {
	fact := figures.DownNever
	for _, l := range c.Links {
		switch {
		case l.Relation != LinkSentDown:
		case l.Referral.State == domain.StateCancelled:
			fact = figures.DownWithdrawn
		case l.Referral.State == domain.StateDeclined:
			fact = figures.DownDeclined
		default:
			fact = figures.NoDown
		}
	}
	for i := range c.Standings {
		if c.Standings[i].Fact == figures.NoDown {
			c.Standings[i].Fact = fact
		}
	}
}

// closeLinks leaves of referrals of which the organisation is no side nothing but how they are linked.
func (c *Course) closeLinks(organizationID string) {
	for i, l := range c.Links {
		if l.Referral.Side(organizationID) == "" {
			c.Links[i].Referral = domain.Snapshot{}
		}
	}
}

// caseLinks are the referrals that one is linked with; a draft that was never sent is none. down is the down-referral that answers it, or the last
// that did and came to nothing.
func (s *Service) caseLinks(ctx context.Context, caller authn.Identity, r domain.Snapshot, down string) ([]CaseLink, error) {
	answers := ""
	if r.LinkKind == domain.LinkAnswers {
		answers = r.ReplyTo
	}
	var out []CaseLink
	var ids []string
	for _, l := range []CaseLink{
		{LinkSentDown, domain.Snapshot{ID: down}}, {LinkAnswers, domain.Snapshot{ID: answers}}, {LinkSentUpAgain, domain.Snapshot{ID: r.Escalated}},
		{LinkBouncedBy, domain.Snapshot{ID: r.BouncedBy}}, {LinkBounceOf, domain.Snapshot{ID: r.BounceBackOf}},
	} {
		if l.Referral.ID != "" {
			out, ids = append(out, l), append(ids, l.Referral.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.Reader.Batch(ctx, caller, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		for _, v := range found {
			if v.ID == out[i].Referral.ID {
				out[i].Referral = v.Snapshot
			}
		}
	}
	return slices.DeleteFunc(out, func(l CaseLink) bool { return l.Referral.SubmitTime.IsZero() }), nil
}
