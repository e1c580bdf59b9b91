package seed

import (
	"regexp"
	"strings"
	"testing"
	"time"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
)

// asOf is Saturday morning in Beijing, still Friday in UTC.
func asOf() time.Time { return time.Date(2026, 3, 20, 17, 0, 0, 0, time.UTC) }

func yangshuo(t *testing.T) place {
	t.Helper()
	p, err := findCounty(DemoCounty)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheDemoCountyHasItsNineTownships(t *testing.T) {
	t.Parallel()
	p := yangshuo(t)
	if p.name != "阳朔县" || p.above != "广西壮族自治区桂林市" || len(p.townships) != 9 {
		t.Errorf("got %+v", p)
	}
	want := map[string]string{
		"450321101": "白沙镇卫生院 baisha", "450321103": "兴坪镇卫生院 xingping", "450321200": "金宝乡卫生院 jinbao",
	}
	for _, x := range p.townships {
		if w, ok := want[x.code]; ok && w != x.centreName()+" "+x.login() {
			t.Errorf("got %s %s, want %s", x.centreName(), x.login(), w)
		}
	}
}

func TestACountyThatIsNotInTheListIsRefusedWithAHint(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "4503", "999999", "450321101", "abcdef"} {
		_, err := findCounty(code)
		if err == nil || !strings.Contains(err.Error(), "阳朔县") {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestAnyCountyOfTheListCanBeBuilt(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"110101", "441900", "460301", "542500", "659001", DemoCounty} {
		p, err := findCounty(code)
		if err != nil {
			t.Logf("%s: %v", code, err)
			continue
		}
		logins := map[string]bool{}
		valid := regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
		for _, e := range p.accounts(Options{County: code, Password: "x"}) {
			login := e.GetAccount().GetLogin()
			if logins[login] || !valid.MatchString(login) {
				t.Errorf("%s: login %q", code, login)
			}
			logins[login] = true
		}
		for i, d := range p.patients(asOf()) {
			if len(d.GetPatient().GetHealthRecordNumber()) != 17 {
				t.Errorf("%s: health record number of patient %d", code, i+1)
			}
		}
	}
}

func TestTheSameSeedGivesTheSamePeopleAndAnotherOneOthers(t *testing.T) {
	t.Parallel()
	p := yangshuo(t)
	names := func(seed int64) string {
		var all []string
		seen := map[string]bool{}
		for _, e := range p.accounts(Options{Seed: seed}) {
			name := e.GetAccount().GetName()
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
			all = append(all, name)
		}
		return strings.Join(all, " ")
	}
	if names(1) != names(1) || names(1) == names(2) {
		t.Error("names do not follow the seed")
	}
}

func TestTheDemoAccountsAreWhoTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	p := yangshuo(t)
	want := map[string]struct {
		organization, department string
		role                     commonv1.Role_Code
	}{
		"township":   {"450321101", "02", commonv1.Role_TOWNSHIP_DOCTOR},
		"township2":  {"450321103", "02", commonv1.Role_TOWNSHIP_DOCTOR},
		"desk":       {"450321H01", "", commonv1.Role_INTAKE_DESK},
		"specialist": {"450321H01", "0304", commonv1.Role_SPECIALIST},
		"head":       {"450321H01", "0304", commonv1.Role_DEPARTMENT_HEAD},
		"admin":      {"450321A01", "", commonv1.Role_COUNTY_ADMIN},
		"village":    {"450321101V01", "", commonv1.Role_VILLAGE_DOCTOR},
		"security":   {"450321A01", "", commonv1.Role_SECURITY_ADMIN},
		"system":     {"450321A01", "", commonv1.Role_SYSTEM_ADMIN},
		"auditor":    {"450321A01", "", commonv1.Role_AUDITOR},
		"baisha2":    {"450321101", "02", commonv1.Role_TOWNSHIP_DOCTOR},
	}
	for _, who := range p.people() {
		w, ok := want[who.login]
		if !ok {
			continue
		}
		delete(want, who.login)
		if who.organization != w.organization || who.department != w.department || who.roles[len(who.roles)-1] != w.role {
			t.Errorf("%s: %+v", who.login, who)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestSessionsAreOnTheNextFourteenWorkingDaysOfTheCounty(t *testing.T) {
	t.Parallel()
	got := days(asOf())
	if len(got) != 14 || got[0].Format(time.DateOnly) != "2026-03-23" || got[13].Format(time.DateOnly) != "2026-04-09" {
		t.Errorf("got %v", got)
	}
	p := yangshuo(t)
	seen := map[string]bool{}
	for _, s := range p.schedules(asOf(), p.accounts(Options{})) {
		start := s.GetStart().AsTime().In(beijing())
		if seen[s.GetId()] || s.GetPractitionerName() == "" || start.Hour() != 8 && start.Hour() != 14 || s.GetSlotMinutes() < 15 {
			t.Errorf("got %v", s)
		}
		seen[s.GetId()] = true
	}
	if len(seen) < 14*20 {
		t.Errorf("%d sessions", len(seen))
	}
}

func TestIdentityNumbersHaveTheRightCheckCharacterAndNobodysRegion(t *testing.T) {
	t.Parallel()
	for want, of := range map[string]struct {
		birth    string
		sequence int
	}{
		"990122195603120016": {"19560312", 1}, "990122196311070023": {"19631107", 2},
		"990122198802290142": {"19880229", 14}, "990122201907050086": {"20190705", 8},
	} {
		if got := identityNumber(of.birth, of.sequence); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	seen := map[string]bool{}
	for _, r := range yangshuo(t).patients(asOf()) {
		n := r.GetPatient().GetIdentityNumber()
		if seen[n] || len(n) != 18 || !strings.HasPrefix(n, "99") || len(r.GetEntries()) < 3 {
			t.Errorf("patient %s with %d entries", r.GetPatientIdentity(), len(r.GetEntries()))
		}
		seen[n] = true
	}
}

func TestAResultIsJudgedByItsRange(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		of     loinc
		value  float64
		code   string
		normal string
	}{
		{pulse, 104, "H", "60–100"}, {oxygen, 89, "L", "94–100"}, {ldl, 2.1, "N", "≤3.4"}, {egfr, 17, "L", "≥90"}, {weight, 70, "", ""},
	} {
		if code, normal := r.of.meaning().judge(r.value); code != r.code || normal != r.normal {
			t.Errorf("%s %v: %s %s", r.of, r.value, code, normal)
		}
	}
}
