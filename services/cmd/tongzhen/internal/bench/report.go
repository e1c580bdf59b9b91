package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run measured and found.
type Report struct {
	What       string // journeys or referrals
	Finished   int
	Failed     int
	Rate       float64 // at which they began at most; 0: as fast as they went
	Elapsed    time.Duration
	Delivered  time.Duration // from the start until the last inbox entry was written
	Steps      []Step
	Violations []string
}

func (r *runner) report(elapsed time.Duration, delivered time.Time) Report {
	out := Report{
		What: "journeys", Finished: int(r.finished.Load()), Failed: int(r.failed.Load()), Rate: r.options.Rate, Elapsed: elapsed,
		Steps: r.meter.all(), Violations: r.breaches,
	}
	if r.options.OnlyCreate {
		out.What = "referrals"
	}
	if !delivered.IsZero() {
		out.Delivered = max(delivered.Sub(r.begin), elapsed)
	}
	return out
}

// PerSecond is how many were finished in the time that the load ran.
func (r Report) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Finished) / r.Elapsed.Seconds()
}

// shownViolations are enough to see what is wrong.
const shownViolations = 20

// Print writes the report for people.
func (r Report) Print(w io.Writer) {
	fmt.Fprintf(w, "%d %s in %.1f s: %.1f/s", r.Finished, r.What, r.Elapsed.Seconds(), r.PerSecond())
	if r.Rate > 0 {
		fmt.Fprintf(w, ", begun at %.1f/s", r.Rate)
	}
	if r.Delivered > 0 {
		fmt.Fprintf(w, "; the last notification after %.1f s: %.1f/s with every fact delivered", r.Delivered.Seconds(), float64(r.Finished)/r.Delivered.Seconds())
	}
	if r.Failed > 0 {
		fmt.Fprintf(w, "; %d failed", r.Failed)
	}
	fmt.Fprint(w, "\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "step\tcount\tper s\tp50 ms\tp95 ms\tp99 ms\tmax ms\terrors\t")
	for _, s := range r.Steps {
		errors := 0
		for _, n := range s.Failures {
			errors += n
		}
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%s\t%s\t%s\t%s\t%d\t\n", s.Name, s.Count, s.PerSecond, ms(s.P50), ms(s.P95), ms(s.P99), ms(s.Max), errors)
	}
	_ = table.Flush() // into what the caller gave; whoever is gone is not told
	for _, s := range r.Steps {
		for _, reason := range slices.Sorted(maps.Keys(s.Failures)) {
			fmt.Fprintf(w, "\n%s: %d × %s", s.Name, s.Failures[reason], reason)
		}
	}
	if len(r.Violations) == 0 {
		fmt.Fprintln(w, "\ninvariants: nothing lost, nothing doubled, no place given twice, every history a path, every notification once, figures as the histories say")
		return
	}
	fmt.Fprintf(w, "\n%d invariants broken:\n  %s\n", len(r.Violations), strings.Join(r.Violations[:min(len(r.Violations), shownViolations)], "\n  "))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond)) }
