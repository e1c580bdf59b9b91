package notification_test

import (
	"testing"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/channel/channeltest"
)

// A webhook set for a department takes what its people are told: nobody sets one for others.
func TestAGroupIsSetByWhoAnswersForIt(t *testing.T) {
	t.Parallel()
	f, o := reached(t)
	const cardiology, surgery = "0304", "0401"
	for _, c := range []struct {
		role, organization, own string
		may                     map[string]errs.Kind // by the department that is set; 0 is allowed
	}{
		{"INTAKE_DESK", hospital, "", map[string]errs.Kind{"": 0, cardiology: errs.KindDenied}},
		{"DEPARTMENT_HEAD", hospital, cardiology, map[string]errs.Kind{cardiology: 0, surgery: errs.KindDenied, "": errs.KindDenied}},
		{"DEPARTMENT_HEAD", hospital, "", map[string]errs.Kind{"": errs.KindDenied}},
		{"CENTRE_HEAD", hospital, "", map[string]errs.Kind{"": 0, cardiology: 0}},
		{"CENTRE_HEAD", centre, "", map[string]errs.Kind{"": errs.KindNotFound, cardiology: errs.KindNotFound}},
		{"SPECIALIST", hospital, cardiology, map[string]errs.Kind{cardiology: errs.KindNotFound}},
		{"COUNTY_ADMIN", "authority", "", map[string]errs.Kind{"": 0, surgery: 0}},
	} {
		as := f.As(authn.Identity{Subject: id.FromFact(c.role), Organization: c.organization, Department: c.own, County: county, Roles: []string{c.role}})
		for department, want := range c.may {
			_, err := f.out.SetAddress(as, &notificationv1.SetAddressRequest{
				Channel: notificationv1.Channel_WEBHOOK, OrganizationId: hospital, DepartmentCode: department, Value: o.webhook.URL + "/hook", Secret: channeltest.WebhookSecret,
			})
			if got := errs.KindOf(errs.FromStatus(err)); (want == 0) != (err == nil) || want != 0 && got != want {
				t.Errorf("%s of %s %s sets the group of %q: %v", c.role, c.organization, c.own, department, err)
			}
			if _, err := f.out.SendTest(as, &notificationv1.SendTestRequest{Channel: notificationv1.Channel_WEBHOOK, OrganizationId: hospital, DepartmentCode: department}); want != 0 && err == nil {
				t.Errorf("%s tries the group of %q", c.role, department)
			}
		}
	}
}

// Every page asks: what rings, how many calls are to be made, and whether urgent messages sound.
func TestWhatRingsIsAnsweredWithWhatEveryPageShows(t *testing.T) {
	t.Parallel()
	f, _ := reached(t)
	list, err := f.alarms.ListAlarms(f.as("desk"), &notificationv1.ListAlarmsRequest{})
	if err != nil || !list.GetSoundForUrgent() || list.GetOpenCallCount() != 0 {
		t.Fatalf("%v, %v", list, err)
	}
	if _, err := f.alarms.SetPreferences(f.as("desk"), &notificationv1.SetPreferencesRequest{Preferences: &notificationv1.Preferences{Urgent: []string{"WECOM_APP"}}}); err != nil {
		t.Fatal(err)
	}
	if list, err = f.alarms.ListAlarms(f.as("desk"), &notificationv1.ListAlarmsRequest{}); err != nil || list.GetSoundForUrgent() {
		t.Errorf("who wants no sound: %v, %v", list, err)
	}
}
