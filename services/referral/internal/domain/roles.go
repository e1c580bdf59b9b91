package domain

import "slices"

// Roles are those that may act for a side of a referral in a direction; which organisation is a side is the referral's own. Within an
// organisation any holder of the role may act, so that shifts and leave need no hand-over.
func Roles(d Direction, side Side) []string {
	township := []string{"VILLAGE_DOCTOR", "TOWNSHIP_DOCTOR", "CENTRE_HEAD"}
	county := []string{"INTAKE_DESK", "SPECIALIST", "DEPARTMENT_HEAD", "BED_MANAGER"}
	switch {
	case side == System || side == "":
		return nil
	case d == Out:
		return slices.Concat(township, county)
	case (d == Up) == (side == Originator):
		return township
	}
	return county
}

// MayDo tells whether a holder of the roles may do an action or set a mark on some referral of the direction: it acts for a side that the
// tables name.
func MayDo(a Action, d Direction, roles []string) bool {
	for _, row := range lifecycle {
		if row.Action == a && slices.ContainsFunc(row.Who, func(side Side) bool { return MayAct(d, side, roles) }) {
			return true
		}
	}
	return slices.ContainsFunc(Marks(), func(m Mark) bool {
		return m.Action == a && slices.ContainsFunc(m.Who, func(side Side) bool { return MayAct(d, side, roles) })
	})
}

// MayAct tells whether a holder of the roles may act for a side.
func MayAct(d Direction, side Side, roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(Roles(d, side), r) })
}
