package bench

import (
	"context"
	"sync"

	commonv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/common/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// kindsAtOnce are the kinds that one patient can have open side by side.
func kindsAtOnce() []commonv1.Kind_Code {
	return []commonv1.Kind_Code{commonv1.Kind_OUTPATIENT, commonv1.Kind_INPATIENT}
}

// create sends referrals without a hold, each doctor one after the other, until the run ends or the patients are used up.
func (r *runner) create(ctx context.Context) {
	var doctors sync.WaitGroup
	for _, d := range r.doctors {
		doctors.Go(func() { r.createBy(ctx, d) })
	}
	doctors.Wait()
}

func (r *runner) createBy(ctx context.Context, d *doctor) {
	for _, kind := range kindsAtOnce() {
		for _, patient := range d.patients {
			n, ok := r.more(ctx)
			if !ok || ctx.Err() != nil {
				return
			}
			request := r.request(&journey{n: n, kind: kind, patient: patient, doctor: d})
			referral, err := timed(ctx, r, step{"create+submit", d.person}, func(ctx context.Context) (*referralv1.Referral, error) {
				return r.Referral.CreateReferral(ctx, request)
			})
			if err != nil {
				r.failed.Add(1)
				continue
			}
			r.remember(&made{id: referral.GetId(), patient: patient, doctor: d.person})
			r.finished.Add(1)
		}
	}
}
