package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var today = domain.Date{Year: 2026, Month: 11, Day: 22}

func TestIdentityNumberTellsSexAndBirthDate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in, value, birth string
		sex              domain.Sex
	}{
		{"34052419800101001X", "34052419800101001X", "1980-01-01", domain.Male},
		{"34052419800101001x", "34052419800101001X", "1980-01-01", domain.Male},
		{"11010519491231002X", "11010519491231002X", "1949-12-31", domain.Female},
		{"990122195603120016", "990122195603120016", "1956-03-12", domain.Male},
		{"990122196311070023", "990122196311070023", "1963-11-07", domain.Female},
		{"990122198802290142", "990122198802290142", "1988-02-29", domain.Female},
		{"990122201907050086", "990122201907050086", "2019-07-05", domain.Female},
		{" 990122 19560312 0016 ", "990122195603120016", "1956-03-12", domain.Male},
		{"９９０１２２１９５６０３１２００１６", "990122195603120016", "1956-03-12", domain.Male},
		{"３４０５２４１９８００１０１００１ｘ", "34052419800101001X", "1980-01-01", domain.Male},
		{"990122-19560312-0016", "990122195603120016", "1956-03-12", domain.Male},
	}
	for _, c := range cases {
		n, cause := domain.ParseIdentityNumber(c.in, today)
		if cause != "" {
			t.Errorf("%q refused: %s", c.in, cause)
			continue
		}
		if n.Value() != c.value || n.BirthDate().Text() != c.birth || n.Sex() != c.sex {
			t.Errorf("%q: %s %s %d", c.in, n.Value(), n.BirthDate().Text(), n.Sex())
		}
	}
}

func TestIdentityNumberRefusesWithItsCause(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, cause string }{
		{"340524198001010013", domain.CauseCheck},
		{"990122195603120017", domain.CauseCheck},
		{"990122198702290142", domain.CauseDate},   // no 29 February in 1987
		{"990122195613120016", domain.CauseDate},   // month 13
		{"990122170003120016", domain.CauseDate},   // 326 years old
		{"990122202611230019", domain.CauseFuture}, // tomorrow
		{"090122195603120016", domain.CauseRegion},
		{"990122560312001", domain.CauseOldNumber},
		{"99012219560312001", domain.CauseLength},
		{"9901221956031200166", domain.CauseLength},
		{"", domain.CauseLength},
		{"9901221956O3120016", domain.CauseCharacters},
		{"99012219560312001Y", domain.CauseCharacters},
		{"X90122195603120016", domain.CauseCharacters},
		{"九九零一二二一九五六零三一二零零一六", domain.CauseCharacters},
	}
	for _, c := range cases {
		if n, cause := domain.ParseIdentityNumber(c.in, today); cause != c.cause {
			t.Errorf("%q: cause %q, want %q (%s)", c.in, cause, c.cause, n.Value())
		}
	}
}

func TestIdentityNumberBornTodayIsRight(t *testing.T) {
	t.Parallel()
	digits := "99012220261122001"
	if _, cause := domain.ParseIdentityNumber(digits+string(domain.CheckCharacter(digits)), today); cause != "" {
		t.Fatal(cause)
	}
}

func TestPatientDataPrintsAsItsKind(t *testing.T) {
	t.Parallel()
	n, _ := domain.ParseIdentityNumber("990122195603120016", today)
	d, ps := domain.NewDemographics(domain.Details{Name: "曾小明", IdentityNumber: "990122195603120016"}, today)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	p := domain.NewPatient("p-1", d, "o-1", moment)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, v := range []any{n, d, d.Details(), p, []any{p}, domain.Entry{Kind: "PROBLEM", Content: []byte("曾小明")}} {
			out := fmt.Sprintf(verb, v)
			if strings.Contains(out, "曾") || strings.Contains(out, "1956") || strings.Contains(out, "e69bbe") {
				t.Errorf("%s of %T prints %q", verb, v, out)
			}
		}
	}
}

func FuzzParseIdentityNumber(f *testing.F) {
	for _, s := range []string{"34052419800101001X", "11010519491231002x", "340524198001010013", "９９０１２２１９５６０３１２００１６", "990122560312001", "", "\xff", "九九"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, cause := domain.ParseIdentityNumber(s, today)
		if cause != "" {
			return
		}
		v := n.Value()
		if len(v) != 18 || domain.CheckCharacter(v[:17]) != v[17] {
			t.Fatalf("accepted %q as %q", s, v)
		}
		if again, cause := domain.ParseIdentityNumber(v, today); cause != "" || again != n {
			t.Fatalf("%q is not stable", v)
		}
		if n.BirthDate().After(today) || !n.BirthDate().Whole() {
			t.Fatalf("%q: birth date %s", v, n.BirthDate().Text())
		}
	})
}
