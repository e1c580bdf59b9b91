package rpc

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

func toSex(s commonv1.Sex_Code) domain.Sex {
	switch s {
	case commonv1.Sex_MALE:
		return domain.Male
	case commonv1.Sex_FEMALE:
		return domain.Female
	case commonv1.Sex_UNKNOWN:
		return domain.SexUnknown
	case commonv1.Sex_NOT_STATED:
		return domain.SexNotStated
	default:
		return domain.SexUnset
	}
}

func fromSex(s domain.Sex) commonv1.Sex_Code {
	switch s {
	case domain.Male:
		return commonv1.Sex_MALE
	case domain.Female:
		return commonv1.Sex_FEMALE
	case domain.SexUnknown:
		return commonv1.Sex_UNKNOWN
	case domain.SexNotStated:
		return commonv1.Sex_NOT_STATED
	default:
		return commonv1.Sex_UNSPECIFIED
	}
}

// documentTypes pairs the contract's codes with the domain's.
func documentTypes() map[patientrecordv1.DocumentType_Code]domain.DocumentType {
	return map[patientrecordv1.DocumentType_Code]domain.DocumentType{
		patientrecordv1.DocumentType_UNSPECIFIED:                domain.DocumentUnset,
		patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD:     domain.ResidentCard,
		patientrecordv1.DocumentType_MILITARY:                   domain.Military,
		patientrecordv1.DocumentType_ARMED_POLICE:               domain.ArmedPolice,
		patientrecordv1.DocumentType_HONG_KONG_MACAO_PERMIT:     domain.HongKongMacaoPermit,
		patientrecordv1.DocumentType_TAIWAN_PERMIT:              domain.TaiwanPermit,
		patientrecordv1.DocumentType_PASSPORT:                   domain.Passport,
		patientrecordv1.DocumentType_FOREIGN_PERMANENT_RESIDENT: domain.ForeignPermanentResident,
		patientrecordv1.DocumentType_OTHER:                      domain.OtherDocument,
		patientrecordv1.DocumentType_NONE:                       domain.NoDocument,
	}
}

func toDocumentType(c patientrecordv1.DocumentType_Code) (domain.DocumentType, bool) {
	t, ok := documentTypes()[c]
	return t, ok
}

func fromDocumentType(t domain.DocumentType) patientrecordv1.DocumentType_Code {
	for c, d := range documentTypes() {
		if d == t {
			return c
		}
	}
	return patientrecordv1.DocumentType_UNSPECIFIED
}

// registration reads the form. What cannot be read at all comes back as fields; what it says is the domain's to judge.
func registration(in *patientrecordv1.RegisterPatientRequest) (domain.Details, []errs.Field) {
	birth, fields := dateOf("birthDate", in.GetBirthDate())
	document, ok := toDocumentType(in.GetDocumentType())
	if !ok {
		fields = append(fields, errs.Bad("documentType", errs.ReasonFieldUnknown))
	}
	if _, known := commonv1.Sex_Code_name[int32(in.GetSex())]; !known {
		fields = append(fields, errs.Bad("sex", errs.ReasonFieldUnknown))
	}
	if len(in.GetRequestId()) > maxWord {
		fields = append(fields, errs.Bad("requestId", errs.ReasonFieldTooLong))
	}
	return domain.Details{
		Name: in.GetName(), Sex: toSex(in.GetSex()), BirthDate: birth, DocumentType: document,
		IdentityNumber: in.GetIdentityNumber(), NoDocumentReason: in.GetNoDocumentReason(), Phone: in.GetPhone(),
		Address: in.GetAddress(), Village: in.GetVillage(), HealthRecordNumber: in.GetHealthRecordNumber(),
		GuardianName: in.GetGuardianName(), GuardianPhone: in.GetGuardianPhone(), InsuranceNumber: in.GetInsuranceNumber(),
	}, fields
}

// importedDetails is the same for an import.
func importedDetails(in *patientrecordv1.Patient) (domain.Details, []errs.Field) {
	birth, fields := dateOf("patient.birthDate", in.GetBirthDate())
	document, ok := toDocumentType(in.GetDocumentType())
	if !ok {
		fields = append(fields, errs.Bad("patient.documentType", errs.ReasonFieldUnknown))
	}
	return domain.Details{
		Name: in.GetName(), Sex: toSex(in.GetSex()), BirthDate: birth, DocumentType: document,
		IdentityNumber: in.GetIdentityNumber(), NoDocumentReason: in.GetNoDocumentReason(), Phone: in.GetPhone(),
		Address: in.GetAddress(), Village: in.GetVillage(), HealthRecordNumber: in.GetHealthRecordNumber(),
		GuardianName: in.GetGuardianName(), GuardianPhone: in.GetGuardianPhone(), InsuranceNumber: in.GetInsuranceNumber(),
	}, fields
}

func dateOf(field, text string) (domain.Date, []errs.Field) {
	if text == "" {
		return domain.Date{}, nil
	}
	d, ok := domain.ParseDate(text)
	if !ok {
		return domain.Date{}, []errs.Field{errs.Bad(field, errs.ReasonFieldInvalid)}
	}
	return d, nil
}

func fromShown(s app.Shown) *patientrecordv1.Patient {
	d := s.Details
	var relatives []*patientrecordv1.Relative
	for _, r := range s.Relatives {
		relatives = append(relatives, &patientrecordv1.Relative{
			PatientId: r.ID, Kind: string(r.Kind), Name: r.Details.Name, Sex: fromSex(r.Details.Sex), BirthDate: r.Details.BirthDate.Text(),
		})
	}
	return &patientrecordv1.Patient{
		Relatives: relatives, Id: s.ID, Version: s.Version, Name: d.Name, Sex: fromSex(d.Sex), BirthDate: d.BirthDate.Text(),
		DocumentType: fromDocumentType(d.DocumentType), IdentityNumber: d.IdentityNumber, NoDocumentReason: d.NoDocumentReason,
		Phone: d.Phone, Address: d.Address, Village: d.Village, HealthRecordNumber: d.HealthRecordNumber,
		HomeOrganizationId: s.Home, Access: fromLevel(s.Level), CreateTime: stamp(s.Created), UpdateTime: stamp(s.Updated),
		GuardianName: d.GuardianName, GuardianPhone: d.GuardianPhone, InsuranceNumber: d.InsuranceNumber,
	}
}

func fromLevel(l domain.Level) patientrecordv1.Access_Code {
	switch l {
	case domain.LevelNone:
		return patientrecordv1.Access_BREAK_GLASS
	case domain.LevelIndex:
		return patientrecordv1.Access_INDEX
	case domain.LevelPackage:
		return patientrecordv1.Access_PACKAGE
	case domain.LevelFull:
		return patientrecordv1.Access_FULL
	case domain.LevelSensitive:
		return patientrecordv1.Access_SENSITIVE
	default:
		return patientrecordv1.Access_UNSPECIFIED
	}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func fromSummary(s app.ShownSummary) (*patientrecordv1.Summary, error) {
	out := &patientrecordv1.Summary{Patient: fromShown(s.Patient), Withheld: fromWithheld(s.Withheld), Opening: fromOpening(s.Opening)}
	var e1, e2, e3, e4, e5, e6, e7 error
	out.Problems, e1 = fromEntries(s.Entries[domain.KindProblem], func(m *patientrecordv1.Problem, id string) { m.Id = id })
	out.Medications, e2 = fromEntries(s.Entries[domain.KindMedication], func(m *patientrecordv1.Medication, id string) { m.Id = id })
	out.Allergies, e3 = fromEntries(s.Entries[domain.KindAllergy], func(m *patientrecordv1.Allergy, id string) { m.Id = id })
	out.RecentResults, e4 = observations(s.Entries[domain.KindObservation])
	out.Procedures, e5 = fromEntries(s.Entries[domain.KindProcedure], func(m *patientrecordv1.Procedure, id string) { m.Id = id })
	out.RecentEncounters, e6 = fromEntries(s.Entries[domain.KindEncounter], func(m *patientrecordv1.Encounter, id string) { m.Id = id })
	out.Immunizations, e7 = fromEntries(s.Entries[domain.KindImmunization], func(m *patientrecordv1.Immunization, id string) { m.Id = id })
	return out, errors.Join(e1, e2, e3, e4, e5, e6, e7)
}

// cursorToken and readCursor are the opaque token of ListResults: microseconds and id.
func cursorToken(c app.Cursor) string {
	if c == (app.Cursor{}) {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.Time.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.ID...))
}

func readCursor(token string) (app.Cursor, error) {
	if token == "" {
		return app.Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) <= 8 || !id.Valid(string(b[8:])) {
		return app.Cursor{}, errs.Invalid(errs.Bad("pageToken", errs.ReasonFieldInvalid))
	}
	return app.Cursor{Time: time.UnixMicro(int64(binary.BigEndian.Uint64(b[:8]))).UTC(), ID: string(b[8:])}, nil
}

func entryPath(i int) string { return "entries[" + strconv.Itoa(i) + "]" }
