package shell

import (
	"maps"
	"slices"
)

// Difference is what one change did to one line; From or To is empty where the line was new or went away.
type Difference struct{ Name, From, To string }

// Differences are what is not the same in two versions, line by line in words, in the order of their names.
func Differences(before, now map[string]string) []Difference {
	all := maps.Clone(before)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, now)
	var out []Difference
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if before[name] != now[name] {
			out = append(out, Difference{name, before[name], now[name]})
		}
	}
	return out
}
