package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/notification/internal/app"
	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// dispatch is a message to a person by e-mail, due at once.
func dispatch(o Opened) domain.Dispatch {
	return domain.Dispatch{
		County: County, ID: id.New(), AccountID: "desk", Channel: domain.Email, Template: "submitted", Language: "zh-CN", EntryID: id.New(), AlarmID: id.New(),
		FactID: id.New(), Event: "submitted", ReferralID: id.New(), ReferralNumber: "450321260000123", FromOrganizationID: "centre", BookingID: id.New(),
		Urgency: "URGENT", Step: "ANSWER", Ring: 2, DueTime: o.Clock.Now(),
		Meant: []domain.Meant{{Recipient: domain.Recipient{OrganizationID: "hospital", Roles: []string{"INTAKE_DESK"}, Posts: []domain.Post{{OrganizationID: "hospital", DepartmentCode: "DESK"}}}}},
	}
}

func send(t testing.TB, o Opened, ds ...domain.Dispatch) {
	t.Helper()
	err := o.Store.Change(t.Context(), command(), func(u app.Unit) error {
		for _, d := range ds {
			if err := u.Dispatch(d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func delivery(t testing.TB, o Opened, id string) domain.Delivery {
	t.Helper()
	d, err := o.Deliveries.Delivery(t.Context(), County, id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dispatchedOnce(t *testing.T, o Opened) {
	d := dispatch(o)
	send(t, o, d)
	again := d
	again.Channel, again.Template = domain.SMS, "accepted"
	send(t, o, again)
	got := delivery(t, o, d.ID)
	if !reflect.DeepEqual(got.Dispatch, d) || got.State != domain.StatePending || got.AttemptCount != 0 || len(got.Attempts) != 0 || !got.CreateTime.Equal(o.Clock.Now()) {
		t.Errorf("%+v", got)
	}
	if _, err := o.Deliveries.Delivery(t.Context(), "another", d.ID); errs.KindOf(err) != errs.KindNotFound {
		t.Errorf("of another county: %v", err)
	}
}

func dispatchWhole(t *testing.T, o Opened) {
	for name, spoil := range map[string]func(*domain.Dispatch){
		"no channel":       func(d *domain.Dispatch) { d.Channel = "" },
		"no template":      func(d *domain.Dispatch) { d.Template = "" },
		"no time":          func(d *domain.Dispatch) { d.DueTime = time.Time{} },
		"nobody":           func(d *domain.Dispatch) { d.AccountID = "" },
		"two":              func(d *domain.Dispatch) { d.PatientID = "p" },
		"another county's": func(d *domain.Dispatch) { d.County = "450322" },
	} {
		whole, bad := dispatch(o), dispatch(o)
		spoil(&bad)
		err := o.Store.Change(t.Context(), command(), func(u app.Unit) error { return errors.Join(u.Dispatch(whole), u.Dispatch(bad)) })
		if !errors.Is(err, domain.ErrDispatch) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := o.Deliveries.Delivery(t.Context(), County, whole.ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("%s: the other one stayed: %v", name, err)
		}
	}
}

func cancelled(t *testing.T, o Opened) {
	ofEntry, ofAlarm, other := dispatch(o), dispatch(o), dispatch(o)
	other.EntryID, other.AlarmID = "", ""
	send(t, o, ofEntry, ofAlarm, other)
	if err := o.Store.Change(t.Context(), command(), func(u app.Unit) error {
		u.CancelDeliveries(ofEntry.EntryID, "")
		u.CancelDeliveries("", ofAlarm.AlarmID)
		u.CancelDeliveries("", "")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{ofEntry.ID: domain.StateCancelled, ofAlarm.ID: domain.StateCancelled, other.ID: domain.StatePending} {
		if got := delivery(t, o, id); got.State != want {
			t.Errorf("%s, want %s", got.State, want)
		}
	}
}
