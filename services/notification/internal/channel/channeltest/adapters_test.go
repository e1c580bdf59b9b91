package channeltest_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/aliyun"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/channeltest"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/dingtalk"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/egress"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/mail"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/webhook"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/wecom"
)

// door lets to the simulators of this machine.
func door() *egress.Door { return egress.New(egress.Policy{Private: true}, net.DefaultResolver) }

func TestTheWeComRobotKeepsTheContract(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
		sim := channeltest.WeComRobot(t)
		a := wecom.NewRobot(door(), sim.URL)
		return channeltest.Opened{
			Adapter: a, Simulator: sim, To: channel.Address{Value: sim.URL + "/cgi-bin/webhook/send?key=" + channeltest.RobotKey},
			WrongKey: a, WrongTo: channel.Address{Value: "another-robots-key-000"}, Key: channel.Setup,
			Expect:    map[channeltest.Fault]channel.Class{channeltest.BadAddress: channel.Setup},
			Malformed: []channel.Address{{Value: "short"}, {Value: "https://elsewhere.example/cgi-bin/webhook/send?key=" + channeltest.RobotKey}, {Value: "key with spaces 000"}},
		}
	})
}

func TestTheWeComApplicationKeepsTheContract(t *testing.T) {
	account := wecom.Account{Corp: channeltest.WeComCorp, Secret: channeltest.WeComSecret, Agent: channeltest.WeComAgent}
	channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
		sim, _ := channeltest.WeComApp(t)
		acc, wrong := account, account
		acc.Base, wrong.Base, wrong.Secret = sim.URL, sim.URL, "wrong"
		to := channel.Address{Value: channeltest.WeComUser}
		return channeltest.Opened{
			Adapter: wecom.NewApp(door(), clock.System(), acc), Simulator: sim, To: to,
			WrongKey: wecom.NewApp(door(), clock.System(), wrong), WrongTo: to, Key: channel.Setup,
			Malformed: []channel.Address{{Value: "@all"}, {Value: "a|b"}, {Value: "a b"}},
		}
	})
	t.Run("a token is kept, and renewed when it is not taken any more", func(t *testing.T) {
		sim, tokens := channeltest.WeComApp(t)
		acc := account
		acc.Base = sim.URL
		a := wecom.NewApp(door(), clock.System(), acc)
		for range 3 {
			if _, err := a.Send(t.Context(), channeltest.Message(channel.Address{Value: channeltest.WeComUser})); err != nil {
				t.Fatal(err)
			}
		}
		if n := tokens.Fetched(); n != 1 {
			t.Errorf("%d tokens for three messages", n)
		}
		tokens.Expire()
		if _, err := a.Send(t.Context(), channeltest.Message(channel.Address{Value: channeltest.WeComUser})); err != nil {
			t.Fatal(err)
		}
		if n := tokens.Fetched(); n != 2 || len(sim.Taken()) != 4 {
			t.Errorf("%d tokens, %d taken", n, len(sim.Taken()))
		}
	})
}

func TestTheDingTalkRobotKeepsTheContract(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
		sim := channeltest.DingTalkRobot(t)
		a := dingtalk.New(door(), clock.System(), sim.URL)
		return channeltest.Opened{
			Adapter: a, Simulator: sim, To: channel.Address{Value: channeltest.DingTalkToken, Secret: channeltest.DingTalkKey},
			WrongKey: a, WrongTo: channel.Address{Value: channeltest.DingTalkToken, Secret: "SECanother"}, Key: channel.Setup,
			Malformed: []channel.Address{{Value: "x", Secret: channeltest.DingTalkKey}},
		}
	})
}

// Whoever answers without the provider's code, e.g. something on the way, has not said that the message was taken.
func TestAnAnswerWithoutACodeIsNone(t *testing.T) {
	said := "{}"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := said
		if strings.HasSuffix(r.URL.Path, "gettoken") {
			answer = `{"errcode":0,"access_token":"token","expires_in":7200}`
		}
		if _, err := w.Write([]byte(answer)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	person := channel.Address{Value: channeltest.WeComUser}
	app := wecom.NewApp(door(), clock.System(), wecom.Account{Base: server.URL, Corp: channeltest.WeComCorp, Secret: "s", Agent: 1})
	for name, c := range map[string]struct {
		adapter channel.Adapter
		to      channel.Address
	}{
		"robot":    {wecom.NewRobot(door(), server.URL), channel.Address{Value: channeltest.RobotKey}},
		"person":   {app, person},
		"dingtalk": {dingtalk.New(door(), clock.System(), server.URL), channel.Address{Value: channeltest.DingTalkToken, Secret: channeltest.DingTalkKey}},
		"sms":      {aliyun.New(door(), clock.System(), aliyun.Account{Base: server.URL, Texts: channeltest.SMSTexts(t, nil)}), channel.Address{Value: "13800000000"}},
	} {
		if _, err := c.adapter.Send(t.Context(), channeltest.Message(c.to)); err == nil || channel.ClassOf(err).Class != channel.Unknown {
			t.Errorf("%s: %v", name, err)
		}
	}
	said = `{"errcode":0,"msgid":"m","unlicenseduser":"LiSi"}`
	if _, err := app.Send(t.Context(), channeltest.Message(person)); err == nil || channel.ClassOf(err).Class != channel.Refused {
		t.Errorf("a person without a licence: %v", err)
	}
}

func TestTheWebhookKeepsTheContract(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
		sim := channeltest.Webhook(t)
		a := webhook.New(door(), clock.System())
		return channeltest.Opened{
			Adapter: a, Simulator: sim, To: channel.Address{Value: sim.URL + "/hook", Secret: channeltest.WebhookSecret}, TakesID: true,
			WrongKey: a, WrongTo: channel.Address{Value: sim.URL + "/hook", Secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, Key: channel.Setup,
			Malformed: []channel.Address{
				{Value: "http://hooks.example/x", Secret: channeltest.WebhookSecret}, {Value: "ftp://127.0.0.1/x", Secret: channeltest.WebhookSecret},
				{Value: sim.URL + "/hook", Secret: "whsec_short"}, {Value: sim.URL + "/hook"},
			},
			// Any success takes it, whatever the rest of the answer.
			Expect: map[channeltest.Fault]channel.Class{channeltest.HalfAnswer: "", channeltest.Garbled: ""},
		}
	})
}

func TestEMailKeepsTheContract(t *testing.T) {
	for name, security := range map[string]mail.Security{"STARTTLS": mail.StartTLS, "TLS": mail.Implicit, "none": mail.None} {
		t.Run(name, func(t *testing.T) {
			channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
				open := security == mail.None
				sim := channeltest.Mail(t, security == mail.Implicit, open)
				acc := mail.Account{Host: sim.Host, Port: sim.Port, Security: security, From: "通诊 <tongzhen@county.example>", TLS: sim.TLS, Timeout: time.Second}
				wrong := acc
				wrong.User, wrong.Password = channeltest.MailUser, "wrong"
				if !open {
					acc.User, acc.Password = channeltest.MailUser, channeltest.MailPassword
				}
				a, err := mail.New(acc, clock.System())
				if err != nil {
					t.Fatal(err)
				}
				w, err := mail.New(wrong, clock.System())
				if err != nil {
					t.Fatal(err)
				}
				to := channel.Address{Value: channeltest.Mailbox}
				key := channel.Setup
				if open {
					key = channel.Away // no password goes without TLS
				}
				return channeltest.Opened{
					Adapter: a, Simulator: sim.Simulator, To: to, TakesID: true, WrongKey: w, WrongTo: to, Key: key,
					Malformed: []channel.Address{{Value: "desk"}, {Value: "a@b.example, c@d.example"}, {Value: "Desk <desk@hospital.example>"}},
					// Until the last line of the text nothing was taken.
					Expect: map[channeltest.Fault]channel.Class{
						channeltest.TimeoutBefore: channel.Away, channeltest.Busy: channel.Away, channeltest.Broken: channel.Away, channeltest.Redirect: "",
						// An SMTP server has no such answers.
						channeltest.Unauthorized: "", channeltest.Forbidden: "", channeltest.Missing: "", channeltest.BusyTaken: "",
					},
				}
			})
		})
	}
}

func TestMailWithoutTLSGoesToThisMachineOnly(t *testing.T) {
	_, err := mail.New(mail.Account{Host: "mail.example", Port: 25, Security: mail.None, From: "a@b.example", Timeout: time.Second}, clock.System())
	if err == nil {
		t.Error("made")
	}
}
