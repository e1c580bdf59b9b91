package check

import (
	"slices"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

const (
	desk           = commonv1.Role_INTAKE_DESK
	doctor         = commonv1.Role_TOWNSHIP_DOCTOR
	centreHead     = commonv1.Role_CENTRE_HEAD
	specialist     = commonv1.Role_SPECIALIST
	departmentHead = commonv1.Role_DEPARTMENT_HEAD
	countyAdmin    = commonv1.Role_COUNTY_ADMIN
)

// concern is a row of a timeline with whom the referral was with when it was written.
type concern struct {
	World
	referral Referral
	row      *referralv1.HistoryRow
	receiver *commonv1.Party
}

// group is some of the people whom a row concerns, as ids of accounts.
type group func(concern) []string

// concern finds the receiver of a row: the present one, or the one that the next redirect after it gave the referral away from.
func (w World) concern(r Referral, row *referralv1.HistoryRow) concern {
	c := concern{w, r, row, r.GetReceiver()}
	for i := len(r.History) - 1; i >= 0 && r.History[i] != row; i-- {
		if later := r.History[i]; later.GetAction() == "redirect" {
			c.receiver = &commonv1.Party{OrganizationId: later.GetDetail()["fromOrganizationId"], DepartmentCode: later.GetDetail()["fromDepartmentCode"]}
		}
	}
	return c
}

// people are those of some groups, each once.
func (c concern) people(groups ...group) []string {
	var out []string
	for _, g := range groups {
		out = append(out, g(c)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c concern) down() bool { return c.referral.GetDirection() == commonv1.Direction_DOWN }

// takers take in what comes: a desk; the doctors and the head of a centre, which has none.
func takers(c concern) []string {
	if c.down() {
		return c.staff(c.receiver.GetOrganizationId(), "", doctor, centreHead)
	}
	return c.staff(c.receiver.GetOrganizationId(), "", desk)
}

// takersOfSent: nobody has seen a draft.
func takersOfSent(c concern) []string {
	if c.row.GetFrom() == referralv1.State_DRAFT {
		return nil
	}
	return takers(c)
}

// alarmed is the department that an emergency comes to.
func alarmed(c concern) []string {
	if c.referral.GetUrgency() != commonv1.Urgency_EMERGENCY {
		return nil
	}
	return c.department(c.receiver, specialist, departmentHead)
}

// rung are those at whom an emergency may ring besides: its department, and in time who sent the patient.
func rung(c concern) []string {
	return append(alarmed(c), emergencyAuthor(c)...)
}

// emergencyAuthor is the author of an emergency.
func emergencyAuthor(c concern) []string {
	if c.referral.GetUrgency() != commonv1.Urgency_EMERGENCY {
		return nil
	}
	return author(c)
}

// author is who wrote the referral, or the doctors of the side when that account does not work there.
func author(c concern) []string {
	from := c.referral.GetOriginator()
	if len(c.referral.History) > 0 {
		if id := c.referral.History[0].GetActor().GetAccountId(); c.works(id, from.GetOrganizationId()) {
			return []string{id}
		}
	}
	if c.down() {
		return c.department(from, specialist, departmentHead)
	}
	return c.staff(from.GetOrganizationId(), "", doctor)
}

// otherSide: what one side writes the other reads.
func otherSide(c concern) []string {
	switch {
	case c.row.GetActor().GetOrganizationId() != c.referral.GetOriginator().GetOrganizationId():
		return author(c)
	case c.down():
		return doctorsOfReceiver(c)
	}
	return append(takers(c), c.department(c.receiver, specialist, departmentHead)...)
}

func doctorsOfReceiver(c concern) []string {
	if c.down() {
		return c.staff(c.receiver.GetOrganizationId(), "", doctor)
	}
	return c.department(c.receiver, specialist)
}

func headOfReceiver(c concern) []string {
	if c.down() {
		return c.staff(c.receiver.GetOrganizationId(), "", centreHead)
	}
	return c.department(c.receiver, departmentHead)
}

func headOfOriginator(c concern) []string {
	if c.down() {
		return c.department(c.referral.GetOriginator(), departmentHead)
	}
	return c.staff(c.referral.GetOriginator().GetOrganizationId(), "", centreHead)
}

// follower follows the patient up: the family doctor, or the doctors of the centre.
func follower(c concern) []string {
	if id := c.referral.GetFamilyDoctor(); c.works(id, c.receiver.GetOrganizationId()) {
		return []string{id}
	}
	return c.staff(c.receiver.GetOrganizationId(), "", doctor)
}

func administrators(c concern) []string {
	var out []string
	for _, a := range c.Accounts {
		if !a.GetDisabled() && holds(a, countyAdmin) {
			out = append(out, a.GetId())
		}
	}
	return out
}

func nobody(concern) []string { return nil }

// ladder is who hears of a limit that passed, by the rung that was reached.
func ladder(step, level string) group {
	var rungs [3]group
	switch step {
	case "ANSWER":
		rungs = [3]group{answerers, headOfReceiver, administrators}
	case "REPLY", "DOWN_DECISION":
		rungs = [3]group{doctorsOfReceiver, headOfReceiver, administrators}
	case "STAY":
		rungs = [3]group{doctorsOfReceiver, nobody, nobody}
	case "FIRST_CONTACT", "VISIT":
		rungs = [3]group{follower, headOfReceiver, administrators}
	case "MISSING_INFORMATION":
		rungs = [3]group{author, headOfOriginator, administrators}
	case "CONSENT":
		rungs = [3]group{author, headOfOriginator, nobody}
	case "NORM_CHECK":
		rungs = [3]group{township, headOfTownship, nobody}
	default:
		return nobody
	}
	switch level {
	case "1":
		return rungs[0]
	case "2":
		return rungs[1]
	}
	return rungs[2]
}

// answerers: a centre's head hears of it on the next rung only.
func answerers(c concern) []string {
	if c.down() {
		return doctorsOfReceiver(c)
	}
	return takers(c)
}

// township: what a national norm asks for is the centre's, whichever side it is.
func township(c concern) []string {
	if c.down() {
		return follower(c)
	}
	return author(c)
}

func headOfTownship(c concern) []string {
	if c.down() {
		return headOfReceiver(c)
	}
	return headOfOriginator(c)
}

// department: without a code nobody but the desk knows whose patient it is.
func (w World) department(p *commonv1.Party, roles ...commonv1.Role_Code) []string {
	if p.GetDepartmentCode() == "" {
		return w.staff(p.GetOrganizationId(), "", desk)
	}
	return w.staff(p.GetOrganizationId(), p.GetDepartmentCode(), roles...)
}

func (w World) staff(organization, department string, roles ...commonv1.Role_Code) []string {
	var out []string
	for _, a := range w.Accounts {
		if a.GetOrganizationId() == organization && !a.GetDisabled() && (department == "" || a.GetDepartmentCode() == department) && holds(a, roles...) {
			out = append(out, a.GetId())
		}
	}
	return out
}

func (w World) works(account, organization string) bool {
	for _, a := range w.Accounts {
		if account != "" && a.GetId() == account && a.GetOrganizationId() == organization && !a.GetDisabled() {
			return true
		}
	}
	return false
}
