package rpc_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/rpc"
)

func TestCandidatesAreTheCountysAndCriteriaTheCliniciansBusiness(t *testing.T) {
	t.Parallel()
	policy := rpc.Policy()
	county := []string{"SPECIALIST", "DEPARTMENT_HEAD", "INTAKE_DESK"}
	clinicians := append([]string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD", "BED_MANAGER"}, county...)
	everybody := append([]string{"COUNTY_ADMIN", "AUDITOR"}, clinicians...)
	may := map[string][]string{
		"ListCandidates": county, "GetCandidate": county, "DismissCandidate": county, "ReferCandidate": county, "CheckMedicines": clinicians,
		"ListCriteria": everybody, "EvaluateCriteria": clinicians,
	}
	for _, desc := range []grpc.ServiceDesc{referralv1.CandidateService_ServiceDesc, referralv1.CriteriaService_ServiceDesc} {
		for _, m := range desc.Methods {
			method := "/" + desc.ServiceName + "/" + m.MethodName
			if _, ok := policy[method]; !ok {
				t.Errorf("%s has no rule", m.MethodName)
			}
			for _, role := range everybody {
				admitted := policy.Check(method, &authn.Identity{Subject: "a", Roles: []string{role}}) == nil
				if admitted != slices.Contains(may[m.MethodName], role) {
					t.Errorf("%s may call %s: %v", role, m.MethodName, admitted)
				}
			}
		}
	}
}
