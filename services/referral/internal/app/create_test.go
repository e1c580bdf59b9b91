package app_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestASubmittedReferralHasNumberSnapshotAndWords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		v := submitted(t, h, "")
		if v.Number.Printed() == "" || v.Patient.Name != "莫某" || v.State != domain.StateSubmitted || v.Version != 2 {
			t.Errorf("got number %q, version %d in %s", v.Number, v.Version, v.State)
		}
		if v.Diagnoses[0].Display != "名 I63.9" || v.Originator.OrganizationID != township || v.AccountID != doctor().Subject {
			t.Error("what follows from the caller and the list is not filled in")
		}
		if want := h.clock.Now().Add(24 * time.Hour); !v.DueTime.Equal(want) {
			t.Errorf("due %v, want %v", v.DueTime, want)
		}
	})
}

func TestWithoutPatientRecordNothingIsWritten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.patientsAway = errs.Unavailable("patientrecord", nil)
		_, err := h.Create(t.Context(), command(doctor(), "r1", "a"), creation("p"))
		expectReason(t, err, errs.ReasonPeerAway)
		if f := h.facts(t); len(f) > 0 {
			t.Errorf("facts %q", f)
		}
		h.peers.patientsAway = nil
		if _, err := h.Create(t.Context(), command(doctor(), "r1", "a"), creation("p")); err != nil {
			t.Errorf("the same request later: %v", err)
		}
	})
}

func TestARepeatedCreateNeedsNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		first, err := h.Create(t.Context(), command(doctor(), "r1", "a"), creation("p"))
		if err != nil {
			t.Fatal(err)
		}
		h.peers.patientsAway = errs.Unavailable("patientrecord", nil)
		h.peers.directoryAway = h.peers.patientsAway
		again, err := h.Create(t.Context(), command(doctor(), "r1", "a"), creation("p"))
		if err != nil || again.ID != first.ID || again.Number != first.Number {
			t.Errorf("got %s, %v", again.ID, err)
		}
		_, err = h.Create(t.Context(), app.Command{Caller: doctor(), Method: "/test/a", RequestID: "r1", BodyHash: []byte("other")}, creation("p"))
		expectReason(t, err, errs.ReasonRequestIDReused)
	})
}

func TestEveryWrongFieldIsToldAtOnceTheReceiverToo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := creation("p")
		in.Draft.Form.PresentIllness, in.Draft.Diagnoses[0].Code, in.Draft.Receiver.DepartmentCode = "", "?", "99"
		_, err := h.Create(t.Context(), by(doctor()), in)
		got := fieldNames(refused(t, err, errs.ReasonFieldInvalid))
		want := []string{"diagnoses[0].code FIELD_INVALID", "form.presentIllness FIELD_REQUIRED", "receiver.departmentCode FIELD_UNKNOWN"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		in = creation("p")
		in.Draft.Receiver.OrganizationID = "nowhere"
		_, err = h.Create(t.Context(), by(doctor()), in)
		if got := fieldNames(refused(t, err, errs.ReasonFieldUnknown)); !slices.Equal(got, []string{"receiver.organizationId FIELD_UNKNOWN"}) {
			t.Errorf("got %q", got)
		}
		_, err = h.Create(t.Context(), by(doctor()), creation("stranger"))
		if got := fieldNames(refused(t, err, errs.ReasonFieldUnknown)); !slices.Equal(got, []string{"patientId FIELD_UNKNOWN"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestAKnownReceiverNeedsNoDirectory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		h.peers.directoryAway = errs.Unavailable("directory", nil)
		_, err := h.Create(t.Context(), by(doctor()), creation("p"))
		expectReason(t, err, errs.ReasonPeerAway)
		h.peers.directoryAway = nil
		if err := h.RefreshOrganizations(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.peers.directoryAway = errs.Unavailable("directory", nil)
		if _, err := h.Create(t.Context(), by(doctor()), creation("p")); err != nil {
			t.Error(err)
		}
	})
}

func TestAHoldThatCannotBeAttachedDoesNotStopASubmission(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		if v := submitted(t, h, "hold-1"); v.HoldID != "hold-1" || v.HoldLost {
			t.Errorf("hold %q, lost %v", v.HoldID, v.HoldLost)
		}
		want := h.clock.Now().Add(48 * time.Hour) // the answer is due in 24 h, and 24 h more
		if got := h.peers.attached["hold-1"].KeepUntil; !got.Equal(want) {
			t.Errorf("kept until %v, want %v", got, want)
		}
		if v := submitted(t, h, "gone"); v.HoldID != "" || !v.HoldLost {
			t.Errorf("hold %q, lost %v", v.HoldID, v.HoldLost)
		}
		h.peers.schedulingAway = errs.Unavailable("scheduling", nil)
		if v := submitted(t, h, "hold-2"); v.HoldID != "" || !v.HoldLost {
			t.Errorf("hold %q, lost %v", v.HoldID, v.HoldLost)
		}
		h.peers.schedulingAway = nil
		in := creation("p")
		in.HoldID = "elsewhere"
		_, err := h.Create(t.Context(), by(doctor()), in)
		expectReason(t, err, errs.ReasonFieldCombination)
	})
}

// The hold was attached, then the request broke off: repeated, it must find the hold attached to itself.
func TestARequestThatBrokeOffFindsItsHoldAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		broken := h.ports
		broken.Numbers = noNumbers{}
		in := creation("p")
		in.HoldID = "hold-1"
		if _, err := app.New(broken).Create(t.Context(), command(doctor(), "r1", "a"), in); err == nil {
			t.Fatal("there are no numbers")
		}
		v, err := h.Create(t.Context(), command(doctor(), "r1", "a"), in)
		if err != nil || v.HoldID != "hold-1" || h.peers.attached["hold-1"].ReferralID != v.ID {
			t.Errorf("hold %q, %v", v.HoldID, err)
		}
	})
}

func TestADraftIsEditedAndSubmitted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		in := app.Creation{Draft: domain.Draft{Direction: domain.Up, Kind: domain.KindOutpatient, PatientID: "p"}}
		v, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil || v.Number != "" || v.State != domain.StateDraft {
			t.Fatalf("%s, %v", v.State, err)
		}
		_, err = h.Submit(t.Context(), by(doctor()), app.Submission{ID: v.ID, Version: v.Version})
		expectReason(t, err, errs.ReasonFieldRequired)
		whole := creation("p").Draft
		edit := app.Edition{ID: v.ID, Version: v.Version, Draft: whole, Fields: []string{"urgency", "receiver", "diagnoses", "form"}}
		if v, err = h.Edit(t.Context(), by(doctor()), edit); err != nil {
			t.Fatal(err)
		}
		if v.Form.PresentIllness == "" || v.Consent.GivenBy != "" {
			t.Error("the mask is not kept")
		}
		v, err = h.Submit(t.Context(), by(doctor()), app.Submission{ID: v.ID, Version: v.Version, HoldID: "hold-1", Consent: &whole.Consent})
		if err != nil || v.State != domain.StateSubmitted || v.HoldID != "hold-1" || v.Number == "" || v.Version != 3 {
			t.Errorf("%s, hold %q, %v", v.State, v.HoldID, err)
		}
		edit.Version = v.Version
		_, err = h.Edit(t.Context(), by(doctor()), edit)
		expectReason(t, err, errs.ReasonActionNotAvailable)
	})
}

func TestInstancesNeverGiveTheSameNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		other := house{Service: app.New(h.ports), clock: h.clock, peers: h.peers}
		seen := map[domain.Number]bool{}
		for range 5 {
			for _, instance := range []house{h, other} {
				v := submitted(t, instance, "")
				if seen[v.Number] {
					t.Errorf("%s is given twice", v.Number.Printed())
				}
				seen[v.Number] = true
			}
		}
	})
}

// What was right when it was written may not be when it is sent.
func TestTheReceiverIsCheckedWheneverAReferralIsSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		rejected := func(err error, reason string) {
			t.Helper()
			got := fieldNames(refused(t, err, reason))
			if want := []string{"receiver.organizationId " + reason}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		in := creation(id.New())
		in.Submit = false
		draft, err := h.Create(t.Context(), by(doctor()), in)
		if err != nil {
			t.Fatal(err)
		}
		sent := submitted(t, h, "")
		returned := h.do(t, desk(), submitted(t, h, "hold-1"), domain.ActionReturn)

		h.disable(t, hospital)
		_, err = h.Submit(t.Context(), by(doctor()), app.Submission{ID: draft.ID, Version: draft.Version})
		rejected(err, errs.ReasonFieldUnknown)
		_, err = h.Resubmit(t.Context(), by(doctor()), app.Step{ID: returned.ID, Version: returned.Version})
		rejected(err, errs.ReasonFieldUnknown)
		h.disable(t, "")

		in.Draft.Receiver.OrganizationID = centre
		_, err = h.Create(t.Context(), by(doctor()), in)
		rejected(err, errs.ReasonFieldCombination)
		_, err = h.Edit(t.Context(), by(doctor()), app.Edition{ID: draft.ID, Version: draft.Version, Draft: in.Draft, Fields: []string{"receiver"}})
		rejected(err, errs.ReasonFieldCombination)
		for to, reason := range map[string]string{centre: errs.ReasonFieldCombination, township: errs.ReasonFieldCombination, "nowhere": errs.ReasonFieldUnknown} {
			carry := domain.Carry{Reason: "NEARER", Receiver: domain.Party{OrganizationID: to, DepartmentCode: "0304"}}
			_, err = h.Redirect(t.Context(), by(desk()), app.Step{ID: sent.ID, Version: sent.Version, Carry: carry})
			rejected(err, reason)
		}

		v, err := h.Resubmit(t.Context(), by(doctor()), app.Step{ID: returned.ID, Version: returned.Version})
		if err != nil || v.State != domain.StateSubmitted || v.HoldID != "hold-1" {
			t.Errorf("%s with hold %q, %v", v.State, v.HoldID, err)
		}
	})
}

// disable tells by facts which organisation is out of use.
func (h house) disable(t *testing.T, organization string) {
	t.Helper()
	h.peers.disabled = organization
	h.peers.version++
	o, err := h.peers.Organization(t.Context(), county, hospital)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ports.Organizations.PutOrganization(t.Context(), id.New(), o); err != nil {
		t.Fatal(err)
	}
}
