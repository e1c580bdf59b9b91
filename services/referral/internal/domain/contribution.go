package domain

// Moved is a part of a whole in two periods: how often it counts above and below the line. Of a count only what is above is looked at.
type Moved struct {
	Now, NowOf       int64
	Before, BeforeOf int64
}

// Contributions are how far each part moved the whole between the periods, and how far the whole moved: of a share as a fraction, of a count in
// cases. They add up to it. False, and nothing, for a share that one of the periods has none of.
//
// Of a count the contribution is the difference. Of a share it is what the part has above the line beyond the mean of both shares of the whole,
// (n − r̄·d) / D, now less before. That is the same as the change of the part's own share at its mean weight, plus the change of its weight times
// what its mean share is apart from r̄: so a department that does better moves the whole up, and so does one that is better than the rest and
// grows; one that only grows and is as the rest moves nothing. The rule is the usual decomposition with means of both periods (Bennet 1920;
// Marshall–Edgeworth weights), which leaves no remainder and treats both periods alike.
func Contributions(parts []Moved, share bool) (each []float64, whole float64, ok bool) {
	var all Moved
	for _, p := range parts {
		all = Moved{all.Now + p.Now, all.NowOf + p.NowOf, all.Before + p.Before, all.BeforeOf + p.BeforeOf}
	}
	each = make([]float64, len(parts))
	if !share {
		for i, p := range parts {
			each[i] = float64(p.Now - p.Before)
		}
		return each, float64(all.Now - all.Before), true
	}
	if all.NowOf == 0 || all.BeforeOf == 0 {
		return nil, 0, false
	}
	now, before := float64(all.Now)/float64(all.NowOf), float64(all.Before)/float64(all.BeforeOf)
	mean := (now + before) / 2
	for i, p := range parts {
		each[i] = (float64(p.Now)-mean*float64(p.NowOf))/float64(all.NowOf) - (float64(p.Before)-mean*float64(p.BeforeOf))/float64(all.BeforeOf)
	}
	return each, now - before, true
}
