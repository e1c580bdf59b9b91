package referral_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/referral"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain/domaintest"
)

// methodOf is the method of an action on a referral that exists.
func methodOf(t *testing.T, action domain.Action) protoreflect.MethodDescriptor {
	t.Helper()
	name := map[domain.Action]string{domain.ActionEdit: "EditReferral", domain.MarkMessage: "PostMessage"}[action]
	if name == "" {
		for word := range strings.SplitSeq(string(action), "_") {
			name += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	service := referralv1.File_tongzhen_referral_v1_referral_proto.Services().ByName("ReferralService")
	method := service.Methods().ByName(protoreflect.Name(name))
	if method == nil {
		t.Fatalf("no method serves %s", action)
	}
	return method
}

// try calls the method of an action with nothing but the referral's id and version.
func (f *fixture) try(conn grpc.ClientConnInterface, who authn.Identity, r *referralv1.Referral, action domain.Action) error {
	method := methodOf(f.t, action)
	in := dynamicpb.NewMessage(method.Input())
	in.Set(method.Input().Fields().ByName("id"), protoreflect.ValueOfString(r.GetId()))
	if field := method.Input().Fields().ByName("version"); field != nil {
		in.Set(field, protoreflect.ValueOfInt32(r.GetVersion()))
	}
	path := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	return conn.Invoke(f.As(who), path, in, dynamicpb.NewMessage(method.Output()))
}

// Every action and mark by every role in every relation, over the wire with the service's own policy: it refuses as the rule does. Who
// may is told what the request lacks, as it carries nothing.
func TestTheServiceRefusesByTheRule(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	conn := f.Dial("gateway", "referral")
	for _, r := range []*referralv1.Referral{f.sent(commonv1.Kind_OUTPATIENT), f.sent(commonv1.Kind_ADVICE), f.followed()} {
		for _, action := range existing() {
			for _, role := range commonv1.Role_Code_name {
				for relation, organization := range map[string]string{
					"originator": r.GetOriginator().GetOrganizationId(), "receiver": r.GetReceiver().GetOrganizationId(), "stranger": id.New(),
				} {
					who := authn.Identity{Subject: id.FromFact(role), Name: role, Organization: organization, County: county, Roles: []string{role}}
					attempt := domaintest.Attempt{
						Direction: r.GetDirection().String(), Kind: r.GetKind().String(), State: r.GetState().String(), Action: string(action),
						Role: role, Relation: relation,
					}
					want := domaintest.Verdict(attempt)
					if !domaintest.Ever(role, string(action)) {
						want = domaintest.Role // asked before anything is read
					}
					err := f.try(conn, who, r, action)
					if want == "" && errs.KindOf(err) != errs.KindInvalid || want != "" && errs.ReasonOf(err) != want {
						t.Errorf("%v: got %v, want %q", attempt, err, want)
					}
				}
			}
		}
	}
}

// existing are the actions and marks of the tables on a referral that exists.
func existing() (out []domain.Action) {
	for _, row := range domain.Lifecycle() {
		if len(row.From) > 0 {
			out = append(out, row.Action)
		}
	}
	for _, m := range domain.Marks() {
		out = append(out, m.Action)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sent is an up-referral that waits for its answer.
func (f *fixture) sent(kind commonv1.Kind_Code) *referralv1.Referral {
	f.t.Helper()
	in := f.creation()
	in.HoldId, in.Kind = "", kind
	return f.must(f.client.CreateReferral(f.as("TOWNSHIP_DOCTOR"), in))
}

// back is a complete way back of a patient.
func (f *fixture) back(patient string) *referralv1.CreateReferralRequest {
	return &referralv1.CreateReferralRequest{
		RequestId: id.New(), PatientId: patient, Direction: commonv1.Direction_DOWN, Kind: commonv1.Kind_REHABILITATION, Urgency: commonv1.Urgency_ROUTINE,
		Receiver: &commonv1.Party{OrganizationId: f.township}, Diagnoses: []*commonv1.Coding{{Code: "I63.9"}},
		Form:    &referralv1.Form{Diagnosis: secret, Treatment: secret, NextPlan: " 康复 " + secret, RehabilitationAdvice: secret},
		Consent: &referralv1.Consent{GivenBy: secret, Relation: "2", Method: "SIGNED"}, Submit: true,
		Plan: &referralv1.FollowUpPlan{Condition: "STROKE", Goal: secret, Visits: []*referralv1.PlannedVisit{
			{Due: f.day(7), Mode: "CLINIC", Items: []string{"BP"}}, {Due: f.day(21), Mode: "HOME"},
		}},
	}
}

// day is a local day so many days after the test began.
func (f *fixture) day(n int) string {
	const zone = 8 * 60 * 60
	return f.begin.Add(zone*1e9).AddDate(0, 0, n).Format("2006-01-02")
}

// followed is a patient who came down and is followed up.
func (f *fixture) followed() *referralv1.Referral {
	f.t.Helper()
	doctor := f.as("TOWNSHIP_DOCTOR")
	r := f.must(f.client.CreateReferral(f.as("SPECIALIST"), f.back(id.New())))
	return f.begun(f.must(f.client.Accept(doctor, f.walkIn(r))))
}

func (f *fixture) begun(r *referralv1.Referral) *referralv1.Referral {
	f.t.Helper()
	doctor := f.as("TOWNSHIP_DOCTOR")
	r = f.must(f.client.Arrive(doctor, &referralv1.ActionRequest{Id: r.GetId(), Version: r.GetVersion()}))
	return f.must(f.client.BeginFollowUp(doctor, &referralv1.BeginFollowUpRequest{Id: r.GetId(), Version: r.GetVersion()}))
}

// Every method that reads one referral answers a stranger as if there were none, and each side with it.
func TestWhoHasNothingToDoWithAReferralIsToldThatThereIsNone(t *testing.T) {
	t.Parallel()
	f := start(t, sqldb.SQLite)
	conn := f.Dial("gateway", "referral")
	r := f.sent(commonv1.Kind_OUTPATIENT)
	read := func(path, organization, referral, number string) error {
		name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."))
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
		if err != nil {
			t.Fatal(err)
		}
		method, ok := d.(protoreflect.MethodDescriptor)
		if !ok {
			t.Fatalf("%s is no method", path)
		}
		in := dynamicpb.NewMessage(method.Input())
		for field, value := range map[protoreflect.Name]string{"id": referral, "referral_id": referral, "number": number} {
			if d := method.Input().Fields().ByName(field); d != nil {
				in.Set(d, protoreflect.ValueOfString(value))
			}
		}
		who := authn.Identity{Subject: id.New(), Name: "a", Organization: organization, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}}
		return conn.Invoke(f.As(who), path, in, dynamicpb.NewMessage(method.Output()))
	}
	tried := 0
	for path, rule := range referral.Policy() {
		if rule.Need != authz.Party {
			continue
		}
		tried++
		stranger, nobody := read(path, id.New(), r.GetId(), r.GetNumber()), read(path, id.New(), id.New(), "450321-26-9999999-6")
		if errs.ReasonOf(stranger) != errs.ReasonNotFound {
			t.Errorf("%s by a stranger: %v", path, stranger)
		}
		// An invented number may be refused for its check digit; what a stranger is told must still be what an unknown id is told.
		if errs.KindOf(nobody) == errs.KindNotFound && nobody != nil && stranger != nil && stranger.Error() != nobody.Error() {
			t.Errorf("%s: %v for a stranger, %v where there is none", path, stranger, nobody)
		}
		for _, side := range []string{r.GetOriginator().GetOrganizationId(), r.GetReceiver().GetOrganizationId()} {
			if err := read(path, side, r.GetId(), r.GetNumber()); err != nil {
				t.Errorf("%s by a side: %v", path, err)
			}
		}
	}
	if tried < 10 {
		t.Errorf("%d methods were tried", tried)
	}
}
