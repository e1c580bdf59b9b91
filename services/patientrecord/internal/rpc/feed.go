package rpc

import (
	"context"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// FeedServer implements FeedService of the contract.
type FeedServer struct {
	patientrecordv1.UnimplementedFeedServiceServer
	feed *app.Feed
}

// NewFeedServer serves the use cases.
func NewFeedServer(f *app.Feed) *FeedServer { return &FeedServer{feed: f} }

// Register adds the service to a gRPC server.
func (s *FeedServer) Register(r grpc.ServiceRegistrar) {
	patientrecordv1.RegisterFeedServiceServer(r, s)
}

// feedPolicy: the content of a message is patient data, so that administrators list messages and see none.
func feedPolicy() authz.Table {
	responsible := authz.Rule{Roles: []string{"INTAKE_DESK", "DEPARTMENT_HEAD", "CENTRE_HEAD"}, Need: authz.Own}
	listed := authz.Rule{Roles: append([]string{"SYSTEM_ADMIN"}, responsible.Roles...), Need: authz.Own}
	return authz.Table{
		patientrecordv1.FeedService_AcceptMessage_FullMethodName:    {Services: []string{"gateway"}},
		patientrecordv1.FeedService_AcceptRecords_FullMethodName:    {Roles: []string{"INTEGRATION"}},
		patientrecordv1.FeedService_ListFeedMessages_FullMethodName: listed,
		patientrecordv1.FeedService_ListFeedSenders_FullMethodName:  listed,
		patientrecordv1.FeedService_GetFeedMessage_FullMethodName:   responsible,
		patientrecordv1.FeedService_ReplayMessage_FullMethodName:    responsible,
		patientrecordv1.FeedService_SettleMessage_FullMethodName:    responsible,
	}
}

// AcceptMessage implements the contract.
func (s *FeedServer) AcceptMessage(ctx context.Context, in *patientrecordv1.AcceptMessageRequest) (*patientrecordv1.FeedAnswer, error) {
	record, problem, err := readRecord(in.GetRecord(), in.GetProblem())
	if err != nil {
		return nil, err
	}
	m, known, err := s.feed.Accept(ctx, app.Message{
		County: in.GetCounty(), Organization: in.GetOrganizationId(), Account: in.GetAccountId(), Sender: in.GetSender(), Control: in.GetControlId(),
		Type: in.GetType(), Raw: in.GetRaw(), Problem: problem, Record: record,
	})
	if err != nil {
		return nil, err
	}
	out := feedAnswer(m)
	out.Known = known
	return out, nil
}

// AcceptRecords implements the contract.
func (s *FeedServer) AcceptRecords(ctx context.Context, in *patientrecordv1.AcceptRecordsRequest) (*patientrecordv1.AcceptRecordsResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	var records []app.FeedRecord
	for i, r := range in.GetRecords() {
		record, problem, err := readRecord(r, nil)
		if err != nil {
			return nil, err
		}
		if record == nil {
			at := strconv.Itoa(i)
			return nil, errs.Invalid(errs.Bad("records["+at+"]."+problem.Position, problem.Reason)).With("record", at)
		}
		records = append(records, *record)
	}
	accepted, err := s.feed.AcceptRecords(ctx, who, records)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.AcceptRecordsResponse{}
	for _, r := range accepted {
		out.Records = append(out.Records, &patientrecordv1.AcceptedRecord{PatientId: r.PatientID, Created: r.Created, EntriesCreated: r.EntriesCreated})
	}
	return out, nil
}

// ListFeedMessages implements the contract.
func (s *FeedServer) ListFeedMessages(ctx context.Context, in *patientrecordv1.ListFeedMessagesRequest) (*patientrecordv1.ListFeedMessagesResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, err := readCursor(in.GetPageToken())
	if err != nil {
		return nil, err
	}
	state := domain.FeedQuarantined
	if in.GetState() != patientrecordv1.FeedState_UNSPECIFIED {
		state = domain.FeedState(in.GetState().String())
	}
	page, next, err := s.feed.Messages(ctx, who, state, after, int(in.GetPageSize()))
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListFeedMessagesResponse{NextPageToken: cursorToken(next)}
	for _, m := range page {
		out.Messages = append(out.Messages, fromFeedMessage(m))
	}
	return out, nil
}

// ListFeedSenders implements the contract.
func (s *FeedServer) ListFeedSenders(ctx context.Context, _ *patientrecordv1.ListFeedSendersRequest) (*patientrecordv1.ListFeedSendersResponse, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	senders, err := s.feed.Senders(ctx, who)
	if err != nil {
		return nil, err
	}
	out := &patientrecordv1.ListFeedSendersResponse{}
	for _, f := range senders {
		out.Senders = append(out.Senders, &patientrecordv1.FeedSender{
			OrganizationId: f.Organization, Sender: f.Sender, LastTime: stamp(f.Last), Stored: int32(f.Stored), Quarantined: int32(f.Quarantined),
		})
	}
	return out, nil
}

// GetFeedMessage implements the contract.
func (s *FeedServer) GetFeedMessage(ctx context.Context, in *patientrecordv1.GetFeedMessageRequest) (*patientrecordv1.FeedMessage, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.feed.Message(ctx, who, in.GetId())
	if err != nil {
		return nil, err
	}
	return fromFeedMessage(m), nil
}

// ReplayMessage implements the contract.
func (s *FeedServer) ReplayMessage(ctx context.Context, in *patientrecordv1.ReplayMessageRequest) (*patientrecordv1.FeedAnswer, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	record, problem, err := readRecord(in.GetRecord(), in.GetProblem())
	if err != nil {
		return nil, err
	}
	m, err := s.feed.Replay(ctx, who, app.Reading{ID: in.GetId(), Version: in.GetVersion(), Problem: problem, Record: record})
	if err != nil {
		return nil, err
	}
	return feedAnswer(m), nil
}

// SettleMessage implements the contract.
func (s *FeedServer) SettleMessage(ctx context.Context, in *patientrecordv1.SettleMessageRequest) (*patientrecordv1.FeedMessage, error) {
	who, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.feed.Settle(ctx, who, app.Reading{ID: in.GetId(), Version: in.GetVersion()}, in.GetReason())
	if err != nil {
		return nil, err
	}
	return fromFeedMessage(m), nil
}

func feedAnswer(m domain.FeedMessage) *patientrecordv1.FeedAnswer {
	return &patientrecordv1.FeedAnswer{MessageId: m.ID, State: fromFeedState(m.State), Problem: fromProblem(m.Problem)}
}

func fromProblem(p domain.FeedProblem) *patientrecordv1.FeedProblem {
	if p == (domain.FeedProblem{}) {
		return nil
	}
	return &patientrecordv1.FeedProblem{Reason: p.Reason, Position: p.Position}
}

func fromFeedState(s domain.FeedState) patientrecordv1.FeedState_Code {
	return patientrecordv1.FeedState_Code(patientrecordv1.FeedState_Code_value[string(s)])
}

func fromFeedMessage(m domain.FeedMessage) *patientrecordv1.FeedMessage {
	return &patientrecordv1.FeedMessage{
		Id: m.ID, Version: m.Version, OrganizationId: m.Organization, Sender: m.Sender, Type: m.Type, State: fromFeedState(m.State),
		Problem: fromProblem(m.Problem), ReceiveTime: stamp(m.Received), SettleTime: stamp(m.Settled), SettleReason: m.SettleReason, Raw: m.Raw,
	}
}

// readRecord is what a message says, or what is wrong with it. What of the record cannot be read is wrong with the message.
func readRecord(in *patientrecordv1.FeedRecord, problem *patientrecordv1.FeedProblem) (*app.FeedRecord, domain.FeedProblem, error) {
	if in == nil {
		if problem.GetReason() == "" {
			return nil, domain.FeedProblem{}, errs.Invalid(errs.Required("record"))
		}
		return nil, domain.FeedProblem{Reason: problem.GetReason(), Position: problem.GetPosition()}, nil
	}
	details, fields := importedDetails(in.GetPatient())
	if len(fields) > 0 {
		return nil, domain.FeedProblem{Reason: fields[0].Reason, Position: fields[0].Name}, nil
	}
	out := &app.FeedRecord{
		SourceSystem: in.GetSourceSystem(), PatientIdentity: in.GetPatientIdentity(), Details: details, Updates: in.GetUpdatesPatient(),
		BecomesHome: in.GetBecomesHome(), Merged: in.GetMergedIdentity(),
		Mother: in.GetMotherIdentity(), MotherNumber: in.GetMotherIdentityNumber(),
	}
	seen := map[string]bool{}
	for i, e := range in.GetEntries() {
		path := "entries[" + strconv.Itoa(i) + "]"
		entry, err := toEntry(path, in.GetSourceSystem(), e)
		if err == nil && seen[entry.SourceIdentity] {
			err = errs.Invalid(errs.Bad(path, errs.ReasonFieldCombination, "with", "entries"))
		}
		if err != nil {
			refused, ok := errs.As(err)
			if !ok || len(refused.Fields) == 0 {
				return nil, domain.FeedProblem{}, err
			}
			return nil, domain.FeedProblem{Reason: refused.Fields[0].Reason, Position: refused.Fields[0].Name}, nil
		}
		seen[entry.SourceIdentity] = true
		told := app.FeedEntry{Entry: entry}
		if e.GetEncounter() != nil {
			told.Revise = reviseEncounter(path, in.GetSourceSystem(), in.GetEvent(), e)
		}
		out.Entries = append(out.Entries, told)
	}
	return out, domain.FeedProblem{}, nil
}

// reviseEncounter makes the encounter that a message leaves from the one that is known: a message tells a part, and what it leaves out
// stays. Only A13 takes an end back, and nothing a cancellation; a message that comes late, or is replayed, opens no stay that is over.
func reviseEncounter(path, system, event string, told *patientrecordv1.ClinicalEntry) func(domain.Entry) (domain.Entry, error) {
	return func(known domain.Entry) (domain.Entry, error) {
		was := &patientrecordv1.Encounter{}
		if err := proto.Unmarshal(known.Content, was); err != nil {
			return known, err
		}
		is := proto.CloneOf(told)
		merged := is.GetEncounter()
		over := was.GetStatus() == "finished" && event != "A13"
		if event == "A13" {
			was.EndTime, was.DischargeWay = nil, ""
			merged.EndTime, merged.DischargeWay = nil, ""
		}
		fill(&merged.ClassCode, was.GetClassCode())
		fill(&merged.Text, was.GetText())
		fill(&merged.Reason, was.GetReason())
		fill(&merged.OrganizationId, was.GetOrganizationId())
		fill(&merged.DepartmentCode, was.GetDepartmentCode())
		fill(&merged.DischargeWay, was.GetDischargeWay())
		if merged.GetStartTime() == nil {
			merged.StartTime = was.GetStartTime()
		}
		if merged.GetEndTime() == nil {
			merged.EndTime = was.GetEndTime()
		}
		if len(merged.GetDiagnosisCodes()) == 0 {
			merged.DiagnosisCodes = was.GetDiagnosisCodes()
		}
		cancelled := was.GetStatus() == "cancelled"
		if cancelled || over && merged.GetStatus() == "in-progress" {
			merged.Status = was.GetStatus()
		}
		if over && (event == "A01" || event == "A02") {
			// It was sent before the discharge that is known: the ward and class of then.
			merged.ClassCode, merged.DepartmentCode = was.GetClassCode(), was.GetDepartmentCode()
		}
		return toEntry(path, system, is)
	}
}

func fill(to *string, known string) {
	if *to == "" {
		*to = known
	}
}
