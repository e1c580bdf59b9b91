package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// composed is a delivery that knows where it goes and what it says.
type composed struct {
	d      domain.Delivery
	to     channel.Address
	of     Owner // whose address it is; zero: a patient's
	masked string
	values words.Values
	link   string // with the token
	kept   *Link  // what is kept of it
}

const (
	// askAgain is the pause while a service is away that a patient's message needs.
	askAgain = 30 * time.Second
	// maxBring bounds what a patient's message says of the preparation, in letters: the rest is on the slip.
	maxBring = 120
)

// compose finds the address and fills the places, or tells why it is not sent now.
func (s *Sender) compose(ctx context.Context, d domain.Delivery) (composed, *Aside) {
	c := composed{d: d}
	not := func(state, reason string, wait time.Duration) *Aside {
		return &Aside{County: d.County, ID: d.ID, State: state, Reason: reason, Due: s.Clock.Now().Add(wait)}
	}
	if d.PatientID != "" && d.Event == domain.Reminder {
		now := s.Clock.Now().In(s.cfg.Zone)
		if day := s.cfg.Remind.Next(now); day.After(now) {
			return c, not(domain.StatePending, domain.Night, day.Sub(now))
		}
	}
	if holder, ok := s.Adapters[d.Channel].(channel.Holder); ok {
		if c.d.Language = words.Languages()[0]; !holder.Holds(d.Template) {
			return c, not(domain.StateSkipped, domain.NotConfigured, 0)
		}
	}
	reason, err := s.address(ctx, &c)
	if err == nil && reason == "" {
		reason, err = s.places(ctx, &c)
	}
	switch {
	case err != nil:
		s.Logger.WarnContext(ctx, "a message waits for a service", slog.String("id", d.ID), slog.String("channel", d.Channel), slog.Any("error", err))
		return c, not(domain.StatePending, domain.Waits, askAgain)
	case reason == domain.NotTrue:
		return c, not(domain.StateCancelled, reason, 0)
	case reason != "":
		return c, not(domain.StateSkipped, reason, 0)
	}
	if _, err := s.Words.Text(c.d.Language, d.Template, c.values, d.Again); err != nil {
		s.Logger.ErrorContext(ctx, "a message has no text", slog.String("id", d.ID), slog.String("event", d.Event), slog.Any("error", err))
		return c, not(domain.StateSkipped, domain.NoText, 0)
	}
	return c, nil
}

// address looks where it goes.
func (s *Sender) address(ctx context.Context, c *composed) (reason string, err error) {
	d := c.d
	if d.PatientID != "" {
		phone, reason, err := s.Outside.Contact(ctx, d.County, d.PatientID, d.ReferralID)
		if errs.KindOf(err) == errs.KindNotFound {
			return domain.NoAddress, nil
		}
		if err != nil || reason != "" {
			return reason, err
		}
		c.to, c.masked = channel.Address{Value: phone}, domain.Masked(domain.SMS, phone)
		return "", nil
	}
	c.of = Owner{County: d.County, AccountID: d.AccountID, OrganizationID: d.OrganizationID, DepartmentCode: d.DepartmentCode}
	a, known, err := s.Addresses.Address(ctx, c.of, d.Channel)
	if err == nil && !known && d.DepartmentCode != "" {
		// A department without a group of its own is reached by the organisation's.
		c.of.DepartmentCode = ""
		a, known, err = s.Addresses.Address(ctx, c.of, d.Channel)
	}
	if err != nil || !known {
		return domain.NoAddress, err
	}
	c.to, c.masked = channel.Address{Value: a.Value, Secret: a.Secret}, a.Masked
	return "", nil
}

// places fills what the text may say. Staff are told without what cannot be asked now; a patient is not.
func (s *Sender) places(ctx context.Context, c *composed) (reason string, err error) {
	d := c.d // in the language of the text
	patient := d.PatientID != ""
	c.values = words.Values{"number": domain.PrintedNumber(d.ReferralNumber), "urgency": d.Urgency, "step": d.Step}
	if d.Ring > 0 {
		c.values["ring"] = strconv.Itoa(d.Ring)
	}
	names, err := s.Outside.Names(ctx, d.County)
	if err != nil && patient {
		return "", err
	}
	english := d.Language == "en"
	c.values["from"] = names.Organizations[d.FromOrganizationID].in(english)
	c.values["phone"] = names.Organizations[d.FromOrganizationID].Phone
	if d.BookingID != "" && !strings.HasSuffix(d.Template, "CANCELLED") {
		switch p, err := s.Outside.Booking(ctx, d.County, d.BookingID); {
		case patient && err == nil && !p.Start.IsZero() && !s.Clock.Now().Before(p.Start):
			return domain.NotTrue, nil
		case err == nil && !p.Gone:
			s.place(c.values, names, p, english)
		case patient && (err == nil || errs.KindOf(err) == errs.KindNotFound):
			return domain.NotTrue, nil
		case patient:
			return "", err
		}
	}
	if !patient {
		return "", nil
	}
	number, key, err := s.Outside.SlipKey(ctx, d.County, d.ReferralID)
	if err != nil {
		if errs.KindOf(err) == errs.KindNotFound {
			return domain.NotTrue, nil
		}
		return "", err
	}
	c.values["number"] = number
	if s.cfg.PublicURL != "" && key != "" {
		c.values["verify"] = s.cfg.PublicURL + "/verify/" + number + "?k=" + url.QueryEscape(key)
	}
	return "", nil
}

func (n Name) in(english bool) string {
	if english && n.NameEnglish != "" {
		return n.NameEnglish
	}
	return n.Name
}

// place puts where, when and what to bring in words.
func (s *Sender) place(v words.Values, names Names, p Place, english bool) {
	organization, department := names.Organizations[p.OrganizationID], names.Departments[[2]string{p.OrganizationID, p.DepartmentCode}]
	v["organization"], v["department"] = organization.in(english), department.in(english)
	where := p.Location
	if where == "" {
		where = department.Location
	}
	v["where"] = joined(" ", v["organization"], v["department"], where, p.Ward, p.Bed)
	if department.Phone != "" {
		v["phone"] = department.Phone
	} else if organization.Phone != "" {
		v["phone"] = organization.Phone
	}
	if !p.Start.IsZero() {
		v["when"] = when(p.Start.In(s.cfg.Zone), english)
	}
	bring := p.Bring
	if english && p.BringEnglish != "" {
		bring = p.BringEnglish
	}
	if letters := []rune(strings.TrimRight(bring, "。. \n")); len(letters) > maxBring {
		bring = string(letters[:maxBring-1]) + "…"
	} else {
		bring = string(letters)
	}
	v["bring"] = strings.Join(strings.Fields(bring), " ")
}

func joined(between string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, between)
}

func when(t time.Time, english bool) string {
	if english {
		return t.Format("Monday 2 January, 15:04")
	}
	days := [...]string{"日", "一", "二", "三", "四", "五", "六"}
	return t.Format("1月2日") + "（周" + days[t.Weekday()] + "）" + t.Format("15:04")
}

// link gives a message to a person the link that acknowledges its entry. Without a public address, or randomness, it goes without.
func (s *Sender) link(c *composed) {
	d := c.d
	if s.cfg.PublicURL == "" || d.AccountID == "" || d.EntryID == "" && d.AlarmID == "" {
		return
	}
	token, err := newToken()
	if err != nil {
		return
	}
	c.link = s.cfg.PublicURL + "/k/" + base64.RawURLEncoding.EncodeToString(token)
	c.kept = &Link{
		Hash: hashOf(token), DeliveryID: d.ID, EntryID: d.EntryID, AlarmID: d.AlarmID, AccountID: d.AccountID, Until: s.Clock.Now().Add(s.cfg.LinkFor),
	}
}

func hashOf(token []byte) []byte {
	sum := sha256.Sum256(token)
	return sum[:]
}

// message is what a parcel says.
func (s *Sender) message(p *parcel) (channel.Message, error) {
	first := p.parts[0]
	m := channel.Message{
		ID: first.d.ID, To: first.to, Template: first.d.Template, Values: s.Words.Worded(first.d.Language, first.values),
		Event: first.d.Event, Number: first.values["number"], Link: first.link,
		Emergency: first.d.Urgency == "EMERGENCY", Time: s.Clock.Now(),
	}
	ids := []string{"digest"}
	texts := make([]string, len(p.parts))
	for i, c := range p.parts {
		text, err := s.Words.Text(c.d.Language, c.d.Template, c.values, c.d.Again)
		if err != nil {
			return m, err
		}
		texts[i], ids = text, append(ids, c.d.ID)
		m.Again = m.Again || c.d.Again
	}
	var err error
	if len(texts) > 1 {
		m.ID, m.Template, m.Event, m.Number, m.Values = id.FromFact(ids...), "DIGEST", "digest", "", map[string]string{"count": strconv.Itoa(len(texts))}
		m.Subject, m.Text, err = s.Words.Digest(first.d.Language, texts)
		return m, err
	}
	m.Text = texts[0]
	if first.link != "" {
		line, err := s.Words.Link(first.d.Language, first.link)
		if err != nil {
			return m, err
		}
		m.Text += "\n" + line
	}
	m.Subject, err = s.Words.Subject(first.d.Language, first.values, m.Again)
	return m, err
}
