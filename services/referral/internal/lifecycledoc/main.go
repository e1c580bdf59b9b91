// Command lifecycledoc writes the life cycle of a referral as a document: a diagram for each direction and the whole table, both from the
// one table in package domain, so that they cannot differ from what the program does. `make generate` runs it, `make verify` compares.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tongzhen/tongzhen/services/referral/internal/domain"
)

func main() {
	// A pipe that breaks ends the command by a signal; what is missing then is what verify compares.
	out := bufio.NewWriter(os.Stdout)
	write(out)
	_ = out.Flush()
}

func write(out io.Writer) {
	fmt.Fprint(out, "<!-- Generated from services/referral/internal/domain by `make generate`; not to be edited. -->\n\n# The life of a referral\n")
	for _, d := range []struct {
		direction domain.Direction
		title     string
	}{{domain.Up, "Up (上转)"}, {domain.Down, "Down (下转)"}, {domain.Out, "Out (外转)"}} {
		fmt.Fprintf(out, "\n## %s\n\n```mermaid\nstateDiagram-v2\n", d.title)
		diagram(out, d.direction)
		fmt.Fprint(out, "```\n")
	}
	fmt.Fprint(out, "\n## Transitions\n\nA transition that is not here is refused.\n\n| from | action | to | who | must carry | applies to |\n|---|---|---|---|---|---|\n")
	for _, r := range domain.Lifecycle() {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", from(r.From), r.Action, to(r), words(r.Who), or(words(r.Carries), "—"), applies(r.Applies))
	}
	fmt.Fprint(out, "\n## Marks\n\nMarks change no state and no version.\n\n| mark | in | who | must carry | applies to |\n|---|---|---|---|---|\n")
	for _, m := range domain.Marks() {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", m.Action, words(m.In), words(m.Who), or(words(m.Carries), "—"), applies(m.Applies))
	}
}

// diagram draws the states that referrals of a direction can be in: rows that start from a state that none of them reaches are left out.
func diagram(out io.Writer, d domain.Direction) {
	reached := []domain.State{domain.StateNone}
	var lines []string
	for i := 0; i < len(reached); i++ {
		for _, r := range domain.Lifecycle() {
			starts := slices.Contains(r.From, reached[i]) || len(r.From) == 0 && reached[i] == domain.StateNone
			if !starts || !slices.Contains(r.Applies.Directions, d) || !slices.ContainsFunc(domain.KindsOf(d), func(k domain.Kind) bool { return r.Applies.Has(d, k) }) {
				continue
			}
			next := r.To
			if next == domain.StateNone {
				next = reached[i]
			}
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
			line := fmt.Sprintf("    %s --> %s: %s%s\n", node(reached[i]), node(next), r.Action, some(d, r.Applies))
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	for _, s := range []domain.State{domain.StateDeclined, domain.StateCancelled, domain.StateClosed} {
		if slices.Contains(reached, s) {
			lines = append(lines, fmt.Sprintf("    %s --> [*]\n", s))
		}
	}
	fmt.Fprint(out, strings.Join(lines, ""))
}

func node(s domain.State) string { return or(string(s), "[*]") }

// some names the kinds of a direction that a row applies to, if it is not all of them.
func some(d domain.Direction, s domain.Scope) string {
	var kinds []domain.Kind
	for _, k := range domain.KindsOf(d) {
		if s.Has(d, k) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == len(domain.KindsOf(d)) {
		return ""
	}
	return " (" + words(kinds) + ")"
}

func from(states []domain.State) string { return or(words(states), "—") }

func to(r domain.Row) string { return or(string(r.To), "same") }

func applies(s domain.Scope) string {
	var out []string
	for _, d := range s.Directions {
		var kinds []domain.Kind
		for _, k := range domain.KindsOf(d) {
			if s.Has(d, k) {
				kinds = append(kinds, k)
			}
		}
		switch len(kinds) {
		case 0:
		case len(domain.KindsOf(d)):
			out = append(out, string(d))
		default:
			out = append(out, string(d)+" "+words(kinds))
		}
	}
	return strings.Join(out, "; ")
}

func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return strings.Join(out, " ")
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}
