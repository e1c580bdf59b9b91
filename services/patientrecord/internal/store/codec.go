package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// The sealed JSON forms. Fields are only added: old rows stay readable.

type demographicsJSON struct {
	Name               string `json:"name"`
	Sex                uint8  `json:"sex"`
	BirthDate          string `json:"birthDate,omitempty"`
	DocumentType       uint8  `json:"documentType"`
	IdentityNumber     string `json:"identityNumber,omitempty"`
	NoDocumentReason   string `json:"noDocumentReason,omitempty"`
	Phone              string `json:"phone,omitempty"`
	Address            string `json:"address,omitempty"`
	Village            string `json:"village,omitempty"`
	HealthRecordNumber string `json:"healthRecordNumber,omitempty"`
	InsuranceNumber    string `json:"insuranceNumber,omitempty"`
	GuardianName       string `json:"guardianName,omitempty"`
	GuardianPhone      string `json:"guardianPhone,omitempty"`
}

func toDemographics(d domain.Demographics) demographicsJSON {
	v := d.Details()
	return demographicsJSON{
		Name: v.Name, Sex: uint8(v.Sex), BirthDate: v.BirthDate.Text(), DocumentType: uint8(v.DocumentType),
		IdentityNumber: v.IdentityNumber, NoDocumentReason: v.NoDocumentReason, Phone: v.Phone, Address: v.Address,
		Village: v.Village, HealthRecordNumber: v.HealthRecordNumber, InsuranceNumber: v.InsuranceNumber,
		GuardianName: v.GuardianName, GuardianPhone: v.GuardianPhone,
	}
}

func (j demographicsJSON) domain() domain.Demographics {
	birth, _ := domain.ParseDate(j.BirthDate)
	return domain.RestoreDemographics(domain.Details{
		Name: j.Name, Sex: domain.Sex(j.Sex), BirthDate: birth, DocumentType: domain.DocumentType(j.DocumentType),
		IdentityNumber: j.IdentityNumber, NoDocumentReason: j.NoDocumentReason, Phone: j.Phone, Address: j.Address,
		Village: j.Village, HealthRecordNumber: j.HealthRecordNumber, InsuranceNumber: j.InsuranceNumber,
		GuardianName: j.GuardianName, GuardianPhone: j.GuardianPhone,
	})
}

type patientJSON struct {
	ID           string           `json:"id"`
	Version      int32            `json:"version"`
	Demographics demographicsJSON `json:"demographics"`
	Home         string           `json:"home,omitempty"`
	Created      time.Time        `json:"created"`
	Updated      time.Time        `json:"updated"`
}

func toPatient(p domain.Patient) patientJSON {
	k := p.Keep()
	return patientJSON{
		ID: k.ID, Version: k.Version, Demographics: toDemographics(k.Demographics), Home: k.Home, Created: k.Created, Updated: k.Updated,
	}
}

func (j patientJSON) domain() domain.Patient {
	return domain.RestorePatient(domain.Kept{
		ID: j.ID, Version: j.Version, Demographics: j.Demographics.domain(), Home: j.Home, Created: j.Created, Updated: j.Updated,
	})
}

// entryContent is what of an entry is sealed.
type entryContent struct {
	Code    string `json:"code,omitempty"`
	Content []byte `json:"content"`
	// Told is the last fact that was published of an encounter, ToldStay what it said.
	Told     string    `json:"told,omitempty"`
	ToldStay *stayJSON `json:"toldStay,omitempty"`
	// Author and Writer are names, Note is why it was corrected, in words.
	Author string `json:"author,omitempty"`
	Writer string `json:"writer,omitempty"`
	Note   string `json:"note,omitempty"`
	// Department of the person who wrote it first.
	Department string `json:"department,omitempty"`
}

type stayJSON struct {
	Organization string    `json:"organization,omitempty"`
	Department   string    `json:"department,omitempty"`
	Class        string    `json:"class,omitempty"`
	Diagnoses    []string  `json:"diagnoses,omitempty"`
	DischargeWay string    `json:"dischargeWay,omitempty"`
	Start        time.Time `json:"start,omitzero"`
	End          time.Time `json:"end,omitzero"`
}

func toEntryContent(e domain.Entry, told domain.Told) entryContent {
	out := entryContent{Code: e.Code, Content: e.Content, Told: told.Fact, Department: e.Department}
	if told.Fact != "" {
		out.ToldStay = new(stayJSON(told.Stay))
	}
	return out
}

func (j entryContent) told() domain.Told {
	out := domain.Told{Fact: j.Told}
	if j.ToldStay != nil {
		out.Stay = domain.Stay(*j.ToldStay)
	}
	return out
}

type entryJSON struct {
	ID       string    `json:"id"`
	Version  int32     `json:"version"`
	Kind     string    `json:"kind"`
	Category string    `json:"category,omitempty"`
	Status   string    `json:"status,omitempty"`
	Time     time.Time `json:"time"`
	Content  []byte    `json:"content"`
	// Department as in entryContent.
	Department string `json:"department,omitempty"`
}

func toEntries(list []domain.Entry) []entryJSON {
	out := make([]entryJSON, len(list))
	for i, e := range list {
		out[i] = entryJSON{
			ID: e.ID, Version: e.Version, Kind: string(e.Kind), Category: e.Category, Status: e.Status, Time: e.Time, Content: e.Content,
			Department: e.Department,
		}
	}
	return out
}

func fromEntries(list []entryJSON) []domain.Entry {
	out := make([]domain.Entry, len(list))
	for i, j := range list {
		out[i] = domain.Entry{
			ID: j.ID, Version: j.Version, Kind: domain.EntryKind(j.Kind), Category: j.Category, Status: j.Status, Time: j.Time, Content: j.Content,
			Department: j.Department,
		}
	}
	return out
}

type packageJSON struct {
	ReferralVersion int32 `json:"referralVersion,omitempty"`

	Patient patientJSON `json:"patient"`
	Summary []entryJSON `json:"summary"`
	Results []entryJSON `json:"results"`
}

func toPackage(p domain.Package) packageJSON {
	out := packageJSON{ReferralVersion: p.ReferralVersion, Patient: toPatient(p.Summary.Patient), Results: toEntries(p.Results)}
	for _, kind := range summaryKinds() {
		out.Summary = append(out.Summary, toEntries(p.Summary.Entries[kind])...)
	}
	return out
}

func (j packageJSON) domain() domain.Package {
	p := domain.Package{
		ReferralVersion: j.ReferralVersion,
		Summary:         domain.Summary{Patient: j.Patient.domain(), Entries: map[domain.EntryKind][]domain.Entry{}},
		Results:         fromEntries(j.Results),
	}
	for _, e := range fromEntries(j.Summary) {
		p.Summary.Entries[e.Kind] = append(p.Summary.Entries[e.Kind], e)
	}
	return p
}

// seal is the sealed JSON of v.
func (c scope) seal(table, column, row string, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s.%s: %w", table, column, err)
	}
	return c.ring.Seal(table, column, c.row(row), text)
}

// open reads what seal wrote.
func (c scope) open(table, column, row string, sealed []byte, v any) error {
	text, err := c.ring.Open(table, column, c.row(row), sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		// The decoder's own text may quote what it read.
		return fmt.Errorf("decode %s.%s of %s: not the expected JSON", table, column, row)
	}
	return nil
}
