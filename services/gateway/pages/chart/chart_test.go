package chart_test

import (
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/gateway/pages/chart"
)

var start = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

func line(name string, values ...float64) chart.Line {
	l := chart.Line{Name: name}
	for i, v := range values {
		l.Points = append(l.Points, chart.Point{At: start.AddDate(0, 0, i), Value: v})
	}
	return l
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestNothingToDrawIsSaid(t *testing.T) {
	t.Parallel()
	if _, ok := chart.Draw(chart.Plot{Lines: []chart.Line{{Name: "x"}}, High: 9}); ok {
		t.Error("something was drawn of nothing")
	}
}

func TestEverythingLiesInsideAndLaterIsFurtherRight(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]chart.Plot{
		"two lines":      {Lines: []chart.Line{line("a", 150, 182, 134), line("b", 90, 110, 84)}, Low: 60, High: 160},
		"one value":      {Lines: []chart.Line{line("a", 5)}},
		"the same value": {Lines: []chart.Line{line("a", 0, 0, 0)}},
		"tiny values":    {Lines: []chart.Line{line("a", 0.001, 0.0012)}},
		"huge values":    {Lines: []chart.Line{line("a", 1e9, 3e9)}},
		"below nought":   {Lines: []chart.Line{line("a", -3, 2)}},
	} {
		d, ok := chart.Draw(p)
		if !ok || len(d.Ticks) < 2 || len(d.Ticks) > 8 {
			t.Errorf("%s: %d ticks", name, len(d.Ticks))
		}
		for _, l := range d.Lines {
			before := -1.0
			for _, dot := range l.Dots {
				x, y := float(t, dot.X), float(t, dot.Y)
				if x <= before || x < 0 || x > chart.Width || y < 0 || y > chart.Height {
					t.Errorf("%s: a dot at %s, %s", name, dot.X, dot.Y)
				}
				before = x
			}
		}
	}
}

func TestMoreIsHigherOnBothLinesAlike(t *testing.T) {
	t.Parallel()
	d, _ := chart.Draw(chart.Plot{Lines: []chart.Line{line("a", 120, 140), line("b", 80, 140)}})
	a, b := d.Lines[0].Dots, d.Lines[1].Dots
	if float(t, a[1].Y) >= float(t, a[0].Y) || a[1].Y != b[1].Y {
		t.Errorf("%v %v", a, b)
	}
	if distance := math.Abs(float(t, d.Lines[0].Label.Y) - float(t, d.Lines[1].Label.Y)); distance < 29 {
		t.Errorf("labels are %v apart", distance)
	}
}

func TestWhatIsUsualIsABandThatMayBeOpen(t *testing.T) {
	t.Parallel()
	low, high := 3.5, 5.3
	shut, open := line("a", 4, 6), line("a", 95, 40)
	shut.Low, shut.High, open.Low = &low, &high, &low
	d, _ := chart.Draw(chart.Plot{Lines: []chart.Line{shut}, Low: 3, High: 6})
	if len(d.Bands) != 1 || float(t, d.Bands[0].Height) < 30 || d.From != "3" {
		t.Errorf("%+v from %s", d.Bands, d.From)
	}
	if y := float(t, d.Lines[0].Dots[0].Y); y < float(t, d.Bands[0].Y) || y > float(t, d.Bands[0].Y)+float(t, d.Bands[0].Height) {
		t.Error("a usual value lies outside of the band")
	}
	if y := float(t, d.Lines[0].Dots[1].Y); y >= float(t, d.Bands[0].Y) {
		t.Error("a high value lies in the band")
	}
	d, _ = chart.Draw(chart.Plot{Lines: []chart.Line{open}})
	if len(d.Bands) != 1 || float(t, d.Bands[0].Y) != 14 {
		t.Errorf("an open band does not reach the top: %+v", d.Bands)
	}
}

func TestTheDrawingIsWellFormedAndEscaped(t *testing.T) {
	t.Parallel()
	set, err := template.New("x").ParseFS(chart.Files(), "chart.html")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := chart.Draw(chart.Plot{Lines: []chart.Line{line("收缩压<b>", 150, 140), line("舒张压", 90, 80)}})
	var out strings.Builder
	if err := set.ExecuteTemplate(&out, "chart", map[string]any{"Drawing": d, "Name": `血压"图`}); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`role="img"`, "收缩压&lt;b&gt;", "舒张压", "2026-01-01 08:00  150", `class="line n2"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not there", want)
		}
	}
	if strings.Contains(out.String(), "ZgotmplZ") || strings.Contains(out.String(), "style=") {
		t.Error(out.String())
	}
}
