package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/e2e/internal/harness"
)

// accountTable has a new account, one that changes, and two mistakes.
const accountTable = `账号,姓名,机构代码,科室代码,角色,电话,邮箱,状态
import1,覃新来,450321101,,乡镇医生,13800000000,,
township,,,,,13900000000,,
import2,,450321101,,校长,,,
import3,无机构,nowhere,,村医,,,
`

const accountErrors = `line,field,reason
4,roles,FIELD_UNKNOWN
4,name,FIELD_REQUIRED
5,organization_code,FIELD_UNKNOWN
`

// The commands of the machine and the page stand on one use case.
func TestAccountsAreImportedAndLookedAfterOnTheMachine(t *testing.T) {
	t.Parallel()
	s := harness.Together(t, binary, false)
	s.Seed(t)
	s.Stop(t) // what follows starts the services for itself
	file := filepath.Join(t.TempDir(), "账号.csv")
	if err := os.WriteFile(file, []byte(accountTable), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(ok bool, want string, args ...string) string {
		t.Helper()
		out, err := s.Command(t.Context(), args...)
		if (err == nil) != ok || !strings.Contains(out, want) {
			t.Errorf("%v: got %v, want %s:\n%s", args, err, want, out)
		}
		return out
	}
	run(false, "accounts would be imported: 1 new, 1 changed, 0 as before", "import", "accounts", file, "--dry-run")
	if _, err := os.Stat(file + ".slips.csv"); err == nil {
		t.Error("a trial makes passwords")
	}
	run(false, "accounts imported: 1 new, 1 changed, 0 as before", "import", "accounts", file)
	if text, err := os.ReadFile(file + ".errors.csv"); err != nil || string(text) != accountErrors {
		t.Errorf("the error file says %v:\n%s", err, text)
	}
	slips, err := os.ReadFile(file + ".slips.csv")
	info, serr := os.Stat(file + ".slips.csv")
	if err != nil || serr != nil || info.Mode().Perm() != 0o600 || !regexp.MustCompile(`(?m)^import1,覃新来,白沙镇卫生院,[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4},\d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d$`).Match(slips) || strings.Count(string(slips), "\n") != 2 {
		t.Errorf("%v, %v:\n%s", err, info, slips)
	}
	run(false, "hand out its passwords and delete it first", "import", "accounts", file)
	if err := os.Remove(file + ".slips.csv"); err != nil {
		t.Fatal(err)
	}
	run(false, "accounts imported: 0 new, 0 changed, 2 as before", "import", "accounts", file)
	county := []string{"--county", "450321"}
	account := func(do string, args ...string) []string {
		return append(append([]string{"admin", "account", do}, args...), county...)
	}
	run(true, "account lead, one-time password ", account("add", "lead", "--name", "覃主任", "--organization", "450321101", "--role", "COUNTY_ADMIN", "--role", "CENTRE_HEAD")...)
	run(false, "FIELD_TAKEN", account("add", "lead", "--name", "覃主任", "--organization", "450321101", "--role", "COUNTY_ADMIN")...)
	run(false, `there is no role "BOSS"`, account("add", "boss", "--name", "x", "--organization", "450321101", "--role", "BOSS")...)
	run(true, "account keeper, one-time password ", account("add", "keeper", "--name", "安全", "--organization", "450321101", "--role", "SECURITY_ADMIN")...)
	run(true, "account lead, one-time password ", account("reset", "lead")...)
	run(true, "account lead is disabled", account("disable", "lead")...)
	run(true, "account lead is enabled", account("enable", "lead")...)
	run(true, "account lead is disabled", account("disable", "lead")...)
	run(false, "LAST_ADMINISTRATOR", account("disable", "admin")...)
	run(false, `has no account "nobody"`, account("disable", "nobody")...)
}
