package app

import (
	"context"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// Contact is the number to which a patient may be sent an SMS, or why there is none.
type Contact struct{ Phone, Reason string }

// Why there is no number.
const (
	ContactNoConsent = "NO_CONSENT"
	ContactNoPhone   = "NO_PHONE"
	ContactDeceased  = "DECEASED"
)

// staysLooked bounds the encounters of which one may say that the patient died.
const staysLooked = 200

// Contact answers the number of who agreed for the patient, else the patient's, while a consent to SMS holds; the caller is a service. A
// number leaves an audit entry before it is answered. died reads of an encounter whether the patient left it dead.
func (a *App) Contact(ctx context.Context, caller authn.Identity, patient string, died func(domain.Entry) bool) (Contact, error) {
	p, err := a.store.Patient(ctx, caller.County, patient)
	if err != nil {
		return Contact{}, err
	}
	list, err := a.store.Consents(ctx, caller.County, ConsentQuery{PatientID: p.ID(), Scope: domain.ConsentSMS, Limit: consentsOfOne})
	if err != nil {
		return Contact{}, err
	}
	// The newest counts: one that was withdrawn ends what was agreed to before.
	if len(list) == 0 || list[0].State(a.clk.Now()) != domain.ConsentGiven {
		return Contact{Reason: ContactNoConsent}, nil
	}
	stays, err := a.store.Entries(ctx, caller.County, p.ID(), Listing{Kinds: []domain.EntryKind{domain.KindEncounter}}, staysLooked)
	if err != nil {
		return Contact{}, err
	}
	if slices.ContainsFunc(stays, func(w domain.Written) bool { return died(w.Entry) }) {
		return Contact{Reason: ContactDeceased}, nil
	}
	phone := p.Demographics().Details().Phone
	if g := list[0].Giving; g.Relation != domain.Self {
		phone = g.Phone
	}
	if phone == "" {
		return Contact{Reason: ContactNoPhone}, nil
	}
	return Contact{Phone: phone}, a.store.Audit(ctx, caller.County, look(caller, "patient.contact", p.ID()))
}
