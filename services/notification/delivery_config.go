package notification

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/config"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/aliyun"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/dingtalk"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/mail"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/webhook"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/wecom"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/words"
)

// Delivery is how messages leave the house. The zero value sends none: each channel is configured by its own settings, and what is not is skipped.
type Delivery struct {
	PublicURL string `name:"public-url" env:"TONGZHEN_PUBLIC_URL" help:"Where people reach the gateway, e.g. https://tongzhen.county.gov.cn, for the links in messages; empty = messages have none."`
	WordsDir  string `env:"TONGZHEN_WORDS_DIR" help:"Folder with the county's own words of messages, over the shipped ones: zh-CN.yaml, en.yaml." type:"path"`

	RemindFrom string `env:"TONGZHEN_REMIND_FROM" help:"When a patient may be reminded of a booking at the earliest, local HH:MM; empty = 08:00."`
	RemindTo   string `env:"TONGZHEN_REMIND_TO" help:"And until when; empty = 20:00. What is late waits for the morning, and is dropped once the appointment has begun."`

	EgressHosts   []string `env:"TONGZHEN_EGRESS_HOSTS" help:"The only hosts to which webhooks may go, each with what is below it; empty = all that are public."`
	EgressPrivate bool     `env:"TONGZHEN_EGRESS_PRIVATE" help:"Webhooks may go to addresses of private networks and of this machine."`
	Webhook       bool     `env:"TONGZHEN_WEBHOOK" help:"Send to signed webhooks of groups."`

	WeComRobot      bool   `name:"wecom-robot" env:"TONGZHEN_WECOM_ROBOT" help:"Send to WeCom groups by their robots."`
	WeComURL        string `name:"wecom-url" env:"TONGZHEN_WECOM_URL" help:"Where WeCom answers; empty = https://qyapi.weixin.qq.com."`
	WeComCorp       string `name:"wecom-corp" env:"TONGZHEN_WECOM_CORP" help:"WeCom id of the company (corpid); with agent and secret, messages go to persons."`
	WeComAgent      int    `name:"wecom-agent" env:"TONGZHEN_WECOM_AGENT" help:"WeCom id of the application (agentid)."`
	WeComSecretFile string `name:"wecom-secret-file" env:"TONGZHEN_WECOM_SECRET_FILE" help:"File with the application's secret." type:"path"`

	DingTalkRobot bool   `name:"dingtalk-robot" env:"TONGZHEN_DINGTALK_ROBOT" help:"Send to DingTalk groups by their robots."`
	DingTalkURL   string `name:"dingtalk-url" env:"TONGZHEN_DINGTALK_URL" help:"Where DingTalk answers; empty = https://oapi.dingtalk.com."`

	SMTPAddr         string `name:"smtp-addr" env:"TONGZHEN_SMTP_ADDR" help:"Mail server, HOST:PORT; empty = no e-mail."`
	SMTPSecurity     string `name:"smtp-security" env:"TONGZHEN_SMTP_SECURITY" help:"starttls (unless set), tls, or none for a mail server of this machine."`
	SMTPFrom         string `name:"smtp-from" env:"TONGZHEN_SMTP_FROM" help:"Who sends, e.g. 通诊 <tongzhen@county.gov.cn>."`
	SMTPUser         string `name:"smtp-user" env:"TONGZHEN_SMTP_USER" help:"User at the mail server; empty = without signing in."`
	SMTPPasswordFile string `name:"smtp-password-file" env:"TONGZHEN_SMTP_PASSWORD_FILE" help:"File with the user's password." type:"path"`

	SMSKeyID      string            `name:"sms-key-id" env:"TONGZHEN_SMS_KEY_ID" help:"Key id at Aliyun's short message service; empty = no SMS."`
	SMSSecretFile string            `name:"sms-secret-file" env:"TONGZHEN_SMS_SECRET_FILE" help:"File with the key's secret." type:"path"`
	SMSSignName   string            `name:"sms-sign-name" env:"TONGZHEN_SMS_SIGN_NAME" help:"Approved signature in front of each SMS (短信签名)."`
	SMSTemplates  map[string]string `name:"sms-templates" env:"TONGZHEN_SMS_TEMPLATES" help:"Codes of the approved texts by name, e.g. STAFF=SMS_1;STAFF_AGAIN=SMS_2; see services/doc/sms.md. A text with other variables than listed there names them after the code: submitted=SMS_3 number from."`
	SMSPhone      string            `name:"sms-phone" env:"TONGZHEN_SMS_PHONE" help:"The county's number for questions, said in SMS where the hospital's is not known."`
	SMSURL        string            `name:"sms-url" env:"TONGZHEN_SMS_URL" help:"Where the service answers; empty = https://dysmsapi.aliyuncs.com."`
	SMSRate       int               `name:"sms-rate" env:"TONGZHEN_SMS_RATE" help:"SMS a minute at most; 0 = 300."`
	SMTPRate      int               `name:"smtp-rate" env:"TONGZHEN_SMTP_RATE" help:"E-mails a minute at most; 0 = 120."`
	WeComRate     int               `name:"wecom-rate" env:"TONGZHEN_WECOM_RATE" help:"Application messages a minute at most; 0 = 600."`
	RobotRate     int               `name:"robot-rate" env:"TONGZHEN_ROBOT_RATE" help:"Messages a minute that one robot takes; 0 = 20, as WeCom and DingTalk have it."`

	AttemptsEmergency int           `env:"TONGZHEN_ATTEMPTS_EMERGENCY" help:"Attempts of an emergency's message until it is given up; 0 = 20."`
	AttemptsUrgent    int           `env:"TONGZHEN_ATTEMPTS_URGENT" help:"Of an urgent one's; 0 = 12."`
	AttemptsRoutine   int           `env:"TONGZHEN_ATTEMPTS_ROUTINE" help:"Of any other's; 0 = 10."`
	CallTimeout       time.Duration `env:"TONGZHEN_DELIVERY_TIMEOUT" help:"How long a provider may take to answer; 0 = 10s."`
	Parallel          int           `name:"delivery-parallel" env:"TONGZHEN_DELIVERY_PARALLEL" help:"Messages under way at once on a channel; 0 = 4."`
	BreakerRest       time.Duration `env:"TONGZHEN_DELIVERY_REST" help:"How long a provider rests after five failures in a row; 0 = 30s."`
	Kept              time.Duration `name:"delivery-kept" env:"TONGZHEN_DELIVERY_KEPT" default:"8784h" help:"How long messages that left the house, with their attempts, and telephone tasks are kept after they were made, and reminders after the appointment; 2208h to 87840h, a year (8784h) unless set. What still waits or is open is kept."`
	Poll              time.Duration `name:"delivery-poll" env:"TONGZHEN_DELIVERY_POLL" help:"How often each channel looks for what is due; 0 = 1s."`
}

func or[T comparable](value, usual T) T {
	var zero T
	if value == zero {
		return usual
	}
	return value
}

const (
	tripAfter = 5
	linkFor   = 48 * time.Hour
	minLease  = 30 * time.Second
)

// sender is the configuration of the workers.
func (d Delivery) sender(zone *time.Location) (app.SenderConfig, error) {
	remind, err := domain.NewHours(or(d.RemindFrom, "08:00"), or(d.RemindTo, "20:00"))
	if err != nil {
		return app.SenderConfig{}, fmt.Errorf("TONGZHEN_REMIND_FROM, TONGZHEN_REMIND_TO: %w", err)
	}
	call := or(d.CallTimeout, 10*time.Second)
	return app.SenderConfig{
		Patience: map[string]domain.Patience{
			"EMERGENCY": {Most: or(d.AttemptsEmergency, 20), First: 5 * time.Second, Longest: time.Minute},
			"URGENT":    {Most: or(d.AttemptsUrgent, 12), First: 10 * time.Second, Longest: 5 * time.Minute},
			"":          {Most: or(d.AttemptsRoutine, 10), First: 30 * time.Second, Longest: 30 * time.Minute},
		},
		Call: call, Lease: max(6*call, minLease), Poll: or(d.Poll, time.Second), Parallel: or(d.Parallel, 4),
		Rate:     map[string]int{domain.SMS: or(d.SMSRate, 300), domain.Email: or(d.SMTPRate, 120), domain.WeComApp: or(d.WeComRate, 600)},
		PerGroup: map[string]int{domain.WeComRobot: or(d.RobotRate, 20), domain.DingTalkRobot: or(d.RobotRate, 20)},
		Trip:     tripAfter, Rest: or(d.BreakerRest, 30*time.Second), PublicURL: strings.TrimSuffix(d.PublicURL, "/"), LinkFor: linkFor, Zone: zone, Remind: remind,
	}, nil
}

// kept is how long what is over is kept from when it was made, a reminder from its appointment: longer than a repeated fact is known, so that none is told again.
func (d Delivery) kept() (time.Duration, error) {
	const day = 24 * time.Hour
	const usual, least, most = 366 * day, 92 * day, 3660 * day
	kept := or(d.Kept, usual)
	if kept < least || kept > most {
		return 0, fmt.Errorf("TONGZHEN_DELIVERY_KEPT is %s; it may be %s to %s", kept, least, most)
	}
	return kept, nil
}

// words are the shipped ones under the county's.
func (d Delivery) words() (*words.Book, error) {
	var county fs.FS
	if d.WordsDir != "" {
		county = os.DirFS(d.WordsDir)
	}
	b, err := words.New(county)
	if err != nil {
		return nil, fmt.Errorf("read the words of messages: %w", err)
	}
	return b, nil
}

// adapters are those of the channels that are configured, for messages of the templates; all problems are told at once.
func (d Delivery) adapters(clk clock.Clock, templates []string) (map[string]channel.Adapter, error) {
	out := map[string]channel.Adapter{}
	var problems []error
	if d.PublicURL != "" {
		problems = append(problems, baseURL("TONGZHEN_PUBLIC_URL", d.PublicURL))
	}
	if d.Webhook {
		out[domain.Webhook] = webhook.New(egress.New(egress.Policy{Hosts: d.EgressHosts, Private: d.EgressPrivate}, net.DefaultResolver), clk)
	}
	// The providers' addresses are the operator's word: a relay or simulator of one's own is reached too.
	door := egress.New(egress.Policy{Private: true}, net.DefaultResolver)
	if d.WeComRobot {
		base := or(d.WeComURL, wecom.Base)
		problems = append(problems, baseURL("TONGZHEN_WECOM_URL", base))
		out[domain.WeComRobot] = wecom.NewRobot(door, base)
	}
	if d.DingTalkRobot {
		base := or(d.DingTalkURL, dingtalk.Base)
		problems = append(problems, baseURL("TONGZHEN_DINGTALK_URL", base))
		out[domain.DingTalkRobot] = dingtalk.New(door, clk, base)
	}
	for name, make := range map[string]func() (channel.Adapter, error){
		domain.WeComApp: func() (channel.Adapter, error) { return d.wecomApp(door, clk) },
		domain.Email:    func() (channel.Adapter, error) { return d.mail(clk) },
		domain.SMS:      func() (channel.Adapter, error) { return d.sms(door, clk, templates) },
	} {
		a, err := make()
		problems = append(problems, err)
		if a != nil {
			out[name] = a
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return out, nil
}

func baseURL(setting, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
		return fmt.Errorf("%s=%s: an address such as https://host is needed", setting, address)
	}
	return nil
}

// together refuses settings of which only some are there; named by setting.
func together(values ...string) (all bool, err error) {
	var missing []string
	have := 0
	for i := 0; i < len(values); i += 2 {
		if values[i+1] == "" || values[i+1] == "0" {
			missing = append(missing, values[i])
		} else {
			have++
		}
	}
	if have > 0 && len(missing) > 0 {
		return false, fmt.Errorf("%s missing: they belong to the settings of the same channel that are there", strings.Join(missing, ", "))
	}
	return have > 0, nil
}

func (d Delivery) wecomApp(door *egress.Door, clk clock.Clock) (channel.Adapter, error) {
	all, err := together("TONGZHEN_WECOM_CORP", d.WeComCorp, "TONGZHEN_WECOM_AGENT", strconv.Itoa(d.WeComAgent), "TONGZHEN_WECOM_SECRET_FILE", d.WeComSecretFile)
	if err != nil || !all {
		return nil, err
	}
	secret, err := config.ReadSecretFile(d.WeComSecretFile)
	if err != nil {
		return nil, err
	}
	base := or(d.WeComURL, wecom.Base)
	return wecom.NewApp(door, clk, wecom.Account{Base: base, Corp: d.WeComCorp, Secret: secret.Reveal(), Agent: d.WeComAgent}), baseURL("TONGZHEN_WECOM_URL", base)
}

func (d Delivery) mail(clk clock.Clock) (channel.Adapter, error) {
	all, err := together("TONGZHEN_SMTP_ADDR", d.SMTPAddr, "TONGZHEN_SMTP_FROM", d.SMTPFrom)
	if err != nil || !all {
		return nil, err
	}
	host, text, err := net.SplitHostPort(d.SMTPAddr)
	port, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil {
		return nil, fmt.Errorf("TONGZHEN_SMTP_ADDR=%s: HOST:PORT is needed", d.SMTPAddr)
	}
	acc := mail.Account{
		Host: host, Port: port, Security: mail.Security(or(d.SMTPSecurity, string(mail.StartTLS))), User: d.SMTPUser, From: d.SMTPFrom,
		Timeout: or(d.CallTimeout, 10*time.Second),
	}
	if signIn, err := together("TONGZHEN_SMTP_USER", d.SMTPUser, "TONGZHEN_SMTP_PASSWORD_FILE", d.SMTPPasswordFile); err != nil {
		return nil, err
	} else if signIn {
		secret, err := config.ReadSecretFile(d.SMTPPasswordFile)
		if err != nil {
			return nil, err
		}
		acc.Password = secret.Reveal()
	}
	a, err := mail.New(acc, clk)
	if err != nil {
		return nil, fmt.Errorf("TONGZHEN_SMTP_…: %w", err)
	}
	return a, nil
}

func (d Delivery) sms(door *egress.Door, clk clock.Clock, templates []string) (channel.Adapter, error) {
	all, err := together("TONGZHEN_SMS_KEY_ID", d.SMSKeyID, "TONGZHEN_SMS_SECRET_FILE", d.SMSSecretFile, "TONGZHEN_SMS_SIGN_NAME", d.SMSSignName)
	if err != nil || !all {
		return nil, err
	}
	texts, err := d.smsTexts(templates)
	if err != nil {
		return nil, err
	}
	secret, err := config.ReadSecretFile(d.SMSSecretFile)
	if err != nil {
		return nil, err
	}
	base := or(d.SMSURL, aliyun.Base)
	return aliyun.New(door, clk, aliyun.Account{
		Base: base, KeyID: d.SMSKeyID, Secret: secret.Reveal(), SignName: d.SMSSignName, Texts: texts,
		Phone: d.SMSPhone, PublicURL: strings.TrimSuffix(d.PublicURL, "/"),
	}), baseURL("TONGZHEN_SMS_URL", base)
}

// smsTexts are the approved texts, whole, with what they say where a message has nothing of its own.
func (d Delivery) smsTexts(templates []string) (aliyun.Texts, error) {
	texts, err := aliyun.ParseTexts(d.SMSTemplates, templates)
	if err != nil {
		return nil, fmt.Errorf("TONGZHEN_SMS_TEMPLATES (services/doc/sms.md has the texts): %w", err)
	}
	if texts.Has("phone") && !aliyun.Phone().MatchString(d.SMSPhone) {
		return nil, errors.New("TONGZHEN_SMS_PHONE is needed, e.g. 0773-8822120: approved texts say whom to call, and no variable may be empty")
	}
	if (texts.Has("link") || texts.Has("verify")) && d.PublicURL == "" {
		return nil, errors.New("TONGZHEN_PUBLIC_URL is needed: approved texts have links")
	}
	return texts, nil
}
