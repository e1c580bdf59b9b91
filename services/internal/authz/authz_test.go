package authz_test

import (
	"strings"
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/authz"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

func TestARuleAdmitsWhomItNamesAndNobodyElse(t *testing.T) {
	t.Parallel()
	table := authz.Table{
		"/s/Open":     {Open: true},
		"/s/Person":   {AnyPerson: true},
		"/s/Roles":    {Roles: []string{"INTAKE_DESK", "SPECIALIST"}},
		"/s/Services": {Services: []string{"scheduling"}},
		"/s/Both":     {Roles: []string{"SYSTEM"}, Services: []string{"scheduling"}},
	}
	desk := &authn.Identity{Subject: "a", Roles: []string{"BED_MANAGER", "INTAKE_DESK"}}
	system := &authn.Identity{Subject: "b", Roles: []string{"SYSTEM"}}
	bare := &authn.Identity{Subject: "c"}
	scheduling := &authn.Identity{Subject: "service:scheduling", Service: "scheduling"}
	referral := &authn.Identity{Subject: "service:referral", Service: "referral"}
	// Even with a role a service is admitted by name only.
	dressed := &authn.Identity{Subject: "service:referral", Service: "referral", Roles: []string{"SYSTEM", "INTAKE_DESK"}}

	const yes, no, signIn = "", errs.ReasonRole, errs.ReasonSessionExpired
	for method, want := range map[string][7]string{
		//              nobody, desk, system, bare, scheduling, referral, dressed
		"/s/Open":     {yes, yes, yes, yes, yes, yes, yes},
		"/s/Person":   {signIn, yes, yes, yes, no, no, no},
		"/s/Roles":    {signIn, yes, no, no, no, no, no},
		"/s/Services": {signIn, no, no, no, yes, no, no},
		"/s/Both":     {signIn, no, yes, no, yes, no, no},
		"/s/Missing":  {no, no, no, no, no, no, no},
	} {
		for i, caller := range []*authn.Identity{nil, desk, system, bare, scheduling, referral, dressed} {
			err := table.Check(method, caller)
			if got := errs.ReasonOf(err); got != want[i] {
				t.Errorf("%s for %v: %q, want %q", method, caller, got, want[i])
			}
			if want[i] == no && errs.KindOf(err) != errs.KindDenied {
				t.Errorf("%s for %v: %v, want denied", method, caller, err)
			}
			if want[i] == signIn && errs.KindOf(err) != errs.KindUnauthenticated {
				t.Errorf("%s for %v: %v, want unauthenticated", method, caller, err)
			}
		}
	}
}

func TestATableTellsAllItsMistakes(t *testing.T) {
	t.Parallel()
	err := authz.Table{
		"/s/Good":    {Roles: []string{"AUDITOR"}},
		"/s/Nobody":  {},
		"/s/Mixed":   {Open: true, AnyPerson: true},
		"/s/Unknown": {Roles: []string{"TOWNSHIP_DOKTOR"}},
	}.Validate()
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, method := range []string{"/s/Nobody", "/s/Mixed", "/s/Unknown"} {
		if !strings.Contains(err.Error(), method) {
			t.Errorf("%s is not in %v", method, err)
		}
	}
	if strings.Contains(err.Error(), "/s/Good") {
		t.Errorf("a good rule is in %v", err)
	}
}
