// Package matches holds the pages on which it is said who is who: the work list of records that may be of one person, the two side by side,
// and a patient's identity, which is corrected there, shown in full on purpose, and where a merge is undone.
package matches

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/gateway/door"
	"github.com/tongzhen/tongzhen/services/gateway/pages/shell"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
)

//go:embed *.html
var files embed.FS

// pageSize is how many matches the list shows at once.
const pageSize = 30

// Deps is what the pages need; all fields are required.
type Deps struct {
	Shell  *shell.Shell
	Record patientrecordv1.PatientRecordServiceClient
	Index  patientrecordv1.PatientIndexServiceClient
}

// Pages serves them.
type Pages struct {
	Deps
	listSet, matchSet, identitySet *shell.Set
}

// New parses the pages.
func New(deps Deps) (*Pages, error) {
	p := &Pages{Deps: deps}
	for file, set := range map[string]**shell.Set{"list.html": &p.listSet, "match.html": &p.matchSet, "identity.html": &p.identitySet} {
		parsed, err := deps.Shell.Parse(files, file)
		if err != nil {
			return nil, err
		}
		*set = parsed
	}
	return p, nil
}

// Routes adds the pages to a mux.
func (p *Pages) Routes(mux shell.Mux) {
	mux.Handle("GET /patients/matches", p.Shell.Page(p.list))
	mux.Handle("GET /matches/{id}", p.Shell.Page(p.match))
	mux.Handle("POST /matches/{id}", p.Shell.Page(p.decide))
	mux.Handle("POST /matches/{id}/reveal", p.Shell.Page(p.revealMatch))
	mux.Handle("GET /patients/{id}/identity", p.Shell.Page(p.identity))
	mux.Handle("POST /patients/{id}/identity", p.Shell.Page(p.correct))
	mux.Handle("POST /patients/{id}/reveal", p.Shell.Page(p.reveal))
	mux.Handle("POST /patients/{id}/merges/{merge}", p.Shell.Page(p.undo))
}

type listData struct {
	Matches []matchData
	Next    string
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	answer, err := p.Index.ListMatches(r.Context(), &patientrecordv1.ListMatchesRequest{PageSize: pageSize, PageToken: r.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	data := listData{}
	for _, m := range answer.GetMatches() {
		data.Matches = append(data.Matches, matchData{Match: m})
	}
	if next := answer.GetNextPageToken(); next != "" {
		data.Next = "/patients/matches?page=" + url.QueryEscape(next)
	}
	return p.Shell.Render(w, r, p.listSet, shell.Page{Title: "matches.title", Nav: "patients", Data: data})
}

// line is one field of the two records.
type line struct {
	Label, First, Second string
	Differs, Agrees      bool
}

type matchData struct {
	// Match is nil while the two records cannot be read: then the form that was sent stands alone.
	*patientrecordv1.Match
	ID    string
	Lines []line
	// Sent is the form that was refused, its decision the one that was sent; the other form is as it was.
	Sent      shell.Form
	Version   string
	RequestID string
	Problem   string
	// Revealed: the numbers are shown in full.
	Revealed bool
	// Decides: the visitor's roles and level reach for a decision.
	Decides bool
}

// likely is the score from which two records are very likely of one person: odds of some 30 to 1, as the contract says.
const likely = 25

// Likeness is the text key of how likely it is that the two are one person.
func (d matchData) Likeness() string {
	if d.GetScore() >= likely {
		return "matches.likely"
	}
	return "matches.possible"
}

// Form of a decision: the one that was refused, or an empty one.
func (d matchData) Form(decision string) shell.Form {
	if d.Sent.Value("decision") == decision {
		return d.Sent
	}
	return shell.Form{}
}

func (p *Pages) match(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadMatch(r)
	if err != nil {
		return err
	}
	data.RequestID = id.New()
	return p.showMatch(w, r, http.StatusOK, data)
}

func (p *Pages) loadMatch(r *http.Request) (matchData, error) {
	m, err := p.Index.GetMatch(r.Context(), &patientrecordv1.GetMatchRequest{Id: r.PathValue("id")})
	if err != nil {
		return matchData{ID: r.PathValue("id")}, err
	}
	return matchData{Match: m, ID: m.GetId(), Lines: p.lines(r, m), Version: strconv.Itoa(int(m.GetVersion())), Decides: m.GetMayDecide() && decides(r)}, nil
}

// revealMatch shows the numbers of both records in full, which the record writes down for each of them: who is who is decided by them.
func (p *Pages) revealMatch(w http.ResponseWriter, r *http.Request) error {
	data, err := p.loadMatch(r)
	if err != nil {
		return err
	}
	for _, one := range []**patientrecordv1.Patient{&data.First, &data.Second} {
		whole, err := p.Index.RevealPatient(r.Context(), &patientrecordv1.RevealPatientRequest{Id: (*one).GetId(), Purpose: "IDENTIFY"})
		if err != nil {
			return err
		}
		*one = whole
	}
	data.Lines, data.Revealed, data.RequestID = p.lines(r, data.Match), true, id.New()
	w.Header().Set("Cache-Control", "no-store")
	return p.showMatch(w, r, http.StatusOK, data)
}

func (p *Pages) showMatch(w http.ResponseWriter, r *http.Request, status int, data matchData) error {
	return p.Shell.Render(w, r, p.matchSet, shell.Page{Title: "matches.compare", Nav: "patients", Status: status, Data: data})
}

// decides: the roles that may say who is who.
func decides(r *http.Request) bool {
	visitor, _ := door.VisitorFrom(r.Context())
	return slices.ContainsFunc(visitor.Account.GetRoles(), func(role commonv1.Role_Code) bool {
		return slices.Contains([]commonv1.Role_Code{
			commonv1.Role_TOWNSHIP_DOCTOR, commonv1.Role_CENTRE_HEAD, commonv1.Role_INTAKE_DESK, commonv1.Role_SPECIALIST, commonv1.Role_DEPARTMENT_HEAD,
		}, role)
	})
}

func (p *Pages) lines(r *http.Request, m *patientrecordv1.Match) []line {
	word := func(prefix, code string) string {
		if code == "" || code == "UNSPECIFIED" {
			return ""
		}
		return p.Shell.T(r, prefix+"."+code)
	}
	var out []line
	add := func(name, first, second string) {
		if first == "" && second == "" {
			return
		}
		out = append(out, line{
			Label: "field." + name, First: first, Second: second, Differs: slices.Contains(m.GetDiffers(), name) || first != "" && second != "" && first != second,
			Agrees: slices.Contains(m.GetAgrees(), name),
		})
	}
	a, b := m.GetFirst(), m.GetSecond()
	add("name", a.GetName(), b.GetName())
	add("sex", word("sex", a.GetSex().String()), word("sex", b.GetSex().String()))
	add("birthDate", a.GetBirthDate(), b.GetBirthDate())
	add("identityNumber", a.GetIdentityNumber(), b.GetIdentityNumber())
	add("noDocumentReason", word("no-document", a.GetNoDocumentReason()), word("no-document", b.GetNoDocumentReason()))
	add("phone", a.GetPhone(), b.GetPhone())
	add("village", a.GetVillage(), b.GetVillage())
	add("address", a.GetAddress(), b.GetAddress())
	add("healthRecordNumber", a.GetHealthRecordNumber(), b.GetHealthRecordNumber())
	add("insuranceNumber", a.GetInsuranceNumber(), b.GetInsuranceNumber())
	add("guardianName", a.GetGuardianName(), b.GetGuardianName())
	add("guardianPhone", a.GetGuardianPhone(), b.GetGuardianPhone())
	return out
}

func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	version, _ := strconv.Atoi(r.PostFormValue("version"))
	request := &patientrecordv1.DecideMatchRequest{
		Id: r.PathValue("id"), RequestId: r.PostFormValue("requestId"), Version: int32(version), Decision: r.PostFormValue("decision"),
		SurvivorId: r.PostFormValue("survivorId"), Reason: strings.TrimSpace(r.PostFormValue("reason")),
	}
	m, err := p.Index.DecideMatch(r.Context(), request)
	switch {
	case err == nil && m.GetState() == "MERGED":
		p.Shell.Flash(w, "matches.merged")
		http.Redirect(w, r, "/patients/"+request.GetSurvivorId()+"/identity", http.StatusSeeOther)
		return nil
	case err == nil:
		p.Shell.Flash(w, "matches.different")
		http.Redirect(w, r, "/patients/matches", http.StatusSeeOther)
		return nil
	}
	return p.Shell.Again(w, r, shell.Called(err, map[string]string{"reason": "matches.grounds"}), func(again shell.Refused) error {
		data, _ := p.loadMatch(r) // without the two records the form stands alone
		data.Sent, data.RequestID, data.Problem = again.Form, again.RequestID, again.Problem
		for i, e := range data.Sent.Errors {
			if e.Name == "reason" {
				data.Sent.Errors[i].Name = "reason-" + data.Sent.Value("decision")
			}
		}
		if data.Match == nil || errs.KindOf(err) != errs.KindStale {
			data.Version = data.Sent.Value("version")
		}
		return p.showMatch(w, r, again.Status, data)
	})
}
