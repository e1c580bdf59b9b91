package statistics

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Drawings are computed in units of 360 across, so that their words are readable on a phone; app.css gives them colours by class: up, down, lost,
// other. Bars begin at nought.
const (
	drawnWidth = 360
	rowHeight  = 40
	rowBar     = 15
	rowMost    = 270 // the longest bar; its number stands behind it
)

// row is one bar with its words above it.
type row struct {
	Label, Shown, Class string
	Value               float64
	// Note stands behind the number: a share, a loss.
	Note string

	Text, Y, Width, End, Middle int
}

// rowsDrawn places bars on a scale to most; 0 takes the longest.
func rowsDrawn(rows []row, most float64) drawing {
	for _, r := range rows {
		most = max(most, r.Value)
	}
	for i := range rows {
		r := &rows[i]
		r.Text, r.Y = i*rowHeight+13, i*rowHeight+18
		if most > 0 {
			r.Width = int(math.Round(r.Value / most * rowMost))
		}
		r.End, r.Middle = r.Width+6, r.Y+12
	}
	return drawing{Rows: rows, Height: len(rows) * rowHeight}
}

// drawing is bars one below the other.
type drawing struct {
	Rows   []row
	Height int
}

// letterWide is how wide a letter of a number is, the widest of them.
const letterWide = 8

// clearOf puts the words that a line at x would run through behind it.
func (d drawing) clearOf(x int) {
	const gap = 6
	for i := range d.Rows {
		r := &d.Rows[i]
		if wide := letterWide * len([]rune(r.Shown+" "+r.Note)); x > r.End-gap && x < r.End+wide {
			r.End = x + gap
		}
	}
}

// pair is a month with two bars.
type pair struct {
	Label     string
	Up, Down  string
	Text      int
	UpY       int
	UpWidth   int
	UpEnd     int
	UpText    int
	DownY     int
	DownWidth int
	DownEnd   int
	DownText  int
}

// pairs are months below each other, both bars on one scale from nought.
type pairs struct {
	Pairs  []pair
	Height int
}

const (
	pairHeight = 36
	pairBar    = 13
	pairLeft   = 58
	pairMost   = 250
)

// pairsDrawn places the bars of months; up and down are as long as labels.
func pairsDrawn(labels []string, up, down []int64) pairs {
	most := int64(1)
	for i := range labels {
		most = max(most, up[i], down[i])
	}
	width := func(n int64) int { return int(math.Round(float64(n) / float64(most) * pairMost)) }
	out := pairs{Height: len(labels) * pairHeight}
	for i, label := range labels {
		y := i * pairHeight
		out.Pairs = append(out.Pairs, pair{
			Label: label, Up: strconv.FormatInt(up[i], 10), Down: strconv.FormatInt(down[i], 10), Text: y + 19,
			UpY: y + 2, UpWidth: width(up[i]), UpEnd: pairLeft + width(up[i]) + 5, UpText: y + 13,
			DownY: y + 3 + pairBar, DownWidth: width(down[i]), DownEnd: pairLeft + width(down[i]) + 5, DownText: y + 14 + pairBar,
		})
	}
	return out
}

// flow is how many went from one place to another.
type flow struct {
	From, To string
	N        int64
}

// node is a place in a drawing of flows.
type node struct {
	Name    string
	N       int64
	X, Y, H float64
	TextX   int
	TextY   float64
	Anchor  string
	at      float64
}

// band is a flow between two nodes, as wide as it is large.
type band struct {
	Path  string
	Width string
	Title string
}

// sankey is flows from the places on the left to those on the right.
type sankey struct {
	Left, Right []node
	Bands       []band
	Height      int
}

const (
	nodesMost = 8
	nodeGap   = 7
	nodeLeast = 13
	nodeWide  = 8
	sideWide  = 104
	flowTall  = 250
)

// folded gives the small places of a side, which cannot be drawn alone, one name.
func folded(flows []flow, side func(flow) string, other string) func(string) string {
	totals := map[string]int64{}
	for _, f := range flows {
		totals[side(f)] += f.N
	}
	names := make([]string, 0, len(totals))
	for name := range totals {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b)) })
	if len(names) <= nodesMost+1 {
		return func(name string) string { return name }
	}
	kept := names[:nodesMost]
	return func(name string) string {
		if slices.Contains(kept, name) {
			return name
		}
		return other
	}
}

// sankeyOf draws flows; the smaller places of a side go together under a word. The widths of bands are true, a node is at least as high as its
// word.
func sankeyOf(flows []flow, other string) sankey {
	from := folded(flows, func(f flow) string { return f.From }, other)
	to := folded(flows, func(f flow) string { return f.To }, other)
	merged := map[[2]string]int64{}
	var total int64
	for _, f := range flows {
		merged[[2]string{from(f.From), to(f.To)}] += f.N
		total += f.N
	}
	if total == 0 {
		return sankey{}
	}
	scale := float64(flowTall) / float64(total)
	left, lowest := nodesOf(merged, 0, scale)
	right, lower := nodesOf(merged, 1, scale)
	for i := range left {
		left[i].X, left[i].TextX, left[i].Anchor = sideWide, sideWide-5, "end"
	}
	for i := range right {
		right[i].X, right[i].TextX, right[i].Anchor = drawnWidth-sideWide-nodeWide, drawnWidth-sideWide+5, "start"
	}
	out := sankey{Height: int(math.Ceil(max(lowest, lower)))}
	for i := range left {
		for j := range right {
			n := merged[[2]string{left[i].Name, right[j].Name}]
			if n == 0 {
				continue
			}
			wide := float64(n) * scale
			a, b := left[i].at+wide/2, right[j].at+wide/2
			left[i].at += wide
			right[j].at += wide
			x1, x2 := float64(sideWide+nodeWide), float64(drawnWidth-sideWide-nodeWide)
			half := (x1 + x2) / 2
			out.Bands = append(out.Bands, band{
				Path:  "M" + at(x1) + " " + at(a) + "C" + at(half) + " " + at(a) + " " + at(half) + " " + at(b) + " " + at(x2) + " " + at(b),
				Width: at(max(wide, 0.5)), Title: left[i].Name + " → " + right[j].Name + "  " + strconv.FormatInt(n, 10),
			})
		}
	}
	out.Left, out.Right = left, right
	return out
}

// nodesOf places the nodes of a side, the largest first, and tells where they end.
func nodesOf(flows map[[2]string]int64, side int, scale float64) ([]node, float64) {
	totals := map[string]int64{}
	for key, n := range flows {
		totals[key[side]] += n
	}
	out := make([]node, 0, len(totals))
	for name, n := range totals {
		out = append(out, node{Name: name, N: n})
	}
	slices.SortFunc(out, func(a, b node) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	y := 0.0
	for i := range out {
		wide := float64(out[i].N) * scale
		tall := max(wide, nodeLeast)
		out[i].Y, out[i].H = y, tall
		out[i].at = y + (tall-wide)/2
		out[i].TextY = y + tall/2 + 4
		y += tall + nodeGap
	}
	return out, max(0, y-nodeGap)
}

func at(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
