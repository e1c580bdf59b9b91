package wecom

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

// Account is the company's application.
type Account struct {
	Base, Corp, Secret string
	Agent              int
}

// App implements channel.Adapter. The address is a user id of the company.
type App struct {
	door *egress.Door
	clk  clock.Clock
	acc  Account

	mu    sync.Mutex // also keeps two from fetching a token at once: each makes the one before worthless sooner
	token string
	until time.Time
}

// NewApp sends through the door for the account.
func NewApp(door *egress.Door, clk clock.Clock, acc Account) *App {
	return &App{door: door, clk: clk, acc: acc}
}

const (
	tokenPath = "/cgi-bin/gettoken"
	sendPath  = "/cgi-bin/message/send"
	// early is how long before its end a token is renewed.
	early  = 5 * time.Minute
	maxUID = 64
)

// Send implements channel.Adapter. A token that WeCom does not take any more is renewed once: nothing was sent with it.
func (a *App) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	if len(a.Check(m.To)) > 0 {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	for again := false; ; again = true {
		token, err := a.access(ctx)
		if err != nil {
			return channel.Receipt{}, err
		}
		got, err := post(ctx, a.door, a.acc.Base+sendPath+"?access_token="+url.QueryEscape(token), map[string]any{
			"touser": m.To.Value, "msgtype": "text", "agentid": a.acc.Agent, "text": text{Content: fit(m.Text)},
		})
		switch {
		case err != nil:
			return channel.Receipt{}, err
		case got.Code == codeBadToken || got.Code == codeTokenExpired:
			a.forget(token)
			if !again {
				continue
			}
		case got.Code == 0 && got.Invalid != "":
			// Taken for nobody.
			return channel.Receipt{}, channel.Fail(channel.Refused, "invaliduser")
		}
		return channel.Receipt{Code: "0", MessageID: got.ID}, outcome(got.Code)
	}
}

// access is a token that holds for a while. Whatever goes wrong here, no message was sent.
func (a *App) access(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.clk.Now().Before(a.until) {
		return a.token, nil
	}
	query := url.Values{"corpid": {a.acc.Corp}, "corpsecret": {a.acc.Secret}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.acc.Base+tokenPath+"?"+query.Encode(), nil)
	if err != nil {
		return "", channel.Fail(channel.Away, "address")
	}
	back, err := a.door.Call(ctx, r, nil)
	if err != nil {
		return "", certainly(err)
	}
	var got struct {
		Code  int    `json:"errcode"`
		Token string `json:"access_token"`
		For   int    `json:"expires_in"`
	}
	if err := back.JSON(&got); err != nil {
		return "", certainly(err)
	}
	if err := outcome(got.Code); err != nil {
		return "", certainly(err)
	}
	if got.Token == "" {
		return "", channel.Fail(channel.Away, "token half answer")
	}
	a.token, a.until = got.Token, a.clk.Now().Add(max(time.Duration(got.For)*time.Second-early, early))
	return a.token, nil
}

// certainly: a failure before the message was sent is no failure of the message.
func certainly(err error) error {
	e := channel.ClassOf(err)
	switch e.Class {
	case channel.Limited:
		return e
	case channel.Setup, channel.Refused:
		return channel.FailWhole("token " + e.Code)
	}
	return channel.Fail(channel.Away, "token "+e.Code)
}

// forget drops a token, unless another was fetched meanwhile.
func (a *App) forget(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == token {
		a.token = ""
	}
}

// Provider implements channel.Adapter.
func (a *App) Provider(channel.Address) string { return "wecom-app" }

// Check implements channel.Adapter: a user id has up to 64 letters; @all and lists would reach others.
func (a *App) Check(to channel.Address) []channel.Problem {
	if to.Value == "" || len(to.Value) > maxUID || strings.HasPrefix(to.Value, "@") || strings.ContainsAny(to.Value, "|, \t\r\n") {
		return []channel.Problem{{Field: "value", Remedy: "FORMAT"}}
	}
	return nil
}
