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
	harmless := []string{"GetLifecycle", "ListReasons", "SearchDiagnoses"}
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
		if !row.Served.Has(domain.Up, domain.KindEmergency) {
			continue
		}
		method := rpc.Method(row.Action)
		if method == "" {
			t.Errorf("%s is served by no method", row.Action)
			continue
		}
		for role, side := range map[string]domain.Side{"TOWNSHIP_DOCTOR": domain.Originator, "INTAKE_DESK": domain.Receiver} {
			admitted := policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{role}}) == nil
			if admitted != slices.Contains(row.Who, side) {
				t.Errorf("%s may %s: %v", role, row.Action, admitted)
			}
		}
		if !strings.HasPrefix(method, "/tongzhen.referral.v1.ReferralService/") {
			t.Errorf("%s is %s", row.Action, method)
		}
	}
}
