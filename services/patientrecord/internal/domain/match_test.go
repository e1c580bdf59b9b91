package domain_test

import (
	"slices"
	"testing"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func date(t *testing.T, text string) domain.Date {
	t.Helper()
	d, ok := domain.ParseDate(text)
	if !ok {
		t.Fatalf("no date %q", text)
	}
	return d
}

func TestComparisonsSayWhatADoctorWouldSay(t *testing.T) {
	t.Parallel()
	base := domain.Details{Name: "王秀英", Sex: domain.Female, BirthDate: date(t, "1951-08-02"), Phone: "13800138000", Village: "大湾村"}
	with := func(change func(*domain.Details)) domain.Details {
		d := base
		change(&d)
		return d
	}
	newborn := domain.Details{
		Name: "张三之女", Sex: domain.Female, BirthDate: date(t, "2026-11-01"), DocumentType: domain.NoDocument, NoDocumentReason: domain.Newborn,
		GuardianName: "张三", GuardianPhone: "13900139000", Village: "大湾村",
	}
	for name, c := range map[string]struct {
		a, b             domain.Details
		sound            bool
		likely, possible bool
	}{
		"the same description":             {base, base, true, true, true},
		"another telephone since":          {base, with(func(d *domain.Details) { d.Phone = "13900139999" }), true, true, true},
		"a character of the name wrong":    {base, with(func(d *domain.Details) { d.Name = "王秀瑛" }), true, true, true},
		"only the name is the same":        {base, domain.Details{Name: "王秀英", Sex: domain.Female}, true, false, false},
		"name and village, other birthday": {base, domain.Details{Name: "王秀英", Village: "大湾村", BirthDate: date(t, "1948-01-01")}, true, false, false},
		"husband and wife, one telephone":  {base, with(func(d *domain.Details) { d.Name, d.Sex = "李国强", domain.Male }), false, false, false},
		"sisters who are twins":            {base, with(func(d *domain.Details) { d.Name = "王秀兰" }), false, false, false},
		"estimated birth date, same telephone": {
			base, with(func(d *domain.Details) { d.BirthDate = date(t, "1951") }), true, true, true,
		},
		"newborn with the name given later": {
			newborn, domain.Details{Name: "张雨桐", Sex: domain.Female, BirthDate: date(t, "2026-11-01"), GuardianName: "张三", GuardianPhone: "13900139000", Village: "大湾村"},
			false, true, true,
		},
		"another name, one insurance number": {
			domain.Details{Name: "王秀英", InsuranceNumber: "45032100012345", BirthDate: date(t, "1951-08-02")},
			domain.Details{Name: "王红", InsuranceNumber: "45032100012345", BirthDate: date(t, "1951-08-02")}, false, false, true,
		},
		"the insurance's number is the identity number": {
			domain.Details{Name: "王秀英", InsuranceNumber: "990122196311070023"},
			domain.Details{Name: "王秀英", DocumentType: domain.ResidentCard, IdentityNumber: "990122196311070023"}, true, true, true,
		},
		"two right identity numbers": {
			with(func(d *domain.Details) { d.DocumentType, d.IdentityNumber = domain.ResidentCard, "990122196311070023" }),
			with(func(d *domain.Details) { d.DocumentType, d.IdentityNumber = domain.ResidentCard, "990122198802290142" }), true, true, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, back := domain.Compare(c.a, c.b, c.sound), domain.Compare(c.b, c.a, c.sound)
			if got.Likely() != c.likely || got.Possible() != c.possible {
				t.Errorf("score %d (%v, against %v), want likely %v possible %v", got.Score, got.Agrees, got.Differs, c.likely, c.possible)
			}
			if got.Score != back.Score || !slices.Equal(got.Agrees, back.Agrees) {
				t.Errorf("the order matters: %d, %d", got.Score, back.Score)
			}
		})
	}
}

func TestANumberThatSomebodyBroughtIsAlwaysLookedAt(t *testing.T) {
	t.Parallel()
	a, b := domain.Details{Name: "王秀英", Sex: domain.Female}, domain.Details{Name: "李国强", Sex: domain.Male}
	if c := domain.Compare(a, b, false).NumberTaken(); !c.Possible() || !slices.Contains(c.Agrees, domain.FeatureNumber) {
		t.Errorf("score %d %v", c.Score, c.Agrees)
	}
}

func TestMergedRecordsLeadToWhoeverIsLeft(t *testing.T) {
	t.Parallel()
	chain := []domain.Merge{{ID: "1", Merged: "a", Survivor: "b"}, {ID: "2", Merged: "b", Survivor: "c"}, {ID: "3", Merged: "x", Survivor: "c"}}
	got := domain.Roots(chain)
	for record, root := range map[string]string{"a": "c", "b": "c", "x": "c", "c": ""} {
		if got[record] != root {
			t.Errorf("%s leads to %q, want %q", record, got[record], root)
		}
	}
	got = domain.Roots([]domain.Merge{chain[0], chain[2]})
	if got["a"] != "b" || got["b"] != "" || got["x"] != "c" {
		t.Errorf("after the merge in the middle was undone: %v", got)
	}
}

func TestANewbornsNameIsForTheTimeBeing(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"张三之女": true, "李四之子": true, "张三之大女": true, "之女": false, "王之": false, "王秀英": false} {
		if got := domain.ForTheTimeBeing(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
