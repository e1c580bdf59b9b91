package domain_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func TestANumberIsPrintedAndReadBack(t *testing.T) {
	t.Parallel()
	n, err := domain.NewNumber("450321", 2026, 123)
	if err != nil {
		t.Fatal(err)
	}
	if got := n.Printed(); got[:18] != "450321-26-0000123-" || len(got) != 19 {
		t.Errorf("printed %q", got)
	}
	for _, typed := range []string{n.Printed(), string(n), " 450321 26 0000123 " + string(n[15:]), "４５０３２１－26－0000123－" + string(n[15:])} {
		if got, ok := domain.ParseNumber(typed); !ok || got != n {
			t.Errorf("ParseNumber(%q) = %q, %v", typed, got, ok)
		}
	}
	for _, bad := range []string{"", "450321", string(n) + "1", "450321-26-000012a-3", "四五"} {
		if _, ok := domain.ParseNumber(bad); ok {
			t.Errorf("ParseNumber(%q) is read", bad)
		}
	}
}

func TestNumbersEndWithTheirSequence(t *testing.T) {
	t.Parallel()
	for _, sequence := range []int64{0, -1, domain.MaxSequence + 1} {
		if _, err := domain.NewNumber("450321", 2026, sequence); err == nil {
			t.Errorf("sequence %d has a number", sequence)
		}
	}
	if _, err := domain.NewNumber("45032", 2026, 1); err == nil {
		t.Error("a county of five digits has a number")
	}
}

func TestEveryWrongDigitIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, err := domain.NewNumber("450321", rapid.IntRange(2020, 2090).Draw(t, "year"), rapid.Int64Range(1, domain.MaxSequence).Draw(t, "sequence"))
		if err != nil {
			t.Fatal(err)
		}
		b := []byte(n)
		i := rapid.IntRange(0, 15).Draw(t, "place")
		b[i] = '0' + (b[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if got, ok := domain.ParseNumber(string(b)); ok {
			t.Fatalf("%s passes for %s", got, n)
		}
	})
}
