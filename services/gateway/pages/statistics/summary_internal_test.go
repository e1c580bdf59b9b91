package statistics

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// plainly words a text as its key with what stands in it, so that a test sees what is said and not how.
func plainly(key string, pairs ...any) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprintf("%v=%v", pairs[i], pairs[i+1]))
	}
	slices.Sort(parts)
	return strings.TrimPrefix(key, "report.") + "(" + strings.Join(parts, " ") + ")"
}

// lead is a headline of a percentage or, without a denominator, of a count.
func lead(code string, n, of int64, c change, a aim) headline {
	m := &referralv1.Measure{Code: code, Name: code, NameEn: code, Unit: "COUNT", Direction: "HIGHER_BETTER"}
	f := &referralv1.Figure{Measure: code, Numerator: n, Denominator: of}
	if of > 0 {
		m.Unit, f.Value, f.HasValue = "PERCENT", percent(n, of), true
		m.Denominators = []*referralv1.Denominator{{Code: "D"}}
	}
	return headline{figure: figureOf(m, f, scope{}), Change: c, Aim: a}
}

func TestTheSummarySaysWhatTheFiguresSay(t *testing.T) {
	t.Parallel()
	heads := func(all ...headline) map[string]headline {
		out := map[string]headline{}
		for _, h := range all {
			out[h.Measure.GetCode()] = h
		}
		return out
	}
	up, down := lead("UP-N", 54, 0, change{true, 8}, aim{}), lead("DN-N", 6, 0, change{true, -50}, aim{})
	for name, c := range map[string]struct {
		in   told
		want []string
	}{
		"of nothing it is silent": {told{}, nil},
		"no referral at all": {
			told{Heads: heads(lead("UP-N", 0, 0, change{}, aim{}), lead("DN-N", 0, 0, change{}, aim{}))}, []string{"volume.none()"},
		},
		"more up and fewer down": {
			told{Heads: heads(up, down)}, []string{"volume(down=6 downChange=change.down(n=50) up=54 upChange=change.up(n=8))"},
		},
		"nothing to compare with, and the same": {
			told{Heads: heads(lead("UP-N", 3, 0, change{}, aim{}), lead("DN-N", 1, 0, change{Known: true}, aim{}))},
			[]string{"volume(down=1 downChange=change.same() up=3 upChange=change.unknown())"},
		},
		"a rate below its target": {
			told{Heads: heads(lead(rateA, 5, 20, change{true, -3}, aim{Set: true, Value: 30, Apart: -5}))},
			[]string{
				"rate(change=change.points.down(n=3) n=5 name=reason-text(en=IND-DN-A zh=IND-DN-A) of=20 value=25.0%)",
				"target.missed(apart=unit.points(n=5) name=reason-text(en=IND-DN-A zh=IND-DN-A) target=30%)",
			},
		},
		"a count above its target": {
			told{Heads: heads(lead("UP-N", 54, 0, change{true, 8}, aim{Set: true, Value: 50, Apart: 4, Reached: true}), down)},
			[]string{
				"volume(down=6 downChange=change.down(n=50) up=54 upChange=change.up(n=8))",
				"target.reached(apart=unit.cases(n=4) name=reason-text(en=UP-N zh=UP-N) target=50)",
			},
		},
		"a rate of nobody": {
			told{Heads: map[string]headline{rateA: {figure: figure{Measure: &referralv1.Measure{Code: rateA, Unit: "PERCENT"}}}}},
			[]string{"rate.none(name=reason-text(en= zh=))"},
		},
		"where the way breaks off": {
			told{Up: []*referralv1.Stage{{Measure: "S", Count: 48}, {Measure: "STAGE-UP-SENT-DOWN", Count: 5, Lost: 32, Share: 10.4, Worst: true}}},
			[]string{"worst.up(lost=32 reached=5 sent=48 share=10.4% stage=overview.stage.STAGE-UP-SENT-DOWN())"},
		},
		"three reasons of four": {
			told{Returned: []tally{{"a", 4}, {"b", 3}, {"c", 2}, {"d", 1}}},
			[]string{"returned(n=10 top=tally(n=4 name=a)and()tally(n=3 name=b)and()tally(n=2 name=c))"},
		},
		"what stands still": {
			told{Late: []tally{{"answer", 2}}, Waiting: []tally{{"ward", 7}}, Medicines: []tally{{"替格瑞洛片", 3}}, Quiet: []tally{{"x", 27}, {"y", 0}}},
			[]string{
				"late(n=2 top=tally(n=2 name=answer))", "waiting(n=7 top=tally(n=7 name=ward))", "medicines(n=1 top=tally(n=3 name=替格瑞洛片))",
				"quiet(centres=quiet.days(n=27 name=x)and()quiet.never(n=0 name=y) n=2)",
			},
		},
		"what recognition saved":          {told{Saved: saving{Has: true, Avoided: 10, HasYuan: true, Yuan: "350.00"}}, []string{"recognised(n=10)", "saved(yuan=350.00)"}},
		"recognition that avoided nought": {told{Saved: saving{Has: true}}, nil},
	} {
		var got []string
		for _, paragraph := range summary(c.in) {
			for _, one := range paragraph {
				got = append(got, one.words(plainly))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s\nnot\n%s", name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
