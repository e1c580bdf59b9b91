package schedules

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
)

// maxFile is the most a file may hold, in bytes; the contract says so too. In the hidden field of the confirmation it is a third longer.
const maxFile = 1 << 20

// exportDays is how far the proposed export reaches.
const exportDays = 28

type filesData struct {
	page
	Form    shell.Form
	Problem string
	// Tried is what the file would do, Content the file itself for the confirmation.
	Tried   *schedulingv1.ImportSchedulesResponse
	Content string
	Name    string
	// Done is what the file did.
	Done *schedulingv1.ImportSchedulesResponse
}

func (p *Pages) showFiles(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	return p.drawFiles(w, r, http.StatusOK, filesData{page: page{Place: place}})
}

func (p *Pages) drawFiles(w http.ResponseWriter, r *http.Request, status int, data filesData) error {
	data.Tab = "files"
	if data.Form.Values == nil {
		data.Form.Values = url.Values{"slotMinutes": {"15"}}
	}
	now := p.Shell.Now()
	data.Form.Values.Set("from", now.Format(time.DateOnly))
	data.Form.Values.Set("to", now.AddDate(0, 0, exportDays).Format(time.DateOnly))
	return p.Shell.Render(w, r, p.files, shell.Page{Title: "schedules.files", Nav: "sessions", Status: status, Data: data})
}

// importFile says what a file would do, and with do=import does it. The second time the file comes back in a hidden field.
func (p *Pages) importFile(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 2*maxFile)
	name, content, err := shell.Uploaded(r, maxFile)
	if err != nil {
		return p.fileAgain(w, r, err)
	}
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return p.fileAgain(w, r, err)
	}
	request := &schedulingv1.ImportSchedulesRequest{
		OrganizationId: place.ID, Format: "CSV", Content: content, DryRun: r.PostFormValue("do") != "import", DepartmentCode: r.PostFormValue("departmentCode"),
	}
	if strings.HasSuffix(strings.ToLower(name), ".ics") || strings.HasPrefix(string(content), "BEGIN:VCALENDAR") {
		request.Format = "ICS"
	}
	if request.SlotMinutes, err = number(r, "slotMinutes"); err != nil {
		return p.fileAgain(w, r, err)
	}
	answer, err := p.Calendar.ImportSchedules(r.Context(), request)
	if err != nil {
		return p.fileAgain(w, r, err)
	}
	data := filesData{page: page{Place: place}, Form: shell.Form{Values: r.PostForm}, Name: name}
	if request.GetDryRun() || len(answer.GetProblems()) > 0 {
		data.Tried, data.Content = answer, base64.StdEncoding.EncodeToString(content)
	} else {
		data.Done = answer
	}
	return p.drawFiles(w, r, http.StatusOK, data)
}

// fileAgain shows the form with what was wrong. A browser does not send a file twice by itself; what was read of it is kept.
func (p *Pages) fileAgain(w http.ResponseWriter, r *http.Request, cause error) error {
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		place, _ := p.Shell.Workplace(r)
		data := filesData{page: page{Place: place}, Form: again.Form, Problem: again.Problem}
		if data.Form.Values == nil {
			data.Form.Values = url.Values{}
		}
		if name, content, err := shell.Uploaded(r, maxFile); err == nil {
			data.Name, data.Content = name, base64.StdEncoding.EncodeToString(content)
		}
		return p.drawFiles(w, r, again.Status, data)
	})
}

// export hands the sessions of a span over as a file.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	place, err := p.Shell.Workplace(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	answer, err := p.Calendar.ExportSchedules(r.Context(), &schedulingv1.ExportSchedulesRequest{
		OrganizationId: place.ID, Department: place.Department, From: q.Get("from"), To: q.Get("to"), Format: q.Get("format"),
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", answer.GetContentType())
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": answer.GetFileName()}))
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(answer.GetContent())
	return err
}
