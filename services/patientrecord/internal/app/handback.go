package app

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/errs"
)

// repliesConsumer names this service's reading of what comes back in the inbox.
const repliesConsumer = "patientrecord-replies"

// TakeBack writes the medicines that the county hands back with a referral into the patient's record, once for each fact: the next reader
// sees them. What they are is asked of the referral service before the change; while it is away the answer is Unavailable, and the fact
// comes again. A medicine that is there already with the same content stays as it is; another content is another version.
func (a *App) TakeBack(ctx context.Context, f ReferralFact) error {
	patient, entries, err := a.referrals.HandedBack(ctx, f.County, f.Standing.ReferralID)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask what referral %s hands back: %w", f.Standing.ReferralID, err)
	}
	if len(entries) == 0 {
		return nil
	}
	cmd := Command{County: f.County, Account: f.Account, Organization: f.Organization, Consumer: repliesConsumer, FactID: f.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) error {
		p, err := u.Patient(ctx, patient)
		if err != nil {
			return fmt.Errorf("load patient %s: %w", patient, err)
		}
		_, err = u.PutEntries(ctx, p, entries)
		return err
	})
}
