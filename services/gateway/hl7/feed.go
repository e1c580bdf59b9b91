package hl7

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
)

// Deps is what a feed stands on; all are required but Senders, which may be none.
type Deps struct {
	Senders   Senders
	Feed      patientrecordv1.FeedServiceClient
	Directory directoryv1.DirectoryServiceClient
	Clock     clock.Clock
	Logger    *slog.Logger
	// Zone of time stamps that name none.
	Zone *time.Location
}

// Feed takes messages one by one. Safe for concurrent use.
type Feed struct {
	Deps
	mu sync.Mutex
	// counties are the organisations of counties, as they were lately.
	counties map[string]county
	// accounts are those of senders, as they were lately.
	accounts map[*Sender]account
}

// county is what the directory said of a county's organisations.
type county struct {
	// ids by code, senders those of them that may have a system of their own.
	ids     map[string]string
	senders map[string]bool
	until   time.Time
}

// account is what the directory said of a sender's account.
type account struct {
	// id is empty for one that may not send.
	id    string
	until time.Time
}

// accountKept is how long a sender may go on after its account was disabled, and how old what is known of organisations may be.
const accountKept = time.Minute

// NewFeed makes a feed.
func NewFeed(d Deps) *Feed {
	return &Feed{Deps: d, counties: map[string]county{}, accounts: map[*Sender]account{}}
}

// Take answers a message that came from an address with its acknowledgement. An error means that nothing is known to be kept: close the
// connection without an answer, and the sender sends it again. large says that raw is only the head of a message beyond MaxSize.
func (f *Feed) Take(ctx context.Context, from netip.Addr, raw []byte, large bool) ([]byte, error) {
	now := f.Clock.Now()
	m, sender, problem := f.parse(from, raw)
	if large {
		problem = wrong(ReasonTooLarge, "MSH")
	}
	if sender == nil || len(raw) == 0 {
		return acknowledge(m, refused, wrong(reasonSenderDenied, "MSH-3"), now), nil
	}
	in := &patientrecordv1.AcceptMessageRequest{County: sender.County, Sender: sender.Name(), Raw: raw}
	ctx = rpc.WithCounty(rpc.AsService(ctx), sender.County)
	there, err := f.county(ctx, sender.County)
	if err != nil {
		return nil, err
	}
	organization, err := there.of(sender)
	if err != nil {
		return nil, err
	}
	if in.AccountId, err = f.account(ctx, sender, organization); err != nil {
		return nil, err
	}
	if in.GetAccountId() == "" {
		f.Logger.WarnContext(ctx, "HL7 sender refused: its account is none of the organisation's feeds", "sender", sender.Name())
		return acknowledge(m, refused, wrong(reasonSenderDenied, "MSH-3"), now), nil
	}
	in.OrganizationId = organization
	if m != nil {
		kind, event := kindOf(m)
		if !sender.allows(kind) && problem == nil {
			return acknowledge(m, refused, wrong(reasonTypeRefused, "MSH-9"), now), nil
		}
		in.ControlId, in.Type = shorten(m.first("MSH").text(10), 60), shorten(plainType(kind+"^"+event), 30)
	}
	if problem == nil {
		in.Record, problem = Reading{Sender: sender, OrganizationID: organization, Organizations: there.ids, Zone: f.Zone}.Read(m)
	}
	if problem != nil {
		in.Problem = &patientrecordv1.FeedProblem{Reason: problem.Reason, Position: problem.Position}
	}
	answer, err := f.Feed.AcceptMessage(ctx, in)
	if refusal, ok := errs.As(err); ok && refusal.Kind == errs.KindInvalid && in.GetRecord() != nil {
		// What is beyond the contract is no reason to hold up what comes behind it: a person looks at it.
		in.Record, in.Problem = nil, &patientrecordv1.FeedProblem{Reason: errs.ReasonFieldInvalid}
		if len(refusal.Fields) > 0 {
			in.Problem = &patientrecordv1.FeedProblem{Reason: refusal.Fields[0].Reason, Position: shorten(refusal.Fields[0].Name, 60)}
		}
		answer, err = f.Feed.AcceptMessage(ctx, in)
	}
	if err != nil {
		return nil, fmt.Errorf("store a message of %s: %w", sender.Name(), err)
	}
	if answer.GetState() == patientrecordv1.FeedState_QUARANTINED {
		f.Logger.WarnContext(ctx, "message in quarantine", "id", answer.GetMessageId(), "reason", answer.GetProblem().GetReason())
		return acknowledge(m, quarantined, &Error{answer.GetProblem().GetReason(), answer.GetProblem().GetPosition()}, now), nil
	}
	return acknowledge(m, accepted, nil, now), nil
}

// plainType keeps what may be a type of message; it is shown to people who may see no patient data.
func plainType(s string) string {
	out := make([]byte, 0, len(s))
	for _, c := range []byte(s) {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '^' {
			out = append(out, c)
		}
	}
	return string(out[:min(len(out), 10)])
}

// parse reads a message that came from an address, and whose it is; nil if it is nobody's. The header tells the sender, and the sender's settings
// the character set of a header that names none.
func (f *Feed) parse(from netip.Addr, raw []byte) (*Message, *Sender, *Error) {
	assumed := f.Senders.charset(from)
	m, problem := Parse(raw, assumed)
	if m == nil {
		return nil, f.Senders.first(from), problem
	}
	sender := f.Senders.of(m, from)
	if sender != nil && sender.Charset != assumed {
		m, problem = Parse(raw, sender.Charset)
	}
	return m, sender, problem
}

// Reread reads a message in quarantine by today's settings; organizations are those of its county, ids by code. A sender that is no longer
// named is an *Error of the message.
func (f *Feed) Reread(m *patientrecordv1.FeedMessage, organizations map[string]string) (*patientrecordv1.FeedRecord, *Error) {
	var sender *Sender
	for code, id := range organizations {
		if id == m.GetOrganizationId() {
			sender = f.Senders.named(code, m.GetSender())
		}
	}
	if sender == nil {
		return nil, wrong(reasonSenderDenied, "MSH-3")
	}
	parsed, problem := Parse(m.GetRaw(), sender.Charset)
	if problem == nil && m.GetProblem().GetReason() == ReasonTooLarge && len(m.GetRaw()) == headKept {
		problem = wrong(ReasonTooLarge, "MSH")
	}
	if problem != nil {
		return nil, problem
	}
	return Reading{Sender: sender, OrganizationID: m.GetOrganizationId(), Organizations: organizations, Zone: f.Zone}.Read(parsed)
}

// of is the id of the sender's organisation.
func (c county) of(s *Sender) (string, error) {
	if !c.senders[s.Organization] {
		return "", fmt.Errorf("county %s has no organisation %s, which the settings of sender %s name", s.County, s.Organization, s.Name())
	}
	return c.ids[s.Organization], nil
}

// county are the organisations of a county; ctx acts in it.
func (f *Feed) county(ctx context.Context, code string) (county, error) {
	now := f.Clock.Now()
	f.mu.Lock()
	known, there := f.counties[code]
	f.mu.Unlock()
	if there && now.Before(known.until) {
		return known, nil
	}
	known = county{ids: map[string]string{}, senders: map[string]bool{}, until: now.Add(accountKept)}
	for token := ""; ; {
		page, err := f.Directory.ListOrganizations(ctx, &directoryv1.ListOrganizationsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return county{}, fmt.Errorf("list organisations of county %s: %w", code, err)
		}
		for _, o := range page.GetOrganizations() {
			known.ids[o.GetCode()], known.senders[o.GetCode()] = o.GetId(), o.GetType() != directoryv1.OrganizationType_EXTERNAL
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counties[code] = known
	return known, nil
}

// account is the id of the sender's account; "" if there is none that is INTEGRATION, of that organisation and not disabled.
func (f *Feed) account(ctx context.Context, s *Sender, organization string) (string, error) {
	now := f.Clock.Now()
	f.mu.Lock()
	known, there := f.accounts[s]
	f.mu.Unlock()
	if there && now.Before(known.until) {
		return known.id, nil
	}
	known = account{until: now.Add(accountKept)}
	for token := ""; ; {
		page, err := f.Directory.ListAccounts(ctx, &directoryv1.ListAccountsRequest{OrganizationId: organization, PageSize: 200, PageToken: token})
		if err != nil {
			return "", fmt.Errorf("list accounts of organisation %s: %w", organization, err)
		}
		for _, a := range page.GetAccounts() {
			if a.GetLogin() == s.Account && a.GetOrganizationId() == organization && !a.GetDisabled() && slices.Contains(a.GetRoles(), commonv1.Role_INTEGRATION) {
				known.id = a.GetId()
			}
		}
		if token = page.GetNextPageToken(); token == "" || known.id != "" {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.accounts[s] = known
	return known.id, nil
}
