package domain

import "slices"

// Role is what an account may do; the words are those of the call token.
type Role string

// The roles, in the order of the contract.
const (
	VillageDoctor  Role = "VILLAGE_DOCTOR"
	TownshipDoctor Role = "TOWNSHIP_DOCTOR"
	CentreHead     Role = "CENTRE_HEAD"
	IntakeDesk     Role = "INTAKE_DESK"
	Specialist     Role = "SPECIALIST"
	DepartmentHead Role = "DEPARTMENT_HEAD"
	BedManager     Role = "BED_MANAGER"
	CountyAdmin    Role = "COUNTY_ADMIN"
	SystemAdmin    Role = "SYSTEM_ADMIN"
	SecurityAdmin  Role = "SECURITY_ADMIN"
	Auditor        Role = "AUDITOR"
	Integration    Role = "INTEGRATION"
	System         Role = "SYSTEM"
)

// roleOrder is every role once; those from firstExclusive on exclude one another, so that nobody who runs the system
// also keeps its keys or reads its audit.
var roleOrder = [...]Role{
	VillageDoctor, TownshipDoctor, CentreHead, IntakeDesk, Specialist, DepartmentHead, BedManager, CountyAdmin,
	SystemAdmin, SecurityAdmin, Auditor, Integration, System,
}

const firstExclusive = 8

// Roles lists every role in the order of the contract.
func Roles() []Role { return slices.Clone(roleOrder[:]) }

// exclusive tells whether the role excludes the others like it.
func (r Role) exclusive() bool { return slices.Index(roleOrder[:], r) >= firstExclusive }

// WorksAt tells whether somebody with the role works at a place of that kind: who treats or receives patients does it where that is done, so that a referral
// never waits for people who are not there. Beds are kept at health centres too; a village doctor may be on the books of the centre. Who administers,
// audits or connects systems may belong anywhere.
func (r Role) WorksAt(t OrganizationType) bool {
	switch r {
	case TownshipDoctor, CentreHead:
		return t == TownshipCentre
	case VillageDoctor:
		return t == VillageClinic || t == TownshipCentre
	case IntakeDesk, Specialist, DepartmentHead:
		return t == CountyHospital
	case BedManager:
		return t == CountyHospital || t == TownshipCentre
	case CountyAdmin, SystemAdmin, SecurityAdmin, Auditor, Integration, System:
	}
	return true
}

// roleSet checks roles and answers them once each in the order of the contract.
func roleSet(roles []Role) ([]Role, string) {
	if len(roles) == 0 {
		return nil, ReasonRequired
	}
	var out []Role
	exclusive := 0
	for _, known := range roleOrder {
		if !slices.Contains(roles, known) {
			continue
		}
		out = append(out, known)
		if known.exclusive() {
			exclusive++
		}
	}
	for _, r := range roles {
		if !slices.Contains(out, r) {
			return nil, ReasonUnknown
		}
	}
	if exclusive > 1 {
		return nil, ReasonCombination
	}
	return out, ""
}
