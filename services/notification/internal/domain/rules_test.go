package domain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/notification/internal/domain"
)

// fact is of an emergency that was sent before, from a centre to a department of a hospital.
func fact(event string) domain.Fact {
	return domain.Fact{ID: "f", Event: event, ReferralID: "r", Urgency: "ROUTINE", PreviousState: "SUBMITTED",
		OriginatorAccountID: "doctor", OriginatorOrganizationID: "centre", ReceiverOrganizationID: "hospital", ReceiverDepartmentCode: "0304"}
}

// who prints recipients shortly: the account or the roles, at the organisation and department.
func who(f domain.Fact) []string {
	var out []string
	for _, r := range domain.Recipients(f) {
		s := r.AccountID
		if s == "" {
			s = strings.Join(r.Roles, "+")
		}
		if s += " at " + r.OrganizationID; r.DepartmentCode != "" {
			s += "/" + r.DepartmentCode
		}
		out = append(out, s)
	}
	return out
}

const (
	desk   = "INTAKE_DESK at hospital"
	doctor = "doctor at centre"
)

// Invariant 1.
func TestTheRulesSayWhoIsTold(t *testing.T) {
	t.Parallel()
	for event, want := range map[string][]string{
		"created": nil, "edited": nil, "seen": nil, "arrival_undone": nil, "admission_undone": nil,
		"submitted": {desk}, "resubmitted": {desk}, "cancelled": {desk}, "acknowledged": {desk},
		"redirected": {desk, doctor},
		"accepted":   {doctor}, "rebooked": {doctor}, "returned": {doctor}, "declined": {doctor}, "arrived": {doctor},
		"admitted": {doctor}, "no_show": {doctor}, "concluded": {doctor},
	} {
		if got := who(fact(event)); !slices.Equal(got, want) {
			t.Errorf("%s tells %v, want %v", event, got, want)
		}
		if known := slices.Contains(domain.Events(), event); known != (want != nil) {
			t.Errorf("%s is read: %v", event, known)
		}
	}
}

func TestAnEmergencyAlsoReachesTheDepartment(t *testing.T) {
	t.Parallel()
	f := fact("submitted")
	f.Urgency = "EMERGENCY"
	if got, want := who(f), []string{desk, "SPECIALIST+DEPARTMENT_HEAD at hospital/0304"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	f.ReceiverDepartmentCode = ""
	if got := who(f); !slices.Equal(got, []string{desk}) {
		t.Errorf("without a department: %v", got)
	}
}

func TestACancelledDraftReachesNobody(t *testing.T) {
	t.Parallel()
	f := fact("cancelled")
	f.PreviousState = "DRAFT"
	if got := who(f); got != nil {
		t.Error(got)
	}
}

func TestTheOriginatorsDoctorsStandInForTheOriginator(t *testing.T) {
	t.Parallel()
	got := domain.Recipients(fact("accepted"))
	if len(got) != 1 || !slices.Equal(got[0].Roles, []string{"TOWNSHIP_DOCTOR"}) || got[0].DepartmentCode != "" {
		t.Errorf("%+v", got)
	}
}

func TestAnEntryIsAcknowledgedOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 18, 1, 30, 0, 0, time.UTC)
	e, err := domain.NewEntry("450321", "e", "a", fact("accepted"), now)
	if err != nil || e.Data().Version() != 1 {
		t.Fatal(err)
	}
	e.Acknowledge(now.Add(time.Minute))
	e.Acknowledge(now.Add(time.Hour))
	if got := e.Data(); !got.AcknowledgeTime.Equal(now.Add(time.Minute)) || got.Version() != 2 {
		t.Errorf("acknowledged at %s, version %d", got.AcknowledgeTime, got.Version())
	}
	for _, missing := range []string{"account", "referral"} {
		f, account := fact("accepted"), "a"
		if missing == "account" {
			account = ""
		} else {
			f.ReferralID = ""
		}
		if _, err := domain.NewEntry("450321", "e", account, f, now); !errors.Is(err, domain.ErrIncomplete) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}
