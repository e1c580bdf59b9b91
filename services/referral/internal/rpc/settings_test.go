package rpc_test

import (
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/referral/internal/rpc"
)

func TestEverybodyReadsTheSettingsAndTheCountysAdministratorChangesThem(t *testing.T) {
	t.Parallel()
	policy := rpc.Policy()
	for _, role := range []string{"VILLAGE_DOCTOR", "CENTRE_HEAD", "SPECIALIST", "DEPARTMENT_HEAD", "COUNTY_ADMIN", "SYSTEM_ADMIN", "AUDITOR"} {
		who := &authn.Identity{Subject: "a", Roles: []string{role}}
		if err := policy.Check(referralv1.SettingService_GetSettings_FullMethodName, who); err != nil {
			t.Errorf("%s may not read them: %v", role, err)
		}
		if may := policy.Check(referralv1.SettingService_UpdateSettings_FullMethodName, who) == nil; may != (role == "COUNTY_ADMIN") {
			t.Errorf("%s may change them: %v", role, may)
		}
	}
	scheduling := &authn.Identity{Subject: "service:scheduling"}
	if policy.Check(referralv1.SettingService_UpdateSettings_FullMethodName, scheduling) == nil {
		t.Error("another service may change them")
	}
}
