package endpoint

import (
	"net/http"
	"strconv"
	"strings"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

const (
	maxForm = 64 << 10
	maxPage = 200
)

type coding struct {
	System string `json:"system,omitempty"`
	Code   string `json:"code"`
}

type meta struct {
	VersionID string   `json:"versionId,omitempty"`
	Security  []coding `json:"security,omitempty"`
}

type text struct {
	Text string `json:"text"`
}

type identifier struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

type contact struct {
	System string `json:"system"`
	Value  string `json:"value"`
}

// patient is FHIR's.
type patient struct {
	ResourceType string       `json:"resourceType"`
	ID           string       `json:"id"`
	Meta         meta         `json:"meta"`
	Identifier   []identifier `json:"identifier,omitempty"`
	Name         []text       `json:"name,omitempty"`
	Telecom      []contact    `json:"telecom,omitempty"`
	Gender       string       `json:"gender,omitempty"`
	BirthDate    string       `json:"birthDate,omitempty"`
	Address      []text       `json:"address,omitempty"`
}

type match struct {
	FullURL  string  `json:"fullUrl"`
	Resource patient `json:"resource"`
	Search   struct {
		Mode string `json:"mode"`
	} `json:"search"`
}

type searchset struct {
	ResourceType string  `json:"resourceType"`
	Type         string  `json:"type"`
	Entry        []match `json:"entry,omitempty"`
}

// search answers the patients whom the caller may find by one of identifier, name and phone.
func (e *endpoint) search(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return errs.Invalid(errs.Bad("body", errs.ReasonFieldInvalid))
	}
	ask, err := asked(r)
	if err != nil {
		return err
	}
	found, err := e.Patient.SearchPatients(r.Context(), ask)
	if err != nil {
		return err
	}
	out := searchset{ResourceType: "Bundle", Type: "searchset"}
	for _, p := range found.GetPatients() {
		one := match{FullURL: "Patient/" + p.GetId(), Resource: resource(p)}
		one.Search.Mode = "match"
		out.Entry = append(out.Entry, one)
	}
	answer(w, http.StatusOK, out)
	return nil
}

func asked(r *http.Request) (*patientrecordv1.SearchPatientsRequest, error) {
	if r.URL.RawQuery != "" {
		return nil, byPost(nil, nil)
	}
	out := &patientrecordv1.SearchPatientsRequest{}
	var words []string
	for name, values := range r.PostForm {
		value := strings.TrimSpace(values[0])
		switch name {
		case "identifier":
			if _, number, scoped := strings.Cut(value, "|"); scoped {
				value = number
			}
			out.IdentityNumber = value
		case "name", "phone":
			words = append(words, value)
		case "_count":
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 {
				return nil, errs.Invalid(errs.Bad("_count", errs.ReasonFieldInvalid))
			}
			out.PageSize = int32(min(n, maxPage))
		default:
			return nil, errs.Invalid(errs.Bad(name, errs.ReasonFieldUnknown))
		}
	}
	out.Query = strings.Join(words, " ")
	if (out.IdentityNumber == "") == (out.Query == "") {
		return nil, errs.New(errs.KindInvalid, errs.ReasonFieldRequired, "search by identifier, or by name and phone", nil)
	}
	return out, nil
}

// residentSystem is that of identity cards (WS/T 500).
const residentSystem = "urn:oid:2.16.156.10011.1.3"

func resource(p *patientrecordv1.Patient) patient {
	out := patient{ResourceType: "Patient", ID: p.GetId(), BirthDate: p.GetBirthDate(), Meta: meta{VersionID: strconv.Itoa(int(p.GetVersion()))}}
	if a := p.GetAccess(); a == patientrecordv1.Access_BREAK_GLASS || a == patientrecordv1.Access_INDEX {
		// What is shown is masked.
		out.Meta.Security = []coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", Code: "MASKED"}}
	}
	if p.GetIdentityNumber() != "" && p.GetDocumentType() == patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD {
		out.Identifier = []identifier{{residentSystem, p.GetIdentityNumber()}}
	}
	if p.GetName() != "" {
		out.Name = []text{{p.GetName()}}
	}
	if p.GetPhone() != "" {
		out.Telecom = []contact{{"phone", p.GetPhone()}}
	}
	if p.GetAddress() != "" {
		out.Address = []text{{p.GetAddress()}}
	}
	out.Gender = map[commonv1.Sex_Code]string{
		commonv1.Sex_MALE: "male", commonv1.Sex_FEMALE: "female", commonv1.Sex_UNKNOWN: "unknown", commonv1.Sex_NOT_STATED: "other",
	}[p.GetSex()]
	return out
}
