// Package chart draws measured values over time as a small SVG: up to two lines with what is usual behind them, each labelled where it ends.
//
// It computes places only; chart.html turns them into SVG and style/app.css into colours, so that no style stands in the page. The axis of values
// does not begin at 0: it reaches over all values, the ends of what is usual and the bounds that the caller gives, to round numbers, and the
// page says where it begins. Pure: no clock, no state.
package chart

import (
	"embed"
	"errors"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"
)

//go:embed chart.html
var files embed.FS

// Files hold the template "chart"; its argument is a dict of Drawing and Name, what the drawing shows in words.
func Files() fs.FS { return files }

// With are the files of a page and chart.html.
func With(own fs.FS) fs.FS { return drawn{own} }

// drawn opens a file of the page, else that of the charts.
type drawn struct{ own fs.FS }

func (d drawn) Open(name string) (fs.File, error) {
	f, err := d.own.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return files.Open(name)
	}
	return f, err
}

// Point is one value.
type Point struct {
	At    time.Time
	Value float64
}

// Line is values in the order of their times; Low and High are what is usual, and a nil end is open.
type Line struct {
	Name      string
	Points    []Point
	Low, High *float64
}

// Plot is what is to be drawn. The axis reaches at least from Low to High, if High is above Low.
type Plot struct {
	Lines     []Line
	Low, High float64
}

// Sizes of a drawing, in units of its own: it is shown as wide as there is room.
const (
	Width       = 360
	Height      = 200
	left, right = 38, 284
	top, bottom = 14, 172
	apart       = 15.0
	gap         = 8
)

// Drawing is where everything stands.
type Drawing struct {
	// From is where the axis begins; it is not 0.
	From  string
	Ticks []Mark
	Days  []Mark
	Bands []Band
	Lines []Drawn
}

// Mark is a word at a place.
type Mark struct {
	X, Y   string
	Text   string
	Anchor string
}

// Band is what is usual for the line with this number, from 1.
type Band struct {
	Number    int
	Y, Height string
}

// Drawn is a line with this number, from 1; two lines differ by their dots as well as by their colour.
type Drawn struct {
	Number int
	Path   string
	Dots   []Dot
	Label  Mark
	Last   string
}

// Dot is one value; X and Y are its middle, Left and Top the corner of a square around it.
type Dot struct {
	X, Y, Left, Top string
	Title           string
}

// Draw places everything; ok is false when there is no value to draw.
func Draw(p Plot) (d Drawing, ok bool) {
	first, last, found := span(p.Lines)
	if !found {
		return d, false
	}
	low, high := bounds(p)
	step := stepOf(high - low)
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	y := func(v float64) float64 { return bottom - (v-low)/(high-low)*(bottom-top) }
	x := func(t time.Time) float64 {
		if !last.After(first) {
			return (left + right) / 2
		}
		return left + gap + float64(t.Sub(first))/float64(last.Sub(first))*(right-left-2*gap)
	}
	d.From = Number(low)
	for i := 0; ; i++ {
		v := low + float64(i)*step
		if v > high+step/2 {
			break
		}
		d.Ticks = append(d.Ticks, Mark{X: place(left - 4), Y: place(y(v)), Text: Number(v)})
	}
	d.Days = days(first, last, x)
	for i, line := range p.Lines {
		if len(line.Points) == 0 {
			continue
		}
		if band, usual := bandOf(line, low, high, y); usual {
			band.Number = i + 1
			d.Bands = append(d.Bands, band)
		}
		d.Lines = append(d.Lines, draw(i+1, line, x, y))
	}
	d.separate()
	return d, true
}

func span(lines []Line) (first, last time.Time, found bool) {
	for _, l := range lines {
		for _, p := range l.Points {
			if !found || p.At.Before(first) {
				first = p.At
			}
			if !found || p.At.After(last) {
				last = p.At
			}
			found = true
		}
	}
	return first, last, found
}

// bounds of the axis before rounding.
func bounds(p Plot) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	reach := func(v float64) { low, high = math.Min(low, v), math.Max(high, v) }
	if p.High > p.Low {
		reach(p.Low)
		reach(p.High)
	}
	for _, l := range p.Lines {
		for _, one := range l.Points {
			reach(one.Value)
		}
		for _, end := range []*float64{l.Low, l.High} {
			if end != nil && len(l.Points) > 0 {
				reach(*end)
			}
		}
	}
	if high-low < 1e-9 {
		margin := math.Max(math.Abs(high)*0.1, 1)
		low, high = low-margin, high+margin
	}
	return low, high
}

// stepOf is a round distance of ticks, of which four or so fit.
func stepOf(span float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{1, 2, 5} {
		if span/(unit*m) <= 5 {
			return unit * m
		}
	}
	return unit * 10
}

func days(first, last time.Time, x func(time.Time) float64) []Mark {
	const layout, y = "2006-01-02", bottom + 20
	a, b := first.Format(layout), last.Format(layout)
	if a == b {
		return []Mark{{X: place((left + right) / 2), Y: place(y), Text: a, Anchor: "middle"}}
	}
	return []Mark{{X: place(x(first) - gap), Y: place(y), Text: a, Anchor: "start"}, {X: place(x(last) + gap), Y: place(y), Text: b, Anchor: "end"}}
}

func bandOf(l Line, low, high float64, y func(float64) float64) (Band, bool) {
	if l.Low == nil && l.High == nil {
		return Band{}, false
	}
	from, to := low, high
	if l.Low != nil {
		from = *l.Low
	}
	if l.High != nil {
		to = *l.High
	}
	return Band{Y: place(y(to)), Height: place(y(from) - y(to))}, true
}

func draw(number int, l Line, x func(time.Time) float64, y func(float64) float64) Drawn {
	out := Drawn{Number: number}
	var path strings.Builder
	for i, p := range l.Points {
		px, py := x(p.At), y(p.Value)
		command := " L"
		if i == 0 {
			command = "M"
		}
		path.WriteString(command + place(px) + " " + place(py))
		out.Dots = append(out.Dots, Dot{
			X: place(px), Y: place(py), Left: place(px - 3), Top: place(py - 3), Title: p.At.Format("2006-01-02 15:04") + "  " + Number(p.Value),
		})
	}
	out.Path = path.String()
	end := l.Points[len(l.Points)-1]
	out.Label = Mark{X: place(right + 4), Y: place(y(end.Value) + 4), Text: l.Name}
	out.Last = Number(end.Value)
	return out
}

// separate moves the labels of two lines apart, so that both can be read.
func (d *Drawing) separate() {
	if len(d.Lines) != 2 {
		return
	}
	a, _ := strconv.ParseFloat(d.Lines[0].Label.Y, 64)
	b, _ := strconv.ParseFloat(d.Lines[1].Label.Y, 64)
	if distance := math.Abs(a - b); distance < 2*apart {
		push := (2*apart - distance) / 2
		if a > b {
			push = -push
		}
		a, b = a-push, b+push
		d.Lines[0].Label.Y, d.Lines[1].Label.Y = place(a), place(b)
	}
}

func place(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// Number is a value without digits that no instrument has.
func Number(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
