// Package beds is the bed board: the wards of a hospital with every bed's state in word and colour, what is free for men and for women, and the
// forms by which a bed is taken out of service, cleaned, and given to a referral that waits.
//
// Who may change what is decided by the scheduling service. Safe for concurrent use.
package beds

import (
	"embed"
	"net/http"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell      *shell.Shell
	Allocation schedulingv1.AllocationServiceClient
	Scheduling schedulingv1.SchedulingServiceClient
	Referral   referralv1.ReferralServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	set, ward *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	set, err := deps.Shell.Parse(files, "board.html")
	if err != nil {
		return nil, err
	}
	ward, err := deps.Shell.Parse(files, "ward.html")
	return &Pages{Deps: deps, set: set, ward: ward}, err
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /beds", p.Shell.Page(p.show))
	mux.Handle("POST /beds/{id}", p.Shell.Page(p.setBed))
	mux.Handle("POST /beds/wards/{id}", p.Shell.Page(p.setWard))
	mux.Handle("POST /beds/wards/{id}/beds", p.Shell.Page(p.addBeds))
	mux.Handle("POST /beds/wards/{id}/close", p.Shell.Page(p.closeWard))
	mux.Handle("GET /beds/wards/new", p.Shell.Page(p.newWard))
	mux.Handle("POST /beds/wards/{id}/new", p.Shell.Page(p.addWard))
}

// count is how many beds of a class are free for men, for women and for either.
type count struct {
	Class                string
	Male, Female, Either int
	Total                int
}

type boardData struct {
	choices
	Place shell.Workplace
	// Adds: the visitor may add a ward; Keeps: change one.
	Adds, Keeps bool

	// Part is what is looked at alone, "" for all; At the ward that was changed just now.
	Part string
	At   *ward
	// Wards are those with beds in use, Gone the others.
	Wards, Gone []ward
	Counts      []count
	// Bed is the one that is open, in its Ward; Row its referral; Waiting could have it.
	Bed     *schedulingv1.BoardBed
	Ward    *ward
	Row     *shell.Row
	From    string
	Waiting []shell.Row
	// Away tells that nobody could be asked who waits.
	Away      bool
	RequestID string
	// Failed is the id of the bed or ward whose form was refused.
	Failed  string
	Form    shell.Form
	Problem string
}

// choices are what can be chosen of a ward or bed.
type choices struct{}

// Classes, Sexes and Outs as the contract has them.
func (choices) Classes() []string {
	return strings.Fields("GENERAL ICU ISOLATION MATERNITY PAEDIATRIC REHABILITATION PALLIATIVE")
}
func (choices) Sexes() []string { return []string{"", "MALE", "FEMALE"} }
func (choices) Outs() []string {
	return strings.Fields("INFECTION REPAIR OWN_PATIENT OTHER")
}
func (choices) Parts() []string { return []string{partFree, partHeld, partTaken, partOut} }

// Closes tells that the open bed can be closed: nobody has it.
func (d boardData) Closes() bool {
	return d.Keeps && d.Bed.GetOutReason() != closed && partOf(d.Bed.GetState()) != partHeld && partOf(d.Bed.GetState()) != partTaken
}

// To is an address of the board with what is looked at.
func (d boardData) To(path string) string {
	return d.Place.At(path, "department", d.Place.Department, "part", d.Part)
}

// Suits tells that a referral's patient may lie in the open bed.
func (d boardData) Suits(row shell.Row) bool {
	sex := d.Ward.SexOf(d.Bed)
	return sex == "" || row.GetPatient().GetSex().String() == sex
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	data, err := p.load(r, r.URL.Query().Get("bed"))
	if err != nil {
		return err
	}
	if r.Header.Get("X-Fragment") == "board" {
		return p.Shell.Fragment(w, r, p.set, "board", data)
	}
	return p.draw(w, r, http.StatusOK, data)
}

func (p *Pages) draw(w http.ResponseWriter, r *http.Request, status int, data boardData) error {
	return p.Shell.Render(w, r, p.set, shell.Page{Title: "beds.title", Nav: "beds", Status: status, Data: data})
}

func (p *Pages) load(r *http.Request, open string) (boardData, error) {
	place, err := p.Shell.Workplace(r)
	visitor, _ := door.VisitorFrom(r.Context())
	data := boardData{Place: place, Adds: shell.AddsWards(visitor.Account), Keeps: shell.KeepsWards(visitor.Account), RequestID: id.New()}
	if err != nil {
		return data, err
	}
	answer, err := p.Allocation.ListBoard(r.Context(), &schedulingv1.ListBoardRequest{OrganizationId: place.ID, Department: place.Department})
	if err != nil {
		return data, err
	}
	if part := r.URL.Query().Get("part"); slices.Contains(data.Parts(), part) {
		data.Part = part
	}
	data.wards(answer.GetWards(), open, r.URL.Query().Get("ward"))
	if data.Bed != nil {
		p.detail(r, &data)
	}
	return data, nil
}

func countsOf(wards []ward) []count {
	var out []count
	for _, w := range wards {
		i := slices.IndexFunc(out, func(c count) bool { return c.Class == w.GetClass() })
		if i < 0 {
			out = append(out, count{Class: w.GetClass()})
			i = len(out) - 1
		}
		for _, b := range w.GetBeds() {
			if slices.Contains(w.Closed, b) {
				continue
			}
			out[i].Total++
			if b.GetState() != schedulingv1.BedState_FREE {
				continue
			}
			switch w.SexOf(b) {
			case "MALE":
				out[i].Male++
			case "FEMALE":
				out[i].Female++
			default:
				out[i].Either++
			}
		}
	}
	return out
}

// detail reads who has the open bed, or who could have it. Without the referrals the bed's state is shown.
func (p *Pages) detail(r *http.Request, data *boardData) {
	if county, err := p.Shell.Names().County(r.Context()); err == nil && data.Bed.GetSenderOrganizationId() != "" {
		data.From = county.OrganizationName(p.Shell.Language(r), data.Bed.GetSenderOrganizationId())
	}
	if referral := data.Bed.GetReferralId(); referral != "" {
		list, err := p.Referral.BatchGetReferrals(r.Context(), &referralv1.BatchGetReferralsRequest{Ids: []string{referral}})
		if err == nil && len(list.GetReferrals()) == 1 {
			data.Row = &p.Shell.Rows(r, list.GetReferrals())[0]
		}
		return
	}
	if data.Bed.GetState() != schedulingv1.BedState_FREE {
		return
	}
	waiting, _, err := p.Shell.Whole(r, p.Referral, &referralv1.ListReferralsRequest{
		View: "inbox", Direction: commonv1.Direction_UP, State: []referralv1.State_Code{referralv1.State_SUBMITTED}, Order: "due",
		Kind: []commonv1.Kind_Code{commonv1.Kind_INPATIENT}, WithoutHold: true, ReceiverDepartment: data.Ward.GetDepartmentCode(),
	})
	data.Away, data.Waiting = err != nil, p.Shell.Rows(r, waiting)
}

func version(r *http.Request) (int32, error) {
	if err := r.ParseForm(); err != nil {
		return 0, errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	n, err := strconv.ParseInt(r.PostFormValue("version"), 10, 32)
	if err != nil {
		return 0, errs.Invalid(errs.Bad("version", errs.ReasonFieldInvalid))
	}
	return int32(n), nil
}

// setBed does what the button says: out, close, in, cleaned or sex.
func (p *Pages) setBed(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	request := &schedulingv1.SetBedRequest{Id: r.PathValue("id"), Version: seen, InService: true, Sex: r.PostFormValue("sex"), RequestId: r.PostFormValue("requestId")}
	switch r.PostFormValue("do") {
	case "out":
		request.InService, request.OutReason = false, r.PostFormValue("outReason")
		if err == nil && request.GetOutReason() == "" {
			err = errs.Invalid(errs.Required("outReason"))
		}
	case "close":
		request.InService, request.OutReason = false, closed
	case "cleaned":
		request.Cleaned = true
	case "in":
	case "sex": // a bed that is out stays out
		request.OutReason = r.PostFormValue("outReason")
		request.InService = request.GetOutReason() == ""
	default:
		err = errs.Invalid(errs.Bad("do", errs.ReasonFieldUnknown))
	}
	if err == nil {
		_, err = p.Allocation.SetBed(r.Context(), request)
	}
	return p.done(w, r, "beds.set", err)
}

func (p *Pages) setWard(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	var minutes int64
	if err == nil {
		if minutes, err = strconv.ParseInt(strings.TrimSpace(r.PostFormValue("cleaningMinutes")), 10, 32); err != nil {
			err = errs.Invalid(errs.Bad("cleaningMinutes", errs.ReasonFieldInvalid))
		}
	}
	if err == nil {
		_, err = p.Allocation.SetWard(r.Context(), &schedulingv1.SetWardRequest{
			Id: r.PathValue("id"), Version: seen, Class: r.PostFormValue("class"), Sex: r.PostFormValue("sex"), CleaningMinutes: int32(minutes), RequestId: r.PostFormValue("requestId"),
		})
	}
	return p.done(w, r, "beds.ward.set", err)
}

// addBeds adds beds to a ward.
func (p *Pages) addBeds(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	var beds int64
	if err == nil {
		if beds, err = strconv.ParseInt(strings.TrimSpace(r.PostFormValue("beds")), 10, 32); err != nil || beds < 1 || beds > 500 {
			err = errs.Invalid(errs.Bad("beds", errs.ReasonFieldOutOfRange))
		}
	}
	if err == nil {
		_, err = p.Allocation.AddBeds(r.Context(), &schedulingv1.AddBedsRequest{Id: r.PathValue("id"), Version: seen, Beds: int32(beds), RequestId: r.PostFormValue("requestId")})
	}
	return p.done(w, r, "beds.added", err)
}

// closeWard closes a ward, or opens it.
func (p *Pages) closeWard(w http.ResponseWriter, r *http.Request) error {
	seen, err := version(r)
	open := r.PostFormValue("do") == "open"
	if err == nil {
		_, err = p.Allocation.CloseWard(r.Context(), &schedulingv1.CloseWardRequest{Id: r.PathValue("id"), Version: seen, Open: open, RequestId: r.PostFormValue("requestId")})
	}
	flash := "beds.ward.closed"
	if open {
		flash = "beds.ward.opened"
	}
	return p.done(w, r, flash, err)
}

// done goes back to the board, or shows it as it is now with what was refused.
func (p *Pages) done(w http.ResponseWriter, r *http.Request, flash string, cause error) error {
	if cause == nil {
		place, err := p.Shell.Workplace(r)
		if err != nil {
			return err
		}
		p.Shell.Flash(w, flash)
		query, at := r.URL.Query(), ""
		if strings.HasPrefix(r.URL.Path, "/beds/wards/") {
			at = r.PathValue("id")
		}
		http.Redirect(w, r, place.At("/beds", "department", query.Get("department"), "part", query.Get("part"), "ward", at), http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, cause, func(again shell.Refused) error {
		data, err := p.load(r, r.PathValue("id"))
		if err != nil {
			return err
		}
		data.Failed, data.Form, data.Problem, data.RequestID = r.PathValue("id"), again.Form, again.Problem, again.RequestID
		return p.draw(w, r, again.Status, data)
	})
}
