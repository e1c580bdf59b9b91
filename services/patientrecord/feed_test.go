package patientrecord_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/bustest"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/rpc"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord"
)

const (
	hospital  = "018f0000-0000-7000-8000-000000000001"
	elsewhere = "018f0000-0000-7000-8000-000000000002"
)

// feed is the fixture with the contract of messages.
type feed struct {
	*fixture
	patientrecordv1.FeedServiceClient
	db *sqldb.DB
}

func eachFeed(t *testing.T, fn func(t *testing.T, f feed)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, patientrecord.Migrations(), func(t *testing.T, db *sqldb.DB) {
		f := start(t, db)
		fn(t, feed{f, patientrecordv1.NewFeedServiceClient(f.Dial("gateway", "patientrecord")), db})
	})
}

func (f feed) gateway() context.Context { return rpc.WithCounty(rpc.AsService(f.t.Context()), county) }

func (f feed) accept(in *patientrecordv1.AcceptMessageRequest) *patientrecordv1.FeedAnswer {
	f.t.Helper()
	answer, err := f.AcceptMessage(f.gateway(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer
}

// told is a message of an event about zeng's stay.
func told(event, control string, stay *patientrecordv1.Encounter) *patientrecordv1.AcceptMessageRequest {
	stay.OrganizationId = hospital
	return &patientrecordv1.AcceptMessageRequest{
		County: county, OrganizationId: hospital, AccountId: "feed-his", Sender: "HIS|YSX", ControlId: control, Type: "ADT^" + event,
		Raw: []byte("MSH|…" + event + control + "曾小明"), Record: &patientrecordv1.FeedRecord{
			SourceSystem: "hl7:450321101", PatientIdentity: "B1001", UpdatesPatient: true, Event: event,
			Patient: &patientrecordv1.Patient{Name: "曾小明", IdentityNumber: "990122195603120016", Phone: "13800138000"},
			Entries: []*patientrecordv1.ClinicalEntry{{SourceIdentity: "visit:V1", Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: stay}}},
		},
	}
}

func (f feed) count(query string, args ...any) (n int) {
	f.t.Helper()
	err := f.db.View(f.t.Context(), func(tx *sqldb.Tx) error { return tx.QueryRow(f.t.Context(), query, args...).Scan(&n) })
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestAMessageIsStoredOnce(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		in := told("A01", "C1", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.Now(), DepartmentCode: "0304"})
		first := f.accept(in)
		again := f.accept(in)
		if first.GetState() != patientrecordv1.FeedState_STORED || first.GetKnown() || again.GetState() != first.GetState() || !again.GetKnown() || again.GetMessageId() != first.GetMessageId() {
			t.Errorf("first %v, again %v", first, again)
		}
		other := proto.CloneOf(in)
		other.Raw = []byte("MSH|another")
		reused := f.accept(other)
		if reused.GetState() != patientrecordv1.FeedState_QUARANTINED || reused.GetProblem().GetReason() != "CONTROL_ID_REUSED" {
			t.Errorf("another content %v", reused)
		}
		if repeated := f.accept(other); repeated.GetMessageId() != reused.GetMessageId() || !repeated.GetKnown() {
			t.Errorf("another content again %v", repeated)
		}
		if n := f.count("SELECT count(*) FROM clinical_entry"); n != 1 {
			t.Errorf("%d versions", n)
		}
		if n := f.count("SELECT count(*) FROM feed_message WHERE raw IS NULL"); n != 1 {
			t.Errorf("%d stored messages without content", n)
		}
		var raw []byte
		_ = f.db.View(t.Context(), func(tx *sqldb.Tx) error {
			return tx.QueryRow(t.Context(), "SELECT raw FROM feed_message WHERE raw IS NOT NULL").Scan(&raw)
		})
		if len(raw) == 0 || strings.Contains(string(raw), "another") {
			t.Error("the content in quarantine is not sealed")
		}
	})
}

func TestAStayIsToldPieceByPiece(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		begin := clock.System().Now().Add(-48 * time.Hour).Truncate(time.Second)
		end := timestamppb.New(begin.Add(24 * time.Hour))
		var last *patientrecordv1.EncounterFact
		next := func(event, control string, stay *patientrecordv1.Encounter, subject string) {
			t.Helper()
			if answer := f.accept(told(event, control, stay)); answer.GetState() != patientrecordv1.FeedState_STORED {
				t.Fatalf("%s: %v", control, answer)
			}
			if subject == "" {
				return
			}
			m := bustest.Receive(t, f.facts, control)
			if m.Subject != "record.v1.450321."+subject {
				t.Fatalf("%s: %s, want %s", control, m.Subject, subject)
			}
			var fact patientrecordv1.EncounterClosed
			if err := proto.Unmarshal(m.Payload, &fact); err != nil {
				t.Fatal(err)
			}
			last = fact.GetEncounter()
		}
		next("A01", "C1", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.New(begin), DepartmentCode: "0304"}, "")
		for _, want := range []string{"patient_registered", "encounter_opened"} {
			if m := bustest.Receive(t, f.facts, want); m.Subject != "record.v1.450321."+want {
				t.Fatal(m.Subject)
			}
		}
		// The discharge names neither ward nor beginning.
		next("A03", "C2", &patientrecordv1.Encounter{Status: "finished", EndTime: end, DischargeWay: "3", DiagnosisCodes: []string{"I63.900"}}, "encounter_closed")
		if last.GetDepartmentCode() != "0304" || last.GetStartTime().GetSeconds() != begin.Unix() || last.GetDischargeWay() != "3" || last.GetClass() != "IMP" || last.GetHomeOrganizationId() != "" {
			t.Errorf("discharge %v", last)
		}
		// One that comes late opens nothing; A13 does; A11 takes all back.
		next("A02", "C3", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", DepartmentCode: "0301"}, "")
		next("A13", "C4", &patientrecordv1.Encounter{Status: "in-progress"}, "encounter_opened")
		if last.GetEndTime() != nil || last.GetDischargeWay() != "" || last.GetDepartmentCode() != "0304" {
			t.Errorf("taken back %v", last)
		}
		next("A11", "C5", &patientrecordv1.Encounter{Status: "cancelled"}, "encounter_cancelled")
		next("A01", "C6", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.New(begin)}, "")
		if n := f.count("SELECT count(*) FROM clinical_entry WHERE is_current AND kind = 'ENCOUNTER' AND status <> 'cancelled'"); n != 0 {
			t.Error("an admission that was replayed brought back what was cancelled")
		}
	})
}

func TestAMessageUpdatesWhatItSaysOfThePatient(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		f.accept(told("A01", "C1", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.Now()}))
		moved := told("A08", "C2", &patientrecordv1.Encounter{Status: "in-progress"})
		moved.Record.Patient = &patientrecordv1.Patient{Name: "曾小明", Address: "白沙镇"}
		f.accept(moved)
		results := told("R01", "C3", &patientrecordv1.Encounter{Status: "in-progress"})
		results.Record.Patient, results.Record.UpdatesPatient = &patientrecordv1.Patient{Name: "曾某"}, false
		f.accept(results)
		found, err := f.client.SearchPatients(f.as(hospital, "INTAKE_DESK"), &patientrecordv1.SearchPatientsRequest{Query: "曾小明"})
		if err != nil || len(found.GetPatients()) != 1 {
			t.Fatalf("%d patients, %v", len(found.GetPatients()), err)
		}
		p, err := f.client.GetPatient(f.as(hospital, "INTAKE_DESK"), &patientrecordv1.GetPatientRequest{Id: found.GetPatients()[0].GetId()})
		if err != nil || p.GetAddress() != "白沙镇" || p.GetPhone() != "13800138000" || p.GetHomeOrganizationId() != "" || p.GetVersion() != 2 {
			t.Errorf("patient version %d at %q: %v", p.GetVersion(), p.GetHomeOrganizationId(), err)
		}
	})
}

func TestWhatIsRefusedWaitsInQuarantineForItsPeople(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		in := told("A01", "C1", &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.Now()})
		in.Record.Patient.IdentityNumber = "990122195603120017"
		answer := f.accept(in)
		if answer.GetState() != patientrecordv1.FeedState_QUARANTINED || answer.GetProblem().GetReason() != errs.ReasonFieldIdentityNumber || answer.GetProblem().GetPosition() != "PID-3" {
			t.Fatalf("answer %v", answer)
		}
		if n := f.count("SELECT count(*) FROM patient"); n != 0 {
			t.Errorf("%d patients", n)
		}
		system, desk := f.as(elsewhere, "SYSTEM_ADMIN"), f.as(hospital, "INTAKE_DESK")
		listed, err := f.ListFeedMessages(system, &patientrecordv1.ListFeedMessagesRequest{})
		if err != nil || len(listed.GetMessages()) != 1 || listed.GetMessages()[0].GetRaw() != nil {
			t.Fatalf("listed %v, %v", listed, err)
		}
		get := &patientrecordv1.GetFeedMessageRequest{Id: answer.GetMessageId()}
		_, err = f.GetFeedMessage(system, get)
		f.reason(err, errs.ReasonRole)
		_, err = f.GetFeedMessage(f.as(elsewhere, "INTAKE_DESK"), get)
		f.reason(err, errs.ReasonNotFound)
		none, err := f.ListFeedMessages(f.as(elsewhere, "INTAKE_DESK"), &patientrecordv1.ListFeedMessagesRequest{})
		if err != nil || len(none.GetMessages()) != 0 {
			t.Errorf("another organisation lists %v, %v", none, err)
		}
		m, err := f.GetFeedMessage(desk, get)
		if err != nil || string(m.GetRaw()) != string(in.GetRaw()) {
			t.Fatalf("content: %v", err)
		}
		if n := f.count("SELECT count(*) FROM audit_entry WHERE action = 'feed.read'"); n != 1 {
			t.Errorf("%d looks are audited", n)
		}
		// Replayed as wrong as it was, then right.
		replay := &patientrecordv1.ReplayMessageRequest{Id: m.GetId(), Version: m.GetVersion(), Record: in.GetRecord()}
		if answer, err := f.ReplayMessage(desk, replay); err != nil || answer.GetState() != patientrecordv1.FeedState_QUARANTINED {
			t.Fatalf("replay %v, %v", answer, err)
		}
		replay.Record.Patient.IdentityNumber = "990122195603120016"
		_, err = f.ReplayMessage(desk, replay)
		f.reason(err, errs.ReasonStaleVersion)
		replay.Version++
		if answer, err := f.ReplayMessage(desk, replay); err != nil || answer.GetState() != patientrecordv1.FeedState_STORED {
			t.Fatalf("replay %v, %v", answer, err)
		}
		if answer, err := f.ReplayMessage(desk, replay); err != nil || answer.GetState() != patientrecordv1.FeedState_STORED {
			t.Errorf("the same replay, whose answer was lost: %v, %v", answer, err)
		}
		if n := f.count("SELECT count(*) FROM feed_message WHERE raw IS NOT NULL"); n != 0 {
			t.Errorf("%d contents are kept", n)
		}
		again := f.accept(in)
		if again.GetState() != patientrecordv1.FeedState_STORED || !again.GetKnown() {
			t.Errorf("sent again after the replay: %v", again)
		}
	})
}

func TestAMessageThatNobodyNeedsIsSettled(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		in := told("A01", "", &patientrecordv1.Encounter{})
		in.Record, in.Problem = nil, &patientrecordv1.FeedProblem{Reason: "HL7_HEADER", Position: "MSH"}
		first := f.accept(in)
		if again := f.accept(in); again.GetMessageId() != first.GetMessageId() {
			t.Error("without a control id the content tells a repeat")
		}
		in.Raw = []byte("MSH|other")
		f.accept(in)
		desk := f.as(hospital, "DEPARTMENT_HEAD")
		settle := &patientrecordv1.SettleMessageRequest{Id: first.GetMessageId(), Version: 1, Reason: "because"}
		_, err := f.SettleMessage(desk, settle)
		f.reason(err, errs.ReasonFieldUnknown)
		settle.Reason = "TEST"
		if m, err := f.SettleMessage(desk, settle); err != nil || m.GetState() != patientrecordv1.FeedState_SETTLED || m.GetSettleReason() != "TEST" {
			t.Errorf("settled %v, %v", m, err)
		}
		if m, err := f.SettleMessage(desk, settle); err != nil || m.GetVersion() != 2 {
			t.Errorf("the same again, whose answer was lost: %v, %v", m, err)
		}
		settle.Reason = "NOT_OURS"
		_, err = f.SettleMessage(desk, settle)
		f.reason(err, errs.ReasonStaleVersion)
		senders, err := f.ListFeedSenders(desk, &patientrecordv1.ListFeedSendersRequest{})
		if err != nil || len(senders.GetSenders()) != 1 || senders.GetSenders()[0].GetQuarantined() != 1 || senders.GetSenders()[0].GetStored() != 0 ||
			senders.GetSenders()[0].GetLastTime() == nil {
			t.Errorf("senders %v, %v", senders, err)
		}
		page, err := f.ListFeedMessages(desk, &patientrecordv1.ListFeedMessagesRequest{PageSize: 1, State: patientrecordv1.FeedState_SETTLED})
		if err != nil || len(page.GetMessages()) != 1 || page.GetNextPageToken() != "" {
			t.Errorf("settled ones %v, %v", page, err)
		}
	})
}

// sent is what a system says by FHIR of zeng's stay.
func sentRecord(identity string, stay *patientrecordv1.Encounter) *patientrecordv1.FeedRecord {
	return &patientrecordv1.FeedRecord{
		SourceSystem: "fhir:450321101", PatientIdentity: identity, UpdatesPatient: true,
		Patient: &patientrecordv1.Patient{Name: "曾小明", DocumentType: patientrecordv1.DocumentType_NONE, NoDocumentReason: "OTHER"},
		Entries: []*patientrecordv1.ClinicalEntry{{SourceIdentity: "visit|" + identity, Resource: &patientrecordv1.ClinicalEntry_Encounter{Encounter: stay}}},
	}
}

func TestRecordsAreStoredAllOrNone(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		his := f.as(hospital, "INTEGRATION")
		here := &patientrecordv1.Encounter{ClassCode: "IMP", Status: "in-progress", StartTime: timestamppb.Now(), OrganizationId: hospital}
		away := proto.CloneOf(here)
		away.OrganizationId = elsewhere
		in := &patientrecordv1.AcceptRecordsRequest{Records: []*patientrecordv1.FeedRecord{sentRecord("B1", here), sentRecord("B2", away)}}
		_, err := f.AcceptRecords(f.as(hospital, "INTAKE_DESK"), in)
		f.reason(err, errs.ReasonRole)
		_, err = f.AcceptRecords(his, in)
		if e, ok := errs.As(err); !ok || len(e.Fields) != 1 || e.Fields[0].Name != "records[1].entries[0].encounter.organizationId" || e.Meta["record"] != "1" {
			t.Fatalf("an encounter elsewhere: %v", err)
		}
		if n := f.count("SELECT count(*) FROM patient"); n != 0 {
			t.Errorf("%d patients of a refused transaction", n)
		}
		away.OrganizationId = hospital
		first, err := f.AcceptRecords(his, in)
		if err != nil || len(first.GetRecords()) != 2 || !first.GetRecords()[0].GetCreated() || !first.GetRecords()[1].GetEntriesCreated()[0] {
			t.Fatalf("%v, %v", first, err)
		}
		again, err := f.AcceptRecords(his, in)
		if err != nil || again.GetRecords()[0].GetCreated() || again.GetRecords()[1].GetEntriesCreated()[0] || again.GetRecords()[0].GetPatientId() != first.GetRecords()[0].GetPatientId() {
			t.Errorf("again: %v, %v", again, err)
		}
		if n := f.count("SELECT count(*) FROM clinical_entry"); n != 2 {
			t.Errorf("%d versions", n)
		}
		// Of a patient who was sent before, by identity alone; and of one who was not.
		end := proto.CloneOf(here)
		end.Status, end.EndTime, end.DischargeWay = "finished", timestamppb.Now(), "3"
		later := sentRecord("B1", end)
		later.Patient, later.UpdatesPatient = &patientrecordv1.Patient{}, false
		if _, err := f.AcceptRecords(his, &patientrecordv1.AcceptRecordsRequest{Records: []*patientrecordv1.FeedRecord{later}}); err != nil {
			t.Fatal(err)
		}
		var told []string
		for range 5 {
			told = append(told, strings.TrimPrefix(bustest.Receive(t, f.facts, "facts").Subject, "record.v1.450321."))
		}
		slices.Sort(told)
		if !slices.Equal(told, []string{"encounter_closed", "encounter_opened", "encounter_opened", "patient_registered", "patient_registered"}) {
			t.Errorf("told %q", told)
		}
		later.PatientIdentity = "B9"
		_, err = f.AcceptRecords(his, &patientrecordv1.AcceptRecordsRequest{Records: []*patientrecordv1.FeedRecord{later}})
		f.reason(err, errs.ReasonFieldRequired)
	})
}

func TestAMergeOfAHospitalIsForAPersonToDecide(t *testing.T) {
	eachFeed(t, func(t *testing.T, f feed) {
		say := func(control, identity, merged, name string) {
			t.Helper()
			in := told("A40", control, &patientrecordv1.Encounter{})
			in.Record.PatientIdentity, in.Record.MergedIdentity, in.Record.Entries = identity, merged, nil
			in.Record.Patient = &patientrecordv1.Patient{Name: name, DocumentType: patientrecordv1.DocumentType_NONE, NoDocumentReason: "OTHER"}
			if answer := f.accept(in); answer.GetState() != patientrecordv1.FeedState_STORED {
				t.Fatalf("%s: %v", control, answer)
			}
		}
		say("C1", "B1", "", "曾小明")
		say("C2", "B2", "", "曾晓明")
		say("C3", "B1", "B2", "曾小明")
		say("C4", "B1", "B2", "曾小明")
		if n := f.count("SELECT count(*) FROM patient_match WHERE state = 'OPEN'"); n != 1 {
			t.Errorf("%d matches are open", n)
		}
		if n := f.count("SELECT count(*) FROM patient"); n != 2 {
			t.Errorf("%d patients", n)
		}
		// A number that we do not know is of the same patient from now on.
		say("C5", "B1", "B3", "曾小明")
		say("C6", "B3", "", "曾小明")
		if n := f.count("SELECT count(*) FROM patient"); n != 2 {
			t.Errorf("%d patients after a merge of a number that was not known", n)
		}
	})
}
