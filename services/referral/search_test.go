package referral_test

import (
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
)

// What a doctor sent is found again by the patient, the number of the slip in part, and the day on which it was sent.
func TestWhatWasSentIsSearchedByPatientNumberAndDay(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	doctor := f.as("TOWNSHIP_DOCTOR")
	one, two := f.must(f.client.CreateReferral(doctor, f.creation())), f.must(f.client.CreateReferral(doctor, f.creation()))
	draft := f.creation()
	draft.Submit, draft.HoldId = false, ""
	kept := f.must(f.client.CreateReferral(doctor, draft))
	number := strings.ReplaceAll(one.GetNumber(), "-", "")
	for name, c := range map[string]struct {
		asked *referralv1.ListReferralsRequest
		want  []string
	}{
		"one patient":  {&referralv1.ListReferralsRequest{PatientIds: []string{two.GetPatientId()}}, []string{two.GetId()}},
		"two patients": {&referralv1.ListReferralsRequest{PatientIds: []string{one.GetPatientId(), kept.GetPatientId()}}, []string{one.GetId(), kept.GetId()}},
		"number":       {&referralv1.ListReferralsRequest{Number: number}, []string{one.GetId()}},
		"end of it":    {&referralv1.ListReferralsRequest{Number: number[len(number)-4:]}, []string{one.GetId()}},
		"today":        {&referralv1.ListReferralsRequest{SentFrom: f.day(0), SentTo: f.day(1)}, []string{one.GetId(), two.GetId()}},
		"before today": {&referralv1.ListReferralsRequest{SentTo: f.day(0)}, nil},
		"after today":  {&referralv1.ListReferralsRequest{SentFrom: f.day(1)}, nil},
	} {
		c.asked.View = "outbox"
		list, err := f.client.ListReferrals(doctor, c.asked)
		var got []string
		for _, r := range list.GetReferrals() {
			got = append(got, r.GetId())
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := f.client.ListReferrals(doctor, &referralv1.ListReferralsRequest{View: "outbox", SentFrom: "2026-02-31"})
	if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != "sentFrom" {
		t.Errorf("a day that there is not: %v", err)
	}
}
