package app

import (
	"context"
	"log/slog"
	"slices"
	"strconv"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// listener is a person who is told, with the channels that the rows offer together and the text of the first of them.
type listener struct {
	account, template string
	meant             []domain.Meant
	channels          []string
	wants             domain.Preferences
}

// listeners are the people whom the rows mean, in their order, each once.
func (a *App) listeners(ctx context.Context, u Unit, f ReferralFact, addressed []domain.Addressed) ([]listener, error) {
	var out []listener
	var ids []string
	for _, row := range addressed {
		if row.To == domain.Patient || row.To.Group() {
			continue
		}
		accounts, onDuty, err := a.resolve(ctx, u, row.Recipient)
		if err != nil {
			return nil, err
		}
		if len(accounts) == 0 && row.Line == 0 {
			a.logger.WarnContext(ctx, "nobody to tell", slog.String("fact_id", f.ID), slog.String("event", f.Event),
				slog.String("organization_id", row.OrganizationID))
		}
		for _, account := range accounts {
			i := slices.Index(ids, account)
			if i < 0 {
				i = len(out)
				ids = append(ids, account)
				out = append(out, listener{account: account, template: row.Template})
			}
			out[i].meant = append(out[i].meant, domain.Meant{Recipient: row.Recipient, OnDuty: onDuty})
			out[i].channels = append(out[i].channels, row.Channels.Of(f.Urgency)...)
		}
	}
	wants, err := u.Preferences(ctx, ids)
	for i := range out {
		out[i].wants = wants[out[i].account]
	}
	return out, err
}

// resolve finds the accounts that a recipient means now: who is on duty at its posts, or whom it names when nobody is; onDuty says which.
func (a *App) resolve(ctx context.Context, u Unit, r domain.Recipient) (accounts []string, onDuty bool, err error) {
	for _, p := range r.Posts {
		on, err := a.onDuty(ctx, u, p, r.Line)
		if err != nil {
			return nil, false, err
		}
		accounts = append(accounts, on...)
	}
	if len(accounts) > 0 || r.Line > 0 {
		return accounts, true, nil
	}
	r.Posts = nil
	accounts, _, err = u.Resolve(ctx, r)
	return accounts, false, err
}

// onDuty is who is on duty at a post at the moment of the change: on the first line, or the lowest that is planned; from line 1 on all behind it.
func (a *App) onDuty(ctx context.Context, u Unit, p domain.Post, line int) (accounts []string, err error) {
	plan, planned, err := u.Plan(ctx, p)
	if err != nil || !planned {
		return nil, err
	}
	active, err := u.Active(ctx, p.OrganizationID, peopleOf(plan))
	if err != nil {
		return nil, err
	}
	on := plan.At(u.Now(), a.zone, func(account string) bool { return active[account] })
	for _, d := range on {
		first := d.Line == on[0].Line
		if first == (line == 0) && !slices.Contains(accounts, d.AccountID) {
			accounts = append(accounts, d.AccountID)
		}
	}
	return accounts, nil
}

// message tells a person outside the house, on the channels and at the times that the person and the county want.
func (a *App) message(ctx context.Context, u Unit, f ReferralFact, who listener, entryID string) error {
	county, err := u.CountyRules(ctx)
	if err != nil {
		return err
	}
	for _, s := range who.wants.Sendings(f.Urgency, who.channels, county, u.Now().In(a.zone)) {
		d := dispatch(f, s.Channel, who.template)
		d.AccountID, d.Language, d.EntryID, d.AlarmID, d.DueTime, d.Digest = who.account, who.wants.Language, entryID, f.Ring.AlarmID, s.Due.UTC(), s.Digest
		d.Meant = who.meant
		d.ID = id.FromFact("delivery", entryID, s.Channel)
		if f.Ring.Number > 0 {
			d.ID = id.FromFact("ring", f.Ring.AlarmID, strconv.Itoa(f.Ring.Number), who.account, s.Channel)
		}
		if err := u.Dispatch(d); err != nil {
			return err
		}
	}
	return nil
}

// outside tells groups and the patient, at once.
func (a *App) outside(ctx context.Context, u Unit, f ReferralFact, addressed []domain.Addressed) error {
	county, err := u.CountyRules(ctx)
	if err != nil {
		return err
	}
	for _, row := range addressed {
		patient := row.To == domain.Patient
		if !patient && !row.To.Group() || patient && !county.PatientSMS {
			continue
		}
		for _, channel := range row.Channels.Of(f.Urgency) {
			if !domain.Reaches(channel, !patient) || !slices.Contains(county.Allowed, channel) {
				continue
			}
			d := dispatch(f, channel, row.Template)
			d.DueTime = u.Now()
			d.ID = id.FromFact("outside", f.ID, string(row.To), row.Template, strconv.Itoa(f.Ring.Number), channel)
			if d.OrganizationID, d.DepartmentCode = row.OrganizationID, row.DepartmentCode; patient {
				d.PatientID = f.PatientID
			} else if f.Event == domain.AlarmRang {
				d.AlarmID = f.Ring.AlarmID
			}
			if err := u.Dispatch(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// dispatch is a message of a fact, not addressed yet.
func dispatch(f ReferralFact, channel, template string) domain.Dispatch {
	return domain.Dispatch{
		County: f.County, Channel: channel, Template: template, FactID: f.ID, Event: f.Event, ReferralID: f.ReferralID, ReferralNumber: f.ReferralNumber,
		FromOrganizationID: f.ActorOrganizationID, BookingID: f.BookingID, Urgency: f.Urgency, Step: f.Deadline.Step, Ring: f.Ring.Number,
	}
}
