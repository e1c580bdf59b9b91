package shell

// Restoring is an older version that is looked at before it is made again: what that would change, and the form that does it.
type Restoring struct {
	// Restore is the version, 0 for what is shipped, and Version the one that stands.
	Restore, Version int32
	Changes          []Difference
	// Action is where the form goes, Hidden what it sends besides, and Back the page without the question.
	Action, Back, RequestID string
	Hidden                  map[string]string
}
