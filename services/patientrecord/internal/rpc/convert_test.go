package rpc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/audit"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/outbox"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/rpc"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

const county = "450321"

// nobody is a referral service that knows no relation.
type nobody struct{}

func (nobody) Relation(context.Context, string, string, string) (domain.Level, string, error) {
	return domain.LevelNone, "", nil
}

func (nobody) Standing(context.Context, string) (domain.Standing, time.Time, error) {
	return domain.Standing{}, time.Time{}, errs.NotFound("package")
}

func (nobody) Consent(context.Context, string, string) (app.ReferralConsent, error) {
	return app.ReferralConsent{}, errs.NotFound("consent")
}

func (nobody) HandedBack(context.Context, string, string) (string, []domain.Entry, error) {
	return "", nil, errs.NotFound("referral")
}

func server(t testing.TB) *rpc.Server {
	sets := []sqldb.MigrationSet{sqldb.Migrations, outbox.Migrations, audit.Migrations, store.Migrations()}
	clk := dbtest.Clock(t)
	db := dbtest.OpenClock(t, sqldb.SQLite, clk, sets)
	return rpc.NewServer(app.New(app.Deps{
		Store: store.New(db, crypt.TestRing(), func() {}), Referrals: nobody{}, Limiter: cache.Memory(clk), Clock: clk, Zone: time.UTC,
	}))
}

func as(ctx context.Context, role string) context.Context {
	return authn.WithIdentity(ctx, authn.Identity{Subject: "account", Organization: "org", County: county, Roles: []string{role}})
}

// What was imported is what a summary and the results answer with, whatever the bytes were.
func FuzzImportedContentComesBack(f *testing.F) {
	seed := func(o *patientrecordv1.Observation) {
		b, err := proto.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	seed(&patientrecordv1.Observation{})
	seed(&patientrecordv1.Observation{
		Id: "theirs", Status: "final", Category: "laboratory", Codes: []*commonv1.Coding{{System: "http://loinc.org", Code: "4548-4"}}, Text: "糖化血红蛋白",
		EffectiveTime: &timestamppb.Timestamp{Seconds: 1700000000}, Quantity: &patientrecordv1.Quantity{Value: 7.25, Unit: "%"}, ReferenceRange: "4–6",
	})
	seed(&patientrecordv1.Observation{EffectiveTime: &timestamppb.Timestamp{Seconds: -1 << 62, Nanos: -5}, Status: "\x00"})
	s := server(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var o patientrecordv1.Observation
		if proto.Unmarshal(b, &o) != nil {
			return
		}
		done, err := s.ImportRecord(as(t.Context(), "SYSTEM"), &patientrecordv1.ImportRecordRequest{
			County: county, OrganizationId: "org", SourceSystem: "s", PatientIdentity: id.New(), Patient: &patientrecordv1.Patient{Name: "曾小明"},
			Entries: []*patientrecordv1.ClinicalEntry{{SourceIdentity: "1", Resource: &patientrecordv1.ClinicalEntry_Observation{Observation: &o}}},
		})
		if err != nil {
			if errs.KindOf(err) != errs.KindInvalid {
				t.Fatal(err)
			}
			return
		}
		list, err := s.ListResults(as(t.Context(), "TOWNSHIP_DOCTOR"), &patientrecordv1.ListResultsRequest{PatientId: done.GetPatientId()})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range list.GetResults() {
			o.Id = got.GetId()
			if !proto.Equal(got, &o) {
				t.Fatal("another content came back")
			}
		}
	})
}

func TestDemographicsComeBackAsTheyWent(t *testing.T) {
	t.Parallel()
	s := server(t)
	for code := range patientrecordv1.DocumentType_Code_name {
		for sex := range commonv1.Sex_Code_name {
			in := &patientrecordv1.Patient{
				Name: "曾小明", Sex: commonv1.Sex_Code(sex), BirthDate: "1956-03", DocumentType: patientrecordv1.DocumentType_Code(code), Phone: "13800138000",
				Address: "白沙镇", Village: "旧县村", HealthRecordNumber: "45032110000100001", GuardianName: "曾大明", GuardianPhone: "13900139000",
			}
			want := proto.CloneOf(in)
			switch in.GetDocumentType() {
			case patientrecordv1.DocumentType_NONE, patientrecordv1.DocumentType_UNSPECIFIED:
				in.NoDocumentReason, want.NoDocumentReason, want.DocumentType = "OTHER", "OTHER", patientrecordv1.DocumentType_NONE
			case patientrecordv1.DocumentType_RESIDENT_IDENTITY_CARD:
				continue // tells sex and birth date itself
			default:
				in.IdentityNumber = fmt.Sprintf("E1%02d%d", code, sex)
				want.IdentityNumber = in.GetIdentityNumber()
			}
			if want.GetSex() == commonv1.Sex_UNSPECIFIED {
				want.Sex = commonv1.Sex_UNKNOWN
			}
			done, err := s.ImportRecord(as(t.Context(), "SYSTEM"), &patientrecordv1.ImportRecordRequest{
				County: county, OrganizationId: "org", SourceSystem: "s", PatientIdentity: id.New(), Patient: in,
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.GetPatient(as(t.Context(), "TOWNSHIP_DOCTOR"), &patientrecordv1.GetPatientRequest{Id: done.GetPatientId()})
			if err != nil {
				t.Fatal(err)
			}
			want.Id, want.Version, want.Access, want.HomeOrganizationId = got.GetId(), 1, patientrecordv1.Access_FULL, "org"
			want.CreateTime, want.UpdateTime = got.GetCreateTime(), got.GetUpdateTime()
			if !proto.Equal(got, want) {
				t.Errorf("type %s, sex %s:\n got %v\nwant %v", in.GetDocumentType(), in.GetSex(), got, want)
			}
		}
	}
}

func TestPageTokensThatWeDidNotMakeAreRefused(t *testing.T) {
	t.Parallel()
	s := server(t)
	ctx := as(t.Context(), "TOWNSHIP_DOCTOR")
	for _, token := range []string{"x", "AAAA", "!!!", "AAAAAAAAAAAAAAAAAAAA"} {
		if _, err := s.ListResults(ctx, &patientrecordv1.ListResultsRequest{PatientId: id.New(), PageToken: token}); errs.ReasonOf(err) != errs.ReasonFieldInvalid {
			t.Errorf("results: %v", err)
		}
		if _, err := s.SearchPatients(ctx, &patientrecordv1.SearchPatientsRequest{Query: "曾", PageToken: token}); errs.ReasonOf(err) != errs.ReasonFieldInvalid {
			t.Errorf("search: %v", err)
		}
	}
}
