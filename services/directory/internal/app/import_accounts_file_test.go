package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/directory/internal/app"
	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

const fileHeader = "账号,姓名,机构代码,科室代码,角色,电话,邮箱,状态\n"

func told(r app.AccountFileResult) string {
	var b strings.Builder
	for _, a := range r.Accounts {
		fmt.Fprintf(&b, "%d %s %s\n", a.Line, a.View.Account.Data().Login, a.Outcome)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%d %s %s!\n", p.Line, p.Field, p.Reason)
	}
	return b.String()
}

func TestAFileOfAccountsIsTriedThenWrittenAndWritesNothingTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, h house) {
		admin := h.person(t, "admin", domain.CountyAdmin)
		h.person(t, "auditor", domain.Auditor)
		in := h.signedIn(t)
		file := app.AccountFile{DryRun: true, Content: []byte(fileHeader +
			"new1,张一,H01,0304,专科医生,138,,\n" + // new
			"township,,,,,139,,停用\n" + // changed: all else stays
			"new1,张一,H01,,专科医生,,,\n" + // twice
			"new2,,H01,99,校长,,x,\n" + // wrong all over
			"new3,李,X9,,村医,,,\n" +
			"new4,李,,,村医,,,\n" +
			"auditor,,,,,1,,\n" +
			"admin,,,,村医,,,\n" +
			"new5,李,H01,,审计员,,,\n")}
		want := "2 new1 CREATED\n3 township UPDATED\n4 account FIELD_TAKEN!\n5 roles FIELD_UNKNOWN!\n5 name FIELD_REQUIRED!\n5 email FIELD_INVALID!\n5 department FIELD_UNKNOWN!\n" +
			"6 organization_code FIELD_UNKNOWN!\n7 organization_code FIELD_REQUIRED!\n8  ACCOUNT_NOT_YOURS!\n9  OWN_ACCOUNT!\n10 roles FIELD_NOT_GRANTABLE!\n"
		tried, err := h.app.ImportAccountFile(t.Context(), admin, file)
		if err != nil || told(tried) != want || tried.Accounts[0].Password != "" {
			t.Fatalf("%v\n%s", err, told(tried))
		}
		if n := h.count(t, "SELECT count(*) FROM account WHERE login LIKE 'new%'"); n != 0 {
			t.Fatal("a trial writes")
		}
		file.DryRun = false
		done, err := h.app.ImportAccountFile(t.Context(), admin, file)
		if err != nil || told(done) != want {
			t.Fatalf("%v\n%s", err, told(done))
		}
		if in, err := h.signIn(t.Context(), "new1", done.Accounts[0].Password); err != nil || !in.ChangePassword {
			t.Errorf("the slip's password: %v", err)
		}
		changed := done.Accounts[1].View.Account.Data()
		if changed.Name != "莫秀英" || changed.Phone != "139" || changed.DepartmentCode != "02" || len(changed.Roles) != 1 || !changed.Disabled || done.Accounts[1].Password != "" {
			t.Errorf("%+v", changed)
		}
		if _, err := h.app.ExchangeSession(t.Context(), in.Secret, false); err == nil {
			t.Error("who the file disabled works on")
		}
		again, err := h.app.ImportAccountFile(t.Context(), admin, file)
		if err != nil || !strings.HasPrefix(told(again), "2 new1 UNCHANGED\n3 township UNCHANGED\n") || again.Accounts[0].Password != "" {
			t.Errorf("%v\n%s", err, told(again))
		}
	})
}

func TestALongFileIsWrittenPartByPart(t *testing.T) {
	t.Parallel()
	h := one(t)
	var b strings.Builder
	b.WriteString(fileHeader)
	for i := range 130 {
		fmt.Fprintf(&b, "d%03d,李,H01,,专科医生,,,\n", i)
	}
	b.WriteString("d000,李,H01,,专科医生,,,\n")
	file := app.AccountFile{County: county, Content: []byte(b.String()), DryRun: true}
	first, err := h.app.ImportAccountFile(t.Context(), cli(), file)
	if err != nil || first.Next != 100 || len(first.Accounts) != 100 {
		t.Fatalf("%d, %d, %v", first.Next, len(first.Accounts), err)
	}
	file.Row = first.Next
	rest, err := h.app.ImportAccountFile(t.Context(), cli(), file)
	if err != nil || rest.Next != 0 || len(rest.Accounts) != 30 || len(rest.Problems) != 1 || rest.Problems[0].Line != 132 {
		t.Errorf("%d, %d, %+v, %v", rest.Next, len(rest.Accounts), rest.Problems, err)
	}
}

func TestADoctorWhoMovesLeavesTheDepartmentBehind(t *testing.T) {
	t.Parallel()
	h := one(t)
	file := app.AccountFile{County: county, Content: []byte(fileHeader + "township,,H01,,,,,\n")}
	done, err := h.app.ImportAccountFile(t.Context(), cli(), file)
	if err != nil || told(done) != "2 organization_code FIELD_COMBINATION!\n" {
		t.Fatalf("still a township's doctor: %v\n%s", err, told(done))
	}
	file.Content = []byte(fileHeader + "township,,H01,,专科医生,,,\n")
	done, err = h.app.ImportAccountFile(t.Context(), cli(), file)
	if err != nil || told(done) != "2 township UPDATED\n" {
		t.Fatalf("%v\n%s", err, told(done))
	}
	if d := done.Accounts[0].View.Account.Data(); d.OrganizationID != h.ids["H01"] || d.DepartmentCode != "" {
		t.Errorf("%+v", d)
	}
}
