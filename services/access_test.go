package services_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	"github.com/tongzhen/tongzhen/services/directory"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/rpctest"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/telemetry"
	"github.com/tongzhen/tongzhen/services/notification"
	"github.com/tongzhen/tongzhen/services/patientrecord"
	"github.com/tongzhen/tongzhen/services/referral"
	"github.com/tongzhen/tongzhen/services/scheduling"
)

// policies are the services' tables.
func policies() map[string]authz.Table {
	return map[string]authz.Table{
		"directory": directory.Policy(), "notification": notification.Policy(), "patientrecord": patientrecord.Policy(),
		"referral": referral.Policy(), "scheduling": scheduling.Policy(),
	}
}

// contractMethods are all methods of the contracts, by their full names.
func contractMethods(t *testing.T) map[string]protoreflect.MethodDescriptor {
	t.Helper()
	out := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(f.Package()), "tongzhen.") {
			return true
		}
		for i := range f.Services().Len() {
			methods := f.Services().Get(i).Methods()
			for j := range methods.Len() {
				m := methods.Get(j)
				out["/"+string(m.Parent().FullName())+"/"+string(m.Name())] = m
			}
		}
		return true
	})
	if len(out) < 100 {
		t.Fatalf("%d methods", len(out))
	}
	return out
}

// roles of the contract.
func roles() (out []string) {
	for n, name := range commonv1.Role_Code_name {
		if n != 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// clinicians are the roles that architecture.md lets treat patients; all others see no record.
func clinicians() []string {
	return []string{"BED_MANAGER", "CENTRE_HEAD", "DEPARTMENT_HEAD", "INTAKE_DESK", "SPECIALIST", "TOWNSHIP_DOCTOR", "VILLAGE_DOCTOR"}
}

// What the paragraph on roles in architecture.md says, of the tables: not of the code that made them.
func TestTheTablesKeepToTheRolesOfTheArchitecture(t *testing.T) {
	t.Parallel()
	// harmless are methods that tell nothing of any patient: the county's own data, reference data and figures.
	harmless := []string{
		"GetCurrentSession", "ListSigningKeys", "ListOrganizations", "GetOrganization", "ListDepartments", "ListFormulary", "ListCapabilities",
		"GetLifecycle", "ListCompletenessItems", "ListCriteria", "ListDiagnoses", "ListReasons", "SearchDiagnoses", "GetSettings", "GetTargets", "GetReasonSettings", "ListDefinitions",
		"ListRecognitionItems", "GetRecognitionSettings", "GetRoster", "ListRosters", "ListRosterVersions", "ListOnDuty", "ListNotifications", "Acknowledge", "AcknowledgeReferral",
		"ListAlarms", "AcknowledgeAlarm", "GetPreferences", "SetPreferences", "GetCountyRules", "ListRules",
		"ListAddresses", "SetAddress", "SendTest", "ChangePassword",
	}
	// accounts of those who work with patients, and never of those who keep keys or read the audit: the use case decides which.
	accounts := []string{
		"SearchAccounts", "GetAccount", "ListAccountChanges", "CreateAccount", "UpdateAccount", "DisableAccount", "EnableAccount", "ResetPassword", "ImportAccountFile",
	}
	// Beyond those each role without patients has exactly these.
	own := map[string][]string{
		"COUNTY_ADMIN": append([]string{
			"UpdateSettings", "UpdateTargets", "UpdateReasonSettings", "ListSettingVersions", "ListLate", "CountOpen", "ListBlockingMedicines", "GetStatisticCase", "ListStages", "ListContributions", "ListQuietCentres", "UpdateRecognitionItem", "ListRecognitionChanges", "UpdateRecognitionSettings",
			"QueryStatistics", "ListStatisticCases", "ReconcileDischarges", "RecordExport", "GetRecognitionStatistics", "ListRecognitionCases",
			"FindSlots", "ListWaitingTimes", "ListBoard", "SetWard", "AddBeds", "CloseWard", "SetBed",
			"ListSlots", "ListBeds", "CreateSchedules", "ListTold", "ListAccounts",
			// The county's schedules, which name no patient: of a session's slots it sees how many are taken, and nobody.
			"ListEquipment", "SaveEquipment", "ListTemplates", "SaveTemplate", "PreviewTemplate", "ListExceptions", "SaveException", "RemoveException",
			"ListSessions", "CountComing", "GetSession", "SubstituteSession", "CancelSession", "RestoreSession", "ListCalendarChanges", "BlockSlots", "UnblockSlots", "ImportSchedules", "ExportSchedules",
			"GetBookingPolicy", "SetBookingPolicy",
			"ListDeliveries", "GetDelivery", "ReplayDelivery", "ReplayDeliveries", "ListChannels",
			// Blank forms name no patient.
			"AllotBlankForms", "ListBlankForms", "VoidBlankForm",
			"SetRoster", "ReplaceOnRoster", "HandOver", "TakeBack", "ListCalls", "RecordCall", "SetCountyRules",
			// What the county has: no patient.
			"ListPlaces", "GetPlace", "SavePlace", "SaveDepartment", "SetCapabilities", "ListMedicines", "SaveMedicine", "SetStock", "ListPlaceVersions",
			"RestorePlaceVersion", "ImportTable",
		}, accounts...),
		"SYSTEM_ADMIN": append([]string{
			// Before an account is disabled: how much is in its name.
			"CountOpen", "CountComing",
			"ListAccounts", "ListFeedMessages", "ListFeedSenders", "ListDeliveries", "GetDelivery", "ReplayDelivery", "ReplayDeliveries", "ListChannels",
			// Blank forms name no patient.
			"AllotBlankForms", "ListBlankForms", "VoidBlankForm",
		}, accounts...),
		"SECURITY_ADMIN": {"ListAccounts"},
		// Who looked at whom, and the names of those who did.
		"AUDITOR":     {"SearchAudit", "VerifyAudit", "ListGlasses", "GetGlass", "ReviewGlass", "ListAccounts", "ListExports", "RecordExport", "FindAuditedPatients"},
		"INTEGRATION": {"ImportRecord", "AcceptRecords"},
		"SYSTEM": {
			"ImportOrganizations", "ImportAccounts", "ImportFormulary", "ImportCapabilities", "ListAccounts", "ImportRecord", "CheckRecognitionStatistics", "RebuildRecognitionStatistics",
			"CheckStatistics", "RebuildStatistics", "ListLive", "ListDelivered", "CreateSchedules", "SetRoster", "ImportTable",
			"ListDeliveries", "GetDelivery", "ReplayDelivery", "ReplayDeliveries", "ListChannels",
		},
	}
	for service, table := range policies() {
		for path, rule := range table {
			method := path[strings.LastIndex(path, "/")+1:]
			for role, more := range own {
				admitted := table.Check(path, &authn.Identity{Subject: "a", County: "450321", Roles: []string{role}}) == nil
				if admitted && !slices.Contains(harmless, method) && !slices.Contains(more, method) {
					t.Errorf("%s: %s may call %s", service, role, method)
				}
			}
			switch {
			case rule.Open && method != "ListSigningKeys":
				t.Errorf("%s is open", path)
			case rule.AnyPerson && !slices.Contains(harmless, method):
				t.Errorf("every person may call %s", path)
			}
			// Whatever is asked about a patient or a referral is asked by those who treat patients, or by a service for them.
			switch rule.Need {
			case authz.Package, authz.Full, authz.Party, authz.Originator, authz.Receiver, authz.EitherSide, authz.Card:
				for _, role := range rule.Roles {
					if !slices.Contains(clinicians(), role) {
						t.Errorf("%s needs %s, and %s may call it", path, rule.Need, role)
					}
				}
			}
		}
	}
	if err := shared(policies()); err != "" {
		t.Error(err)
	}
}

// shared is what the services answer alike: the same rule in each.
func shared(all map[string]authz.Table) string {
	for _, method := range []string{commonv1.AuditService_SearchAudit_FullMethodName, commonv1.AuditService_VerifyAudit_FullMethodName} {
		for service, table := range all {
			if rule, ok := table[method]; !ok || !slices.Equal(rule.Roles, []string{"AUDITOR"}) {
				return service + " does not answer auditors alone: " + method
			}
		}
	}
	return ""
}

// town is all services, talking to one another as in the product.
type town struct {
	*rpctest.Mesh
	conns map[string]map[string]*grpc.ClientConn // by caller, by target
}

type served interface {
	Register(r grpc.ServiceRegistrar)
	Policy() authz.Table
}

func openTown(t *testing.T) *town {
	t.Helper()
	w := &town{Mesh: rpctest.New(t, telemetry.Discard().Logger), conns: map[string]map[string]*grpc.ClientConn{}}
	b, tel, clk, ring := bustest.Embedded(t), telemetry.Discard(), clock.System(), crypt.TestRing()
	db := func(sets []sqldb.MigrationSet) *sqldb.DB { return dbtest.SQLite(t, sets) }
	serve := func(name string, s served, err error) {
		if err != nil {
			t.Fatal(err)
		}
		w.Serve(name, s.Policy(), s.Register)
	}
	d, err := directory.New(t.Context(), directory.Config{}, directory.Deps{
		DB: db(directory.Migrations()), Bus: b, Cache: cache.Memory(clk), Signer: w.Signer, Clock: clk, Telemetry: tel,
	})
	serve("directory", d, err)
	p, err := patientrecord.New(t.Context(), patientrecord.Config{}, patientrecord.Deps{
		DB: db(patientrecord.Migrations()), Bus: b, Cache: cache.Memory(clk), Ring: ring, Signer: w.Signer, Clock: clk, Telemetry: tel,
		Peers: patientrecord.Peers{Referral: w.Dial("patientrecord", "referral"), Directory: w.Dial("patientrecord", "directory")},
	})
	serve("patientrecord", p, err)
	s, err := scheduling.New(t.Context(), scheduling.Config{}, scheduling.Deps{
		DB: db(scheduling.Migrations()), Bus: b, Signer: w.Signer, Clock: clk, Telemetry: tel,
		Peers: scheduling.Peers{Referral: w.Dial("scheduling", "referral")},
	})
	serve("scheduling", s, err)
	n, err := notification.New(t.Context(), notification.Config{}, notification.Deps{
		DB: db(notification.Migrations()), Bus: b, Cache: cache.Memory(clk), Ring: ring, Signer: w.Signer, Clock: clk, Telemetry: tel,
		Peers: notification.Peers{
			Directory: w.Dial("notification", "directory"), PatientRecord: w.Dial("notification", "patientrecord"),
			Referral: w.Dial("notification", "referral"), Scheduling: w.Dial("notification", "scheduling"),
		},
	})
	serve("notification", n, err)
	r, err := referral.New(t.Context(), referral.Config{}, referral.Deps{
		DB: db(referral.Migrations()), Bus: b, Ring: ring, Signer: w.Signer, Clock: clk, Telemetry: tel,
		Peers: referral.Peers{
			Directory: w.Dial("referral", "directory"), PatientRecord: w.Dial("referral", "patientrecord"), Scheduling: w.Dial("referral", "scheduling"),
		},
	})
	serve("referral", r, err)
	return w
}

// callers are the services of the mesh, with two that call and answer nothing.
func callers() []string {
	return append(slices.Sorted(maps.Keys(policies())), "cli", "gateway")
}

func (w *town) conn(caller, target string) *grpc.ClientConn {
	if w.conns[caller] == nil {
		w.conns[caller] = map[string]*grpc.ClientConn{}
	}
	if w.conns[caller][target] == nil {
		w.conns[caller][target] = w.Dial(caller, target)
	}
	return w.conns[caller][target]
}

// call calls a method with nothing in it, streams included, and answers what came of it.
func call(ctx context.Context, conn *grpc.ClientConn, path string, m protoreflect.MethodDescriptor) error {
	in, out := dynamicpb.NewMessage(m.Input()), dynamicpb.NewMessage(m.Output())
	if !m.IsStreamingClient() && !m.IsStreamingServer() {
		return conn.Invoke(ctx, path, in, out)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}, path)
	if err != nil {
		return err
	}
	// What the other side refused before it read anything is told by receiving.
	if err := stream.SendMsg(in); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(out); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// verdict is what the tables are about: ROLE, a missing sign-in, or neither.
func verdict(err error) string {
	switch reason := errs.ReasonOf(err); {
	case reason == errs.ReasonRole && errs.KindOf(err) == errs.KindDenied:
		return "refused"
	case errs.KindOf(err) == errs.KindUnauthenticated && err != nil:
		return "unknown"
	}
	return "admitted"
}

// Every method of the contracts, over the wire and through the services' own gates, by every role, by a person with none, by every service and by
// nobody: it answers as its table says. A method that no table has fails.
func TestEveryMethodAnswersWhomItsTableNamesAndNobodyElse(t *testing.T) {
	t.Parallel()
	w := openTown(t)
	everybody := append(roles(), "")
	for path, m := range contractMethods(t) {
		found := false
		for target, table := range policies() {
			rule, ok := table[path]
			if !ok {
				continue
			}
			found = true
			gateway := w.conn("gateway", target)
			for _, role := range everybody {
				// An account of its own for each, as one that calls too often is told to wait.
				who := authn.Identity{Subject: id.New(), Organization: id.New(), County: "450321", Name: "anybody"}
				if role != "" {
					who.Roles = []string{role}
				}
				want := "refused"
				if rule.Open || rule.AnyPerson || slices.Contains(rule.Roles, role) {
					want = "admitted"
				}
				// Who is admitted may still be told that the session of the token is over.
				if got := verdict(call(w.As(who), gateway, path, m)); got != want && (want == "refused" || got == "refused") {
					t.Errorf("%s at %s by %q: %s, want %s", path, target, role, got, want)
				}
			}
			for _, caller := range callers() {
				want := "refused"
				if rule.Open || slices.Contains(rule.Services, caller) {
					want = "admitted"
				}
				if got := verdict(call(rpc.WithCounty(t.Context(), "450321"), w.conn(caller, target), path, m)); got != want {
					t.Errorf("%s at %s by service %s: %s, want %s", path, target, caller, got, want)
				}
			}
			want := "unknown"
			if rule.Open {
				want = "admitted"
			}
			if got := verdict(call(t.Context(), w.Stranger(target), path, m)); got != want {
				t.Errorf("%s at %s by nobody: %s, want %s", path, target, got, want)
			}
		}
		if !found {
			t.Errorf("no table says who may call %s", path)
		}
	}
}
