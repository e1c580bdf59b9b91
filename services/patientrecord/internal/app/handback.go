package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/errs"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
)

// repliesConsumer names this service's reading of what comes back in the inbox.
const repliesConsumer = "patientrecord-replies"

// packConsumer names this service's packing of what comes back in the inbox: after the medicines are in the record, in a change of its own.
const packConsumer = "patientrecord-reply-packages"

// TakeBack takes what the county hands back with a referral: its medicines go into the patient's record, and with the answer of a referral
// what belongs to it is packed for the sender.
func (a *App) TakeBack(ctx context.Context, f ReferralFact) error {
	if err := a.takeMedicines(ctx, f); err != nil {
		return err
	}
	if !f.Standing.Answered() {
		return nil
	}
	cmd := Command{County: f.County, Account: f.Account, Organization: f.Organization, Consumer: packConsumer, FactID: f.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) error { return packReply(ctx, u, f.Standing) })
}

// packReply keeps what comes back with the answer: the record as it is then, and the results and documents since the patient was sent. What
// was not sent (an arrival that was written down afterwards) is taken to have begun domain.PackageSpan before. Again it changes nothing.
func packReply(ctx context.Context, u Unit, s domain.Standing) error {
	sent, there, err := u.Sent(ctx, s.ReferralID)
	if err != nil {
		return err
	}
	if sent.IsZero() {
		sent = s.At.Add(-domain.PackageSpan)
	}
	summary, err := u.Summary(ctx, s.PatientID)
	if err != nil {
		return err
	}
	results, err := u.ResultsBetween(ctx, s.PatientID, sent, u.Now(), packageResults)
	if err != nil {
		return err
	}
	documents, err := u.Travelling(ctx, s.PatientID, s.ReferralID, sent, u.Now())
	if err != nil {
		return err
	}
	documents = slices.DeleteFunc(documents, func(a domain.Attachment) bool { return there[a.ID()] })
	u.PutPackage(domain.Package{
		ReferralID: s.ReferralID, ReferralVersion: s.Version, Reply: true, Summary: summary, Results: results,
		Attachments: packed(documents), Assembled: u.Now(),
	})
	return nil
}

// Reply is the package that came back with a referral's answer, for whoever may see the referral's package. When the answer's fact has not
// come yet, what is handed back is taken at once; NotFound as long as there is no answer.
func (a *App) Reply(ctx context.Context, caller authn.Identity, referral string) (ShownPackage, error) {
	standing, level, err := a.party(ctx, caller, referral)
	if err != nil {
		return ShownPackage{}, err
	}
	p, ok, err := a.store.Reply(ctx, caller.County, referral)
	if err != nil {
		return ShownPackage{}, err
	}
	if !ok {
		if !standing.Answered() {
			if standing, err = a.fetch(ctx, caller, referral); err != nil {
				return ShownPackage{}, err
			}
		}
		if !standing.Answered() {
			return ShownPackage{}, errs.NotFound("package")
		}
		if err := a.TakeBack(ctx, ReferralFact{County: caller.County, Account: caller.Subject, Organization: caller.Organization, Standing: standing}); err != nil {
			return ShownPackage{}, err
		}
		if p, ok, err = a.store.Reply(ctx, caller.County, referral); err != nil || !ok {
			return ShownPackage{}, notThere(err)
		}
	}
	out, err := a.shownPackage(ctx, caller, handed{standing, level}, p)
	out.Version = domain.PackageVersion{ReferralVersion: p.ReferralVersion, Assembled: p.Assembled}
	return out, err
}

// takeMedicines writes the medicines that the county hands back with a referral into the patient's record, once for each fact: the next reader
// sees them; an arrival that was undone ends what it brought. What they are is asked of the referral service before the change; while it is away the answer is Unavailable, and the fact
// comes again. A medicine that is there already with the same content stays as it is; another content is another version.
func (a *App) takeMedicines(ctx context.Context, f ReferralFact) error {
	patient, entries, err := a.referrals.HandedBack(ctx, f.County, f.Standing.ReferralID)
	if errs.KindOf(err) == errs.KindNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask what referral %s hands back: %w", f.Standing.ReferralID, err)
	}
	undone := f.Standing.Away()
	if len(entries) == 0 && !undone {
		return nil
	}
	cmd := Command{County: f.County, Account: f.Account, Organization: f.Organization, Consumer: repliesConsumer, FactID: f.FactID}
	return a.store.Change(ctx, cmd, func(u Unit) (err error) {
		// Whoever holds the patient's row goes first; the other sees here what that one wrote.
		p, err := u.Patient(ctx, patient)
		if err != nil {
			return fmt.Errorf("load patient %s: %w", patient, err)
		}
		if undone {
			if f.Standing.Withheld, err = withheld(ctx, u, f.Standing); err != nil {
				return err
			}
			if err := a.follow(ctx, u, f.Standing); err != nil {
				return err
			}
		}
		known, there, err := u.Standing(ctx, f.Standing.ReferralID)
		if err != nil {
			return err
		}
		switch {
		case undone && (len(entries) > 0 || there && known.Version > f.Standing.Version && !known.Away()):
			return nil // the patient came again meanwhile; that arrival's own fact brings the medicines
		case undone:
			entries, err = a.ended(ctx, u, p, f.Standing.ReferralID)
		case there && known.Version > f.Standing.Version && known.Away():
			return nil
		}
		if err != nil || len(entries) == 0 {
			return err
		}
		_, err = u.PutEntries(ctx, p, entries)
		return err
	})
}

// ended are the medicines that came with an arrival which was undone, those that are still taken, each as its next version: stopped, with the
// reason.
func (a *App) ended(ctx context.Context, u Unit, p domain.Patient, referral string) (out []domain.Entry, err error) {
	for place := 1; ; place++ {
		e, there, err := u.EntryOf(ctx, p.ID(), domain.ReplySystem, domain.ReplyIdentity(referral, place))
		if err != nil || !there {
			return out, err
		}
		if slices.Contains(domain.PastStatuses(domain.KindMedication), e.Status) {
			continue
		}
		if e, err = a.stopped(e); err != nil {
			return nil, err
		}
		e.Because = domain.ArrivalUndone
		out = append(out, e)
	}
}
