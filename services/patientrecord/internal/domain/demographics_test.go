package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

var moment = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func birth(s string) domain.Date {
	d, _ := domain.ParseDate(s)
	return d
}

func TestRegistrationSaysAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	none := domain.NoDocument
	cases := []struct {
		name string
		in   domain.Details
		want []string // field + " " + reason
	}{
		{"nothing given", domain.Details{}, []string{"name FIELD_REQUIRED", "documentType FIELD_REQUIRED", "sex FIELD_REQUIRED"}},
		{"number alone with a name", domain.Details{Name: "曾小明", IdentityNumber: "990122195603120016"}, nil},
		{"wrong number, bad phones", domain.Details{
			Name: "曾小明", IdentityNumber: "990122195603120017", Phone: "12345", GuardianPhone: "abc",
		}, []string{"identityNumber FIELD_IDENTITY_NUMBER", "phone FIELD_INVALID", "guardianPhone FIELD_INVALID"}},
		{"sex and birth date contradict", domain.Details{
			Name: "曾小明", Sex: domain.Female, BirthDate: birth("1956-03-13"), IdentityNumber: "990122195603120016",
		}, []string{"sex FIELD_COMBINATION", "birthDate FIELD_COMBINATION"}},
		{"an estimated year agrees", domain.Details{Name: "曾小明", BirthDate: birth("1956"), IdentityNumber: "990122195603120016"}, nil},
		{"card without number", domain.Details{Name: "王五", DocumentType: domain.ResidentCard, Sex: domain.Male},
			[]string{"identityNumber FIELD_REQUIRED"}},
		{"no document, nothing else", domain.Details{Name: "王五", DocumentType: none},
			[]string{"noDocumentReason FIELD_REQUIRED", "birthDate FIELD_REQUIRED", "sex FIELD_REQUIRED"}},
		{"no document, unknown reason, number given", domain.Details{
			Name: "王五", Sex: domain.Male, BirthDate: birth("1950"), DocumentType: none, NoDocumentReason: "FORGOTTEN", IdentityNumber: "990122195603120016",
		}, []string{"noDocumentReason FIELD_UNKNOWN", "identityNumber FIELD_COMBINATION"}},
		{"no document, grown up, estimated", domain.Details{
			Name: "王五", Sex: domain.Male, BirthDate: birth("1950"), DocumentType: none, NoDocumentReason: domain.Lost,
		}, nil},
		{"no document, 13 years", domain.Details{
			Name: "王五", Sex: domain.Male, BirthDate: birth("2012-11-23"), DocumentType: none, NoDocumentReason: domain.NeverIssued,
		}, []string{"guardianName FIELD_REQUIRED"}},
		{"no document, 14 today", domain.Details{
			Name: "王五", Sex: domain.Male, BirthDate: birth("2012-11-22"), DocumentType: none, NoDocumentReason: domain.NeverIssued,
		}, nil},
		{"newborn", domain.Details{
			Name: "王五之子", Sex: domain.Male, BirthDate: birth("2026-11-22"), DocumentType: none, NoDocumentReason: domain.Newborn,
		}, []string{"guardianName FIELD_REQUIRED"}},
		{"passport", domain.Details{
			Name: "Elisha Bradtke", Sex: domain.Male, BirthDate: birth("1970-01-02"), DocumentType: domain.Passport, IdentityNumber: "e 1234567",
		}, nil},
		{"passport without the rest", domain.Details{Name: "Elisha Bradtke", DocumentType: domain.Passport, IdentityNumber: "<>"},
			[]string{"identityNumber FIELD_INVALID", "birthDate FIELD_REQUIRED", "sex FIELD_REQUIRED"}},
		{"born tomorrow", domain.Details{
			Name: "王五", Sex: domain.Male, BirthDate: birth("2026-11-23"), DocumentType: none, NoDocumentReason: domain.Newborn, GuardianName: "王四",
		}, []string{"birthDate FIELD_OUT_OF_RANGE"}},
		{"name without a letter, short health record number", domain.Details{
			Name: "12", IdentityNumber: "990122195603120016", HealthRecordNumber: "123",
		}, []string{"name FIELD_INVALID", "healthRecordNumber FIELD_INVALID"}},
		{"rare and minority names", domain.Details{Name: "𠮷·买买提", IdentityNumber: "990122195603120016"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, ps := domain.NewDemographics(c.in, today)
			var got []string
			for _, p := range ps {
				got = append(got, p.Field+" "+p.Reason)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("problems %q, want %q", got, c.want)
			}
		})
	}
}

func TestRegistrationNormalises(t *testing.T) {
	t.Parallel()
	d, ps := domain.NewDemographics(domain.Details{
		Name: "  曾　小明 ", IdentityNumber: "３４０５２４１９８００１０１００１ｘ", Phone: "+86 138-0013-8000", GuardianPhone: "(0773) 888 1234",
	}, today)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	got := d.Details()
	want := domain.Details{
		Name: "曾小明", Sex: domain.Male, BirthDate: birth("1980-01-01"), DocumentType: domain.ResidentCard,
		IdentityNumber: "34052419800101001X", Phone: "13800138000", GuardianPhone: "07738881234",
	}
	if got != want {
		t.Errorf("name %q number %q phone %q guardian %q", got.Name, got.IdentityNumber, got.Phone, got.GuardianPhone)
	}
}

func TestImportAsksForLess(t *testing.T) {
	t.Parallel()
	d, ps := domain.ImportedDemographics(domain.Details{Name: "Elisha Bradtke", BirthDate: birth("1970-05-24"), Phone: "555-216-8846"}, today)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if got := d.Details(); got.DocumentType != domain.NoDocument || got.Sex != domain.SexUnknown || got.Phone != "555-216-8846" {
		t.Errorf("type %d sex %d", got.DocumentType, got.Sex)
	}
	if _, ps := domain.ImportedDemographics(domain.Details{IdentityNumber: "990122195603120017"}, today); len(ps) != 2 {
		t.Errorf("a wrong number and a missing name are refused: %v", ps)
	}
}

func TestMasks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"曾小明": "曾＊＊", "王五": "王＊", "欧阳小明": "欧阳＊＊", "欧阳": "欧＊", "𠮷小明": "𠮷＊＊", "单": "单＊",
		"Elisha Bradtke": "B＊＊", "": "",
	} {
		if got := domain.MaskName(in); got != want {
			t.Errorf("name %q masked %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"990122195603120016": "990***********0016", "13800138000": "138****8000", "E1234567": "******67", "12": "12", "": "",
	} {
		if got := domain.MaskNumber(in); got != want {
			t.Errorf("number %q masked %q, want %q", in, got, want)
		}
	}
}

func TestCorrectingWithTheSameChangesNothing(t *testing.T) {
	t.Parallel()
	d, _ := domain.NewDemographics(domain.Details{Name: "曾小明", IdentityNumber: "990122195603120016"}, today)
	p := domain.RestorePatient(domain.NewPatient("p-1", d, "o-1", moment).Keep())
	if _, changed := p.Correct(d, "o-1", moment.Add(time.Hour)); changed {
		t.Error("the same demographics made a version")
	}
	q, changed := p.Correct(d, "o-2", moment.Add(time.Hour))
	if !changed || q.Version() != 2 || len(q.Facts()) != 1 || q.Facts()[0].Name != domain.Corrected {
		t.Errorf("changed %v version %d", changed, q.Version())
	}
}
