// Package aliyun sends SMS by Aliyun's short message service (阿里云短信), SendSms of version 2017-05-25, signed as version 3 (ACS3-HMAC-SHA256), which
// Aliyun recommends over version 2 (HMAC-SHA1).
//
// Aliyun holds the texts: each has to be approved there, and gets a code; services/doc/sms.md has those to apply for (Kinds). What is filled in are the
// variables of the text, by the names of the message's values: none is empty, none longer than Aliyun takes, and a link is in none but those of texts whose
// approval covers it. A repeat goes by the code with _AGAIN, whose text has to say so. The parameters go in the body, so that no number is part of a URL.
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

// Version of the service's contract.
const (
	Version    = "2017-05-25"
	action     = "SendSms"
	nonceBytes = 16
)

// Account is the key, the signature in front of each text (短信签名), and the approved texts. Phone and PublicURL are said where a message has no number to
// call, or no link, of its own.
type Account struct {
	Base, KeyID, Secret, SignName string
	Texts                         Texts
	Phone, PublicURL              string
}

// Adapter implements channel.Adapter. The address is a mobile number of the mainland.
type Adapter struct {
	door                   *egress.Door
	clk                    clock.Clock
	acc                    Account
	mobile, phone, address *regexp.Regexp
}

// New sends through the door for the account.
func New(door *egress.Door, clk clock.Clock, acc Account) *Adapter {
	return &Adapter{
		door: door, clk: clk, acc: acc, mobile: regexp.MustCompile(`^(\+?86)?1[3-9][0-9]{9}$`), phone: Phone(), address: addresses(),
	}
}

// Holds implements channel.Holder.
func (a *Adapter) Holds(template string) bool {
	_, ok := a.text(template, "", false)
	return ok
}

// text is the approved one of a template: its own, or of staff the one of all.
func (a *Adapter) text(template, number string, again bool) (Text, bool) {
	names := []string{template}
	if !strings.HasPrefix(template, patientPrefix) {
		if number != "" {
			names = append(names, Staff)
		}
		names = append(names, Plain)
	}
	for _, name := range names {
		if again {
			name += Again // an approved text says of itself that it is a repeat
		}
		if t, ok := a.acc.Texts[name]; ok {
			return t, true
		}
	}
	return Text{}, false
}

// Send implements channel.Adapter.
func (a *Adapter) Send(ctx context.Context, m channel.Message) (channel.Receipt, error) {
	text, ok := a.text(m.Template, m.Values["number"], m.Again)
	if !ok {
		return channel.Receipt{}, channel.Fail(channel.Refused, "no template")
	}
	if len(a.Check(m.To)) > 0 {
		return channel.Receipt{}, channel.Fail(channel.Refused, "address")
	}
	parameters, err := json.Marshal(a.fill(text, m))
	if err != nil {
		return channel.Receipt{}, channel.Fail(channel.Refused, "encoding")
	}
	r, body, err := a.request(ctx, url.Values{
		"PhoneNumbers": {number(m.To.Value)}, "SignName": {a.acc.SignName}, "TemplateCode": {text.Code}, "TemplateParam": {string(parameters)}, "OutId": {m.ID},
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
		if err := answer.Provider(); err != nil {
			return channel.Receipt{}, err
		}
		return channel.Receipt{}, channel.Fail(channel.Unknown, "half answer")
	}
	if got.Code == "OK" {
		return channel.Receipt{Code: got.Code, MessageID: got.BizId}, nil
	}
	return channel.Receipt{}, outcome(got.Code, got.Message)
}

// outcome is what a code means (https://help.aliyun.com/zh/sms/developer-reference/api-error-codes). What is wrong with the account, or with an approved
// text, is nobody's message: it can be mended. An error of the service or of what stands before it (ServiceUnavailable comes with a 503) leaves open whether
// the message went on.
func outcome(code, message string) error {
	switch code {
	case "isv.BUSINESS_LIMIT_CONTROL", "isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL":
		return &channel.Error{Class: channel.Limited, Code: code, After: pause(message)}
	case "isp.SYSTEM_ERROR", "InternalError", "SignatureNonceUsed", "UnknownError", "ServiceUnavailable":
		return channel.Fail(channel.Unknown, code)
	case "isp.GATEWAY_NO_USEABLE_CHANNEL":
		return channel.Fail(channel.Away, code)
	case "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL", "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE",
		"isp.RAM_PERMISSION_DENY", "isv.DENY_IP_RANGE", "SignatureDoesNotMatch", "IncompleteSignature", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL",
		"isv.SMS_SIGNATURE_SCENE_ILLEGAL":
		return channel.FailWhole(code)
	case "isv.SMS_TEMPLATE_ILLEGAL", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL", "isv.SMS_CONTENT_ILLEGAL", "isv.PARAM_LENGTH_LIMIT",
		"isv.PARAM_NOT_SUPPORT_URL", "isv.BLACK_KEY_CONTROL_LIMIT", "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE":
		return channel.Fail(channel.Setup, code)
	}
	switch {
	case strings.HasPrefix(code, "Throttling"):
		return &channel.Error{Class: channel.Limited, Code: code, After: time.Minute}
	case strings.HasPrefix(code, "InvalidAccessKeyId"), strings.HasPrefix(code, "InvalidTimeStamp"), strings.HasPrefix(code, "Forbidden"):
		return channel.FailWhole(code)
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
