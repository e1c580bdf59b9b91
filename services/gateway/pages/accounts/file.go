package accounts

import (
	"bytes"
	"encoding/base64"
	"mime"
	"net/http"
	"slices"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// maxFile is the most a file may hold, in bytes; the contract says so too.
const maxFile = 256 << 10

// problem is what is wrong with a line, in words.
type problem struct {
	Line                int32
	Column, Why, Remedy string
}

type fileData struct {
	Form    shell.Form
	Problem string
	Name    string
	// Content is the file for the confirmation, once it was looked at.
	Content string
	// Done: it was written; else it would be.
	Done                        bool
	Created, Updated, Unchanged int
	Rows                        []row
	Outcomes                    []string
	Lines                       []int32
	Problems                    []problem
	Slips                       []slip
	Address                     string
	Places                      []place
	// Broken: it came to a stop on the way; what was done stands.
	Broken string
}

func (p *Pages) showFile(w http.ResponseWriter, r *http.Request) error {
	return p.drawFile(w, r, http.StatusOK, fileData{})
}

func (p *Pages) drawFile(w http.ResponseWriter, r *http.Request, status int, data fileData) error {
	w.Header().Set("Cache-Control", "no-store")
	data.Address = p.address(r)
	county, err := p.Shell.Names().County(r.Context())
	if err != nil && status == http.StatusOK && !data.Done {
		return err
	}
	if err == nil {
		data.Places = p.codes(r, county)
	}
	return p.Shell.Render(w, r, p.file, shell.Page{Title: "accounts.file", Nav: p.nav(r), Status: status, Data: data})
}

// codes are the organisations and departments as the file calls them.
func (p *Pages) codes(r *http.Request, county *shell.County) []place {
	out := p.places(r, county, shell.Form{})
	for i := range out {
		o := county.Organization(out[i].Options[0].ID)
		out[i].Options = []shell.Named{{ID: o.GetCode()}}
		for _, d := range county.Departments(o.GetId()) {
			out[i].Options = append(out[i].Options, shell.Named{ID: d.GetCode(), Name: county.DepartmentName(p.Shell.Language(r), o.GetId(), d.GetCode())})
		}
	}
	return out
}

// importFile says what a file would do; with do=import it does it, with do=problems it answers what is wrong as a file. The second time the file comes
// back in a hidden field.
func (p *Pages) importFile(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxFile)
	name, content, err := shell.Uploaded(r, maxFile)
	data := fileData{Name: name, Done: r.PostFormValue("do") == "import"}
	if err == nil {
		err = p.read(r, &data, content)
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := fileData{Form: again.Form, Problem: again.Problem, Name: name}
			if len(content) > 0 && again.Form.Errors == nil {
				data.Content = base64.StdEncoding.EncodeToString(content)
			}
			return p.drawFile(w, r, again.Status, data)
		})
	}
	if r.PostFormValue("do") == "problems" {
		return p.download(w, r, data.Problems)
	}
	data.Content = base64.StdEncoding.EncodeToString(content)
	return p.drawFile(w, r, http.StatusOK, data)
}

// read asks directory part by part. Once something was written, what breaks off is said beside what was done: the slips stand nowhere else.
func (p *Pages) read(r *http.Request, data *fileData, content []byte) error {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	defer func() { slices.SortStableFunc(data.Problems, func(a, b problem) int { return int(a.Line - b.Line) }) }()
	for from, more := int32(0), true; more; more = from > 0 {
		part, err := p.Accounts.ImportAccountFile(r.Context(), &directoryv1.ImportAccountFileRequest{Content: content, DryRun: !data.Done, Row: from})
		if err != nil && data.Done && from > 0 {
			data.Broken = p.Shell.ErrorText(r, err)
			return nil
		}
		if err != nil {
			return err
		}
		for _, one := range part.GetAccounts() {
			data.add(p.rowOf(r, county, &directoryv1.AccountDetail{Account: one.GetAccount()}), one)
		}
		for _, wrong := range part.GetProblems() {
			data.Problems = append(data.Problems, p.explained(r, wrong))
		}
		from = part.GetNextRow()
	}
	return nil
}

func (d *fileData) add(where row, one *directoryv1.ImportedAccount) {
	switch one.GetOutcome() {
	case "CREATED":
		d.Created++
	case "UPDATED":
		d.Updated++
	default:
		d.Unchanged++
		return
	}
	d.Rows, d.Outcomes, d.Lines = append(d.Rows, where), append(d.Outcomes, one.GetOutcome()), append(d.Lines, one.GetLine())
	if password := one.GetOneTimePassword(); password != "" {
		a := one.GetAccount()
		d.Slips = append(d.Slips, slip{a.GetName(), a.GetLogin(), where.Organization, password, one.GetOneTimePasswordExpireTime()})
	}
}

// remedies are the problems that have a remedy of their own, by column and reason.
func remedies() []string {
	return []string{
		"account.FIELD_TAKEN", "account.FIELD_INVALID", "organization_code.FIELD_UNKNOWN", "organization_code.FIELD_COMBINATION", "department.FIELD_UNKNOWN", "roles.FIELD_UNKNOWN",
		"roles.FIELD_COMBINATION", "roles.FIELD_NOT_GRANTABLE", "state.FIELD_UNKNOWN", "email.FIELD_INVALID",
		".FIELD_INVALID", ".FIELD_OUT_OF_RANGE", ".OWN_ACCOUNT", ".ACCOUNT_NOT_YOURS", ".LAST_ADMINISTRATOR",
	}
}

func (p *Pages) explained(r *http.Request, wrong *directoryv1.AccountFileProblem) problem {
	out := problem{Line: wrong.GetLine(), Why: p.Shell.T(r, "accounts.reason."+wrong.GetReason())}
	if f := wrong.GetField(); f != "" {
		out.Column = p.Shell.T(r, "accounts.column."+f)
	}
	key := "any." + wrong.GetReason()
	if own := wrong.GetField() + "." + wrong.GetReason(); slices.Contains(remedies(), own) {
		key = own
		if wrong.GetField() == "" {
			key = "line" + own
		}
	}
	out.Remedy = p.Shell.T(r, "accounts.remedy."+key)
	return out
}

// download answers the problems as a file that a spreadsheet opens.
func (p *Pages) download(w http.ResponseWriter, r *http.Request, problems []problem) error {
	var table sheets.Table
	for _, head := range []string{"line", "column", "why", "remedy"} {
		table.Heads = append(table.Heads, p.Shell.T(r, "accounts.file."+head))
	}
	for _, one := range problems {
		table.Rows = append(table.Rows, []any{one.Line, one.Column, one.Why, one.Remedy})
	}
	return p.csv(w, "accounts.errors.csv", table)
}

// sample is a file that can be imported as it is.
func (p *Pages) sample(w http.ResponseWriter, r *http.Request) error {
	county, err := p.Shell.Names().County(r.Context())
	if err != nil {
		return err
	}
	names := []string{"account", "name", "organization_code", "department", "roles", "phone", "email", "state"}
	var table sheets.Table
	for _, name := range names {
		table.Heads = append(table.Heads, p.Shell.T(r, "accounts.column."+name))
	}
	for _, like := range []struct {
		kind        directoryv1.OrganizationType_Code
		login, role string
	}{{directoryv1.OrganizationType_TOWNSHIP_CENTRE, "example1", "TOWNSHIP_DOCTOR"}, {directoryv1.OrganizationType_COUNTY_HOSPITAL, "example2", "SPECIALIST"}} {
		i := slices.IndexFunc(county.Organizations, func(o *directoryv1.Organization) bool { return o.GetType() == like.kind && !o.GetDisabled() })
		if i < 0 {
			continue
		}
		o, department := county.Organizations[i], ""
		if list := county.Departments(o.GetId()); len(list) > 0 {
			department = list[0].GetCode()
		}
		table.Rows = append(table.Rows, []any{
			like.login, p.Shell.T(r, "accounts.sample."+like.login), o.GetCode(), department, p.Shell.T(r, "role."+like.role), "13800000000", "", "",
		})
	}
	return p.csv(w, "accounts.csv", table)
}

func (p *Pages) csv(w http.ResponseWriter, name string, table sheets.Table) error {
	var b bytes.Buffer
	if err := sheets.CSV(&b, table); err != nil {
		return errs.New(errs.KindInternal, errs.ReasonInternal, "write a table", err)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	_, err := w.Write(b.Bytes())
	return err
}
