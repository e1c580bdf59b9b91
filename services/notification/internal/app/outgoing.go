package app

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// Outgoing is what people do with messages that leave the house: look at them, send again what was given up, say where they are reached, and acknowledge
// by the link in one.
type Outgoing struct {
	store  Store
	sender *Sender
	// Alarm acknowledges an alarm in the change of a link; nil: there are none.
	alarm func(ctx context.Context, u Unit, l Link) error
}

// NewOutgoing makes the use cases.
func NewOutgoing(store Store, sender *Sender, alarm func(context.Context, Unit, Link) error) *Outgoing {
	return &Outgoing{store: store, sender: sender, alarm: alarm}
}

// List answers a page, newest first, and how many were given up in all.
func (o *Outgoing) List(ctx context.Context, q DeliveryQuery) ([]domain.Delivery, int, error) {
	list, err := o.sender.Deliveries.List(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	dead, err := o.sender.Deliveries.CountDead(ctx, q)
	return list, dead, err
}

// Names of the persons for whom deliveries are, by account.
func (o *Outgoing) Names(ctx context.Context, county string, list ...domain.Delivery) (map[string]string, error) {
	var ids []string
	for _, d := range list {
		if d.AccountID != "" {
			ids = append(ids, d.AccountID)
		}
	}
	slices.Sort(ids)
	return o.store.Names(ctx, county, slices.Compact(ids))
}

// Get answers one with its attempts, if the scope shows it: the whole county's, or an organisation's.
func (o *Outgoing) Get(ctx context.Context, county, organizationID, deliveryID string) (domain.Delivery, error) {
	d, err := o.sender.Deliveries.Delivery(ctx, county, deliveryID)
	if err != nil || organizationID == "" || d.OrganizationID == organizationID {
		return d, err
	}
	own, err := o.sender.Deliveries.List(ctx, DeliveryQuery{County: county, OrganizationID: organizationID, ID: deliveryID, Limit: 1})
	if err == nil && len(own) == 0 {
		err = errs.NotFound("delivery")
	}
	return d, err
}

// Replay sends one that was given up again, marked as a repeat; one that was replayed already is answered as it is.
func (o *Outgoing) Replay(ctx context.Context, caller Caller, deliveryID string) (domain.Delivery, error) {
	d, err := o.sender.Deliveries.Delivery(ctx, caller.County, deliveryID)
	if err != nil {
		return d, err
	}
	ok, err := o.sender.Deliveries.Replay(ctx, caller, deliveryID)
	if err == nil && !ok && d.EarlierAttempts > 0 && d.State != domain.StateDead && !d.Unneeded {
		return d, nil // it was replayed before, and goes or went again
	}
	if err == nil && !ok {
		state := d.State
		if d.Unneeded {
			state = domain.StateCancelled
		}
		err = errs.WrongState("replay", state)
	}
	if err != nil {
		return d, err
	}
	return o.sender.Deliveries.Delivery(ctx, caller.County, deliveryID)
}

// mostReplayed bounds one call of ReplayAll.
const mostReplayed = 1000

// ReplayAll does so with all of a channel, or of every channel, that came since an instant and are still needed; it answers how many.
func (o *Outgoing) ReplayAll(ctx context.Context, caller Caller, name string, since time.Time) (int, error) {
	list, err := o.sender.Deliveries.List(ctx, DeliveryQuery{
		County: caller.County, State: domain.StateDead, Channel: name, Since: since, Needed: true, Limit: mostReplayed,
	})
	n := 0
	for _, d := range list {
		ok, err := o.sender.Deliveries.Replay(ctx, caller, d.ID)
		if err != nil {
			return n, err
		}
		if ok {
			n++
		}
	}
	return n, err
}

// ChannelStatus is how a channel is, for this process.
type ChannelStatus struct {
	Channel     string
	Configured  bool
	Breaker     string // CLOSED, OPEN, HALF_OPEN: the worst of its providers
	RestsUntil  time.Time
	Fault       string  // why it rests: the outcome and the provider's code
	Faults      []Fault // groups whose address is not taken
	Load        ChannelLoad
	RateAMinute int
}

// Channels answers all, in the order of domain.Channels.
func (o *Outgoing) Channels(ctx context.Context, county string) ([]ChannelStatus, error) {
	load, err := o.sender.Deliveries.Load(ctx, county)
	if err != nil {
		return nil, err
	}
	var out []ChannelStatus
	for _, name := range domain.Channels() {
		l := o.sender.lanes[name]
		s := ChannelStatus{Channel: name, Configured: l.adapter != nil, Load: load[name], RateAMinute: o.sender.cfg.Rate[name]}
		if s.RateAMinute == 0 {
			s.RateAMinute = o.sender.cfg.PerGroup[name]
		}
		s.Breaker, s.RestsUntil, s.Fault = l.state()
		s.Faults = l.faults(county)
		out = append(out, s)
	}
	return out, nil
}

// Addresses lists an owner's.
func (o *Outgoing) Addresses(ctx context.Context, owner Owner) ([]Address, error) {
	return o.sender.Addresses.Addresses(ctx, owner)
}

// SetAddress checks and keeps an address; an empty value removes it. An empty secret keeps none.
func (o *Outgoing) SetAddress(ctx context.Context, caller Caller, a Address) (Address, error) {
	a.Value, a.Secret = strings.TrimSpace(a.Value), strings.TrimSpace(a.Secret)
	if err := o.usable(a); err != nil {
		return a, err
	}
	if a.Value != "" {
		var wrong []errs.Field
		for _, p := range o.sender.Adapters[a.Channel].Check(channel.Address{Value: a.Value, Secret: a.Secret}) {
			reason := errs.ReasonFieldInvalid
			if p.Remedy == "REQUIRED" {
				reason = errs.ReasonFieldRequired
			}
			wrong = append(wrong, errs.Bad(p.Field, reason, "cause", p.Remedy))
		}
		if len(wrong) > 0 {
			return a, errs.Invalid(wrong...)
		}
	}
	a.Masked = domain.Masked(a.Channel, a.Value)
	kept, err := o.sender.Addresses.SetAddress(ctx, caller, a)
	if err == nil {
		o.sender.lanes[a.Channel].mended(a.Owner)
	}
	return kept, err
}

// usable: the channel reaches such an owner, and is configured; one that is not configured any more may still be left.
func (o *Outgoing) usable(a Address) error {
	if !domain.Reaches(a.Channel, a.OrganizationID != "") {
		return errs.Invalid(errs.Bad("channel", errs.ReasonFieldCombination, "cause", "OWNER"))
	}
	if a.Value != "" && o.sender.Adapters[a.Channel] == nil {
		return errs.Invalid(errs.Bad("channel", errs.ReasonFieldInvalid, "cause", domain.NotConfigured))
	}
	return nil
}

const (
	testPatience = 10 * time.Second
	testLook     = 100 * time.Millisecond
	testsAMinute = 5
)

// SendTest sends one message to an address and answers what became of it within ten seconds. It goes the way of all messages. The same request again sends
// none.
func (o *Outgoing) SendTest(ctx context.Context, caller Caller, owner Owner, name, requestID string) (domain.Delivery, error) {
	if err := o.usable(Address{Owner: owner, Channel: name, Value: "?"}); err != nil {
		return domain.Delivery{}, err
	}
	if ok, _, err := o.sender.Limiter.Allow(ctx, "delivery-test:"+caller.AccountID, testsAMinute, time.Minute); err == nil && !ok {
		return domain.Delivery{}, errs.New(errs.KindLimited, errs.ReasonRateLimited, "too many test messages", nil)
	}
	d := domain.Dispatch{
		County: caller.County, ID: testID(caller, owner, name, requestID), AccountID: owner.AccountID, OrganizationID: owner.OrganizationID, DepartmentCode: owner.DepartmentCode,
		Channel: name, Template: domain.TestTemplate, Event: "test", Urgency: "EMERGENCY",
	}
	err := o.store.Change(ctx, Command{Caller: caller}, func(u Unit) error {
		d.DueTime = u.Now()
		return u.Dispatch(d)
	})
	if err != nil {
		return domain.Delivery{}, err
	}
	wait, stop := context.WithTimeout(ctx, testPatience)
	defer stop()
	look := time.NewTicker(testLook)
	defer look.Stop()
	for {
		got, err := o.sender.Deliveries.Delivery(ctx, d.County, d.ID)
		if err != nil || got.State != domain.StatePending && got.State != domain.StateSending {
			return got, err
		}
		select {
		case <-wait.Done():
			return got, nil
		case <-look.C:
		}
	}
}

// ReachesPatients tells whether patients get SMS under a county's rules: they may, and the channel is configured with texts for them.
func (o *Outgoing) ReachesPatients(rules domain.CountyRules) bool {
	adapter := o.sender.Adapters[domain.SMS]
	if adapter == nil || !rules.PatientSMS || !slices.Contains(rules.Allowed, domain.SMS) {
		return false
	}
	holder, ok := adapter.(channel.Holder)
	return !ok || holder.Holds(domain.PatientBooked) // of texts for patients there are all or none
}

// testID is that of a test message, by which the store knows one that was asked for before.
func testID(caller Caller, owner Owner, name, requestID string) string {
	if requestID == "" {
		return id.New()
	}
	return id.FromFact("test", caller.AccountID, requestID, owner.AccountID, owner.OrganizationID, owner.DepartmentCode, name)
}

// TokenState is what whoever holds a link may know.
type TokenState struct {
	Event, Urgency, ReferralNumber, ReferralID string
	Acknowledged                               time.Time // zero: not yet
}

// ByToken answers what a link is about. What is no token is not found, like one that is unknown or over.
func (o *Outgoing) ByToken(ctx context.Context, token string) (TokenState, error) {
	_, _, state, err := o.byToken(ctx, token)
	return state, err
}

func (o *Outgoing) byToken(ctx context.Context, token string) (county string, l Link, state TokenState, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenBytes {
		return "", l, state, errs.NotFound("link")
	}
	if county, l, err = o.sender.Links.Link(ctx, hashOf(raw), o.sender.Clock.Now()); err != nil {
		return "", l, state, err
	}
	d, err := o.sender.Deliveries.Delivery(ctx, county, l.DeliveryID)
	if err != nil {
		return "", l, state, err
	}
	state = TokenState{Event: d.Event, Urgency: d.Urgency, ReferralNumber: domain.PrintedNumber(d.ReferralNumber), ReferralID: d.ReferralID}
	if l.EntryID != "" {
		e, err := o.sender.Links.EntryOf(ctx, county, l.EntryID)
		if err != nil {
			return "", l, state, err
		}
		state.Acknowledged = e.AcknowledgeTime
	}
	return county, l, state, nil
}

// AcknowledgeByToken acknowledges for the person to whom the message went; again it answers the same.
func (o *Outgoing) AcknowledgeByToken(ctx context.Context, token string) (TokenState, error) {
	county, l, state, err := o.byToken(ctx, token)
	if err != nil || !state.Acknowledged.IsZero() {
		return state, err
	}
	err = o.store.Change(ctx, Command{Caller: Caller{County: county, AccountID: l.AccountID}, ByLink: true}, func(u Unit) error {
		state.Acknowledged = u.Now()
		if l.EntryID != "" {
			e, err := u.Entry(ctx, l.AccountID, l.EntryID)
			if err != nil {
				return err
			}
			e.Acknowledge(u.Now())
			state.Acknowledged = e.Data().AcknowledgeTime
		}
		if l.AlarmID == "" || o.alarm == nil {
			return nil
		}
		return o.alarm(ctx, u, l)
	})
	return state, err
}
