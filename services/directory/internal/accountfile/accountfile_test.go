package accountfile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/directory/internal/accountfile"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

const table = "账号,姓名,机构代码,科室代码,角色,电话,邮箱,状态\n" +
	" LiXM ,李小明,H01,0304,专科医生、科主任,'+86 138,a@b.cn,停用\n\n,,,,,,,\nx,,,,,,,启用\n"

func TestATableIsReadAsPeopleSaveIt(t *testing.T) {
	t.Parallel()
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	english := strings.NewReplacer("账号", "account", "姓名", "Name", "机构代码", "organization_code", "科室代码", "department", "角色", "roles", "电话", "phone",
		"邮箱", "email", "状态", "state", "专科医生、科主任", "SPECIALIST; department_head", "停用", "disabled", "启用", "active").Replace(table)
	for what, content := range map[string]string{"UTF-8": table, "as Excel saves it": "\ufeff" + table, "GB18030": gb, "English": english} {
		rows, wrong := accountfile.Read([]byte(content))
		if len(rows) != 2 || len(wrong) != 0 {
			t.Errorf("%s: %d rows, %v", what, len(rows), wrong)
			continue
		}
		r := rows[0]
		if r.Line != 2 || r.Login != "lixm" || r.Name != "李小明" || r.OrganizationCode != "H01" || r.DepartmentCode != "0304" || r.Phone != "+86 138" ||
			r.Email != "a@b.cn" || r.Disabled == nil || !*r.Disabled || len(r.Bad) != 0 || !slices.Equal(r.Roles, []domain.Role{domain.Specialist, domain.DepartmentHead}) {
			t.Errorf("%s: %+v", what, r)
		}
		if r := rows[1]; r.Login != "x" || r.Disabled == nil || *r.Disabled || r.Roles != nil {
			t.Errorf("%s: %+v", what, r)
		}
	}
}

func TestWhatCannotBeReadIsNamedByLineAndColumn(t *testing.T) {
	t.Parallel()
	rows, wrong := accountfile.Read([]byte("账号,角色,状态\na,校长,\nb,,放假\n\"c,村医,\n"))
	if len(rows) != 2 || fmt.Sprint(rows[0].Bad, rows[1].Bad) != "[{roles FIELD_UNKNOWN 0}] [{state FIELD_UNKNOWN 0}]" {
		t.Errorf("%+v", rows)
	}
	if fmt.Sprint(wrong) != "[{4  FIELD_INVALID}]" {
		t.Errorf("%v", wrong)
	}
	for what, c := range map[string]struct{ content, want string }{
		"no column of accounts": {"姓名\n李\n", "[{1 account FIELD_REQUIRED}]"}, "nothing": {"", "[{1  FIELD_INVALID}]"},
		"no text": {"账号\n\xff\xff\xff\xff", "[{1  FIELD_INVALID}]"}, "too large": {strings.Repeat("x", accountfile.MaxBytes+1), "[{1  FIELD_INVALID}]"},
		"too many lines": {"账号\n" + strings.Repeat("a\n", accountfile.MaxRows+1), fmt.Sprintf("[{%d  FIELD_OUT_OF_RANGE}]", accountfile.MaxRows+2)},
	} {
		if _, wrong := accountfile.Read([]byte(c.content)); fmt.Sprint(wrong) != c.want {
			t.Errorf("%s: %v", what, wrong)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(table))
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, _ := accountfile.Read(content)
		for _, r := range rows {
			if r.Line < 2 || len(rows) > accountfile.MaxRows || slices.ContainsFunc(r.Roles, func(role domain.Role) bool { return !slices.Contains(domain.Roles(), role) }) {
				t.Errorf("%+v", r)
			}
		}
	})
}
