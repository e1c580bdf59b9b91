package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestASurnameIsOneCharacterOrACompound(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"曾小明": "曾", "欧阳锋": "欧阳", "司马": "司", "Elisha Bradtke": "Elisha", "Cher": "C", " 莫 ": "莫", "": "",
	} {
		if got := domain.Surname(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestASlipIsValidUntilTheExpectedDayAndAtLeastFourteen(t *testing.T) {
	t.Parallel()
	cal := calendar(t)
	sent := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	end := func(days int) time.Time {
		day, _ := cal.Day(cal.Today(sent.AddDate(0, 0, days)))
		return day.To
	}
	s := domain.Snapshot{State: domain.StateSubmitted, SubmitTime: sent, UpdateTime: sent.Add(time.Hour)}
	if got := cal.SlipValidity(s); !got.From.Equal(sent) || !got.To.Equal(end(14)) {
		t.Errorf("14 days: %v, want until %v", got, end(14))
	}
	s.Expected.To = sent.AddDate(0, 0, 20)
	if got := cal.SlipValidity(s); !got.To.Equal(end(20)) {
		t.Errorf("a later booking: %v", got)
	}
	s.State = domain.StateDeclined
	if got := cal.SlipValidity(s); !got.To.Equal(s.UpdateTime) {
		t.Errorf("declined: %v", got)
	}
	if got := cal.SlipValidity(domain.Snapshot{State: domain.StateDraft}); got != (domain.Window{}) {
		t.Errorf("a draft: %v", got)
	}
}

func TestTheCountyHandsBackTheMedicinesOfAReplyOrOfADownReferralThatArrived(t *testing.T) {
	t.Parallel()
	up := domain.Snapshot{
		Direction: domain.Up, Receiver: domain.Party{OrganizationID: "hospital"},
		Reply: domain.Reply{Medications: []domain.Medication{{Name: "阿司匹林", Dosage: "每日一次", Specification: "100 mg"}}},
	}
	if _, _, got := up.HandedBack(); got != nil {
		t.Error("before the conclusion")
	}
	up.ConcludeTime = time.Unix(100, 0)
	if org, at, got := up.HandedBack(); org != "hospital" || at != up.ConcludeTime || len(got) != 1 || got[0].Place != 1 || got[0].Name != "阿司匹林" {
		t.Errorf("%s %v %d", org, at, len(got))
	}
	down := domain.Snapshot{
		Direction: domain.Down, Originator: domain.Party{OrganizationID: "hospital"}, SubmitTime: time.Unix(50, 0),
		Medicines: []domain.Medicine{
			{Name: "a"}, {Name: "b", Decision: "STOPPED"}, {Name: "c", Specification: "1 g", Decision: "SUBSTITUTED", Substitute: "d"},
		},
	}
	if _, _, got := down.HandedBack(); got != nil {
		t.Error("before the arrival")
	}
	down.ArriveTime = time.Unix(60, 0)
	_, at, got := down.HandedBack()
	if at != down.SubmitTime || len(got) != 3 || got[0].Stopped || !got[1].Stopped || got[2].Name != "d" || got[2].Specification != "" || got[2].Place != 3 {
		t.Errorf("at %v: %d", at, len(got))
	}
}

func TestCompletenessIsTheShareOfTheWeightsThatApplyAndCanBeTold(t *testing.T) {
	t.Parallel()
	items := []domain.CompletenessItem{
		{Code: "FILLED", Weight: 3, Filled: []string{"form.treatment"}, Length: 3},
		{Code: "SAID", Weight: 1, Mentions: []string{"过敏"}, Within: []string{"form.past_history", "form.treatment"}},
		{Code: "RECORDED", Weight: 2, Record: domain.RecordMedicines},
		{Code: "DOWN", Weight: 100, Directions: []domain.Direction{domain.Down}, Filled: []string{"plan"}},
		{Code: "WARD", Weight: 100, Kinds: []domain.Kind{domain.KindInpatient}, Filled: []string{"transport"}},
		{Code: "FAST", Weight: 100, Urgencies: []domain.Urgency{domain.UrgencyEmergency}, Filled: []string{"transport"}},
	}
	s := domain.Snapshot{Direction: domain.Up, Kind: domain.KindOutpatient, Urgency: domain.UrgencyRoutine}
	none := domain.RecordFacts{Read: true}
	for name, try := range map[string]struct {
		treatment string
		record    domain.RecordFacts
		score     int
		missing   []string
	}{
		"nothing":            {"", none, 0, []string{"FILLED", "RECORDED", "SAID"}},
		"too short":          {"ab ", none, 0, []string{"FILLED", "RECORDED", "SAID"}},
		"said elsewhere":     {"否认过敏", none, 66, []string{"RECORDED"}},
		"all":                {"否认过敏", domain.RecordFacts{Read: true, Has: []string{domain.RecordMedicines}}, 100, nil},
		"the record is away": {"服药后好转", domain.RecordFacts{}, 75, []string{"SAID"}},
	} {
		s.Form.Treatment = try.treatment
		got := domain.JudgeCompleteness(items, s, try.record)
		if !got.Judged || got.Score != try.score || !slices.Equal(got.Missing(), try.missing) {
			t.Errorf("%s: %d %q", name, got.Score, got.Missing())
		}
		if got.Complete() != (try.score >= domain.CompleteFrom) {
			t.Errorf("%s: complete is %v", name, got.Complete())
		}
	}
	if got := domain.JudgeCompleteness(items[2:3], s, domain.RecordFacts{}); got.Judged {
		t.Errorf("nothing can be told, and it was judged %d", got.Score)
	}
}
