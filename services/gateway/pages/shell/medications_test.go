package shell_test

import (
	"slices"
	"testing"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

func TestAMedicineThatWasHandedBackTwiceIsShownOnce(t *testing.T) {
	t.Parallel()
	var got []string
	for _, m := range shell.Medications([]*patientrecordv1.Medication{
		{Text: "氨氯地平 5mg", Dosage: "每日一次"}, {Text: "氨氯地平 5mg", Dosage: "每日一次，28 天"}, {Text: "氨氯地平 5mg", Dosage: "每日两次"},
		{Text: "阿司匹林 100mg", Dosage: "每日一次", Status: "active"}, {Text: "阿司匹林 100mg", Dosage: "每日一次", Status: "active"},
		{Text: "阿司匹林 100mg", Dosage: "每日一次", Status: "stopped"}, {Text: "氯沙坦钾"},
	}) {
		got = append(got, m.GetText()+" "+m.GetDosage()+" "+m.GetStatus())
	}
	want := []string{"氨氯地平 5mg 每日一次，28 天 ", "氨氯地平 5mg 每日两次 ", "阿司匹林 100mg 每日一次 active", "阿司匹林 100mg 每日一次 stopped", "氯沙坦钾  "}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
