package rpc_test

import (
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/rpc"
)

func TestEveryMethodHasARuleAndAdministratorsSeeNoReferral(t *testing.T) {
	t.Parallel()
	policy := rpc.Policy()
	if err := policy.Validate(); err != nil {
		t.Error(err)
	}
	harmless := []string{"GetLifecycle", "ListReasons", "ListDiagnoses", "SearchDiagnoses"}
	for _, m := range referralv1.ReferralService_ServiceDesc.Methods {
		method := "/" + referralv1.ReferralService_ServiceDesc.ServiceName + "/" + m.MethodName
		if _, ok := policy[method]; !ok {
			t.Errorf("%s has no rule", m.MethodName)
		}
		for _, role := range []string{"COUNTY_ADMIN", "SYSTEM_ADMIN", "SECURITY_ADMIN", "AUDITOR"} {
			admitted := policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{role}}) == nil
			if admitted != slices.Contains(harmless, m.MethodName) {
				t.Errorf("%s may call %s: %v", role, m.MethodName, admitted)
			}
		}
	}
}

// Who may call a method is the side that the table names.
func TestTheRolesOfAMethodAreThoseOfTheSide(t *testing.T) {
	t.Parallel()
	policy := rpc.Policy()
	for _, row := range domain.Lifecycle() {
		method := rpc.Method(row.Action)
		if method == "" {
			t.Errorf("%s is served by no method", row.Action)
			continue
		}
		for _, role := range []string{"TOWNSHIP_DOCTOR", "INTAKE_DESK"} {
			admitted := policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{role}}) == nil
			// An action may have several rows, and each its directions.
			wanted := slices.ContainsFunc(domain.Lifecycle(), func(other domain.Row) bool {
				return other.Action == row.Action && slices.ContainsFunc(other.Applies.Directions, func(d domain.Direction) bool {
					return domain.MayDo(row.Action, d, []string{role})
				})
			})
			if admitted != wanted {
				t.Errorf("%s may %s: %v", role, row.Action, admitted)
			}
		}
		if !strings.HasPrefix(method, "/tongzhen.referral.v1.ReferralService/") {
			t.Errorf("%s is %s", row.Action, method)
		}
	}
}

func TestOnlyTheGatewayVerifiesSlipsAndOnlyPatientRecordTakesBack(t *testing.T) {
	t.Parallel()
	policy := rpc.Policy()
	for method, service := range map[string]string{
		referralv1.HandoverService_VerifySlip_FullMethodName: "gateway", referralv1.HandoverService_GetHandedBack_FullMethodName: "patientrecord",
		referralv1.HandoverService_GetReferralConsent_FullMethodName: "patientrecord",
	} {
		for _, s := range []string{"gateway", "patientrecord", "scheduling", "notification"} {
			if admitted := policy.Check(method, &authn.Identity{Subject: "service:" + s, Service: s}) == nil; admitted != (s == service) {
				t.Errorf("%s may call %s: %v", s, method, admitted)
			}
		}
		if policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{"INTAKE_DESK"}}) == nil {
			t.Errorf("a person may call %s", method)
		}
	}
	for _, m := range referralv1.HandoverService_ServiceDesc.Methods {
		method := "/" + referralv1.HandoverService_ServiceDesc.ServiceName + "/" + m.MethodName
		if _, ok := policy[method]; !ok {
			t.Errorf("%s has no rule", m.MethodName)
		}
		administrator := policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{"COUNTY_ADMIN"}}) == nil
		if administrator != (m.MethodName == "ListCompletenessItems") {
			t.Errorf("an administrator may call %s: %v", m.MethodName, administrator)
		}
	}
}
