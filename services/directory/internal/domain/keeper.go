package domain

import "slices"

// Keeper is who looks after accounts. The zero Keeper may nothing.
type Keeper struct {
	AccountID string
	Roles     []Role
	// Machine is a command on the machine itself: every role is its to give.
	Machine bool
}

// Reasons why a keeper may not, beside those of a Violation; the words are those of the contract.
const (
	ReasonNotGrantable = "FIELD_NOT_GRANTABLE"
	ReasonTaken        = "FIELD_TAKEN"
	ReasonSame         = "FIELD_SAME"
	RefusalOwn         = "OWN_ACCOUNT"
	RefusalNotYours    = "ACCOUNT_NOT_YOURS"
	RefusalLast        = "LAST_ADMINISTRATOR"
)

// Refusal is why a change of an account may not be made by this keeper, or by anybody: one of the Refusal… words.
type Refusal string

// Error is the word.
func (r Refusal) Error() string { return string(r) }

// Grantable are the roles that the keeper may give and take, in the order of the contract. Who makes accounts never reaches keys or audit by one:
// SECURITY_ADMIN, AUDITOR and SYSTEM are the machine's.
func (k Keeper) Grantable() []Role {
	switch people := roleOrder[:firstExclusive]; {
	case k.Machine:
		return Roles()
	case slices.Contains(k.Roles, SystemAdmin):
		return append(slices.Clone(people), SystemAdmin, Integration)
	case slices.Contains(k.Roles, CountyAdmin):
		return slices.Clone(people)
	}
	return nil
}

// Keeps tells whether the keeper may change the account at all: its roles are all the keeper's to give.
func (k Keeper) Keeps(a Account) bool {
	may := k.Grantable()
	return len(may) > 0 && !slices.ContainsFunc(a.data.Roles, func(r Role) bool { return !slices.Contains(may, r) })
}

// Admits checks a change of an account, or with an account of version 0 a new one: nil, a Refusal, or Violations of "roles". That an
// administrator is left is [Remaining]'s to check.
func (k Keeper) Admits(old, next Account) error {
	if old.version > 0 && !k.Keeps(old) {
		return Refusal(RefusalNotYours)
	}
	own := old.version > 0 && old.data.ID == k.AccountID
	if own && (next.data.Disabled || !slices.Equal(old.data.Roles, next.data.Roles)) {
		return Refusal(RefusalOwn)
	}
	if !k.Keeps(next) {
		return Violations{{Field: "roles", Reason: ReasonNotGrantable}}
	}
	return nil
}

// Administrators are the enabled accounts of a county by each role that looks after accounts.
type Administrators map[Role][]string

// AdministratorRoles are the roles of which somebody has to be left in a county that had one.
func AdministratorRoles() []Role { return []Role{CountyAdmin, SystemAdmin} }

// Remaining refuses to take a role that looks after accounts from the last who has it. The map stays as it is.
func (a Administrators) Remaining(old, next Account) error {
	for _, role := range AdministratorRoles() {
		if old.enabledAs(role) && !next.enabledAs(role) && !slices.ContainsFunc(a[role], func(id string) bool { return id != old.data.ID }) {
			return Refusal(RefusalLast)
		}
	}
	return nil
}

// After is what a change leaves.
func (a Administrators) After(next Account) Administrators {
	out := Administrators{}
	for _, role := range AdministratorRoles() {
		out[role] = slices.DeleteFunc(slices.Clone(a[role]), func(id string) bool { return id == next.data.ID })
		if next.enabledAs(role) {
			out[role] = append(out[role], next.data.ID)
		}
	}
	return out
}

func (a Account) enabledAs(r Role) bool { return !a.data.Disabled && slices.Contains(a.data.Roles, r) }
