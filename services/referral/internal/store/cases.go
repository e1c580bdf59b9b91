package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/internal/stats"
	"github.com/tongzhen/tongzhen/services/referral/internal/app"
	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
	"github.com/tongzhen/tongzhen/services/referral/internal/figures"
)

// countedColumns are what figures read of a referral. Only the days of a plan's visits are sealed; the patient is left alone.
const countedColumns = `id, number, state, direction, kind, urgency, originator_org, originator_department, receiver_org,
	receiver_department, account_id, condition, retrospective, reason_code, outcome_code, verdict, matched_criteria, first_answer, down_referral,
	bounced_by, submit_time, first_due, answer_time, accept_time, no_show_time, arrive_time, admit_time, conclude_time, close_time,
	follow_up_time, down_arrive_time, first_reason, completeness, missed_steps, CASE WHEN follow_up_time IS NULL THEN NULL ELSE plan END`

// countedCandidate are what figures read of a candidate.
const countedCandidate = `id, state, organization_id, department_code, centre_id, diagnosis_codes, reason_code, referral_id, number, found_time`

// counted is a case with all that it contributes.
type counted struct {
	app.StatisticCase
	place app.Cursor
	cells []stats.Cell
	// fact answers the fact behind a counter.
	fact func(counter string) figures.Fact
}

// scanCounted reads countedColumns as a snapshot that holds what figures go by and nothing else.
func (s *Store) scanCounted(row scanner, county string) (domain.Snapshot, error) {
	r := domain.Snapshot{County: county}
	var condition, criteria, missed string
	var plan []byte
	var times [11]sql.Null[time.Time]
	var complete sql.Null[int]
	dest := []any{
		&r.ID, &r.Number, &r.State, &r.Direction, &r.Kind, &r.Urgency, &r.Originator.OrganizationID, &r.Originator.DepartmentCode,
		&r.Receiver.OrganizationID, &r.Receiver.DepartmentCode, &r.AccountID, &condition, &r.Retrospective, &r.ReasonCode, &r.Outcome, &r.Verdict,
		&criteria, &r.FirstAnswer, &r.DownReferral, &r.BouncedBy,
	}
	for i := range times {
		dest = append(dest, &times[i])
	}
	if err := row.Scan(append(dest, &r.FirstReason, &complete, &missed, &plan)...); err != nil {
		return r, err
	}
	for i, t := range []*time.Time{
		&r.SubmitTime, &r.FirstDue, &r.AnswerTime, &r.AcceptTime, &r.NoShowTime, &r.ArriveTime, &r.AdmitTime, &r.ConcludeTime, &r.CloseTime,
		&r.FollowUpTime, &r.DownArrived,
	} {
		*t = instant(times[i])
	}
	r.Diagnoses, r.MatchedCriteria = []domain.Diagnosis{{Code: condition}}, strings.Fields(criteria)
	r.MissedSteps = stepsIn(missed)
	r.Completeness = completeness(complete, "")
	var p sealedPlan
	err := s.open("plan", r.ID, plan, &p)
	r.Plan = p.plan()
	return r, err
}

// source is where cases are, in the order of a time and then of a key.
type source struct {
	columns, table, time, key string
	scan                      func(s *Store, row scanner, county string) (counted, error)
	// filters are the columns of dimensions that are the same for all of a case's cells.
	filters map[string]string
}

// planned is the column by which follow-ups are in order. Their visits count on later days, so a period has no begin in it.
const planned = "follow_up_time"

// sources are where the cases of a part are, one after the other.
func sources(p stats.Part) []source {
	event := figures.EventOfPart(p)
	if event == figures.Found {
		return []source{{countedCandidate, "candidate", "found_time", "id", (*Store).countedCandidate, map[string]string{
			figures.Centre: "centre_id", figures.Hospital: "organization_id", figures.Department: "department_code",
		}}}
	}
	times := map[figures.Event]string{
		figures.Submitted: "submit_time", figures.Arrived: "arrive_time", figures.Concluded: "conclude_time", figures.Planned: planned,
	}
	out := []source{{countedColumns, "referral", times[event], "id", (*Store).countedReferral, map[string]string{
		figures.Doctor: "account_id", figures.Condition: "condition", figures.Direction: "direction", figures.Kind: "kind", figures.Urgency: "urgency",
	}}}
	if event == figures.Concluded {
		out = append(out, source{dischargeColumns, "discharge", "end_time", "encounter_id", (*Store).countedDischarge, map[string]string{
			figures.Centre: "centre_id", figures.Hospital: "organization_id", figures.Department: "department_code", figures.Condition: "condition",
		}})
	}
	return out
}

func (s *Store) countedReferral(row scanner, county string) (counted, error) {
	r, err := s.scanCounted(row, county)
	fact := func(counter string) figures.Fact { return figures.FactOf(counter, r) }
	return counted{StatisticCase: app.StatisticCase{Referral: r}, cells: figures.Cells(r, s.Zone), fact: fact}, err
}

func (s *Store) countedCandidate(row scanner, county string) (counted, error) {
	c := domain.CandidateSnapshot{Match: domain.Match{Stay: domain.Stay{County: county}}}
	var codes string
	if err := row.Scan(&c.ID, &c.State, &c.OrganizationID, &c.DepartmentCode, &c.CentreID, &codes, &c.ReasonCode, &c.ReferralID, &c.Number, &c.FoundTime); err != nil {
		return counted{}, err
	}
	for _, code := range strings.Fields(codes) {
		c.Diagnoses = append(c.Diagnoses, domain.Diagnosis{Code: code})
	}
	return counted{StatisticCase: app.StatisticCase{StayID: c.ID, Referral: domain.Snapshot{
		County: county, ID: c.ReferralID, Number: c.Number, ReasonCode: c.ReasonCode, Diagnoses: c.Diagnoses,
		Originator: domain.Party{OrganizationID: c.CentreID},
		Receiver:   domain.Party{OrganizationID: c.OrganizationID, DepartmentCode: c.DepartmentCode},
	}}, cells: figures.CandidateCells(c, s.Zone), fact: func(counter string) figures.Fact { return figures.CandidateFact(counter, c) }}, nil
}

func (s *Store) countedDischarge(row scanner, county string) (counted, error) {
	d, err := scanDischarge(row, county)
	return counted{StatisticCase: app.StatisticCase{StayID: d.EncounterID, Referral: domain.Snapshot{
		County: county, Diagnoses: []domain.Diagnosis{{Code: d.Condition}},
		Originator: domain.Party{OrganizationID: d.CentreID},
		Receiver:   domain.Party{OrganizationID: d.OrganizationID, DepartmentCode: d.DepartmentCode},
	}}, cells: figures.DischargeCells(d, s.Zone), fact: func(counter string) figures.Fact { return figures.DischargeFact(counter, d) }}, err
}

const (
	// batch is how many rows are looked at in one statement.
	batch = 500
	// batchesAtMost is how many statements a page may take: where few of many rows count, it ends before it is full.
	batchesAtMost = 10
)

// Cases implements [app.Statistics]. The rank of a cursor is the source that it is in.
func (s *Store) Cases(ctx context.Context, q app.CaseScan) (out []app.StatisticCase, next *app.Cursor, err error) {
	err = s.DB.View(ctx, func(tx *sqldb.Tx) error {
		out, next = nil, nil
		all, rank, after := sources(q.Part), 0, q.After
		if after != nil {
			rank = after.Rank
		}
		last := after
		for read := 0; rank < len(all); read++ {
			if read == batchesAtMost {
				next = last
				return nil
			}
			rows, err := s.countedRows(ctx, tx, q, all[rank], after)
			if err != nil {
				return err
			}
			for _, c := range rows {
				c.place.Rank = rank
				var reason string
				if c.Day, c.Count, reason = weigh(c.cells, q.Query, q.Part); c.Count != 0 {
					if reason != "" {
						c.Referral.ReasonCode = reason
					}
					if len(out) == q.Limit {
						next = last
						return nil
					}
					_, above, _ := weigh(c.cells, q.Query, q.Measure.Numerator)
					c.Ground = figures.Judged(q.Measure, q.Below, above, q.Excluded, c.fact)
					out = append(out, c.StatisticCase)
				}
				last, after = &c.place, &c.place
			}
			if len(rows) < batch {
				rank, after = rank+1, nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list the cases of a figure: %w", err)
	}
	return out, next, nil
}

// weigh is how often a case counts in a part, the first day on which it does, and the reason for which, if it has one.
func weigh(cells []stats.Cell, within stats.Query, part stats.Part) (day stats.Date, n int64, reason string) {
	for i, t := range slices.Concat(part.Plus, part.Minus) {
		term := within.Of(t)
		for _, c := range cells {
			if !term.Has(c) {
				continue
			}
			if day == "" || c.Day < day {
				day = c.Day
			}
			reason = cmp.Or(reason, c.Dimensions[figures.Reason])
			if i < len(part.Plus) {
				n += c.N
			} else {
				n -= c.N
			}
		}
	}
	return day, n, reason
}

// countedRows are the next cases of an event in the order of its time. The days of the query are those of the zone; what a row contributes
// is judged by its cells, the conditions here only leave out what cannot count.
func (s *Store) countedRows(ctx context.Context, tx *sqldb.Tx, q app.CaseScan, from source, after *app.Cursor) ([]counted, error) {
	w := where{tx: tx, args: []any{q.Query.County}}
	text := "SELECT " + from.columns + ", " + from.time + " FROM " + from.table + " WHERE county_code = $1 AND " +
		from.time + " < " + w.value(midnight(q.Query.To, s.Zone)) + " AND " + s.narrowed(&w, q, from)
	if from.time != planned {
		text += " AND " + from.time + " >= " + w.value(midnight(q.Query.From, s.Zone))
	}
	if after != nil {
		text += fmt.Sprintf(" AND (%s, %s) > (%s, %s)", from.time, from.key, w.value(after.Time), w.value(after.ID))
	}
	text += fmt.Sprintf(" ORDER BY %s, %s LIMIT %d", from.time, from.key, batch)
	rows, err := tx.Query(ctx, text, w.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []counted
	for rows.Next() {
		var at time.Time
		c, err := from.scan(s, with{rows, &at}, q.Query.County)
		if err != nil {
			return nil, err
		}
		c.place = app.Cursor{Time: at.UTC(), ID: c.key()}
		out = append(out, c)
	}
	return out, rows.Err()
}

func (c counted) key() string {
	if c.StayID != "" {
		return c.StayID
	}
	return c.Referral.ID
}

// with scans a row that has one more column at its end.
type with struct {
	row  scanner
	more any
}

// Scan implements scanner.
func (w with) Scan(dest ...any) error { return w.row.Scan(append(dest, w.more)...) }

// midnight is the beginning of a local day that was checked.
func midnight(d stats.Date, zone *time.Location) time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), zone)
	return t.UTC()
}
