package criteria

import (
	"cmp"
	"slices"
	"time"
)

// ageName is the one value that is not asked for: it comes from Input.Age.
const ageName = "age"

// clockSkew is how far ahead of us the clock of a device or another system may be. What was measured later than that does not count: it
// belongs to another moment than the one in question.
const clockSkew = 10 * time.Minute

// Evaluate holds a patient against the rules of a direction: those for everybody, and those of the conditions that the diagnoses are or
// raise the suspicion of. First what is met, the most urgent first, then what is unknown, then what is not met; then by code.
func (b *Book) Evaluate(in Input, at time.Time) []Result {
	k := b.gather(in, at)
	var out []Result
	for _, r := range b.applicable(in.Direction, in.Diagnoses) {
		out = append(out, b.result(r, k))
	}
	slices.SortFunc(out, func(x, y Result) int {
		return cmp.Or(statusRank(x.Status)-statusRank(y.Status), urgencyRank(x.Urgency)-urgencyRank(y.Urgency), cmp.Compare(x.Code, y.Code))
	})
	return out
}

func statusRank(status string) int { return slices.Index([]string{Met, Unknown, NotMet}, status) }

func urgencyRank(urgency string) int {
	return slices.Index([]string{Emergency, Urgent, Routine}, urgency)
}

// applicable are the rules of a direction that are looked at for these diagnoses.
func (b *Book) applicable(direction string, diagnoses []string) []*rule {
	concerned := map[string]bool{}
	for _, c := range b.conditions {
		concerned[c.Code] = c.Always || slices.ContainsFunc(diagnoses, func(icd string) bool {
			return anyHas(c.is, icd) || anyHas(c.suspected, icd)
		})
	}
	var out []*rule
	for _, r := range b.rules {
		if r.Direction == direction && concerned[r.Condition] {
			out = append(out, r)
		}
	}
	return out
}

// knowledge is what is known of a patient at one moment.
type knowledge struct {
	used     map[string]Used
	variable map[string]any     // the same for the expressions: float64 and bool
	unusable map[string]Missing // values that exist and do not count
}

func (b *Book) gather(in Input, at time.Time) knowledge {
	latest := map[string]Value{}
	last := at.Add(clockSkew)
	when := func(v Value) time.Time {
		if v.Time.IsZero() {
			return last
		}
		return v.Time
	}
	for _, v := range in.Values {
		before, again := latest[v.Name]
		if v.Name == ageName || when(v).After(last) || again && when(v).Before(when(before)) {
			continue
		}
		latest[v.Name] = v
	}
	if in.Age >= 0 {
		latest[ageName] = Value{Name: ageName, Number: float64(in.Age)}
	}
	k := knowledge{map[string]Used{}, map[string]any{}, map[string]Missing{}}
	for name, v := range latest {
		if d, exists := b.definitions[name]; exists {
			k.add(d, v, at.Sub(when(v)))
		}
	}
	return k
}

func (k knowledge) add(d ValueDefinition, v Value, old time.Duration) {
	m := Missing{
		Name: d.Name, Label: d.Label, LabelEn: d.LabelEn, Time: v.Time,
		TooOld: d.MaxAge > 0 && old > d.MaxAge, Implausible: d.Type == Number && !d.plausible(v.Number),
	}
	if m.TooOld || m.Implausible {
		k.unusable[d.Name] = m
		return
	}
	u := Used{ValueDefinition: d, Time: v.Time, Source: v.Source}
	if d.Type == Number {
		u.Number = v.Number
		k.variable[d.Name] = v.Number
	} else {
		u.Finding = v.Finding
		k.variable[d.Name] = v.Finding
	}
	k.used[d.Name] = u
}

func (b *Book) result(r *rule, k knowledge) Result {
	out := Result{Rule: r.Rule}
	for _, name := range r.Values {
		if u, known := k.used[name]; known {
			out.Used = append(out.Used, u)
		}
	}
	status, wanted := r.evaluate(k.variable)
	out.Status = status
	for _, name := range wanted {
		m, exists := k.unusable[name]
		if !exists {
			d := b.definitions[name]
			m = Missing{Name: name, Label: d.Label, LabelEn: d.LabelEn}
		}
		out.Missing = append(out.Missing, m)
	}
	return out
}
