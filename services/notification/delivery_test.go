package notification_test

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/channeltest"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
	"github.com/tongzhen/tongzhen/services/notification/internal/events"
	"github.com/tongzhen/tongzhen/services/notification/internal/store"
)

const (
	number  = "4503212600001234"
	printed = "450321-26-0000123-4"
	public  = "https://tongzhen.example"
)

// outside is where every channel of these tests leads.
type outside struct {
	mail         *channeltest.MailServer
	sms, webhook *channeltest.Simulator
}

func reached(t *testing.T) (*fixture, outside) {
	t.Helper()
	o := outside{mail: channeltest.Mail(t, false, true), sms: channeltest.AliyunSMS(t, channeltest.SMSTexts(t, nil)), webhook: channeltest.Webhook(t)}
	secret := filepath.Join(t.TempDir(), "sms-secret")
	if err := os.WriteFile(secret, []byte(channeltest.SMSSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return startWith(t, notification.Config{Delivery: notification.Delivery{
		PublicURL: public + "/", Poll: 20 * time.Millisecond, AttemptsUrgent: 1,
		SMTPAddr: net.JoinHostPort(o.mail.Host, strconv.Itoa(o.mail.Port)), SMTPSecurity: "none", SMTPFrom: "通诊 <tongzhen@county.example>",
		SMSKeyID: channeltest.SMSKey, SMSSecretFile: secret, SMSSignName: channeltest.SMSSign, SMSTemplates: channeltest.SMSTemplates(), SMSPhone: channeltest.SMSPhone, SMSURL: o.sms.URL,
		Webhook: true, EgressPrivate: true,
	}}), o
}

// dispatch puts a message on its way as a rule would.
func (f *fixture) dispatch(d domain.Dispatch) domain.Dispatch {
	f.t.Helper()
	d.County, d.ID, d.FactID, d.ReferralNumber, d.FromOrganizationID = county, id.New(), id.New(), number, centre
	if d.ReferralID == "" {
		d.ReferralID = id.New()
	}
	if d.Language == "" {
		d.Language = "zh-CN"
	}
	st := store.New(f.db, crypt.TestRing(), events.Encode, store.Wakes{})
	err := st.Change(f.t.Context(), app.Command{Caller: app.Caller{County: county, AccountID: app.Self}}, func(u app.Unit) error {
		d.DueTime = u.Now()
		return u.Dispatch(d)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// manager sees the whole county's.
func (f *fixture) manager() context.Context {
	return f.As(authn.Identity{Subject: id.FromFact("admin"), Organization: "authority", County: county, Roles: []string{"COUNTY_ADMIN"}})
}

// ends waits until a delivery is in a state.
func (f *fixture) ends(deliveryID string, want notificationv1.DeliveryState_Code) *notificationv1.Delivery {
	f.t.Helper()
	wait, stop := context.WithTimeout(f.manager(), 20*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := f.out.GetDelivery(wait, &notificationv1.GetDeliveryRequest{Id: deliveryID})
		if err != nil {
			f.t.Fatal(err)
		}
		if d.GetState() == want {
			return d
		}
		select {
		case <-wait.Done():
			f.t.Fatalf("it is %v, want %s", d, want)
		case <-tick.C:
		}
	}
}

func (f *fixture) setOwn(name string, c notificationv1.Channel_Code, value, secret string) error {
	_, err := f.out.SetAddress(f.as(name), &notificationv1.SetAddressRequest{Channel: c, Value: value, Secret: secret})
	return err
}

func TestAnAddressIsCheckedMaskedAndTried(t *testing.T) {
	t.Parallel()
	f, o := reached(t)
	for _, c := range []struct {
		channel      notificationv1.Channel_Code
		organization string
		value, field string
	}{
		{notificationv1.Channel_EMAIL, "", "no mailbox", "value"},
		{notificationv1.Channel_SMS, "", "12345", "value"},
		{notificationv1.Channel_WEBHOOK, "", "https://hospital.example/", "channel"},
		{notificationv1.Channel_WECOM_APP, "", "LiSi", "channel"}, // not configured
		{notificationv1.Channel_WEBHOOK, hospital, "http://hospital.example/", "value"},
		{notificationv1.Channel_WEBHOOK, hospital, "https://hospital.example/", "secret"},
	} {
		_, err := f.out.SetAddress(f.as("desk"), &notificationv1.SetAddressRequest{Channel: c.channel, OrganizationId: c.organization, Value: c.value})
		if e, _ := errs.As(errs.FromStatus(err)); e == nil || len(e.Fields) == 0 || e.Fields[0].Name != c.field {
			t.Errorf("%s %q: %v", c.channel, c.value, err)
		}
	}
	if _, err := f.out.SetAddress(f.as("desk"), &notificationv1.SetAddressRequest{
		Channel: notificationv1.Channel_EMAIL, OrganizationId: centre, Value: channeltest.Mailbox,
	}); errs.KindOf(errs.FromStatus(err)) != errs.KindNotFound {
		t.Errorf("another organisation's group: %v", err)
	}
	a, err := f.out.SetAddress(f.as("desk"), &notificationv1.SetAddressRequest{Channel: notificationv1.Channel_EMAIL, Value: channeltest.Mailbox})
	if err != nil || a.GetMasked() != "d***@hospital.example" {
		t.Fatalf("%v, %v", a, err)
	}
	test := &notificationv1.SendTestRequest{Channel: notificationv1.Channel_EMAIL, RequestId: "r"}
	d, err := f.out.SendTest(f.as("desk"), test)
	if again, err := f.out.SendTest(f.as("desk"), test); err != nil || again.GetId() != d.GetId() {
		t.Errorf("the same request again sends another: %v, %v", again, err)
	}
	if err != nil || d.GetState() != notificationv1.DeliveryState_SENT || len(d.GetAttempts()) != 1 || d.GetAttempts()[0].GetOutcome() != "SENT" {
		t.Fatalf("%v, %v", d, err)
	}
	families, err := f.tel.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := ""
	for _, m := range families {
		if m.GetName() == "tongzhen_delivery_attempts_total" {
			counted = m.String()
		}
	}
	if !strings.Contains(counted, `value:"EMAIL"`) || !strings.Contains(counted, `value:"SENT"`) {
		t.Errorf("counted %q", counted)
	}
	if got := o.mail.Taken(); len(got) != 1 || got[0].To != channeltest.Mailbox || !strings.Contains(got[0].Text, "测试消息") {
		t.Errorf("%+v", got)
	}
	list, err := f.out.ListAddresses(f.as("desk"), &notificationv1.ListAddressesRequest{})
	if err != nil || len(list.GetAddresses()) != 1 || list.GetAddresses()[0].GetTestTime() == nil || list.GetAddresses()[0].GetMasked() != "d***@hospital.example" {
		t.Errorf("%v, %v", list, err)
	}
	if err := f.setOwn("desk", notificationv1.Channel_EMAIL, "", ""); err != nil {
		t.Fatal(err)
	}
	if d, err = f.out.SendTest(f.as("desk"), &notificationv1.SendTestRequest{Channel: notificationv1.Channel_EMAIL}); err != nil || d.GetReason() != domain.NoAddress {
		t.Errorf("%v, %v", d, err)
	}
}

func TestWhoHasTheLinkAcknowledgesOnceAndEverywhere(t *testing.T) {
	t.Parallel()
	f, o := reached(t)
	if err := f.setOwn("desk", notificationv1.Channel_EMAIL, channeltest.Mailbox, ""); err != nil {
		t.Fatal(err)
	}
	referral := f.submitted(1)
	f.next("entry_created")
	f.next("entry_created")
	list, err := f.client.ListNotifications(f.as("desk"), &notificationv1.ListNotificationsRequest{})
	if err != nil || len(list.GetNotifications()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	entry := list.GetNotifications()[0].GetId()
	to := domain.Dispatch{
		AccountID: id.FromFact("desk"), Channel: domain.Email, Template: "submitted", Event: "submitted", EntryID: entry, ReferralID: referral, Urgency: "EMERGENCY",
	}
	sent := f.dispatch(to)
	f.ends(sent.ID, notificationv1.DeliveryState_SENT)
	got := o.mail.Taken()
	if len(got) != 1 || !strings.Contains(got[0].Text, "急诊转诊 "+printed+"，来自高田镇卫生院") {
		t.Fatalf("%+v", got)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(public) + `/k/([A-Za-z0-9_-]{22})`).FindStringSubmatch(got[0].Text)
	if link == nil {
		t.Fatalf("no link in %q", got[0].Text)
	}
	gateway := rpc.AsService(t.Context())
	state, err := f.out.GetByToken(gateway, &notificationv1.TokenRequest{Token: link[1]})
	if err != nil || state.GetAcknowledged() || state.GetReferralNumber() != printed || state.GetUrgency() != commonv1.Urgency_EMERGENCY {
		t.Fatalf("%v, %v", state, err)
	}
	// The same on a channel that waits: nobody needs it any more once the entry is acknowledged.
	o.sms.Decide(func() channeltest.Fault { return channeltest.TooMany })
	if err := f.setOwn("desk", notificationv1.Channel_SMS, "13800000000", ""); err != nil {
		t.Fatal(err)
	}
	to.Channel = domain.SMS
	waits := f.dispatch(to)
	f.attempted(waits.ID)
	for range 2 {
		state, err = f.out.AcknowledgeByToken(gateway, &notificationv1.TokenRequest{Token: link[1]})
		if err != nil || !state.GetAcknowledged() || state.GetAcknowledgeTime() == nil {
			t.Fatalf("%v, %v", state, err)
		}
	}
	if who := f.next("entry_acknowledged"); who != "account:"+id.FromFact("desk") {
		t.Error(who)
	}
	f.ends(waits.ID, notificationv1.DeliveryState_CANCELLED)
	for _, token := range []string{"AAAAAAAAAAAAAAAAAAAAAA", "not a token at all", strings.Repeat("A", 64)} {
		if _, err := f.out.GetByToken(gateway, &notificationv1.TokenRequest{Token: token}); errs.KindOf(errs.FromStatus(err)) != errs.KindNotFound {
			t.Errorf("%s: %v", token, err)
		}
	}
	if _, err := f.out.GetByToken(f.as("desk"), &notificationv1.TokenRequest{Token: link[1]}); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a person asks: %v", err)
	}
}

// attempted waits for the first attempt.
func (f *fixture) attempted(deliveryID string) {
	f.t.Helper()
	wait, stop := context.WithTimeout(f.manager(), 20*time.Second)
	defer stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		d, err := f.out.GetDelivery(wait, &notificationv1.GetDeliveryRequest{Id: deliveryID})
		if err != nil {
			f.t.Fatal(err)
		}
		if n := len(d.GetAttempts()); n > 0 && d.GetAttempts()[n-1].GetEndTime() != nil {
			return
		}
		<-tick.C
	}
}

func TestThePatientIsToldWhereWhenAndWhatToBringWithConsentOnly(t *testing.T) {
	t.Parallel()
	f, o := reached(t)
	to := domain.Dispatch{PatientID: id.New(), Channel: domain.SMS, Template: "PATIENT_BOOKED", Event: "accepted", BookingID: id.New(), Urgency: "ROUTINE"}
	d := f.ends(f.dispatch(to).ID, notificationv1.DeliveryState_SENT)
	if d.GetAddressMasked() != "138****0000" {
		t.Errorf("%v", d)
	}
	got := o.sms.Taken()
	if len(got) != 1 || got[0].To != "13800000000" {
		t.Fatalf("%+v", got)
	}
	for _, said := range []string{
		printed, "3月5日（周四）08:30", "阳朔县人民医院 心血管内科 305 诊室", "空腹", "0773-8822304",
	} {
		if !strings.Contains(got[0].Text, said) {
			t.Errorf("it does not say %q: %s", said, got[0].Text)
		}
	}
	// The approved text is Chinese, and so is what is filled in.
	to.Language = "en"
	f.ends(f.dispatch(to).ID, notificationv1.DeliveryState_SENT)
	if last := o.sms.Taken()[1].Text; last != got[0].Text {
		t.Error(last)
	}
	to.BookingID = gone
	f.ends(f.dispatch(to).ID, notificationv1.DeliveryState_CANCELLED)
	f.consents.say(domain.NoConsent)
	if d := f.ends(f.dispatch(to).ID, notificationv1.DeliveryState_SKIPPED); d.GetReason() != domain.NoConsent {
		t.Errorf("%v", d)
	}
	if n := len(o.sms.Taken()); n != 2 {
		t.Errorf("%d sent", n)
	}
}

func TestWhatWasGivenUpIsListedAndSentAgainMarked(t *testing.T) {
	t.Parallel()
	f, o := reached(t)
	if _, err := f.out.SetAddress(f.as("desk"), &notificationv1.SetAddressRequest{
		Channel: notificationv1.Channel_WEBHOOK, OrganizationId: hospital, Value: o.webhook.URL + "/hook", Secret: channeltest.WebhookSecret,
	}); err != nil {
		t.Fatal(err)
	}
	o.webhook.Next(channeltest.Broken)
	to := domain.Dispatch{OrganizationID: hospital, DepartmentCode: "0304", Channel: domain.Webhook, Template: "submitted", Event: "submitted", Urgency: "URGENT"}
	dead := f.ends(f.dispatch(to).ID, notificationv1.DeliveryState_DEAD)
	if dead.GetReason() != "UNKNOWN 500" || len(dead.GetAttempts()) != 1 || dead.GetAddressMasked() != o.webhook.URL+"/…" {
		t.Errorf("%v", dead)
	}
	m := bustest.Receive(t, f.facts, "the fact of a message that was given up")
	if m.Subject != "notification.v1."+county+".delivery_failed" {
		t.Errorf("%s", m.Subject)
	}
	list, err := f.out.ListDeliveries(f.as("desk"), &notificationv1.ListDeliveriesRequest{State: notificationv1.DeliveryState_DEAD})
	if err != nil || len(list.GetDeliveries()) != 1 || list.GetDeadCount() != 1 {
		t.Errorf("%v, %v", list, err)
	}
	elsewhere := f.As(authn.Identity{Subject: id.FromFact("doctor"), Organization: centre, County: county, Roles: []string{"CENTRE_HEAD"}})
	if list, err = f.out.ListDeliveries(elsewhere, &notificationv1.ListDeliveriesRequest{}); err != nil || len(list.GetDeliveries()) != 0 || list.GetDeadCount() != 0 {
		t.Errorf("another organisation sees %v, %v", list, err)
	}
	if _, err = f.out.GetDelivery(elsewhere, &notificationv1.GetDeliveryRequest{Id: dead.GetId()}); errs.KindOf(errs.FromStatus(err)) != errs.KindNotFound {
		t.Errorf("another organisation reads it: %v", err)
	}
	if _, err = f.out.ReplayDelivery(f.as("desk"), &notificationv1.ReplayDeliveryRequest{Id: dead.GetId()}); errs.ReasonOf(err) != errs.ReasonRole {
		t.Errorf("a desk replays: %v", err)
	}
	if _, err = f.out.ReplayDelivery(f.manager(), &notificationv1.ReplayDeliveryRequest{Id: dead.GetId()}); err != nil {
		t.Fatal(err)
	}
	sent := f.ends(dead.GetId(), notificationv1.DeliveryState_SENT)
	if got := o.webhook.Taken(); len(got) != 1 || !strings.HasPrefix(got[0].Text, "【重发】") || got[0].ID != dead.GetId() || !sent.GetAttempts()[1].GetAgain() {
		t.Errorf("%+v", got)
	}
	again, err := f.out.ReplayDelivery(f.manager(), &notificationv1.ReplayDeliveryRequest{Id: dead.GetId()})
	if err != nil || again.GetState() != notificationv1.DeliveryState_SENT || len(o.webhook.Taken()) != 1 {
		t.Errorf("the same replay, whose answer was lost: %v, %v", again, err)
	}
	channels, err := f.out.ListChannels(f.manager(), &notificationv1.ListChannelsRequest{})
	if err != nil || len(channels.GetChannels()) != len(domain.Channels()) {
		t.Fatalf("%v, %v", channels, err)
	}
	for _, c := range channels.GetChannels() {
		want := c.GetChannel() == notificationv1.Channel_WEBHOOK || c.GetChannel() == notificationv1.Channel_EMAIL || c.GetChannel() == notificationv1.Channel_SMS
		if c.GetConfigured() != want || c.GetBreaker() != "CLOSED" || c.GetDead() != 0 {
			t.Errorf("%v", c)
		}
	}
}

func TestAChannelThatIsNotConfiguredIsSkipped(t *testing.T) {
	t.Parallel()
	f := startWith(t, notification.Config{Delivery: notification.Delivery{Poll: 20 * time.Millisecond}})
	for _, name := range domain.Channels() {
		d := f.ends(f.dispatch(domain.Dispatch{AccountID: id.FromFact("desk"), Channel: name, Template: "submitted", Event: "submitted"}).ID, notificationv1.DeliveryState_SKIPPED)
		if d.GetReason() != domain.NotConfigured {
			t.Errorf("%v", d)
		}
	}
}

func TestSettingsThatAreHalfThereStopTheStart(t *testing.T) {
	t.Parallel()
	mesh := rpctest.New(t, slog.New(slog.DiscardHandler))
	conn := func(name string) grpc.ClientConnInterface { return mesh.Dial("notification", name) }
	deps := notification.Deps{
		DB: dbtest.SQLite(t, notification.Migrations()), Bus: bustest.Embedded(t), Cache: cache.Memory(clock.System()), Ring: crypt.TestRing(),
		Peers:  notification.Peers{Directory: conn("directory"), PatientRecord: conn("patientrecord"), Referral: conn("referral"), Scheduling: conn("scheduling")},
		Signer: mesh.Signer, Clock: clock.System(), Telemetry: telemetry.Discard(),
	}
	for setting, d := range map[string]notification.Delivery{
		"TONGZHEN_SMTP_FROM":          {SMTPAddr: "mail.example:587"},
		"TONGZHEN_SMTP_ADDR=":         {SMTPAddr: "mail.example", SMTPFrom: "a@b.example"},
		"TONGZHEN_SMTP_PASSWORD_FILE": {SMTPAddr: "mail.example:587", SMTPFrom: "a@b.example", SMTPUser: "u"},
		"only a mail server":          {SMTPAddr: "mail.example:25", SMTPFrom: "a@b.example", SMTPSecurity: "none"},
		"TONGZHEN_WECOM_AGENT":        {WeComCorp: "ww1", WeComSecretFile: "x"},
		"TONGZHEN_SMS_SECRET_FILE":    {SMSKeyID: "k", SMSSignName: "s"},
		"TONGZHEN_SMS_TEMPLATES":      {SMSKeyID: "k", SMSSignName: "s", SMSSecretFile: "x"},
		"STAFF_AGAIN":                 {SMSKeyID: "k", SMSSignName: "s", SMSSecretFile: "x", SMSTemplates: map[string]string{"submitted": "SMS_1 number"}},
		"TONGZHEN_SMS_PHONE":          {SMSKeyID: "k", SMSSignName: "s", SMSSecretFile: "x", SMSTemplates: channeltest.SMSTemplates()},
		"TONGZHEN_PUBLIC_URL":         {PublicURL: "tongzhen.example"},
		"TONGZHEN_DELIVERY_KEPT":      {Kept: 24 * time.Hour},
		"open secret":                 {SMSKeyID: "k", SMSSignName: "s", SMSSecretFile: filepath.Join(t.TempDir(), "none"), SMSTemplates: channeltest.SMSTemplates(), SMSPhone: channeltest.SMSPhone},
	} {
		if _, err := notification.New(t.Context(), notification.Config{Delivery: d}, deps); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
