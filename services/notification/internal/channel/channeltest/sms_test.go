package channeltest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/aliyun"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/channeltest"
)

func account(sim *channeltest.Simulator, texts aliyun.Texts) aliyun.Account {
	return aliyun.Account{
		Base: sim.URL, KeyID: channeltest.SMSKey, Secret: channeltest.SMSSecret, SignName: channeltest.SMSSign, Texts: texts,
		Phone: channeltest.SMSPhone, PublicURL: "https://t.example",
	}
}

func TestSMSByAliyunKeepsTheContract(t *testing.T) {
	channeltest.Suite(t, func(t *testing.T) channeltest.Opened {
		texts := channeltest.SMSTexts(t, nil)
		sim := channeltest.AliyunSMS(t, texts)
		acc := account(sim, texts)
		wrong := acc
		wrong.Secret = "wrong"
		to := channel.Address{Value: "13800000000"}
		return channeltest.Opened{
			Adapter: aliyun.New(door(), clock.System(), acc), Simulator: sim, To: to, TakesID: true, Fills: true,
			WrongKey: aliyun.New(door(), clock.System(), wrong), WrongTo: to, Key: channel.Setup,
			Malformed: []channel.Address{{Value: "0773-1234567"}, {Value: "12345678901"}, {Value: "13800000000,13900000000"}},
		}
	})
}

// sent is what was filled in of a message.
func sent(t *testing.T, settings map[string]string, m channel.Message) map[string]string {
	t.Helper()
	texts := channeltest.SMSTexts(t, settings)
	sim := channeltest.AliyunSMS(t, texts)
	m.To = channel.Address{Value: "+8613800000000"}
	if _, err := aliyun.New(door(), clock.System(), account(sim, texts)).Send(t.Context(), m); err != nil {
		t.Fatalf("%s: %v", m.Template, err)
	}
	var values map[string]string
	if got := sim.Taken(); len(got) != 1 || got[0].To != "13800000000" || json.Unmarshal([]byte(got[0].Text), &values) != nil {
		t.Fatalf("%+v", got)
	}
	return values
}

// The simulator refuses what Aliyun refuses: an empty value, one above 35 letters, a link.
func TestEveryTextIsFilledAsAliyunTakesIt(t *testing.T) {
	long := strings.Repeat("检查前禁食八小时，", 12)
	for _, k := range aliyun.Kinds() {
		for name, values := range map[string]map[string]string{
			"with nothing": {"number": "450321-26-0000123-4"}, "with too much": {
				"number": "450321-26-0000123-4", "urgency": "急诊", "when": "3月5日（周四）08:30", "phone": "请拨打总机转心血管内科护士站", "from": long, "step": long,
				"where": "阳朔县人民医院 心血管内科 门诊综合大楼三楼东侧走廊尽头 护士站对面 305 诊室", "bring": "见 https://hospital.example/x", "ring": "3", "count": "12",
			},
		} {
			for _, again := range []bool{false, true} {
				m := channeltest.Message(channel.Address{})
				m.Template, m.Values, m.Again = k.Name, values, again
				got := sent(t, nil, m)
				if where := got["where"]; name == "with too much" && where != "" && where != "阳朔县人民医院 心血管内科 门诊综合大楼三楼东侧走廊尽头 护士站对面" {
					t.Errorf("%s: where is %q", k.Name, where)
				}
				if phone := got["phone"]; phone != "" && phone != channeltest.SMSPhone {
					t.Errorf("%s: the phone is %q", k.Name, phone)
				}
			}
		}
	}
	m := channeltest.Message(channel.Address{})
	m.Template, m.Values = "PATIENT_BOOKED", map[string]string{"number": "1", "bring": long}
	if got := sent(t, nil, m)["bring"]; got != "请看转诊单上的说明" {
		t.Errorf("half an instruction: %q", got)
	}
}

func TestStaffGetTheTextOfTheirEventOrThatOfAll(t *testing.T) {
	settings := channeltest.SMSTemplates()
	settings["submitted"] = "SMS_7 number from verify"
	m := channeltest.Message(channel.Address{})
	m.Values = map[string]string{"number": "450321-26-0000123-4", "from": "高田镇卫生院", "verify": "https://t.example/verify/450321-26-0000123-4?k=ABCDEFGH"}
	if got := sent(t, settings, m); len(got) != 3 || got["from"] != "高田镇卫生院" || got["verify"] != m.Values["verify"] {
		t.Errorf("its own text has %v", got)
	}
	// An approved text does not say that it is a repeat, unless it is one for that.
	m.Again = true
	if got := sent(t, settings, m); len(got) != 2 || got["urgency"] != "普通" {
		t.Errorf("the repeat has %v", got)
	}
	settings["submitted"+aliyun.Again] = "SMS_8"
	if got := sent(t, settings, m); len(got) != 3 {
		t.Errorf("its own repeat has %v", got)
	}
	m.Template, m.Values, m.Again = "candidate_found", nil, false
	if got := sent(t, settings, m); len(got) != 0 {
		t.Errorf("a message without a number has %v", got)
	}
}

func TestWithoutTextsForPatientsTheyGetNone(t *testing.T) {
	staff := map[string]string{}
	for name, code := range channeltest.SMSTemplates() {
		if !strings.HasPrefix(name, "PATIENT_") {
			staff[name] = code
		}
	}
	texts := channeltest.SMSTexts(t, staff)
	a := aliyun.New(door(), clock.System(), account(channeltest.AliyunSMS(t, texts), texts))
	if a.Holds("PATIENT_BOOKED") || !a.Holds("submitted") || !a.Holds("TEST") {
		t.Error("the wrong ones")
	}
	m := channeltest.Message(channel.Address{Value: "13800000000"})
	m.Template = "PATIENT_BOOKED"
	if _, err := a.Send(t.Context(), m); channel.ClassOf(err).Class != channel.Refused {
		t.Errorf("%v", err)
	}
}
