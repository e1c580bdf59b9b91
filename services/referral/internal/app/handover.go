package app

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// resultSpan is how far back results count as handed over: as far as the hand-over package goes.
const resultSpan = 90 * 24 * time.Hour

// judge judges a referral as it is sent: with the consent and the medicines that go with the submission.
func (s *Service) judge(r domain.Snapshot, carry domain.Carry, known domain.RecordFacts) domain.Completeness {
	if carry.Consent != nil {
		r.Consent = *carry.Consent
	}
	return domain.JudgeCompleteness(s.Ports.Completeness, r, known)
}

// facts are what the record holds; not read if it could not be read.
func facts(r Record, err error, now time.Time) domain.RecordFacts {
	if err != nil {
		return domain.RecordFacts{}
	}
	out := domain.RecordFacts{Read: true}
	if r.Medicines {
		out.Has = append(out.Has, domain.RecordMedicines)
	}
	if r.Allergies {
		out.Has = append(out.Has, domain.RecordAllergies)
	}
	if len(r.Problems) > 0 {
		out.Has = append(out.Has, domain.RecordProblems)
	}
	if slices.ContainsFunc(r.Observations, func(o Observation) bool { return o.Time.After(now.Add(-resultSpan)) }) {
		out.Has = append(out.Has, domain.RecordResults)
	}
	return out
}

// EvaluateCompleteness judges a form as typed so far. Errors: patientId is unknown where the caller's organisation has no relation to the
// patient; a record that cannot be read is left out.
func (s *Service) EvaluateCompleteness(ctx context.Context, caller authn.Identity, d domain.Draft) (domain.Completeness, error) {
	if d.Direction != domain.Up && d.Direction != domain.Down {
		return domain.Completeness{}, errs.Invalid(errs.Bad("referral.direction", errs.ReasonFieldInvalid))
	}
	var known domain.RecordFacts
	if d.PatientID != "" {
		r, err := s.Records.Record(ctx, caller.County, d.PatientID, caller.Organization)
		if kind := errs.KindOf(err); kind == errs.KindNotFound || kind == errs.KindInvalid {
			return domain.Completeness{}, patientError(err)
		}
		known = facts(r, err, s.Clock.Now())
	}
	return domain.JudgeCompleteness(s.Ports.Completeness, domain.Snapshot{
		Direction: d.Direction, Kind: d.Kind, Urgency: d.Urgency, Diagnoses: d.Diagnoses, ExamItems: d.ExamItems, Form: d.Form,
		Consent: d.Consent, TransferNote: d.TransferNote, Transport: d.Transport, OriginatorPhone: d.OriginatorPhone,
		Medicines: d.Medicines, Plan: d.Plan,
	}, known), nil
}

// JudgedCompleteness is what was judged when the referral was last sent.
func (s *Service) JudgedCompleteness(ctx context.Context, caller authn.Identity, id string) (domain.Completeness, error) {
	v, err := s.Get(ctx, caller, id)
	return v.Snapshot.Completeness, err
}

// Slips makes and knows the keys of printed slips.
type Slips interface {
	// SlipToken is the keyed hash of a number, at least five bytes, by the present key; SlipTokens those of all keys that ever were.
	SlipToken(n domain.Number) []byte
	SlipTokens(n domain.Number) [][]byte
}

// slipKeyBytes make the eight characters of a key.
const slipKeyBytes = 5

func slipKey(token []byte) string { return base32.StdEncoding.EncodeToString(token[:slipKeyBytes]) }

// Slip is what a printed slip carries beside the referral.
type Slip struct {
	View
	Key      string
	Validity domain.Window
	// Doctor is who sent it, else who wrote it.
	Doctor domain.Actor
}

// Slip of a referral that the caller may read. A draft has no key.
func (s *Service) Slip(ctx context.Context, caller authn.Identity, id string) (Slip, error) {
	v, err := s.Get(ctx, caller, id)
	if err != nil {
		return Slip{}, err
	}
	out := Slip{View: v}
	cal, err := s.Calendars.Calendar(ctx, v.County)
	if err != nil {
		return Slip{}, err
	}
	history, err := s.Reader.History(ctx, v.County, v.ID)
	if err != nil {
		return Slip{}, err
	}
	for _, h := range history {
		if h.Action == domain.ActionCreate || h.Action == domain.ActionSubmit {
			out.Doctor = h.By
		}
	}
	if v.Number != "" {
		out.Key, out.Validity = slipKey(s.Slips.SlipToken(v.Number)), cal.SlipValidity(v.Snapshot)
	}
	return out, nil
}

// SlipKey is the number and the key of a referral's slip, for the patient's own message; a draft has none. The caller is a service.
func (s *Service) SlipKey(ctx context.Context, caller authn.Identity, id string) (number domain.Number, key string, err error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return "", "", err
	}
	if v.Number == "" {
		return "", "", errs.NotFound("slip")
	}
	return v.Number, slipKey(s.Slips.SlipToken(v.Number)), s.Reader.NoteRead(ctx, caller, v.Snapshot)
}

// Verification is what anybody who holds a slip may know; nothing but Genuine if it is none.
type Verification struct {
	Genuine bool
	Number  domain.Number
	// Patient is the surname with ＊＊; Organization and Department are names.
	Patient, Organization, Department string
	ValidUntil                        time.Time
	Expired                           bool
	// Blank is a form that is not entered yet, BlankOrganization for whom it was printed; Void that it was taken back.
	Blank             bool
	BlankOrganization string
	Void              bool
}

// VerifySlip holds the key against the number before anything is looked up: a wrong key and a number that nobody has cost the same and
// answer alike.
func (s *Service) VerifySlip(ctx context.Context, caller authn.Identity, number, key string) (Verification, error) {
	n, ok := domain.ParseNumber(number)
	if !ok {
		// Judged all the same, so that it takes as long.
		n = domain.Number(strings.Repeat("0", 16))
	}
	typed := []byte(strings.ToUpper(strings.TrimSpace(key)))
	genuine := 0
	for _, token := range s.Slips.SlipTokens(n) {
		genuine |= subtle.ConstantTimeCompare([]byte(slipKey(token)), typed)
	}
	if !ok || genuine == 0 {
		return Verification{}, nil
	}
	caller.County = string(n[:6])
	v, err := s.Reader.ByNumber(ctx, caller, n)
	if errs.KindOf(err) == errs.KindNotFound {
		return s.verifyBlank(ctx, caller.County, n)
	}
	if err != nil {
		return Verification{}, err
	}
	if err := s.Reader.NoteRead(ctx, caller, v.Snapshot); err != nil {
		return Verification{}, err
	}
	cal, err := s.Calendars.Calendar(ctx, caller.County)
	if err != nil {
		return Verification{}, err
	}
	organization, _, err := s.Organizations.Organization(ctx, caller.County, v.Receiver.OrganizationID)
	if err != nil {
		return Verification{}, err
	}
	out := Verification{
		Genuine: true, Number: v.Number, Patient: domain.Surname(v.Patient.Name) + "＊＊", Organization: organization.Name,
		ValidUntil: cal.SlipValidity(v.Snapshot).To,
	}
	for _, d := range organization.Departments {
		if d.Code == v.Receiver.DepartmentCode {
			out.Department = d.Name
		}
	}
	out.Expired = !out.ValidUntil.After(s.Clock.Now())
	return out, nil
}

// HandedBack is what the county hands back with a referral. Medicines is empty until there is something.
type HandedBack struct {
	ReferralID, PatientID string
	Version               int32
	OrganizationID        string
	At                    time.Time
	Medicines             []domain.HandedBackMedicine
}

// HandedBack answers patient-record.
func (s *Service) HandedBack(ctx context.Context, caller authn.Identity, id string) (HandedBack, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return HandedBack{}, err
	}
	if err := s.Reader.NoteRead(ctx, caller, v.Snapshot); err != nil {
		return HandedBack{}, err
	}
	out := HandedBack{ReferralID: v.ID, PatientID: v.PatientID, Version: v.Version}
	out.OrganizationID, out.At, out.Medicines = v.Snapshot.HandedBack()
	return out, nil
}

// ReferralConsent is the consent of a referral that was sent. Due is zero unless it is still to come.
type ReferralConsent struct {
	Snapshot domain.Snapshot
	Due      time.Time
}

// Consent answers patient-record. NOT_FOUND for an unknown referral, and for one without a consent.
func (s *Service) Consent(ctx context.Context, caller authn.Identity, id string) (ReferralConsent, error) {
	v, err := s.Reader.Get(ctx, caller, id)
	if err != nil {
		return ReferralConsent{}, err
	}
	if v.Consent == (domain.Consent{}) || v.Number == "" {
		return ReferralConsent{}, errs.NotFound("consent")
	}
	cal, err := s.Calendars.Calendar(ctx, v.County)
	if err != nil {
		return ReferralConsent{}, err
	}
	if err := s.Reader.NoteRead(ctx, caller, v.Snapshot); err != nil {
		return ReferralConsent{}, err
	}
	return ReferralConsent{Snapshot: v.Snapshot, Due: cal.ConsentDue(v.Snapshot, v.SubmitTime)}, nil
}
