// Package aliyun sends SMS by Aliyun's short message service (阿里云短信), SendSms of version 2017-05-25, signed as version 3 (ACS3-HMAC-SHA256), which
// Aliyun recommends over version 2 (HMAC-SHA1).
//
// Aliyun holds the texts: each has to be approved there, and gets a code. What is filled in are the values of the message; a text's variables carry their
// names. A repeat goes by the code with _AGAIN, whose text has to say so. A message without a code of its own goes by the general one, whose only variable
// is text. The parameters go in the body, so that no number is part of a URL.
package aliyun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
)

// Base is where the service answers.
const Base = "https://dysmsapi.aliyuncs.com"

// Again ends the name under which a text has the code of its repeat.
const Again = "_AGAIN"

// Version of the service's contract.
const (
	Version    = "2017-05-25"
	action     = "SendSms"
	nonceBytes = 16
)

// Account is the key, the signature in front of each text (短信签名), and the codes of the approved texts by template; General stands in.
type Account struct {
	Base, KeyID, Secret, SignName string
	Codes                         map[string]string
	General                       string
}

// Adapter implements channel.Adapter. The address is a mobile number of the mainland.
type Adapter struct {
	door   *egress.Door
	clk    clock.Clock
	acc    Account
	mobile *regexp.Regexp
}

// New sends through the door for the account.
func New(door *egress.Door, clk clock.Clock, acc Account) *Adapter {
	return &Adapter{door: door, clk: clk, acc: acc, mobile: regexp.MustCompile(`^(\+?86)?1[3-9][0-9]{9}$`)}
}

// Send implements channel.Adapter.
func (a *Adapter) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	own := m.Template
	if m.Again {
		own += Again // an approved text says of itself that it is a repeat
	}
	code, values := a.acc.Codes[own], m.Values
	if code == "" {
		code, values = a.acc.General, map[string]string{"text": m.Text}
	}
	if code == "" {
		return channel.Receipt{}, channel.Fail(channel.Refused, "no template")
	}
	if len(a.Check(m.To)) > 0 {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	parameters, err := json.Marshal(values)
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "encoding")
	}
	r, body, err := a.request(ctx, url.Values{
		"PhoneNumbers": {number(m.To.Value)}, "SignName": {a.acc.SignName}, "TemplateCode": {code}, "TemplateParam": {string(parameters)}, "OutId": {m.ID},
	})
	if err != nil {
		return channel.Receipt{}, err
	}
	answer, err := a.door.Call(ctx, r, body)
	if err != nil {
		return channel.Receipt{}, err
	}
	return receipt(answer)
}

func (a *Adapter) request(ctx context.Context, form url.Values) (*http.Request, []byte, error) {
	body := encode(form)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.acc.Base+"/", nil)
	if err != nil {
		return nil, nil, channel.Fail(channel.Away, "address")
	}
	nonce := make([]byte, nonceBytes)
	if _, err := rand.Read(nonce); err != nil {
		return nil, nil, channel.Fail(channel.Away, "random")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(headerAction, action)
	r.Header.Set(headerVersion, Version)
	r.Header.Set(headerDate, a.clk.Now().UTC().Format(time.RFC3339))
	r.Header.Set(headerNonce, hex.EncodeToString(nonce))
	r.Header.Set(headerContent, Hash(body))
	r.Header.Set("Authorization", Authorization(a.acc.KeyID, a.acc.Secret, r))
	return r, []byte(body), nil
}

// number is the eleven digits.
func number(value string) string {
	const digits = 11
	return value[len(value)-digits:]
}

// receipt reads an answer: an error of the gateway has a status of its own, one of the service is a 200 with a code.
func receipt(answer egress.Answer) (channel.Receipt, error) {
	var got struct{ Code, BizId, Message string }
	if !answer.Whole || json.Unmarshal(answer.Body, &got) != nil || got.Code == "" {
		if err := answer.Classify(); err != nil {
			return channel.Receipt{}, err
		}
		return channel.Receipt{}, channel.Fail(channel.Unknown, "half answer")
	}
	if got.Code == "OK" {
		return channel.Receipt{Code: got.Code, MessageID: got.BizId}, nil
	}
	return channel.Receipt{}, outcome(got.Code, got.Message)
}

// outcome is what a code means (https://help.aliyun.com/zh/sms/developer-reference/api-error-codes). What is wrong with the account is nobody's
// message: it can be mended.
func outcome(code, message string) error {
	switch code {
	case "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL":
		return &channel.Error{Class: channel.Limited, Code: code, After: pause(message)}
	case "isp.SYSTEM_ERROR", "InternalError", "SignatureNonceUsed", "UnknownError":
		return channel.Fail(channel.Unknown, code)
	case "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL", "isv.PRODUCT_UN_SUBSCRIPT",
		"isp.RAM_PERMISSION_DENY", "isv.DENY_IP_RANGE", "SignatureDoesNotMatch", "IncompleteSignature", "ServiceUnavailable",
		"isp.GATEWAY_NO_USEABLE_CHANNEL":
		return channel.Fail(channel.Away, code)
	}
	switch {
	case strings.HasPrefix(code, "Throttling"):
		return &channel.Error{Class: channel.Limited, Code: code, After: time.Minute}
	case strings.HasPrefix(code, "InvalidAccessKeyId"), strings.HasPrefix(code, "InvalidTimeStamp"), strings.HasPrefix(code, "Forbidden"):
		return channel.Fail(channel.Away, code)
	}
	return channel.Fail(channel.Refused, code)
}

// pause: the text of the code says which of the limits of a number it was.
func pause(message string) time.Duration {
	switch {
	case strings.Contains(message, "天级"), strings.Contains(message, "小时级"):
		return time.Hour
	}
	return time.Minute
}

// Provider implements channel.Adapter.
func (a *Adapter) Provider(channel.Address) string { return "aliyun-sms" }

// Check implements channel.Adapter.
func (a *Adapter) Check(to channel.Address) []channel.Problem {
	if !a.mobile.MatchString(to.Value) {
		return []channel.Problem{{Field: "value", Remedy: "FORMAT"}}
	}
	return nil
}
