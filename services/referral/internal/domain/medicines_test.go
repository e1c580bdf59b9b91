package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

// A patient goes down with how each medicine is taken, in whatever words; a draft may leave it open.
func TestNobodyIsSentDownWithAMedicineOfWhichNobodySaysHowItIsTaken(t *testing.T) {
	t.Parallel()
	d := draft(domain.KindRehabilitation)
	d.Medicines = []domain.Medicine{
		{Name: "阿司匹林肠溶片", Dosage: "每日一次"}, {Name: "替格瑞洛片", Specification: "90mg×14", Days: 28},
		{Name: "氯吡格雷片", Decision: "STOPPED"}, {Name: "阿托伐他汀钙片", Dosage: "由卫生院医生决定"},
		{Name: "利伐沙班片", Availability: domain.MedicineMissed},
	}
	_, err := create(t, d, true)
	want := []string{"medicines[1].dosage FIELD_REQUIRED", "medicines[4].dosage FIELD_REQUIRED", "medicines[4].decision FIELD_REQUIRED"}
	if got := refusedFields(t, err); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if _, err := create(t, d, false); err != nil {
		t.Errorf("the draft: %v", err)
	}
	d.Medicines[1].Dosage, d.Medicines[4] = "每日两次", domain.Medicine{Name: "利伐沙班片", Decision: "STOPPED", Availability: domain.MedicineMissed}
	if _, err := create(t, d, true); err != nil {
		t.Error(err)
	}
}

// What was replied before this was asked can still be corrected.
func TestAReplySaysHowItsMedicinesAreTaken(t *testing.T) {
	t.Parallel()
	r := domain.Restore(inState(domain.KindInpatient, domain.StateAdmitted))
	c := command(r, domain.ActionConclude, domain.Receiver)
	c.Carry.Reply.Medications = []domain.Medication{{Name: "阿司匹林肠溶片", Dosage: "每日一次"}, {Name: "替格瑞洛片", Dosage: "90mg×14"}, {Name: "氯沙坦钾片", Dosage: "1片，每日一次"}, {Name: "胰岛素", Dosage: "10 U"}, {Name: "布洛芬", Dosage: "0.3g 痛时服"}}
	if got := refusedFields(t, r.Decide(c, calendar(t))); !slices.Equal(got, []string{"reply.medications[1].dosage FIELD_REQUIRED", "reply.medications[3].dosage FIELD_REQUIRED"}) {
		t.Errorf("got %q", got)
	}
	s := concluded(domain.KindInpatient)
	s.Reply.Medications = c.Carry.Reply.Medications
	if err := domain.Restore(s).Mark(correction(domain.Receiver, "reply.next_steps", domain.Correction{Reply: domain.Reply{NextSteps: "两周后复诊"}})); err != nil {
		t.Error(err)
	}
}

// A dosage that begins with a strength is one all the same; a specification is none, in whatever way it is written.
func TestAStrengthAloneDoesNotSayHowAMedicineIsTaken(t *testing.T) {
	t.Parallel()
	refused := func(dosage string) bool {
		d := draft(domain.KindRehabilitation)
		d.Medicines = []domain.Medicine{{Name: "氨氯地平片", Dosage: dosage}}
		_, err := create(t, d, true)
		return err != nil
	}
	for _, how := range []string{
		"5mg/次，1次/日", "0.5g/次 3次/日", "100mg/d", "10U/天", "5mg/日", "10mg*3/日", "5mg×2次", "5mg：每晚", "5mg qd", "5mg，每日一次", "2片", "每次5mg", "0.3g 痛时服", "1g/12小时",
	} {
		if refused(how) {
			t.Errorf("%s is refused", how)
		}
	}
	for _, strength := range []string{"", "5mg", "10 U", "90mg×14", "5mg*7片*2板", "0.1g×7片/盒", "5mg/片", "100ml:0.9g", "0.5g：100ml", "2.5 MG x 28"} {
		if !refused(strength) {
			t.Errorf("%q says how", strength)
		}
	}
}
