package domain

// Stage is how many referrals of a period came to one step of their way.
type Stage struct {
	N int64
	// Share is of the first stage, in percent; Lost is how many of the stage before did not come so far.
	Share float64
	Lost  int64
	// Worst marks the stage that most did not reach.
	Worst bool
}

// Stages are the sent and, in their order, how many of the same referrals reached each further stage; nil when nothing was sent. A later stage may
// have more than the one before, where a step was recorded without the one that leads to it: then nobody is lost there.
//
// The worst is the stage with the most lost in cases, not in percent, for those are the patients to ask after; of two the earlier, because what is
// mended there feeds the other; none when nobody is lost. The rule is the product's own (quality.md: a figure leads to what to do); no national text
// defines one.
func Stages(sent int64, reached []int64) []Stage {
	if sent <= 0 {
		return nil
	}
	out := []Stage{{N: sent, Share: 100}}
	worst := 0
	for i, n := range reached {
		one := Stage{N: n, Share: 100 * float64(n) / float64(sent), Lost: max(0, out[i].N-n)}
		out = append(out, one)
		if one.Lost > out[worst].Lost {
			worst = i + 1
		}
	}
	out[worst].Worst = worst > 0
	return out
}
