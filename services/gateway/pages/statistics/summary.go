package statistics

import (
	"math"
	"slices"
	"strconv"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// sentence is a text with what stands in it; a value that is itself a sentence is worded first.
type sentence struct {
	Key  string
	With map[string]any
}

// words words a sentence by the texts of a language.
func (s sentence) words(t func(key string, pairs ...any) string) string {
	var pairs []any
	for name, value := range s.With {
		switch v := value.(type) {
		case sentence:
			value = v.words(t)
		case []sentence:
			joined := ""
			for i, one := range v {
				if i > 0 {
					joined += t("report.and")
				}
				joined += one.words(t)
			}
			value = joined
		}
		pairs = append(pairs, name, value)
	}
	return t(s.Key, pairs...)
}

// told is what a summary is made of: figures with their names, nothing to be asked any more.
type told struct {
	// Heads by code; one that is missing is not told of.
	Heads    map[string]headline
	Up, Down []*referralv1.Stage
	// Returned, Declined and Dismissed are reasons with their numbers, the most frequent first; Waiting are departments.
	Returned, Declined, Dismissed, Waiting []tally
	Medicines                              []tally
	Quiet                                  []tally // days since the last referral; 0 for one that never sent
	Late                                   []tally // by step
	Saved                                  saving
	// Moved are the departments that moved a rate most, by its code.
	Moved map[string][]mover
	// Answer is the time to the first answer; nil where there is none.
	Answer *referralv1.Figure
}

// mover is a department and by how many points it moved a rate, with the sign.
type mover struct {
	Name string
	By   float64
}

// tally is a thing and how often.
type tally struct {
	Name string
	N    int64
}

// topMost is how many a sentence names of a list.
const topMost = 3

// summary is what a clerk would write of the figures, paragraph by paragraph. Of what there is nothing it says so once, or is silent.
func summary(d told) [][]sentence {
	return slices.DeleteFunc([][]sentence{d.volume(), d.rate(), d.speed(), d.way(), d.refusals(), d.standstill(), d.savings()},
		func(paragraph []sentence) bool { return len(paragraph) == 0 })
}

func (d told) volume() []sentence {
	up, hasUp := d.Heads["UP-N"]
	down, hasDown := d.Heads["DN-N"]
	if !hasUp || !hasDown {
		return nil
	}
	if up.GetNumerator() == 0 && down.GetNumerator() == 0 {
		return []sentence{{Key: "report.volume.none"}}
	}
	out := []sentence{{"report.volume", map[string]any{
		"up": up.GetNumerator(), "upChange": moved(up), "down": down.GetNumerator(), "downChange": moved(down),
	}}}
	return append(out, d.targetOf(up, down)...)
}

// moved words a change against the period before.
func moved(h headline) sentence {
	switch by := h.Change.By; {
	case !h.Change.Known:
		return sentence{Key: "report.change.unknown"}
	case by == 0:
		return sentence{Key: "report.change.same"}
	case h.Points() && by > 0:
		return sentence{"report.change.points.up", map[string]any{"n": shownNumber(by)}}
	case h.Points():
		return sentence{"report.change.points.down", map[string]any{"n": shownNumber(-by)}}
	case by > 0:
		return sentence{"report.change.up", map[string]any{"n": shownNumber(by)}}
	default:
		return sentence{"report.change.down", map[string]any{"n": shownNumber(-by)}}
	}
}

func shownNumber(v float64) string { return strconv.FormatFloat(tenth(v), 'f', -1, 64) }

// targetOf says how figures stand to their targets.
func (told) targetOf(heads ...headline) []sentence {
	var out []sentence
	for _, h := range heads {
		known := h.Shown != "" || h.Measure.GetUnit() == "COUNT"
		if !h.Aim.Set || !known {
			continue
		}
		key, unit := "report.target.missed", "report.unit.cases"
		if h.Aim.Reached {
			key = "report.target.reached"
		}
		if h.Points() {
			unit = "report.unit.points"
		}
		out = append(out, sentence{key, map[string]any{
			"name": nameOf(h.Measure), "target": shownAim(h), "apart": sentence{unit, map[string]any{"n": shownNumber(max(h.Aim.Apart, -h.Aim.Apart))}},
		}})
	}
	return out
}

func shownAim(h headline) string {
	if h.Points() {
		return shownNumber(h.Aim.Value) + "%"
	}
	return shownNumber(h.Aim.Value)
}

// nameOf is the name of a measure as a text in both languages.
func nameOf(m *referralv1.Measure) sentence {
	return sentence{"reason-text", map[string]any{"zh": m.GetName(), "en": m.GetNameEn()}}
}

func (d told) rate() []sentence {
	var out []sentence
	for _, code := range []string{rateA, rateB} {
		h, ok := d.Heads[code]
		switch {
		case !ok:
		case h.Shown == "":
			out = append(out, sentence{"report.rate.none", map[string]any{"name": nameOf(h.Measure)}})
		default:
			out = append(out, sentence{"report.rate", map[string]any{
				"name": nameOf(h.Measure), "value": h.Shown, "n": h.GetNumerator(), "of": h.GetDenominator(), "change": moved(h),
			}})
			out = append(append(out, d.movedBy(code)...), d.targetOf(h)...)
		}
	}
	return out
}

// movedBy says which departments pulled a rate up most and which down: those first that pulled where it went.
func (d told) movedBy(code string) []sentence {
	said := map[bool][]sentence{}
	for _, one := range d.Moved[code] {
		if up := one.By > 0; len(said[up]) < topMost {
			said[up] = append(said[up], sentence{"report.mover", map[string]any{"name": one.Name, "by": shownNumber(math.Abs(one.By))}})
		}
	}
	rose := d.Heads[code].Change.By > 0
	var out []sentence
	for _, up := range []bool{rose, !rose} {
		if top := said[up]; len(top) > 0 {
			out = append(out, sentence{map[bool]string{true: "report.raised", false: "report.lowered"}[up], map[string]any{"top": top}})
		}
	}
	return out
}

func (d told) speed() []sentence {
	var out []sentence
	if h, ok := d.Heads["IND-ACK"]; ok && h.Shown != "" {
		out = append(out, sentence{"report.answered", map[string]any{"value": h.Shown, "change": moved(h)}})
		out = append(out, d.targetOf(h)...)
	}
	if d.Answer.GetHasValue() {
		median, ninety := spanOf(d.Answer.GetMedian()), spanOf(d.Answer.GetPercentile_90())
		out = append(out, sentence{"report.answer-time", map[string]any{
			"median": sentence{"statistics.span." + median.Unit, map[string]any{"n": median.Number}},
			"ninety": sentence{"statistics.span." + ninety.Unit, map[string]any{"n": ninety.Number}},
		}})
	}
	return out
}

// way says where the most were lost, and what came back too soon.
func (d told) way() []sentence {
	var out []sentence
	for _, way := range []struct {
		key    string
		stages []*referralv1.Stage
	}{{"report.worst.up", d.Up}, {"report.worst.down", d.Down}} {
		key, stages := way.key, way.stages
		i := slices.IndexFunc(stages, func(s *referralv1.Stage) bool { return s.GetWorst() })
		if i > 0 {
			out = append(out, sentence{key, map[string]any{
				"sent": stages[0].GetCount(), "stage": sentence{Key: "overview.stage." + stages[i].GetMeasure()}, "lost": stages[i].GetLost(),
				"reached": stages[i].GetCount(), "share": shownPercent(stages[i].GetShare()),
			}})
		}
	}
	if h, ok := d.Heads["BOUNCE"]; ok && h.GetNumerator() > 0 {
		out = append(out, sentence{"report.bounced", map[string]any{"n": h.GetNumerator(), "value": h.Shown}})
	}
	return out
}

func (d told) refusals() []sentence {
	var out []sentence
	for _, one := range []struct {
		key  string
		list []tally
	}{{"report.returned", d.Returned}, {"report.declined", d.Declined}} {
		if len(one.list) > 0 {
			out = append(out, sentence{one.key, map[string]any{"n": sum(one.list), "top": top(one.list)}})
		}
	}
	return out
}

// standstill is what waits now, and for what.
func (d told) standstill() []sentence {
	var out []sentence
	if len(d.Late) > 0 {
		out = append(out, sentence{"report.late", map[string]any{"n": sum(d.Late), "top": top(d.Late)}})
	}
	if len(d.Waiting) > 0 {
		out = append(out, sentence{"report.waiting", map[string]any{"n": sum(d.Waiting), "top": top(d.Waiting)}})
	}
	if len(d.Dismissed) > 0 {
		out = append(out, sentence{"report.dismissed", map[string]any{"n": sum(d.Dismissed), "top": top(d.Dismissed)}})
	}
	if len(d.Medicines) > 0 {
		out = append(out, sentence{"report.medicines", map[string]any{"n": len(d.Medicines), "top": top(d.Medicines)}})
	}
	var quiet []sentence
	for _, q := range d.Quiet {
		key := "report.quiet.days"
		if q.N == 0 {
			key = "report.quiet.never"
		}
		quiet = append(quiet, sentence{key, map[string]any{"name": q.Name, "n": q.N}})
	}
	if len(quiet) > 0 {
		out = append(out, sentence{"report.quiet", map[string]any{"n": len(quiet), "centres": quiet}})
	}
	return out
}

func (d told) savings() []sentence {
	if !d.Saved.Has || d.Saved.Avoided == 0 {
		return nil
	}
	out := []sentence{{"report.recognised", map[string]any{"n": d.Saved.Avoided}}}
	if d.Saved.HasYuan {
		out = append(out, sentence{"report.saved", map[string]any{"yuan": d.Saved.Yuan}})
	}
	return out
}

func sum(list []tally) (n int64) {
	for _, one := range list {
		n += one.N
	}
	return n
}

// top names the first of a list with their numbers.
func top(list []tally) []sentence {
	var out []sentence
	for _, one := range list[:min(len(list), topMost)] {
		out = append(out, sentence{"report.tally", map[string]any{"name": one.Name, "n": one.N}})
	}
	return out
}
