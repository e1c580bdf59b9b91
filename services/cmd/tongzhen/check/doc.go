// Package check reads a county from its services and says which promises of the system it breaks.
//
// Owns the invariants of a run under load or faults: histories are paths of the life-cycle table, no slot or bed is given twice, promise and
// booking belong together, referrals that follow one another name each other, a stay has one candidate, every transition and mark was told
// once to each person concerned, and figures are what the histories say. It asks the public calls only and changes nothing. It holds for a
// county at rest: what is still on its way shows as a problem that goes away, so a caller repeats [Read] until there is none or its patience
// ends.
package check
