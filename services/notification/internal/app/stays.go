package app

import (
	"context"
)

// OnStay tells the patient's home centre of an admission, a discharge, and of either that was taken back: each once, in whatever order and
// however often the facts of an encounter come.
func (a *App) OnStay(ctx context.Context, f ReferralFact) error {
	recipients := a.table.Recipients(f.Fact)
	if len(recipients) == 0 || f.Stay.Outpatient() && f.Stay.Version <= 1 {
		// At home, of nobody here, or a visit of which nothing was ever told.
		return nil
	}
	return a.take(ctx, f, recipients, func(u Unit) error {
		last, err := u.StayTold(ctx, f.Stay.EncounterID)
		if err != nil {
			return err
		}
		news := f.Stay.News(f.Event, last)
		if told := f.Stay.Told(news, last); told != last {
			if err := u.SaveStayTold(ctx, f.Stay.EncounterID, told); err != nil {
				return err
			}
		}
		if news == "" {
			return nil
		}
		f.Event = news
		return a.deliver(ctx, u, f)
	})
}
