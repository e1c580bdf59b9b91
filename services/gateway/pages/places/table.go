package places

import (
	"encoding/base64"
	"net/http"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/gateway/sheets"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// maxFile is the most a table may hold, in bytes; the contract says so too. In the hidden field of the confirmation it is a third longer.
const maxFile = 1 << 20

// tableData is what table.html sees.
type tableData struct {
	Table   string
	Form    shell.Form
	Problem string
	// Tried is what the file would do, Content the file itself for the confirmation; Done is what it did.
	Tried, Done   *directoryv1.ImportTableResponse
	Content, Name string
}

// Back is the page that the table is about.
func (d tableData) Back() string {
	if d.Table == "formulary" {
		return "/settings/formulary"
	}
	return "/settings/organizations"
}

// Tables are all of them; who keeps a centre's medicines has one.
func (d tableData) Tables() []string { return tables() }

func tables() []string { return []string{"organizations", "departments", "capabilities", "formulary"} }

// Good tells that something in the table can be imported.
func (d tableData) Good() bool { return d.Tried.GetCreated()+d.Tried.GetUpdated() > 0 }

func tableOf(r *http.Request) (directoryv1.PlaceTable_Code, error) {
	code, ok := directoryv1.PlaceTable_Code_value[strings.ToUpper(r.PathValue("table"))]
	if !ok || code == 0 {
		return 0, errs.NotFound("table")
	}
	return directoryv1.PlaceTable_Code(code), nil
}

func (p *Pages) showTable(w http.ResponseWriter, r *http.Request) error {
	if _, err := tableOf(r); err != nil {
		return err
	}
	return p.drawTable(w, r, http.StatusOK, tableData{})
}

func (p *Pages) drawTable(w http.ResponseWriter, r *http.Request, status int, data tableData) error {
	data.Table = r.PathValue("table")
	return p.Shell.Render(w, r, p.tableSet, shell.Page{Title: "places.table", Nav: nav(r), Status: status, Data: data})
}

// importTable says what a table would do, and with do=import does it. The second time the table comes back in a hidden field.
func (p *Pages) importTable(w http.ResponseWriter, r *http.Request) error {
	table, err := tableOf(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, 2*maxFile)
	name, content, err := shell.Uploaded(r, maxFile)
	var answer *directoryv1.ImportTableResponse
	dry := r.PostFormValue("do") != "import"
	if err == nil {
		answer, err = p.Place.ImportTable(r.Context(), &directoryv1.ImportTableRequest{Table: table, Content: content, DryRun: dry})
	}
	if err != nil {
		return p.Shell.Again(w, r, err, func(again shell.Refused) error {
			data := tableData{Form: again.Form, Problem: again.Problem}
			if len(content) > 0 { // a browser does not send a file twice by itself
				data.Name, data.Content = name, base64.StdEncoding.EncodeToString(content)
			}
			return p.drawTable(w, r, again.Status, data)
		})
	}
	data := tableData{Name: name, Tried: answer, Content: base64.StdEncoding.EncodeToString(content)}
	if !dry {
		p.forget(r)
		data = tableData{Name: name, Done: answer}
	}
	return p.drawTable(w, r, http.StatusOK, data)
}

// sample is a table that can be filled in: the header, and lines that show how.
func (p *Pages) sample(w http.ResponseWriter, r *http.Request) error {
	if _, err := tableOf(r); err != nil {
		return err
	}
	home := "450321101"
	if place, err := p.Shell.Workplace(r); err == nil {
		if county, err := p.Shell.Names().County(r.Context()); err == nil {
			home = county.Organization(place.ID).GetCode()
		}
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+r.PathValue("table")+`.csv"`)
	var table sheets.Table
	for i, line := range strings.Split(p.Shell.T(r, "places.sample."+r.PathValue("table"), "home", home), "|") {
		cells := strings.Split(line, ",")
		if i == 0 {
			table.Heads = cells
			continue
		}
		row := make([]any, len(cells))
		for n, cell := range cells {
			row[n] = cell
		}
		table.Rows = append(table.Rows, row)
	}
	return sheets.CSV(w, table)
}
