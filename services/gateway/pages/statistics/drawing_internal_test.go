package statistics

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

func TestBarsBeginAtNoughtAndGoByOneScale(t *testing.T) {
	t.Parallel()
	d := rowsDrawn([]row{{Value: 50}, {Value: 25}, {Value: 0}}, 0)
	if d.Rows[0].Width != rowMost || d.Rows[1].Width != rowMost/2 || d.Rows[2].Width != 0 || d.Height != 3*rowHeight {
		t.Errorf("%+v", d)
	}
	if d := rowsDrawn([]row{{Value: 50}}, 100); d.Rows[0].Width != rowMost/2 {
		t.Errorf("half of the scale is %d wide", d.Rows[0].Width)
	}
	p := pairsDrawn([]string{"2026-10", "2026-11"}, []int64{10, 20}, []int64{5, 0})
	if p.Pairs[0].UpWidth != pairMost/2 || p.Pairs[1].UpWidth != pairMost || p.Pairs[0].DownWidth != 63 || p.Pairs[1].DownWidth != 0 {
		t.Errorf("%+v", p)
	}
}

func TestTheBandsOfFlowsAreAsWideAsTheyAreLarge(t *testing.T) {
	t.Parallel()
	if got := sankeyOf(nil, "others"); got.Height != 0 || got.Bands != nil {
		t.Errorf("nothing flows: %+v", got)
	}
	var flows []flow
	total := int64(0)
	for i := range 12 {
		for j := range 3 {
			n := int64(20 - i + j)
			total += n
			flows = append(flows, flow{"centre " + strconv.Itoa(i), fmt.Sprint("department ", j), n})
		}
	}
	got := sankeyOf(flows, "others")
	if len(got.Left) != nodesMost+1 || len(got.Right) != 3 {
		t.Fatalf("%d left, %d right", len(got.Left), len(got.Right))
	}
	var wide float64
	for _, b := range got.Bands {
		w, err := strconv.ParseFloat(b.Width, 64)
		if err != nil {
			t.Fatal(err)
		}
		wide += w
	}
	if math.Abs(wide-flowTall) > 2 {
		t.Errorf("all bands are %.1f wide together, not %d", wide, flowTall)
	}
	for i, n := range got.Left {
		if n.H < nodeLeast || i > 0 && n.Y < got.Left[i-1].Y+got.Left[i-1].H {
			t.Errorf("%s stands over the one before, or is too low for its word", n.Name)
		}
		if int(n.Y+n.H) > got.Height {
			t.Errorf("%s ends outside", n.Name)
		}
	}
}

func TestALineRunsThroughNoNumber(t *testing.T) {
	t.Parallel()
	d := rowsDrawn([]row{{Value: 70, Shown: "70.0%", Note: "7/10"}, {Value: 82, Shown: "82.0%"}, {Value: 20, Shown: "20.0%", Note: "2/10"}}, 100)
	const x = 80 * rowMost / 100
	d.clearOf(x)
	for i, r := range d.Rows {
		if wide := letterWide * len(r.Shown+" "+r.Note); r.End < x && r.End+wide > x || r.End < r.Width {
			t.Errorf("row %d: from %d to %d with a line at %d", i, r.End, r.End+wide, x)
		}
	}
	if d.Rows[2].End != d.Rows[2].Width+6 || d.Rows[0].End != x+6 {
		t.Errorf("%+v", d.Rows)
	}
}
