package store

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// where collects the arguments of a condition.
type where struct {
	tx   *sqldb.Tx
	args []any
}

// value is the place of an argument.
func (w *where) value(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) among(column string, values []string) string {
	among, list := w.tx.List(column, len(w.args)+1, values)
	w.args = append(w.args, list)
	return among
}

// rare are conditions that every row meets which contributes to a counter, by table and counter: opening a rare figure then does not judge
// a whole year. A counter that most rows contribute to has none. $from and $to are the first day of the period and that after it, $begin
// the instant at which it begins.
func rare(table string) map[string]string {
	const doneVisit = `EXISTS (SELECT 1 FROM follow_up_task t WHERE t.county_code = referral.county_code AND t.referral_id = referral.id
		AND t.source = 'PLAN' AND t.state = 'DONE' AND t.due_date >= $from AND t.due_date < $to)`
	verdict := func(v domain.Verdict) string { return "verdict = '" + string(v) + "'" }
	switch table {
	case "candidate":
		return map[string]string{"candidates_sent": "state = 'CLOSED'", "candidates_dismissed": "state = 'DISMISSED'", "candidates_open": "state IN ('OPEN', 'REFERRED')"}
	case "discharge":
		return map[string]string{"discharges_sent_down": "down_referral <> ''"}
	}
	return map[string]string{
		"answered_late":             "answer_time > first_due",
		"returned_first":            "first_answer = 'return'",
		"redirected_first":          "first_answer = 'redirect'",
		"declined":                  "state = 'DECLINED'",
		"cancelled":                 "state = 'CANCELLED'",
		"cancelled_early":           "state = 'CANCELLED'",
		"no_show":                   "no_show_time IS NOT NULL",
		"criteria_met":              "matched_criteria <> ''",
		"handover_judged":           "completeness IS NOT NULL",
		"handover_complete":         "completeness >= " + strconv.Itoa(domain.CompleteFrom),
		"bounced":                   "bounced_by <> ''",
		"left":                      "direction = 'OUT'",
		"assessed":                  "verdict <> ''",
		"assessed_necessary":        verdict(domain.VerdictNecessary),
		"assessed_manageable":       verdict(domain.VerdictManageable),
		"assessed_too_late":         verdict(domain.VerdictTooLate),
		"assessed_wrong_department": verdict(domain.VerdictWrongDepartment),
		"follow_up_begun":           "follow_up_time IS NOT NULL",
		"time_to_first_contact":     "follow_up_time IS NOT NULL",
		"sent_down":                 "down_referral <> ''",
		"came_back":                 "down_arrive_time IS NOT NULL",
		"time_to_return":            "down_arrive_time IS NOT NULL",
		"discharges":                "admit_time IS NOT NULL",
		"discharges_sent_down":      "down_referral <> '' AND admit_time IS NOT NULL",
		"outpatients_sent_down":     "down_referral <> '' AND admit_time IS NULL",
		"stage_concluded":           "conclude_time IS NOT NULL",
		"stage_sent_down":           "down_referral <> ''",
		"stage_taken_over":          "down_arrive_time IS NOT NULL",
		"stage_followed_up":         "follow_up_time IS NOT NULL",
		"visits_done":               doneVisit,
		"visits_kept":               doneVisit,
		// Visits that are waited for and those that were made are tasks; those that nobody made before the end are none any more.
		"visits_due": strings.Replace(doneVisit, "t.state = 'DONE'", "t.state IN ('OPEN', 'DONE')", 1) + " OR close_time >= $begin",
	}
}

// narrowed leaves out what cannot count: who is in none of the terms of the part by the columns that tell.
func (s *Store) narrowed(w *where, q app.CaseScan, from source) string {
	var terms []string
	for _, t := range slices.Concat(q.Part.Plus, q.Part.Minus) {
		terms = append(terms, "("+strings.Join(s.term(w, q.Query.Of(t), from), " AND ")+")")
	}
	return "(" + strings.Join(terms, " OR ") + ")"
}

// term are the conditions of one of them, of which there is at least one.
func (s *Store) term(w *where, q stats.Query, from source) []string {
	out := []string{"1 = 1"}
	for _, d := range slices.Sorted(maps.Keys(q.Where)) {
		if column, known := from.filters[d]; known {
			out = append(out, w.among(column, q.Where[d]))
		}
	}
	if from.table == "referral" {
		for _, d := range []string{figures.Centre, figures.Hospital} {
			if allowed, asked := q.Where[d]; asked {
				out = append(out, "("+w.among("originator_org", allowed)+" OR "+w.among("receiver_org", allowed)+")")
			}
		}
		if allowed, asked := q.Where[figures.Origin]; asked {
			out = append(out, w.among("CASE WHEN retrospective THEN '"+figures.Retrospective+"' ELSE '"+figures.Regular+"' END", allowed))
		}
	}
	for _, counter := range q.Counters {
		condition, is := rare(from.table)[counter]
		if !is {
			continue
		}
		for _, v := range []struct {
			name  string
			value any
		}{{"$from", string(q.From)}, {"$to", string(q.To)}, {"$begin", midnight(q.From, s.Zone)}} {
			// An argument that no text names is an error.
			if strings.Contains(condition, v.name) {
				condition = strings.ReplaceAll(condition, v.name, w.value(v.value))
			}
		}
		out = append(out, "("+condition+")")
	}
	return out
}
