// Package dingtalk sends to a group of DingTalk (钉钉) by its robot, signed with the robot's secret.
//
// Contract: https://open.dingtalk.com/document/robots/custom-robot-access and /customize-robot-security-settings: sign = base64 of HMAC-SHA-256, keyed with
// the secret, over timestamp "\n" secret, with the timestamp in milliseconds, good for an hour. A robot takes 20 messages a minute and rests then.
package dingtalk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

// Base is where DingTalk answers.
const Base = "https://oapi.dingtalk.com"

const (
	path         = "/robot/send"
	parameter    = "access_token"
	secretPrefix = "SEC"
	maxSecret    = 128
	limitRest    = 10 * time.Minute
	maxText      = 5000 // letters; the documented limit is 20,000 bytes
)

// Adapter implements channel.Adapter. The address is the robot's access token, or the whole address as DingTalk shows it; the secret is the robot's.
type Adapter struct {
	door *egress.Door
	clk  clock.Clock
	base string
}

// New sends through the door to base.
func New(door *egress.Door, clk clock.Clock, base string) *Adapter {
	return &Adapter{door: door, clk: clk, base: base}
}

// Sign is the sign of a robot's secret at an instant in milliseconds.
func Sign(secret, timestamp string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Send implements channel.Adapter.
func (a *Adapter) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	token, ok := egress.Robot(m.To.Value, a.base, path, parameter)
	if !ok {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	at := strconv.FormatInt(a.clk.Now().UnixMilli(), 10)
	query := url.Values{parameter: {token}, "timestamp": {at}, "sign": {Sign(m.To.Secret, at)}}
	body, err := json.Marshal(map[string]any{
		"msgtype": "text", "text": map[string]string{"content": fit(m.Text)}, "at": map[string]bool{"isAtAll": m.Emergency},
	})
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "encoding")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+path+"?"+query.Encode(), nil)
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	r.Header.Set("Content-Type", "application/json")
	back, err := a.door.Call(ctx, r, body)
	if err != nil {
		return channel.Receipt{}, err
	}
	var got struct {
		Code *int `json:"errcode"`
	}
	if err := back.JSON(&got); err != nil {
		return channel.Receipt{}, err
	}
	if got.Code == nil {
		return channel.Receipt{}, channel.Fail(channel.Unknown, "half answer")
	}
	return channel.Receipt{Code: "0"}, outcome(*got.Code)
}

// DingTalk's codes.
const (
	codeBusy    = -1
	codeTooFast = 130101
	codeSlower  = 410100

	codeNoToken   = 300001
	codeBadSign   = 310000 // also a word or address that the robot's settings ask for
	codeNoRobot   = 400101
	codeRobotOff  = 400102
	codeRobotGone = 400106
)

func outcome(code int) error {
	word := strconv.Itoa(code)
	switch code {
	case 0:
		return nil
	case codeBusy:
		return channel.Fail(channel.Unknown, word)
	case codeTooFast, codeSlower:
		return &channel.Error{Class: channel.Limited, Code: word, After: limitRest}
	case codeNoToken, codeBadSign, codeNoRobot, codeRobotOff, codeRobotGone:
		return channel.Fail(channel.Setup, word)
	}
	return channel.Fail(channel.Refused, word)
}

func fit(s string) string {
	if letters := []rune(s); len(letters) > maxText {
		return string(letters[:maxText-1]) + "…"
	}
	return s
}

// Provider implements channel.Adapter.
func (a *Adapter) Provider(channel.Address) string { return "dingtalk-robot" }

// Check implements channel.Adapter.
func (a *Adapter) Check(to channel.Address) (problems []channel.Problem) {
	if _, ok := egress.Robot(to.Value, a.base, path, parameter); !ok {
		problems = append(problems, channel.Problem{Field: "value", Remedy: "FORMAT"})
	}
	switch {
	case to.Secret == "":
		problems = append(problems, channel.Problem{Field: "secret", Remedy: "REQUIRED"})
	case !strings.HasPrefix(to.Secret, secretPrefix) || len(to.Secret) > maxSecret:
		problems = append(problems, channel.Problem{Field: "secret", Remedy: "FORMAT"})
	}
	return problems
}
