package channeltest

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/aliyun"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/dingtalk"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/webhook"
)

// Keys that the simulators know. None is a secret.
const (
	RobotKey      = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
	WeComCorp     = "ww1234567890abcdef"
	WeComSecret   = "wecom-app-secret"
	WeComAgent    = 1000002
	WeComUser     = "LiSi"
	DingTalkToken = "dingtalk-token-0123456789abcdef"
	DingTalkKey   = "SECdingtalk-robot-secret"
	SMSKey        = "LTAI-test-key"
	SMSSecret     = "sms-secret"
	SMSSign       = "阳朔转诊"
	SMSPhone      = "0773-8822120"
	WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	Mailbox       = "desk@hospital.example"
	MailUser      = "tongzhen"
	MailPassword  = "mail-password"
)

func said(code int, word string) reply {
	return reply{status: http.StatusOK, body: fmt.Sprintf(`{"errcode":%d,"errmsg":%q,"msgid":"m-%d"}`, code, word, code)}
}

func refuse(code int) *reply {
	r := said(code, "refused")
	return &r
}

type content struct {
	Type    string `json:"msgtype"`
	To      string `json:"touser"`
	Agent   int    `json:"agentid"`
	Content struct {
		Text string `json:"content"`
	} `json:"text"`
}

// WeComRobot knows one robot, RobotKey.
func WeComRobot(t testing.TB) *Simulator {
	t.Helper()
	return overHTTP(t, provider{
		verify: func(r *http.Request, body []byte) (Taken, *reply) {
			var c content
			switch {
			case r.URL.Path != "/cgi-bin/webhook/send" || r.URL.Query().Get("key") != RobotKey:
				return Taken{}, refuse(93000)
			case json.Unmarshal(body, &c) != nil || c.Type != "text":
				return Taken{}, refuse(40008)
			case c.Content.Text == "" || len(c.Content.Text) > 2048:
				return Taken{}, refuse(44004)
			}
			return Taken{To: RobotKey, Text: c.Content.Text}, nil
		},
		taken:   func() reply { return said(0, "ok") },
		answers: map[Fault]reply{TooMany: said(45009, "api freq out of limit"), Busy: said(-1, "system busy"), BadAddress: said(93000, "invalid webhook url")},
	})
}

// Tokens is WeCom's gettoken: each is good until Expire.
type Tokens struct {
	mu      sync.Mutex
	fetched int
	current string
}

// Expire makes what was handed out worthless.
func (t *Tokens) Expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = ""
}

// Fetched is how often one was asked for.
func (t *Tokens) Fetched() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fetched
}

func (t *Tokens) good(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return token != "" && token == t.current
}

func (t *Tokens) serve(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/cgi-bin/gettoken" {
		return false
	}
	q := r.URL.Query()
	if q.Get("corpid") != WeComCorp || q.Get("corpsecret") != WeComSecret {
		refuse(40001).write(w)
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fetched++
	t.current = "token-" + strconv.Itoa(t.fetched)
	reply{status: http.StatusOK, body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","access_token":%q,"expires_in":7200}`, t.current)}.write(w)
	return true
}

// WeComApp knows one company with one member, WeComUser.
func WeComApp(t testing.TB) (*Simulator, *Tokens) {
	t.Helper()
	tokens := &Tokens{}
	nobody := said(0, "ok")
	nobody.body = `{"errcode":0,"errmsg":"ok","invaliduser":"LiSi","msgid":"m-0"}`
	return overHTTP(t, provider{
		aside: tokens.serve,
		verify: func(r *http.Request, body []byte) (Taken, *reply) {
			var c content
			switch {
			case r.URL.Path != "/cgi-bin/message/send":
				return Taken{}, &reply{status: http.StatusNotFound}
			case !tokens.good(r.URL.Query().Get("access_token")):
				return Taken{}, refuse(42001)
			case json.Unmarshal(body, &c) != nil || c.Type != "text" || c.Content.Text == "" || len(c.Content.Text) > 2048:
				return Taken{}, refuse(44004)
			case c.Agent != WeComAgent:
				return Taken{}, refuse(40056)
			case c.To != WeComUser:
				return Taken{}, refuse(81013)
			}
			return Taken{To: c.To, Text: c.Content.Text}, nil
		},
		taken:   func() reply { return said(0, "ok") },
		answers: map[Fault]reply{TooMany: said(45009, "api freq out of limit"), Busy: said(-1, "system busy"), BadAddress: nobody},
	}), tokens
}

// DingTalkRobot knows one robot, DingTalkToken, and verifies its sign.
func DingTalkRobot(t testing.TB) *Simulator {
	t.Helper()
	return overHTTP(t, provider{
		verify: func(r *http.Request, body []byte) (Taken, *reply) {
			q := r.URL.Query()
			at, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
			var c content
			switch {
			case r.URL.Path != "/robot/send" || q.Get("access_token") != DingTalkToken:
				return Taken{}, refuse(300001)
			case err != nil || clock.System().Now().Sub(time.UnixMilli(at)).Abs() > time.Hour:
				return Taken{}, refuse(310000)
			case !hmac.Equal([]byte(q.Get("sign")), []byte(dingtalk.Sign(DingTalkKey, q.Get("timestamp")))):
				return Taken{}, refuse(310000)
			case json.Unmarshal(body, &c) != nil || c.Type != "text" || c.Content.Text == "":
				return Taken{}, refuse(400001)
			}
			return Taken{To: DingTalkToken, Text: c.Content.Text}, nil
		},
		taken:   func() reply { return said(0, "ok") },
		answers: map[Fault]reply{TooMany: said(130101, "send too fast"), Busy: said(-1, "system busy"), BadAddress: said(400013, "group is gone")},
	})
}

func gate(status int, code, message string) reply {
	return reply{status: status, body: fmt.Sprintf(`{"Code":%q,"Message":%q,"RequestId":"r"}`, code, message)}
}

// SMSTemplates are settings that name a code for each text of aliyun.Kinds and its repeat.
func SMSTemplates() map[string]string {
	const first = 100
	out := map[string]string{}
	for i, k := range aliyun.Kinds() {
		out[k.Name], out[k.Name+aliyun.Again] = fmt.Sprintf("SMS_%d", first+2*i), fmt.Sprintf("SMS_%d", first+2*i+1)
	}
	return out
}

// SMSTexts are the texts of settings; nil is SMSTemplates.
func SMSTexts(t testing.TB, settings map[string]string) aliyun.Texts {
	t.Helper()
	if settings == nil {
		settings = SMSTemplates()
	}
	texts, err := aliyun.ParseTexts(settings, []string{"submitted"})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// AliyunSMS knows one key, one signature name and the texts, with their variables: it takes a message of which each has 1 to 35 letters, with a link only in
// one that is named so.
func AliyunSMS(t testing.TB, texts aliyun.Texts) *Simulator {
	t.Helper()
	variables := map[string][]string{}
	for _, text := range texts {
		variables[text.Code] = text.Variables
	}
	nonces := &sync.Map{}
	return overHTTP(t, provider{
		verify: func(r *http.Request, body []byte) (Taken, *reply) { return verifySMS(r, body, variables, nonces) },
		taken: func() reply {
			return reply{status: http.StatusOK, body: `{"Code":"OK","BizId":"900619746936498440^0","Message":"OK","RequestId":"r"}`}
		},
		answers: map[Fault]reply{
			TooMany: gate(http.StatusOK, "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"), Busy: gate(http.StatusServiceUnavailable, "ServiceUnavailable", "busy"),
			BadAddress: gate(http.StatusOK, "isv.MOBILE_NUMBER_ILLEGAL", "13800000000"), Broken: gate(http.StatusInternalServerError, "InternalError", "x"),
		},
	})
}

func verifySMS(r *http.Request, body []byte, texts map[string][]string, nonces *sync.Map) (Taken, *reply) {
	bad := func(code string) (Taken, *reply) {
		a := gate(http.StatusBadRequest, code, "refused")
		return Taken{}, &a
	}
	signed := r.Clone(r.Context())
	signed.URL.Host = r.Host
	for name := range signed.Header { // what the transport adds is not signed
		if lower := strings.ToLower(name); !strings.HasPrefix(lower, "x-acs-") && lower != "content-type" {
			signed.Header.Del(name)
		}
	}
	at, err := time.Parse(time.RFC3339, r.Header.Get("x-acs-date"))
	_, used := nonces.LoadOrStore(r.Header.Get("x-acs-signature-nonce"), true)
	form, err2 := url.ParseQuery(string(body))
	var values map[string]string
	err3 := json.Unmarshal([]byte(form.Get("TemplateParam")), &values)
	variables, known := texts[form.Get("TemplateCode")]
	switch {
	case !strings.Contains(r.Header.Get("Authorization"), "Credential="+SMSKey+","):
		return bad("InvalidAccessKeyId.NotFound")
	case r.Header.Get("x-acs-content-sha256") != aliyun.Hash(string(body)),
		!hmac.Equal([]byte(r.Header.Get("Authorization")), []byte(aliyun.Authorization(SMSKey, SMSSecret, signed))):
		return bad("SignatureDoesNotMatch")
	case err != nil || clock.System().Now().Sub(at).Abs() > 15*time.Minute:
		return bad("InvalidTimeStamp.Expired")
	case used:
		return bad("SignatureNonceUsed")
	case r.Header.Get("x-acs-action") != "SendSms" || r.Header.Get("x-acs-version") != aliyun.Version:
		return bad("InvalidAction.NotFound")
	case err2 != nil || err3 != nil:
		return bad("isv.INVALID_JSON_PARAM")
	case form.Get("SignName") != SMSSign:
		return bad("isv.SMS_SIGNATURE_ILLEGAL")
	case !known:
		return bad("isv.SMS_TEMPLATE_ILLEGAL")
	case len(values) != len(variables) || slices.ContainsFunc(variables, func(v string) bool { return values[v] == "" }):
		return bad("isv.TEMPLATE_MISSING_PARAMETERS")
	}
	for name, value := range values {
		switch link := strings.Contains(value, "://"); {
		case link && name != "verify" && name != "link":
			return bad("isv.PARAM_NOT_SUPPORT_URL")
		case !link && utf8.RuneCountInString(value) > 35:
			return bad("isv.PARAM_LENGTH_LIMIT")
		}
	}
	return Taken{ID: form.Get("OutId"), To: form.Get("PhoneNumbers"), Text: form.Get("TemplateParam")}, nil
}

// Webhook verifies as Standard Webhooks lays down, with WebhookSecret.
func Webhook(t testing.TB) *Simulator {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(WebhookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	return overHTTP(t, provider{
		verify: func(r *http.Request, body []byte) (Taken, *reply) {
			id, at := r.Header.Get(webhook.HeaderID), r.Header.Get(webhook.HeaderTimestamp)
			seconds, err := strconv.ParseInt(at, 10, 64)
			if err != nil || clock.System().Now().Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute ||
				!hmac.Equal([]byte(r.Header.Get(webhook.HeaderSignature)), []byte(webhook.Sign(key, id, at, body))) {
				return Taken{}, &reply{status: http.StatusUnauthorized}
			}
			var got struct {
				Data struct {
					Text string `json:"text"`
				} `json:"data"`
			}
			if json.Unmarshal(body, &got) != nil {
				return Taken{}, &reply{status: http.StatusBadRequest}
			}
			return Taken{ID: id, To: r.URL.Path, Text: got.Data.Text}, nil
		},
		taken: func() reply { return reply{status: http.StatusAccepted, body: "thank you"} },
	})
}
