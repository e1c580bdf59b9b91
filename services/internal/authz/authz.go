// Package authz says which callers a method admits. It owns the form of a service's allow-list and its check; the
// lists themselves belong to the services, and so does everything that depends on the object (relations, care).
//
// Invariant: what no rule admits is refused.
package authz

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// Rule says who may call one method. A caller is admitted if any part admits it.
type Rule struct {
	Roles     []string // persons who hold any of these
	Services  []string // services of these names
	Open      bool     // everybody, without a token; stands alone
	AnyPerson bool     // every person
	Need      Need     // what the object must be to a person who is admitted; decided by the use case
}

// Need is what the object of a call must be to the person who calls, or to the person's organisation. Check does not look at it: the use
// case does, as only it knows the object. The table names it so that it can be read, and tested, in one place.
type Need string

// Needs. Whoever has less than needed is answered as if the object were not there, but for a relation to the patient that exists and does not
// reach: BREAK_GLASS_REQUIRED.
const (
	// RoleAlone is enough: the object is nobody's in particular, or there is none yet.
	RoleAlone Need = ""
	// Own is what belongs to the caller's account, department or organisation; lists hold nothing else.
	Own Need = "OWN"
	// Card is the patient's exact identity number, which who has the card in hand can type.
	Card Need = "CARD"
	// Package and Full are levels of the relation to the patient.
	Package Need = "PACKAGE"
	Full    Need = "FULL"
	// Party is a side of the referral, or a receiver that gave it on.
	Party Need = "PARTY"
	// Originator, Receiver and EitherSide are the sides of the referral that may act.
	Originator Need = "ORIGINATOR"
	Receiver   Need = "RECEIVER"
	EitherSide Need = "ORIGINATOR or RECEIVER"
)

// Needs are all there are.
func Needs() []Need {
	return []Need{RoleAlone, Own, Card, Package, Full, Party, Originator, Receiver, EitherSide}
}

// Of is the rule with what the object must be.
func (r Rule) Of(n Need) Rule {
	r.Need = n
	return r
}

// Table is a service's allow-list: full gRPC method name ("/package.Service/Method") → rule.
type Table map[string]Rule

// Validate finds all mistakes that would make a rule admit others than it seems to: unknown roles, rules that admit
// nobody, and open rules that also name callers.
func (t Table) Validate() error {
	var problems []error
	for _, method := range slices.Sorted(maps.Keys(t)) {
		r := t[method]
		named := r.AnyPerson || len(r.Roles) > 0 || len(r.Services) > 0
		switch {
		case r.Open && named:
			problems = append(problems, fmt.Errorf("%s is open and names callers", method))
		case !r.Open && !named:
			problems = append(problems, fmt.Errorf("%s admits nobody", method))
		}
		if !slices.Contains(Needs(), r.Need) {
			problems = append(problems, fmt.Errorf("%s has the unknown need %q", method, r.Need))
		}
		for _, role := range r.Roles {
			if !authn.KnownRole(role) {
				problems = append(problems, fmt.Errorf("%s names the unknown role %q", method, role))
			}
		}
	}
	return errors.Join(problems...)
}

// Check admits the caller (answer nil) or refuses: Denied ROLE, or Unauthenticated SESSION_EXPIRED when caller is nil
// and the method is not open.
func (t Table) Check(method string, caller *authn.Identity) error {
	rule, ok := t[method]
	switch {
	case !ok:
		return errs.Denied(errs.ReasonRole)
	case rule.Open:
		return nil
	case caller == nil:
		return errs.New(errs.KindUnauthenticated, errs.ReasonSessionExpired, "the call needs a token", nil)
	case rule.admits(*caller):
		return nil
	}
	return errs.Denied(errs.ReasonRole)
}

func (r Rule) admits(caller authn.Identity) bool {
	if caller.IsService() {
		return slices.Contains(r.Services, caller.Service)
	}
	return r.AnyPerson || slices.ContainsFunc(r.Roles, caller.Has)
}
