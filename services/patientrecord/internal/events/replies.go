package events

import (
	"context"
	"fmt"

	"github.com/tongzhen/tongzhen/services/internal/bus"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
)

// Replies reads the facts after which the county hands something back: an up-referral is concluded, the patient of a down-referral came; and
// that the patient had not come after all.
func Replies() bus.Consumer {
	return bus.Consumer{
		Name: "patientrecord-replies", Workers: 2,
		Subjects: []string{"referral.v1.*.concluded", "referral.v1.*.answered", "referral.v1.*.arrived", "referral.v1.*.arrival_undone"},
	}
}

// TakeBack hands a message of Replies to the app.
func TakeBack(a *app.App) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		f, err := decode(m)
		if err != nil {
			return fmt.Errorf("read fact %s of type %s: %w", m.ID, m.Type, err)
		}
		return a.TakeBack(ctx, f)
	}
}

// Consents reads the facts with which a referral's consent comes or changes.
func Consents() bus.Consumer {
	return bus.Consumer{
		Name: "patientrecord-consents", Workers: 2,
		Subjects: []string{"referral.v1.*.submitted", "referral.v1.*.resubmitted", "referral.v1.*.consent_recorded"},
	}
}

// TakeConsent hands a message of Consents to the app.
func TakeConsent(a *app.App) func(context.Context, bus.Msg) error {
	return func(ctx context.Context, m bus.Msg) error {
		f, err := decode(m)
		if err != nil {
			return fmt.Errorf("read fact %s of type %s: %w", m.ID, m.Type, err)
		}
		return a.TakeConsent(ctx, f)
	}
}
