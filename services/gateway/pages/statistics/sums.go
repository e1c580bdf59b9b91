package statistics

import (
	"slices"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// sums are the sentences that say why totals which a reader holds against each other differ. Of totals that agree there is none.
func sums(found []*referralv1.Figure) (out []sentence) {
	n := func(code string) int64 { return first(found, code).GetNumerator() }
	up, care := n("UP-N"), first(found, "STAGE-UP-ANSWERED").GetDenominator()
	if up != care && up > 0 {
		out = append(out, sentence{"overview.sums.up", map[string]any{"n": up, "care": care, "rest": up - care}})
	}
	down, standing := n("DN-N"), n("IND-T3-2")
	if down != standing && down > 0 {
		out = append(out, sentence{"overview.sums.standing", map[string]any{"n": down, "standing": standing, "off": down - standing}})
	}
	ofDischarges, cameBack, staged := n(rateA), n(rateB), n("STAGE-UP-SENT-DOWN")
	if slices.ContainsFunc([]int64{ofDischarges, cameBack, staged}, func(other int64) bool { return other != down }) {
		out = append(out, sentence{"overview.sums.down", map[string]any{"n": down, "discharges": ofDischarges, "back": cameBack, "staged": staged}})
	}
	if returned, declined := n("RETURNED-N"), n("DECLINED-N"); returned > 0 && declined > 0 {
		out = append(out, sentence{"overview.sums.reasons", map[string]any{"returned": returned, "declined": declined}})
	}
	return out
}

// reckoned words the sums of figures.
func reckoned(found []*referralv1.Figure, t func(key string, pairs ...any) string) []string {
	var out []string
	for _, one := range sums(found) {
		out = append(out, one.words(t))
	}
	return out
}

// counted tells whether a month has a case in any of its figures.
func (m monthRow) counted() bool {
	return slices.ContainsFunc([]figure{m.Up, m.Down, m.Rate}, figure.counted)
}

func (f figure) counted() bool { return f.GetNumerator() != 0 || f.GetDenominator() != 0 }

// begun leaves out what comes before the first that counts: a chart begins where there is something. None is left where nothing counts.
func begun[T any](all []T, counts func(T) bool) []T {
	i := slices.IndexFunc(all, counts)
	if i < 0 {
		return nil
	}
	return all[i:]
}
