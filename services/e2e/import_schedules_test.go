package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// scheduleTable has a clinic, a market day, and two mistakes.
const scheduleTable = `科室代码,类型,号别,医生,地点,开始时间,结束时间,每号分钟,规则,星期,尾数,开始日期,节假日出诊
0304,门诊,专家号,测试医生,门诊楼9层,18:00,20:00,20,每周,一三五,,2026-01-01,是
0304,专家下乡,,测试医生,集市,06:00,08:00,20,农历尾数,,三六九,2026-01-01,是
0304,门诊,,测试医生,门诊楼9层,18点,20:00,20,每周,二,,2026-01-01,
0304,门诊,贵宾号,测试医生,门诊楼9层,18:00,20:00,20,每周,二,,2026-01-01,
`

const scheduleErrors = `line,field,reason
4,starts,FIELD_INVALID
5,grade,FIELD_UNKNOWN
`

func TestSchedulesAreImportedFromATableAsAHospitalHasIt(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	s.Stop(t) // what follows starts the services for itself
	table, err := simplifiedchinese.GB18030.NewEncoder().String(scheduleTable)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "排班.csv")
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func(want string, more ...string) {
		t.Helper()
		out, err := s.Command(t.Context(), append([]string{"import", "schedules", file, "--organization", "450321H01"}, more...)...)
		if err == nil || !strings.Contains(out, want) || !strings.Contains(out, "2 lines were refused") || strings.Contains(out, "测试医生") {
			t.Errorf("got %v, want %s:\n%s", err, want, out)
		}
	}
	load("2 templates and 0 sessions would be imported, 0 as before", "--dry-run")
	load("2 templates and 0 sessions imported, 0 as before")
	load("0 templates and 0 sessions imported, 2 as before")
	text, err := os.ReadFile(file + ".errors.csv")
	if err != nil || string(text) != scheduleErrors {
		t.Errorf("the error file says %v:\n%s", err, text)
	}
	if out, err := s.Command(t.Context(), "import", "schedules", file, "--organization", "nowhere"); err == nil || !strings.Contains(out, "no organisation has the code") {
		t.Errorf("got %v:\n%s", err, out)
	}
}
