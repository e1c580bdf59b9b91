package seed_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/seed"
)

func TestTheDemoCountyHasItsHospitalItsNineCentresAndAVillageClinic(t *testing.T) {
	t.Parallel()
	r, report := built(t, options(demo))
	byName := map[string]*directoryv1.OrganizationEntry{}
	types := map[directoryv1.OrganizationType_Code]int{}
	for _, e := range r.organizations {
		byName[e.GetOrganization().GetName()] = e
		types[e.GetOrganization().GetType()]++
	}
	if report.County != "阳朔县" || types[directoryv1.OrganizationType_TOWNSHIP_CENTRE] != 9 || types[directoryv1.OrganizationType_VILLAGE_CLINIC] != 1 {
		t.Errorf("%s has %v", report.County, types)
	}
	for _, name := range []string{"阳朔县人民医院", "阳朔县卫生健康局", "白沙镇卫生院", "兴坪镇卫生院", "金宝乡卫生院", "阳朔镇卫生院"} {
		if byName[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	centre := byName["白沙镇卫生院"].GetOrganization()
	if centre.GetCode() != "450321101" || centre.GetAddress() != "广西壮族自治区桂林市阳朔县白沙镇" {
		t.Errorf("got %v", centre)
	}
	if byName["白沙镇竹桥村卫生室"].GetOrganization().GetParentId() != centre.GetId() {
		t.Error("the village clinic does not belong to its centre")
	}
	departments := map[string]bool{}
	for _, d := range byName["阳朔县人民医院"].GetDepartments() {
		departments[d.GetCode()] = d.GetLocation() != ""
	}
	for _, code := range strings.Fields("20 0301 0302 0303 0304 0306 0307 0401 0402 0403 0404 05 07 10 11 15 17 19 21 28 30 32 50") {
		if !departments[code] {
			t.Errorf("department %s is missing or nowhere", code)
		}
	}
}

func TestEnglishNamesAreSpeltLikeNamesOfPlaces(t *testing.T) {
	t.Parallel()
	for county, want := range map[string]map[string]string{
		demo: {
			"白沙镇卫生院": "Baisha Township Health Centre", "金宝乡卫生院": "Jinbao Township Health Centre",
			"阳朔县人民医院": "Yangshuo County People's Hospital", "阳朔县卫生健康局": "Yangshuo County Health Bureau",
			"白沙镇竹桥村卫生室": "Zhuqiao Village Clinic, Baisha Township",
		},
		"110101": {"东城区人民医院": "Dongcheng District People's Hospital", "东华门街道社区卫生服务中心": "Donghuamen Subdistrict Community Health Centre"},
		"361128": {"鄱阳县人民医院": "Poyang County People's Hospital"},
	} {
		r, _ := built(t, options(county))
		got := map[string]string{}
		for _, e := range r.organizations {
			got[e.GetOrganization().GetName()] = e.GetOrganization().GetNameEn()
		}
		for name, english := range want {
			if got[name] != english {
				t.Errorf("%s: %q, want %q", name, got[name], english)
			}
		}
	}
}

func TestTheDemoAccountsAreWhoTheyAreSaidToBe(t *testing.T) {
	t.Parallel()
	r, report := built(t, options(demo))
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
		"jinbao1":    {"450321200", "02", commonv1.Role_CENTRE_HEAD},
	}
	for _, e := range r.accounts {
		w, ok := want[e.GetAccount().GetLogin()]
		if !ok {
			continue
		}
		delete(want, e.GetAccount().GetLogin())
		found := false
		for _, role := range e.GetAccount().GetRoles() {
			found = found || role == w.role
		}
		if e.GetOrganizationCode() != w.organization || e.GetAccount().GetDepartmentCode() != w.department || !found || e.GetPassword() == "" {
			t.Errorf("got %v", e)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if len(report.DemoAccounts) != 11 || report.DemoAccounts[0].Login != "township" || report.DemoAccounts[0].Organization != "白沙镇卫生院" ||
		report.DemoAccounts[0].Name != r.accounts[0].GetAccount().GetName() {
		t.Errorf("got %+v", report.DemoAccounts)
	}
}

func TestTheSameSeedGivesTheSamePeopleAndAnotherOneOthers(t *testing.T) {
	t.Parallel()
	names := func(n int64) string {
		opt := options(demo)
		opt.Seed = n
		r, _ := built(t, opt)
		seen := map[string]bool{}
		var all []string
		for _, e := range r.accounts {
			name := e.GetAccount().GetName()
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
			all = append(all, e.GetAccount().GetId(), name)
		}
		return strings.Join(all, " ")
	}
	first, again, other := names(1), names(1), names(2)
	if first != again || first == other {
		t.Error("names do not follow the seed")
	}
}

func TestTheCountyHasClinicsExaminationsAndMarketDays(t *testing.T) {
	t.Parallel()
	r, report := built(t, options(demo))
	ids, kinds, devices, patterns := map[string]bool{}, map[string]int{}, map[string]bool{}, map[schedulingv1.Pattern_Code][]int32{}
	for _, e := range r.equipment {
		if ids[e.GetId()] || e.GetPreparation() == "" || e.GetPreparationEnglish() == "" || !e.GetInService() {
			t.Errorf("got %v", e)
		}
		ids[e.GetId()], devices[e.GetModality()] = true, true
	}
	busy := map[string]string{}
	for _, x := range r.templates {
		if ids[x.GetId()] || x.GetPractitionerName() == "" || x.GetPractitionerId() == "" || x.GetFirstDay() != "2026-03-21" || x.GetEquipmentId() != "" && !ids[x.GetEquipmentId()] {
			t.Errorf("got %v", x)
		}
		ids[x.GetId()] = true
		kinds[x.GetKind()+" "+x.GetGrade()]++
		if x.GetPattern() != schedulingv1.Pattern_WEEKLY {
			patterns[x.GetPattern()] = x.GetDigits()
		}
		for _, day := range x.GetWeekdays() {
			at := fmt.Sprint(x.GetPractitionerId(), day, x.GetStarts())
			if busy[at] != "" {
				t.Errorf("%s is in %s and %s at once", x.GetPractitionerName(), busy[at], x.GetDepartmentCode())
			}
			busy[at] = x.GetDepartmentCode()
		}
	}
	for _, kind := range []string{"CLINIC GENERAL", "CLINIC EXPERT", "EXAM GENERAL", "EXPERT EXPERT"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
	for _, modality := range []string{"CT", "MR", "US", "ES"} {
		if !devices[modality] {
			t.Errorf("no %s", modality)
		}
	}
	if len(patterns[schedulingv1.Pattern_SOLAR_DIGITS]) == 0 || len(patterns[schedulingv1.Pattern_LUNAR_DIGITS]) == 0 {
		t.Errorf("market days %v", patterns)
	}
	if report.Slots < len(r.templates)*6 {
		t.Errorf("%d slots of %d sessions", report.Slots, len(r.templates))
	}
	for _, w := range r.wards {
		if ids[w.GetId()] || w.GetBeds() == 0 {
			t.Errorf("got %v", w)
		}
		ids[w.GetId()] = true
	}
	if len(r.wards) < 20 {
		t.Errorf("%d wards", len(r.wards))
	}
}

func TestPatientsAreNobodyAndLiveInTheTownships(t *testing.T) {
	t.Parallel()
	r, _ := built(t, options(demo))
	homes, numbers := map[string]bool{}, map[string]*patientrecordv1.ImportRecordRequest{}
	for _, p := range r.patients {
		n := p.GetPatient().GetIdentityNumber()
		if numbers[n] != nil || len(n) != 18 || !strings.HasPrefix(n, "990122") || len(p.GetPatient().GetHealthRecordNumber()) != 17 || len(p.GetEntries()) < 3 {
			t.Errorf("got %v", p.GetPatient())
		}
		numbers[n] = p
		homes[p.GetOrganizationId()] = true
		identities := map[string]bool{}
		for _, e := range p.GetEntries() {
			if identities[e.GetSourceIdentity()] || e.GetSourceIdentity() == "" || e.GetResource() == nil {
				t.Errorf("got %v", e)
			}
			identities[e.GetSourceIdentity()] = true
		}
	}
	if len(numbers) != 12 || len(homes) != 9 {
		t.Errorf("%d patients at %d centres", len(numbers), len(homes))
	}
	// The published examples of the number's form, with their check characters.
	for n, sex := range map[string]commonv1.Sex_Code{
		"990122195603120016": commonv1.Sex_MALE, "990122196311070023": commonv1.Sex_FEMALE,
		"990122198802290142": commonv1.Sex_FEMALE, "990122201907050086": commonv1.Sex_FEMALE,
	} {
		if p := numbers[n]; p.GetPatient().GetSex() != sex || strings.ReplaceAll(p.GetPatient().GetBirthDate(), "-", "") != n[6:14] {
			t.Errorf("%s: %v", n, p.GetPatient())
		}
	}
}

func TestResultsAreJudgedByTheirRange(t *testing.T) {
	t.Parallel()
	r, _ := built(t, options(demo))
	got := map[string]string{}
	for _, e := range r.patients[4].GetEntries() { // 慢阻肺
		if o := e.GetObservation(); o != nil {
			got[o.GetText()] = o.GetInterpretation() + " " + o.GetReferenceRange()
		}
	}
	for text, want := range map[string]string{"血氧饱和度": "L 95–100", "心率": "H 60–100", "白细胞计数": "H 3.5–9.5", "血压": "N <140/90"} {
		if got[text] != want {
			t.Errorf("%s: %q, want %q", text, got[text], want)
		}
	}
}

// The range beside a result and the band in its trend must not contradict each other.
func TestResultsHaveTheRangesThatTheTrendsDraw(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../../patientrecord/internal/measure/measures.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Measures []struct {
			Loinc  []string
			Ranges []struct {
				Sex       string
				FromAge   int `yaml:"from_age"`
				ToAge     int `yaml:"to_age"`
				Low, High float64
			}
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	r, _ := built(t, options(demo))
	checked := map[string]bool{}
	for _, p := range r.patients {
		born, err := time.Parse(time.DateOnly, p.GetPatient().GetBirthDate())
		if err != nil {
			t.Fatal(err)
		}
		age := int(asOf().Sub(born).Hours() / 24 / 365.2425)
		for _, e := range p.GetEntries() {
			o := e.GetObservation()
			if o.GetQuantity() == nil {
				continue
			}
			for _, m := range file.Measures {
				if !slices.Contains(m.Loinc, o.GetCodes()[0].GetCode()) {
					continue
				}
				for _, usual := range m.Ranges {
					if usual.Sex != "" && usual.Sex != p.GetPatient().GetSex().String() || age < usual.FromAge || usual.ToAge > 0 && age >= usual.ToAge {
						continue
					}
					want := fmt.Sprintf("%v–%v", usual.Low, usual.High)
					switch {
					case usual.Low == 0:
						want = fmt.Sprintf("≤%v", usual.High)
					case usual.High == 0:
						want = fmt.Sprintf("≥%v", usual.Low)
					}
					if o.GetReferenceRange() != want {
						t.Errorf("%s of a %s of %d has %s, its trend %s", o.GetText(), p.GetPatient().GetSex(), age, o.GetReferenceRange(), want)
					}
					checked[o.GetText()] = true
					break
				}
			}
		}
	}
	if !checked["肌酐"] || len(checked) < 6 {
		t.Errorf("only %v were compared", checked)
	}
}

func TestAnyCountyOfTheListCanBeBuiltAndItsLoginsAreItsOwn(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	bare := regexp.MustCompile(`^[a-z]+[0-9]*$`)
	for _, county := range []string{"110101", "441900", "460105", "540123", "650102", demo} {
		r, _ := built(t, options(county))
		logins := map[string]bool{}
		for _, e := range r.accounts {
			login := e.GetAccount().GetLogin()
			if logins[login] || !valid.MatchString(login) || county != demo && !strings.HasSuffix(login, "."+county) {
				t.Errorf("%s: login %q", county, login)
			}
			logins[login] = true
		}
		if county == demo && !bare.MatchString(r.accounts[0].GetAccount().GetLogin()) {
			t.Errorf("got %v", r.accounts[0])
		}
	}
}

func TestACountyThatIsNotInTheListIsRefusedWithAHintBeforeAnyCall(t *testing.T) {
	t.Parallel()
	for _, county := range []string{"", "4503", "999999", "450321101", "abcdef"} {
		r := &recorder{}
		_, err := seed.County(t.Context(), r.clients(), options(county), func(int, int, string) {})
		if err == nil || !strings.Contains(err.Error(), "阳朔县") || r.calls > 0 {
			t.Errorf("%q: %v after %d calls", county, err, r.calls)
		}
	}
	for _, opt := range []seed.Options{{County: demo, Password: "x"}, {County: demo, AsOf: asOf()}} {
		if _, err := seed.County(t.Context(), (&recorder{}).clients(), opt, func(int, int, string) {}); err == nil {
			t.Errorf("%+v was taken", opt)
		}
	}
}
