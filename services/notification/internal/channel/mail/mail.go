// Package mail sends e-mail by SMTP: STARTTLS required, TLS from the first byte, or none, which is for a relay on this machine.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
)

// Security of the connection.
type Security string

// The kinds. None is for loopback only; New refuses it elsewhere.
const (
	StartTLS Security = "starttls"
	Implicit Security = "tls"
	None     Security = "none"
)

// Account is the mail server and who sends.
type Account struct {
	Host           string
	Port           int
	Security       Security
	User, Password string // empty: without signing in
	From           string // an address, with or without a name
	TLS            *tls.Config
	Timeout        time.Duration
}

// Adapter implements channel.Adapter. The address is a mailbox.
type Adapter struct {
	acc     Account
	clk     clock.Clock
	options []gomail.Option
}

// New makes an adapter, or tells what is wrong with the account.
func New(acc Account, clk clock.Clock) (*Adapter, error) {
	if _, err := mail.ParseAddress(acc.From); err != nil {
		return nil, errors.New("the sender's address is malformed")
	}
	options := []gomail.Option{gomail.WithPort(acc.Port), gomail.WithTimeout(acc.Timeout), gomail.WithoutNoop()}
	if acc.TLS != nil {
		options = append(options, gomail.WithTLSConfig(acc.TLS))
	}
	switch acc.Security {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Implicit:
		options = append(options, gomail.WithSSL())
	case None:
		if acc.Host != "127.0.0.1" && acc.Host != "::1" && acc.Host != "localhost" {
			return nil, errors.New("without TLS only a mail server of this machine is used")
		}
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, errors.New("the security is starttls, tls or none")
	}
	if acc.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(acc.User), gomail.WithPassword(acc.Password))
	}
	if _, err := gomail.NewClient(acc.Host, options...); err != nil {
		return nil, errors.New("the mail server's settings are malformed")
	}
	return &Adapter{acc: acc, clk: clk, options: options}, nil
}

// Send implements channel.Adapter. The Message-ID is the message's on a repeat too, by which mail programs show it once.
func (a *Adapter) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	if len(a.Check(m.To)) > 0 {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	message := gomail.NewMsg()
	if message.From(a.acc.From) != nil || message.To(m.To.Value) != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	id := m.ID + "@" + a.domain()
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(id)
	message.SetDateWithValue(m.Time)
	if m.Emergency {
		message.SetImportance(gomail.ImportanceUrgent)
	}
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	patience := a.acc.Timeout
	if end, ok := ctx.Deadline(); ok {
		// The library knows the deadline of the connecting only.
		patience = max(min(patience, end.Sub(a.clk.Now())), time.Millisecond)
	}
	client, err := gomail.NewClient(a.acc.Host, append(slices.Clone(a.options), gomail.WithTimeout(patience))...)
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Away, "settings")
	}
	if err := client.DialWithContext(ctx); err != nil {
		return channel.Receipt{}, beforehand(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.Send(message); err != nil && !message.IsDelivered() {
		return channel.Receipt{}, classify(err)
	}
	return channel.Receipt{Code: "250", MessageID: id}, nil
}

func (a *Adapter) domain() string {
	from, err := mail.ParseAddress(a.acc.From)
	if err != nil {
		return "localhost"
	}
	return from.Address[strings.LastIndexByte(from.Address, '@')+1:]
}

// beforehand: until there is a connection that is signed in, nothing of a message was said. A server that says for good that it does not let us in has to be
// told another password.
func beforehand(err error) error {
	var said *textproto.Error
	switch {
	case !errors.As(err, &said):
		return channel.Fail(channel.Away, "unreachable")
	case said.Code >= permanent:
		return channel.FailWhole(strconv.Itoa(said.Code))
	}
	return channel.Fail(channel.Away, strconv.Itoa(said.Code))
}

const permanent = 500

// classify: until the message's last line was said, it was certainly not taken; after that only the server's own answer tells.
func classify(err error) error {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return channel.Fail(channel.Unknown, "error")
	}
	code, word := e.ErrorCode(), strconv.Itoa(e.ErrorCode())
	if code == 0 {
		word = "no answer"
	}
	switch {
	case e.Reason == gomail.ErrSMTPDataClose && code == 0:
		return channel.Fail(channel.Unknown, word)
	case code >= permanent && e.Reason == gomail.ErrSMTPMailFrom: // who sends is nobody's message: it can be mended
		return channel.FailWhole(word)
	case code >= permanent:
		return channel.Fail(channel.Refused, word)
	case e.Reason == gomail.ErrSMTPRcptTo && code != 0:
		// Greylisting and full boxes: later.
		return &channel.Error{Class: channel.Limited, Code: word}
	}
	return channel.Fail(channel.Away, word)
}

// Provider implements channel.Adapter.
func (a *Adapter) Provider(channel.Address) string { return "smtp" }

const maxAddress = 254

// Check implements channel.Adapter.
func (a *Adapter) Check(to channel.Address) []channel.Problem {
	if got, err := mail.ParseAddress(to.Value); err != nil || got.Address != to.Value || len(to.Value) > maxAddress || !strings.Contains(to.Value, ".") {
		return []channel.Problem{{Field: "value", Remedy: "FORMAT"}}
	}
	return nil
}
