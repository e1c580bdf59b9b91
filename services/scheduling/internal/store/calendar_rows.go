package store

import (
	"strconv"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

const equipmentColumns = `id, version, organization_id, department_code, modality, name, location, preparation, preparation_english, in_service`

func scanEquipment(row scanner) (e domain.Equipment, err error) {
	err = row.Scan(&e.ID, &e.Version, &e.OrganizationID, &e.DepartmentCode, &e.Modality, &e.Name, &e.Location, &e.Preparation,
		&e.PreparationEnglish, &e.InService)
	return e, err
}

func putEquipment(county string, e domain.Equipment, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO equipment (county_code, ` + equipmentColumns + `, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, name = excluded.name, location = excluded.location,
			preparation = excluded.preparation, preparation_english = excluded.preparation_english, in_service = excluded.in_service,
			update_time = excluded.update_time WHERE equipment.version = excluded.version - 1`,
		Args: []any{county, e.ID, e.Version + 1, e.OrganizationID, e.DepartmentCode, e.Modality, e.Name, e.Location, e.Preparation,
			e.PreparationEnglish, e.InService, now}, Want: 1,
	}
}

const templateColumns = `id, version, organization_id, department_code, kind, grade, practitioner_id, practitioner_name, equipment_id, location,
	pattern, weekdays, every, anchor, digits, first_day, last_day, starts, ends, slot_minutes, on_holidays`

func scanTemplate(row scanner) (t domain.Template, err error) {
	var weekdays, anchor, digits, first, last string
	err = row.Scan(&t.ID, &t.Version, &t.OrganizationID, &t.DepartmentCode, &t.Kind, &t.Grade, &t.PractitionerID, &t.PractitionerName, &t.EquipmentID,
		&t.Location, &t.Pattern.Code, &weekdays, &t.Pattern.Every, &anchor, &digits, &first, &last, &t.Starts, &t.Ends, &t.SlotMinutes, &t.OnHolidays)
	if err != nil {
		return t, err
	}
	t.Pattern.Weekdays, t.Pattern.Digits = numbers(weekdays), numbers(digits)
	// What is kept was written by domain.Date.
	t.Pattern.Anchor, _ = domain.ReadDate(anchor)
	t.FirstDay, _ = domain.ReadDate(first)
	t.LastDay, _ = domain.ReadDate(last)
	return t, nil
}

// putTemplate leaves its sessions to be made anew.
func putTemplate(county string, t domain.Template, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO schedule_template (county_code, ` + templateColumns + `, planned_through, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, '', $23)
			ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, organization_id = excluded.organization_id,
			department_code = excluded.department_code, kind = excluded.kind, grade = excluded.grade, practitioner_id = excluded.practitioner_id,
			practitioner_name = excluded.practitioner_name, equipment_id = excluded.equipment_id, location = excluded.location,
			pattern = excluded.pattern, weekdays = excluded.weekdays, every = excluded.every, anchor = excluded.anchor, digits = excluded.digits,
			first_day = excluded.first_day, last_day = excluded.last_day, starts = excluded.starts, ends = excluded.ends,
			slot_minutes = excluded.slot_minutes, on_holidays = excluded.on_holidays, planned_through = '', update_time = excluded.update_time
			WHERE schedule_template.version = excluded.version - 1`,
		Args: []any{county, t.ID, t.Version + 1, t.OrganizationID, t.DepartmentCode, t.Kind, t.Grade, t.PractitionerID, t.PractitionerName,
			t.EquipmentID, t.Location, string(t.Pattern.Code), joined(t.Pattern.Weekdays), t.Pattern.Every, domain.Date(t.Pattern.Anchor),
			joined(t.Pattern.Digits), domain.Date(t.FirstDay), domain.Date(t.LastDay), t.Starts, t.Ends, t.SlotMinutes, t.OnHolidays, now}, Want: 1,
	}
}

const exceptionColumns = `id, version, organization_id, department_code, template_id, practitioner_id, first_day, last_day, effect, weekday,
	substitute_id, substitute_name, substitute_place, reason_code, note`

func scanException(row scanner) (e domain.Exception, err error) {
	var first, last string
	err = row.Scan(&e.ID, &e.Version, &e.OrganizationID, &e.DepartmentCode, &e.TemplateID, &e.PractitionerID, &first, &last, &e.Effect, &e.Weekday,
		&e.SubstituteID, &e.SubstituteName, &e.SubstitutePlace, &e.ReasonCode, &e.Note)
	e.FirstDay, _ = domain.ReadDate(first)
	e.LastDay, _ = domain.ReadDate(last)
	return e, err
}

func putException(county string, e domain.Exception, now time.Time) sqldb.Stmt {
	return sqldb.Stmt{
		SQL: `INSERT INTO schedule_exception (county_code, ` + exceptionColumns + `, update_time)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			ON CONFLICT (county_code, id) DO UPDATE SET version = excluded.version, organization_id = excluded.organization_id,
			department_code = excluded.department_code, template_id = excluded.template_id, practitioner_id = excluded.practitioner_id,
			first_day = excluded.first_day, last_day = excluded.last_day, effect = excluded.effect, weekday = excluded.weekday,
			substitute_id = excluded.substitute_id, substitute_name = excluded.substitute_name, substitute_place = excluded.substitute_place,
			reason_code = excluded.reason_code, note = excluded.note, update_time = excluded.update_time
			WHERE schedule_exception.version = excluded.version - 1`,
		Args: []any{county, e.ID, e.Version + 1, e.OrganizationID, e.DepartmentCode, e.TemplateID, e.PractitionerID, domain.Date(e.FirstDay),
			domain.Date(e.LastDay), string(e.Effect), e.Weekday, e.SubstituteID, e.SubstituteName, e.SubstitutePlace, e.ReasonCode, e.Note, now}, Want: 1,
	}
}

const policyColumns = `version, organization_id, reserve_percent, expert_percent, common_days, reserve_lead_days, fallback_hours`

func scanPolicy(row scanner) (p app.BookingPolicy, err error) {
	err = row.Scan(&p.Version, &p.OrganizationID, &p.ReservePercent, &p.ExpertPercent, &p.CommonDays, &p.ReserveLeadDays, &p.FallbackHours)
	return p, err
}

func joined(list []int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

// numbers reads what joined wrote.
func numbers(text string) []int {
	if text == "" {
		return nil
	}
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		n, _ := strconv.Atoi(part)
		out = append(out, n)
	}
	return out
}

// live is the condition that somebody has the place of the occupancy o at the instant $2.
const live = `(o.hold_id IS NOT NULL AND (o.until_time IS NULL OR o.until_time > $2))`

// notAwaited is the condition that the patient of the hold h has come, or that its referral ended: domain.Case.Awaited the other way round.
const notAwaited = `EXISTS (SELECT 1 FROM referral_case c WHERE c.county_code = h.county_code AND c.referral_id = h.referral_id
	AND c.state NOT IN ('SUBMITTED', 'RETURNED', 'ACCEPTED', 'NO_SHOW'))`

// selectSession needs the county as $1 and the instant as $2; rest ends with groupSession.
const selectSession = `SELECT s.id, s.version, s.organization_id, s.department_code, s.kind, s.grade, s.practitioner_id, s.practitioner_name, s.location,
	s.start_time, s.end_time, s.slot_minutes, s.template_id, s.local_date, s.equipment_id, s.state, s.reason_code, s.note, s.by_hand, s.rebooking,
	coalesce(e.modality, ''), coalesce(e.name, ''), coalesce(e.preparation, ''), coalesce(e.preparation_english, ''),
	count(sl.id), sum(CASE WHEN sl.pool = 'RESERVED' THEN 1 ELSE 0 END), sum(CASE WHEN ` + live + ` THEN 1 ELSE 0 END),
	sum(CASE WHEN sl.closed_by NOT IN ('', 'CANCELLED') THEN 1 ELSE 0 END),
	sum(CASE WHEN sl.closed_by = '' AND NOT ` + live + ` THEN 1 ELSE 0 END), sum(CASE WHEN h.displaced_time IS NOT NULL THEN 1 ELSE 0 END)
	FROM session s LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id
	LEFT JOIN slot sl ON sl.county_code = s.county_code AND sl.session_id = s.id
	LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
	LEFT JOIN hold h ON h.county_code = o.county_code AND h.id = o.hold_id
	WHERE s.county_code = $1 AND `

const groupSession = ` GROUP BY s.county_code, s.id, e.county_code, e.id`

func scanSession(row scanner) (v app.SessionView, err error) {
	var state string
	err = row.Scan(&v.ID, &v.Version, &v.OrganizationID, &v.DepartmentCode, &v.Kind, &v.Grade, &v.PractitionerID, &v.PractitionerName, &v.Location,
		&v.Start, &v.End, &v.SlotMinutes, &v.TemplateID, &v.Day, &v.EquipmentID, &state, &v.ReasonCode, &v.Note, &v.ByHand, &v.Rebooking,
		&v.Equipment.Modality, &v.Equipment.Name, &v.Equipment.Preparation, &v.Equipment.PreparationEnglish,
		&v.Slots, &v.Reserved, &v.Taken, &v.Blocked, &v.Free, &v.Displaced)
	v.Cancelled, v.Equipment.ID = state == "CANCELLED", v.EquipmentID
	return v, err
}

// selectUse is a slot with its session and the instant as $2; whether somebody has it comes last.
const selectUse = `SELECT sl.id, sl.start_time, sl.end_time, sl.pool, sl.closed_by, s.id, s.organization_id, s.department_code, s.kind, s.grade,
	s.practitioner_id, s.practitioner_name, s.location, s.start_time, s.end_time, s.slot_minutes, s.equipment_id, s.local_date,
	CASE WHEN ` + live + ` THEN o.hold_id ELSE '' END
	FROM slot sl JOIN session s ON s.county_code = sl.county_code AND s.id = sl.session_id
	LEFT JOIN equipment e ON e.county_code = s.county_code AND e.id = s.equipment_id
	LEFT JOIN occupancy o ON o.county_code = sl.county_code AND o.place_id = sl.id
	WHERE sl.county_code = $1 AND `

// scanUse leaves of the hold its id.
func scanUse(row scanner) (use app.SlotUse, err error) {
	s := &use.Slot
	err = row.Scan(&s.ID, &s.Start, &s.End, &s.Pool, &s.ClosedBy, &s.Session.ID, &s.Session.OrganizationID, &s.Session.DepartmentCode, &s.Session.Kind,
		&s.Session.Grade, &s.Session.PractitionerID, &s.Session.PractitionerName, &s.Session.Location, &s.Session.Start, &s.Session.End,
		&s.Session.SlotMinutes, &s.Session.EquipmentID, &s.Session.Day, &use.Hold.ID)
	s.Free = use.Hold.ID == ""
	return use, err
}
