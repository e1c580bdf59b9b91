// Package check reads a county from its services and says which promises of the system it breaks.
//
// Owns the invariants of a run under load or faults: histories are paths of the life-cycle table, no slot or bed is
// given twice, promise and booking belong together, and every transition was told once to each person concerned. It
// asks the public calls only and changes nothing. It holds for a county at rest: what is still on its way shows as a
// problem that goes away, so a caller repeats [Read] until there is none or its patience ends.
package check
