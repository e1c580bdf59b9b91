package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// consentContent is what of a consent is sealed. Fields are only added: old rows stay readable.
type consentContent struct {
	AccountName    string          `json:"accountName,omitempty"`
	DeferredReason string          `json:"deferredReason,omitempty"`
	Giving         *givingJSON     `json:"giving,omitempty"`
	Withdrawal     *withdrawalJSON `json:"withdrawal,omitempty"`
}

type recorderJSON struct {
	Account      string    `json:"account"`
	AccountName  string    `json:"accountName,omitempty"`
	Organization string    `json:"organization,omitempty"`
	At           time.Time `json:"at"`
}

type givingJSON struct {
	Name         string       `json:"name"`
	Relation     string       `json:"relation"`
	OnBehalf     string       `json:"onBehalf,omitempty"`
	Phone        string       `json:"phone,omitempty"`
	Method       string       `json:"method"`
	Witness      string       `json:"witness,omitempty"`
	At           time.Time    `json:"at"`
	TextVersion  string       `json:"textVersion,omitempty"`
	Until        time.Time    `json:"until,omitzero"`
	AttachmentID string       `json:"attachmentId,omitempty"`
	By           recorderJSON `json:"by"`
}

type withdrawalJSON struct {
	Name     string       `json:"name,omitempty"`
	Relation string       `json:"relation"`
	Reason   string       `json:"reason"`
	By       recorderJSON `json:"by"`
}

func toConsentContent(c domain.Consent) consentContent {
	out := consentContent{AccountName: c.Recorded.AccountName, DeferredReason: c.DeferredReason}
	if g := c.Giving; g != nil {
		out.Giving = &givingJSON{
			Name: g.Name, Relation: g.Relation, OnBehalf: g.OnBehalf, Phone: g.Phone, Method: g.Method, Witness: g.Witness, At: g.At,
			TextVersion: g.TextVersion, Until: g.Until, AttachmentID: g.AttachmentID, By: recorderJSON(g.By),
		}
	}
	if w := c.Withdrawal; w != nil {
		out.Withdrawal = &withdrawalJSON{Name: w.Name, Relation: w.Relation, Reason: w.Reason, By: recorderJSON(w.By)}
	}
	return out
}

func (j consentContent) into(c *domain.Consent) {
	c.Recorded.AccountName, c.DeferredReason = j.AccountName, j.DeferredReason
	if g := j.Giving; g != nil {
		c.Giving = &domain.Giving{
			Name: g.Name, Relation: g.Relation, OnBehalf: g.OnBehalf, Phone: g.Phone, Method: g.Method, Witness: g.Witness, At: g.At,
			TextVersion: g.TextVersion, Until: g.Until, AttachmentID: g.AttachmentID, By: domain.Recorder(g.By),
		}
	}
	if w := j.Withdrawal; w != nil {
		c.Withdrawal = &domain.Withdrawal{Name: w.Name, Relation: w.Relation, Reason: w.Reason, By: domain.Recorder(w.By)}
	}
}

const consentColumns = `n.id, n.version, n.patient_id, n.scope, n.referral_id, n.ordinal, n.receiver_id, n.organization_id, n.account_id, n.due_time,
	n.content, n.create_time`

// consents reads what the condition picks; args begin with the county.
func (c scope) consents(ctx context.Context, where string, args ...any) (out []domain.Consent, err error) {
	rows, err := c.tx.Query(ctx, "SELECT "+consentColumns+" FROM consent n WHERE n.county_code = $1 AND "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load consents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var one domain.Consent
		var sealed []byte
		var due sql.NullTime
		if err := rows.Scan(&one.ID, &one.Version, &one.PatientID, &one.Scope, &one.ReferralID, &one.Ordinal, &one.Receiver, &one.Recorded.Organization,
			&one.Recorded.Account, &due, &sealed, &one.Recorded.At); err != nil {
			return nil, fmt.Errorf("load consents: %w", err)
		}
		var content consentContent
		if err := c.open("consent", "content", versioned(one.ID, one.Version), sealed, &content); err != nil {
			return nil, fmt.Errorf("load consents: %w", err)
		}
		content.into(&one)
		one.Due, one.Recorded.At = utc(due), one.Recorded.At.UTC()
		out = append(out, one)
	}
	return out, rows.Err()
}

// owed is that a consent is still to come: nobody owes that of a referral which was taken back or refused.
const owed = `n.state = 'DEFERRED' AND NOT EXISTS (SELECT 1 FROM referral_standing s WHERE s.county_code = n.county_code
	AND s.referral_id = n.referral_id AND s.state IN ('CANCELLED', 'DECLINED'))`

// selected is the condition of a query.
func (c scope) selected(in app.ConsentQuery) (string, []any) {
	q := query{args: []any{c.county}}
	where := []string{"1 = 1"}
	if in.PatientID != "" {
		where = append(where, c.kin("n.patient_id", q.arg(in.PatientID)))
	}
	for _, pair := range [][2]string{
		{"n.scope", string(in.Scope)}, {"n.referral_id", in.ReferralID}, {"n.receiver_id", in.Receiver}, {"n.organization_id", in.Organization},
	} {
		if pair[1] != "" {
			where = append(where, pair[0]+" = "+q.arg(pair[1]))
		}
	}
	by, than, order := "n.create_time", "<", " ORDER BY n.create_time DESC, n.id DESC LIMIT "
	if in.Deferred {
		where = append(where, owed)
		by, than, order = "n.due_time", ">", " ORDER BY n.due_time, n.id LIMIT "
	}
	if in.After != (app.Cursor{}) {
		t, id := q.arg(in.After.Time), q.arg(in.After.ID)
		where = append(where, "("+by+" "+than+" "+t+" OR "+by+" = "+t+" AND n.id "+than+" "+id+")")
	}
	return strings.Join(where, " AND ") + order + q.arg(in.Limit), q.args
}

// Consents implements app.ConsentStore.
func (s *Store) Consents(ctx context.Context, county string, q app.ConsentQuery) (out []domain.Consent, err error) {
	err = s.read(ctx, county, func(c scope) error {
		where, args := c.selected(q)
		out, err = c.consents(ctx, where, args...)
		return err
	})
	return out, err
}

// Consent implements app.ConsentStore.
func (s *Store) Consent(ctx context.Context, county, id string) (out domain.Consent, err error) {
	err = s.read(ctx, county, func(c scope) error {
		out, err = c.consent(ctx, id, "")
		return err
	})
	return out, err
}

func (c scope) consent(ctx context.Context, id, lock string) (domain.Consent, error) {
	list, err := c.consents(ctx, "n.id = $2"+lock, c.county, id)
	if err != nil {
		return domain.Consent{}, err
	}
	if len(list) == 0 {
		return domain.Consent{}, errs.NotFound("consent")
	}
	return list[0], nil
}

// CountDeferred implements app.ConsentStore.
func (s *Store) CountDeferred(ctx context.Context, county, organization string, now time.Time) (count, overdue int, err error) {
	err = s.read(ctx, county, func(c scope) error {
		return c.tx.QueryRow(ctx, `SELECT count(*), count(CASE WHEN n.due_time < $3 THEN 1 END) FROM consent n
			WHERE n.county_code = $1 AND n.organization_id = $2 AND `+owed, county, organization, now).Scan(&count, &overdue)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count deferred consents: %w", err)
	}
	return count, overdue, nil
}

// consentChanges are what a unit read and collected.
type consentChanges struct {
	before map[string]domain.Consent
	puts   []domain.Consent
}

func (u *unit) sawConsents(list ...domain.Consent) {
	if u.consented.before == nil {
		u.consented.before = map[string]domain.Consent{}
	}
	for _, c := range list {
		u.consented.before[c.ID] = c
	}
}

// Consent implements app.ConsentUnit.
func (u *unit) Consent(ctx context.Context, id string) (domain.Consent, error) {
	c, err := u.consent(ctx, id, u.tx.ForUpdate())
	if err == nil {
		u.sawConsents(c)
	}
	return c, err
}

// Consents implements app.ConsentUnit.
func (u *unit) Consents(ctx context.Context, q app.ConsentQuery) ([]domain.Consent, error) {
	where, args := u.selected(q)
	list, err := u.consents(ctx, where+u.tx.ForUpdate(), args...)
	u.sawConsents(list...)
	return list, err
}

// PutConsent implements app.ConsentUnit.
func (u *unit) PutConsent(c domain.Consent) { u.consented.puts = append(u.consented.puts, c) }

// consents writes what was collected: a new one, or the next version of one that was read. What is new about it is audited and published.
func (d *derived) consents(ctx context.Context) error {
	u := d.u
	for _, c := range u.consented.puts {
		old, there := u.consented.before[c.ID]
		sealed, err := u.seal("consent", "content", versioned(c.ID, c.Version), toConsentContent(c))
		d.fail(err)
		state := string(c.State(u.Now()))
		if there {
			d.write(1, `UPDATE consent SET version = $3, state = $4, content = $5 WHERE county_code = $1 AND id = $2 AND version = $6`,
				u.county, c.ID, c.Version, state, sealed, old.Version)
		} else {
			d.write(1, `INSERT INTO consent (county_code, id, version, patient_id, scope, referral_id, ordinal, receiver_id, organization_id, account_id, state,
				due_time, content, create_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
				u.county, c.ID, c.Version, c.PatientID, string(c.Scope), c.ReferralID, c.Ordinal, c.Receiver, c.Recorded.Organization, c.Recorded.Account,
				state, nullTime(c.Due), sealed, c.Recorded.At)
			if c.DeferredReason != "" {
				d.audit("consent.defer", "consent", c.ID, c.PatientID, string(c.Scope))
			}
		}
		var names []string
		if old.Giving == nil && c.Giving != nil {
			d.audit("consent.give", "consent", c.ID, c.PatientID, string(c.Scope))
			names = append(names, domain.GaveConsent)
		}
		if old.Withdrawal == nil && c.Withdrawal != nil {
			d.audit("consent.withdraw", "consent", c.ID, c.PatientID, string(c.Scope))
			names = append(names, domain.WithdrewConsent)
		}
		if len(names) == 0 {
			continue
		}
		p, err := u.patient(ctx, c.PatientID, "")
		if err != nil {
			return err
		}
		for _, name := range names {
			fact := domain.Fact{Name: name, HomeOrganization: p.Home(), Consent: &c}
			if name == domain.WithdrewConsent && c.Scope == domain.ConsentSensitive {
				if fact.Holders, err = u.holders(ctx, c.PatientID); err != nil {
					return err
				}
			}
			d.publish(fact, c.PatientID, c.Version)
		}
	}
	return nil
}

// holders are the organisations that may see more of a patient than the index now, each once.
func (u *unit) holders(ctx context.Context, patient string) (out []string, err error) {
	held, err := u.scope.relations(ctx, u.kin("r.patient_id", "$2"), u.county, patient)
	if err != nil {
		return nil, err
	}
	for _, r := range held {
		if r.Holds(u.Now()) && r.Level >= domain.LevelPackage && !slices.Contains(out, r.Organization) {
			out = append(out, r.Organization)
		}
	}
	slices.Sort(out)
	return out, nil
}
