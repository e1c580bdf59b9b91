package app_test

import (
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// died is of the content that these tests write.
func died(e domain.Entry) bool { return string(e.Content) == "dead" }

func sms(patient string) app.Agreeing {
	return app.Agreeing{Request: request("RecordConsent"), PatientID: patient, Scope: domain.ConsentSMS, Giving: agrees()}
}

func TestANumberIsAnsweredOnlyWhileAConsentToSMSHolds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		service := authn.Identity{Subject: "service:notification", Service: "notification", County: county}
		patient := w.register(township, zeng).ID
		contact := func(phone, reason string) {
			t.Helper()
			got, err := w.Contact(t.Context(), service, patient, died)
			if err != nil || got != (app.Contact{Phone: phone, Reason: reason}) {
				t.Errorf("%+v, %v; want %q %q", got, err, phone, reason)
			}
		}
		contact("", app.ContactNoConsent)
		w.agree(township, sensitive(patient, "county"))
		contact("", app.ContactNoConsent)
		c := w.agree(township, sms(patient))
		contact(zeng.Phone, "")
		_, err := w.RecordConsent(t.Context(), township, sms(patient))
		w.reason(err, errs.ReasonConsentExists)
		if n := w.looks("patient.contact", patient); n != 1 {
			t.Errorf("%d audit entries for one number", n)
		}
		w.withdraw(township, c)
		contact("", app.ContactNoConsent)

		guardian := sms(patient)
		guardian.Giving.Name, guardian.Giving.Relation, guardian.Giving.Phone, guardian.Giving.OnBehalf = "曾大明", "5", "13900139000", domain.OnBehalfUnable
		w.agree(township, guardian)
		contact("13900139000", "")

		later := sms(patient)
		later.Giving, later.DeferredReason = nil, "抢救"
		_, err = w.RecordConsent(t.Context(), township, later)
		if errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("one that comes later: %v", err)
		}
		if _, err := w.Contact(t.Context(), service, id.New(), died); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestNobodyWritesToWhoDied(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		service := authn.Identity{Subject: "service:notification", Service: "notification", County: county}
		patient := w.register(township, zeng).ID
		w.agree(township, sms(patient))
		w.bring(app.Import{Details: zeng, Entries: []domain.Entry{w.stay("finished", 48*time.Hour, "dead")}})
		got, err := w.Contact(t.Context(), service, patient, died)
		if err != nil || got != (app.Contact{Reason: app.ContactDeceased}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
