package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/events"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/figures"
)

// lineJSON is a sealed line of an order. Fields are only added: old rows stay readable.
type lineJSON struct {
	Item       string        `json:"item"`
	Decision   string        `json:"decision"`
	Reason     string        `json:"reason,omitempty"`
	ReasonText string        `json:"reasonText,omitempty"`
	Explained  bool          `json:"explained,omitempty"`
	Evidence   *evidenceJSON `json:"evidence,omitempty"`
}

type evidenceJSON struct {
	Entries   []domain.EntryRef `json:"entries"`
	Performer string            `json:"performer,omitempty"`
	From      string            `json:"from"`
	Time      time.Time         `json:"time"`
	Until     time.Time         `json:"until,omitzero"`
	Mark      string            `json:"mark"`
}

func toLines(lines []domain.OrderLine) []lineJSON {
	out := make([]lineJSON, len(lines))
	for i, l := range lines {
		out[i] = lineJSON{Item: l.ItemCode, Decision: string(l.Decision), Reason: l.Reason, ReasonText: l.ReasonText, Explained: l.Explained}
		if e := l.Evidence; e != nil {
			out[i].Evidence = &evidenceJSON{Entries: e.Entries, Performer: e.Performer, From: string(e.From), Time: e.Time, Until: e.Until, Mark: e.Mark}
		}
	}
	return out
}

func fromLines(lines []lineJSON) []domain.OrderLine {
	out := make([]domain.OrderLine, len(lines))
	for i, j := range lines {
		out[i] = domain.OrderLine{
			ItemCode: j.Item, Decision: domain.OrderDecision(j.Decision), Reason: j.Reason, ReasonText: j.ReasonText, Explained: j.Explained,
		}
		if e := j.Evidence; e != nil {
			out[i].Evidence = &domain.Evidence{
				Entries: e.Entries, Performer: e.Performer, From: domain.Direction(e.From), Time: e.Time, Until: e.Until, Mark: e.Mark,
			}
		}
	}
	return out
}

const orderColumns = "o.id, o.patient_id, o.organization_id, o.account_id, o.setting, o.referral_id, o.day, o.lines, o.create_time"

// orders reads the orders that the condition finds; county is argument 1.
func (c scope) orders(ctx context.Context, condition string, args ...any) (out []domain.Order, err error) {
	rows, err := c.tx.Query(ctx, "SELECT "+orderColumns+" FROM exam_order o WHERE o.county_code = $1 AND "+condition, append([]any{c.county}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var o domain.Order
		var sealed []byte
		if err := rows.Scan(&o.ID, &o.PatientID, &o.Organization, &o.Account, &o.Setting, &o.ReferralID, &o.Day, &sealed, &o.Time); err != nil {
			return nil, fmt.Errorf("read orders: %w", err)
		}
		o.Time = o.Time.UTC()
		var lines []lineJSON
		if err := c.open("exam_order", "lines", o.ID, sealed, &lines); err != nil {
			return nil, err
		}
		o.Lines = fromLines(lines)
		out = append(out, o)
	}
	return out, rows.Err()
}

// Orders implements app.RecognitionStore.
func (s *Store) Orders(ctx context.Context, county, patient string, limit int) (out []domain.Order, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.orders(ctx, c.kin("o.patient_id", "$2")+" ORDER BY o.id DESC LIMIT $3", patient, limit)
		return err
	})
	return out, err
}

// Noted implements app.RecognitionStore.
func (s *Store) Noted(ctx context.Context, county, organization, patient string) (out map[domain.EntryRef]bool, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.noted(ctx, organization, patient)
		return err
	})
	return out, err
}

// Noted implements app.OrderUnit.
func (u *unit) Noted(ctx context.Context, organization, patient string) (map[domain.EntryRef]bool, error) {
	return u.noted(ctx, organization, patient)
}

func (c scope) noted(ctx context.Context, organization, patient string) (map[domain.EntryRef]bool, error) {
	rows, err := c.tx.Query(ctx, `SELECT r.entry_id, r.entry_version FROM exam_order o
		JOIN recognition r ON r.county_code = o.county_code AND r.order_id = o.id
		WHERE o.county_code = $1 AND `+c.kin("o.patient_id", "$2")+` AND r.organization_id = $3`, c.county, patient, organization)
	if err != nil {
		return nil, fmt.Errorf("read what of patient %s was recognised: %w", patient, err)
	}
	defer rows.Close()
	out := map[domain.EntryRef]bool{}
	for rows.Next() {
		var e domain.EntryRef
		if err := rows.Scan(&e.ID, &e.Version); err != nil {
			return nil, fmt.Errorf("read what of patient %s was recognised: %w", patient, err)
		}
		out[e] = true
	}
	return out, rows.Err()
}

// examinationsLimit bounds what is held against the catalogue, of each kind: beyond every real record of the longest validity.
const examinationsLimit = 2000

// examinations are the current results of a patient.
func (c scope) examinations(ctx context.Context, patient string) (out app.Examinations, err error) {
	out.Entries, err = c.entries(ctx, patient,
		selection{domain.KindObservation, examinationsLimit, nil}, selection{domain.KindReport, examinationsLimit, nil})
	if err != nil {
		return out, err
	}
	rows, err := c.tx.Query(ctx, `SELECT id, organization_id FROM clinical_entry WHERE county_code = $1 AND `+c.kin("patient_id", "$2")+` AND is_current
		AND kind IN ($3, $4) AND organization_id <> ''`, c.county, patient, string(domain.KindObservation), string(domain.KindReport))
	if err != nil {
		return out, fmt.Errorf("read who wrote the results of patient %s: %w", patient, err)
	}
	defer rows.Close()
	out.Writers = map[string]string{}
	for rows.Next() {
		var id, organization string
		if err := rows.Scan(&id, &organization); err != nil {
			return out, fmt.Errorf("read who wrote the results of patient %s: %w", patient, err)
		}
		out.Writers[id] = organization
	}
	return out, rows.Err()
}

// Examinations implements app.RecognitionStore.
func (s *Store) Examinations(ctx context.Context, county, patient string) (out app.Examinations, err error) {
	err = s.view(ctx, county, func(c scope) error {
		out, err = c.examinations(ctx, patient)
		return err
	})
	return out, err
}

// Examinations implements app.OrderUnit.
func (u *unit) Examinations(ctx context.Context, patient string) (app.Examinations, error) {
	return u.examinations(ctx, patient)
}

// PutOrder implements app.OrderUnit.
func (u *unit) PutOrder(o domain.Order) { u.orders = append(u.orders, o) }

// order is everything that an order causes.
func (d *derived) order(o domain.Order) {
	u := d.u
	sealed, err := u.seal("exam_order", "lines", o.ID, toLines(o.Lines))
	d.fail(err)
	d.write(1, `INSERT INTO exam_order (county_code, id, patient_id, organization_id, account_id, setting, referral_id, day, lines, create_time)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		u.county, o.ID, o.PatientID, o.Organization, o.Account, string(o.Setting), o.ReferralID, o.Day, sealed, o.Time)
	for i, line := range o.Lines {
		if line.Evidence == nil {
			continue
		}
		if line.Decision != domain.Repeated {
			for _, e := range line.Evidence.Entries {
				d.write(1, `INSERT INTO recognition (county_code, order_id, line, entry_id, entry_version, organization_id, account_id, create_time)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, u.county, o.ID, i, e.ID, e.Version, o.Organization, o.Account, o.Time)
			}
		}
		fact, err := events.EncodeRecognition(app.Told{FactID: id.New(), County: u.county, Order: o, Number: i})
		d.fail(err)
		d.facts = append(d.facts, fact)
	}
	stmts, err := figures.Schema().Stmts(figures.Cells(u.county, o)...)
	d.fail(err)
	d.stmts = append(d.stmts, stmts...)
	d.audit("order.record", "order", o.ID, o.PatientID, "")
}
