// Package wecom sends to WeCom (企业微信): to a group by its robot, and to a person by an application of the company.
//
// Contracts: https://developer.work.weixin.qq.com/document/path/91770 (robot) and /path/90236 (application message). A robot takes 20 messages a minute.
package wecom

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

// Base is where WeCom answers.
const Base = "https://qyapi.weixin.qq.com"

const (
	robotPath = "/cgi-bin/webhook/send"
	// maxText is what either takes, in bytes.
	maxText   = 2048
	limitRest = time.Minute
)

// Robot implements channel.Adapter. The address is the robot's key, or the whole address as WeCom shows it.
type Robot struct {
	door *egress.Door
	base string
}

// NewRobot sends through the door to base.
func NewRobot(door *egress.Door, base string) *Robot { return &Robot{door: door, base: base} }

type text struct {
	Content   string   `json:"content"`
	Mentioned []string `json:"mentioned_list,omitempty"`
}

// answer is what WeCom said. Invalid are who is none of the company's, or has no licence: nothing reaches them.
type answer struct {
	Code        int
	ID, Invalid string
}

// Send implements channel.Adapter.
func (a *Robot) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	key, ok := egress.Robot(m.To.Value, a.base, robotPath, "key")
	if !ok {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	t := text{Content: fit(m.Text)}
	if m.Emergency {
		t.Mentioned = []string{"@all"}
	}
	got, err := post(ctx, a.door, a.base+robotPath+"?key="+url.QueryEscape(key), map[string]any{"msgtype": "text", "text": t})
	if err != nil {
		return channel.Receipt{}, err
	}
	return channel.Receipt{Code: "0", MessageID: got.ID}, outcome(got.Code)
}

// Provider implements channel.Adapter.
func (a *Robot) Provider(channel.Address) string { return "wecom-robot" }

// Check implements channel.Adapter.
func (a *Robot) Check(to channel.Address) []channel.Problem {
	if _, ok := egress.Robot(to.Value, a.base, robotPath, "key"); !ok {
		return []channel.Problem{{Field: "value", Remedy: "FORMAT"}}
	}
	return nil
}

func post(ctx context.Context, door *egress.Door, address string, message any) (got answer, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return got, channel.Fail(channel.Refused, "encoding")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return got, channel.Fail(channel.Refused, "address")
	}
	r.Header.Set("Content-Type", "application/json")
	back, err := door.Call(ctx, r, body)
	if err != nil {
		return got, err
	}
	var said struct {
		Code       *int   `json:"errcode"`
		ID         string `json:"msgid"`
		Invalid    string `json:"invaliduser"`
		Unlicensed string `json:"unlicenseduser"`
	}
	if err := back.JSON(&said); err != nil {
		return got, err
	}
	if said.Code == nil {
		return got, channel.Fail(channel.Unknown, "half answer")
	}
	return answer{*said.Code, said.ID, said.Invalid + said.Unlicensed}, nil
}

// WeCom's codes, https://developer.work.weixin.qq.com/document/path/90313.
const (
	codeBusy         = -1
	codeNoRobot      = 93000
	codeRobotOff     = 93004
	codeNotInGroup   = 93008
	codeBadSecret    = 40001
	codeBadCorp      = 40013
	codeBadToken     = 40014
	codeNoToken      = 41001
	codeTokenExpired = 42001
	codeTooOften     = 45009
	codeTooMany      = 45033
	codeBadAgent     = 40056
	codeNotThisIP    = 60020
	codeNoSuchUser   = 81013
)

// outcome is what a code of WeCom means: nil for 0. A robot that is not known, switched off or out of its group, and a credential, can be mended.
func outcome(code int) error {
	word := strconv.Itoa(code)
	switch code {
	case 0:
		return nil
	case codeBusy:
		return channel.Fail(channel.Unknown, word)
	case codeTooOften, codeTooMany:
		return &channel.Error{Class: channel.Limited, Code: word, After: limitRest}
	case codeBadSecret, codeBadCorp, codeBadToken, codeNoToken, codeTokenExpired, codeNotThisIP, codeBadAgent:
		return channel.FailWhole(word)
	case codeNoRobot, codeRobotOff, codeNotInGroup:
		return channel.Fail(channel.Setup, word)
	}
	return channel.Fail(channel.Refused, word)
}

// fit cuts a text to what is taken, at a letter.
func fit(s string) string {
	const more = "…"
	if len(s) <= maxText {
		return s
	}
	end := maxText - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}
