// Package accountfile reads accounts from CSV.
//
// Owns: the columns and the words in them, Chinese and English, and the encodings. Refuses: to decide what an account may be; that is the
// domain's. What cannot be read is named by line and column, never by its content.
package accountfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tongzhen/tongzhen/services/directory/internal/domain"
)

// Limits of one file.
const (
	MaxBytes = 256 << 10
	MaxRows  = 500
)

// Row is a line under the header. What is empty is not said. Bad are the columns that cannot be read, with reasons.
type Row struct {
	Line                                          int
	Login, Name, OrganizationCode, DepartmentCode string
	Roles                                         []domain.Role
	Phone, Email                                  string
	// Disabled is nil where the line does not say.
	Disabled *bool
	Bad      []domain.Violation
}

// Problem is what is wrong with the file itself: a line, and a column or "" for all of it.
type Problem struct {
	Line          int
	Field, Reason string
}

// columns are the names of the columns, English and Chinese, with others that people write.
func columns() map[string][]string {
	return map[string][]string{
		"account": {"账号", "登录名", "login"}, "name": {"姓名"}, "organization_code": {"机构代码", "单位代码"}, "department": {"科室代码", "department_code"},
		"roles": {"角色"}, "phone": {"电话", "手机"}, "email": {"邮箱", "电子邮箱"}, "state": {"状态"},
	}
}

// roleWords are the roles as people write them; the codes themselves are read too.
func roleWords() map[string]domain.Role {
	return map[string]domain.Role{
		"村医": domain.VillageDoctor, "乡镇医生": domain.TownshipDoctor, "卫生院负责人": domain.CentreHead, "转诊中心": domain.IntakeDesk,
		"专科医生": domain.Specialist, "科主任": domain.DepartmentHead, "床位管理": domain.BedManager, "县管理员": domain.CountyAdmin,
		"系统管理员": domain.SystemAdmin, "安全管理员": domain.SecurityAdmin, "审计员": domain.Auditor, "接口账号": domain.Integration,
	}
}

// Read answers the lines of the file, or what is wrong with it as a whole. Lines without a word are left out.
func Read(content []byte) (rows []Row, wrong []Problem) {
	utf, ok := text(content)
	if !ok || len(content) > MaxBytes {
		return nil, []Problem{{1, "", domain.ReasonInvalid}}
	}
	table := csv.NewReader(bytes.NewReader(utf))
	table.FieldsPerRecord = -1
	header, err := table.Read()
	if err != nil {
		return nil, []Problem{{1, "", domain.ReasonInvalid}}
	}
	places, wrong := placesOf(header)
	if len(wrong) > 0 {
		return nil, wrong
	}
	for {
		record, err := table.Read()
		var broken *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return rows, wrong
		case errors.As(err, &broken):
			wrong = append(wrong, Problem{broken.StartLine, "", domain.ReasonInvalid})
			if errors.Is(broken.Err, csv.ErrQuote) {
				return rows, wrong // what follows an open quote is one cell
			}
			continue
		case err != nil:
			return nil, []Problem{{1, "", domain.ReasonInvalid}}
		}
		line, _ := table.FieldPos(0)
		if !slices.ContainsFunc(record, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
			continue
		}
		if len(rows) == MaxRows {
			return rows, append(wrong, Problem{line, "", domain.ReasonOutOfRange})
		}
		rows = append(rows, cells{record, places}.row(line))
	}
}

func placesOf(header []string) (map[string]int, []Problem) {
	places := map[string]int{}
	for i, cell := range header {
		cell = strings.ToLower(strings.TrimSpace(cell))
		for name, others := range columns() {
			if cell == name || slices.Contains(others, cell) {
				places[name] = i
			}
		}
	}
	if _, ok := places["account"]; !ok {
		return nil, []Problem{{1, "account", domain.ReasonRequired}}
	}
	return places, nil
}

// cells are a line's, by the names of their columns.
type cells struct {
	record []string
	places map[string]int
}

// get is without the mark that keeps spreadsheets from computing it.
func (c cells) get(name string) string {
	i, ok := c.places[name]
	if !ok || i >= len(c.record) {
		return ""
	}
	cell := strings.TrimSpace(c.record[i])
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

func (c cells) row(line int) Row {
	r := Row{
		Line: line, Login: domain.NormalLogin(c.get("account")), Name: c.get("name"), OrganizationCode: c.get("organization_code"),
		DepartmentCode: c.get("department"), Phone: c.get("phone"), Email: c.get("email"),
	}
	for _, word := range strings.FieldsFunc(c.get("roles"), func(c rune) bool { return strings.ContainsRune(" \t、，,;；/|", c) }) {
		role, ok := roleWords()[word]
		if !ok {
			role = domain.Role(strings.ToUpper(word))
		}
		if !slices.Contains(domain.Roles(), role) {
			r.Bad = append(r.Bad, domain.Violation{Field: "roles", Reason: domain.ReasonUnknown})
			break
		}
		r.Roles = append(r.Roles, role)
	}
	switch disabled := true; strings.ToLower(c.get("state")) {
	case "":
	case "停用", "离职", "disabled":
		r.Disabled = &disabled
	case "启用", "在用", "正常", "active":
		disabled = false
		r.Disabled = &disabled
	default:
		r.Bad = append(r.Bad, domain.Violation{Field: "state", Reason: domain.ReasonUnknown})
	}
	return r
}

// text is the content as UTF-8; false if it is neither that nor GB18030.
func text(content []byte) ([]byte, bool) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")) // Excel begins UTF-8 with it
	if utf8.Valid(content) {
		return content, true
	}
	decoded, err := simplifiedchinese.GB18030.NewDecoder().Bytes(content)
	if err != nil || bytes.ContainsRune(decoded, utf8.RuneError) {
		return nil, false
	}
	return decoded, true
}
