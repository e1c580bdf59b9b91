package queue

// Why a row of the queue has no answer with one click: the end of a text key.
const (
	shortBeds  = "bed"  // those before it in the queue get all that suit
	shortSlots = "slot" // the same of slots
	fullBeds   = "full" // no bed that suits is free
)

// share gives each row a place of its own, those before it in the queue first; no two rows are told the same bed or slot. A row that finds all its places
// given away lets another one take a different one, if that is how both have one.
func share(rows []Row, found []*Capacity) {
	given := map[string]int{} // row by place
	wants := make([][]choice, len(rows))
	for i, c := range found {
		if c == nil {
			continue
		}
		if wants[i] = c.choices(); len(wants[i]) == 0 {
			if c.Full() {
				rows[i].Short = fullBeds
			}
			continue
		}
		if first := wants[i][0]; first.place == "" {
			rows[i].Suggestion = &first.Suggestion
			continue
		}
		if !giveFree(rows, given, wants, i) && !giveOther(rows, given, wants, i, map[string]bool{}) {
			rows[i].Short = map[string]string{"slot": shortSlots, "bed": shortBeds}[wants[i][0].Word]
		}
	}
}

// give tells the row its place.
func give(rows []Row, given map[string]int, row int, c choice) {
	given[c.place] = row
	rows[row].Suggestion = &c.Suggestion
}

// giveFree gives the row the best place that nobody was given.
func giveFree(rows []Row, given map[string]int, wants [][]choice, row int) bool {
	for _, c := range wants[row] {
		if _, taken := given[c.place]; !taken {
			give(rows, given, row, c)
			return true
		}
	}
	return false
}

// giveOther gives the row a place of another, who gets a different one. Places that were looked at are not looked at again.
func giveOther(rows []Row, given map[string]int, wants [][]choice, row int, looked map[string]bool) bool {
	for _, c := range wants[row] {
		if looked[c.place] {
			continue
		}
		looked[c.place] = true
		other := given[c.place]
		if giveFree(rows, given, wants, other) || giveOther(rows, given, wants, other, looked) {
			give(rows, given, row, c)
			return true
		}
	}
	return false
}
