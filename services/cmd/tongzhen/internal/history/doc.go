// Package history lives through months of a demo county: township doctors send patients up, the county answers, patients come, are treated, go down
// and are followed up, some late, some not at all. It owns what happens and when; all of it goes through the services' gRPC interfaces in the name
// of the people who would do it, under a clock that is moved from the first instant to the last. Deadlines, notices and figures are therefore what
// the services made of these months, and nothing is written past them.
//
// Invariants:
//  1. The same county, seed, first and last instant give the same history, by everything that people see; ids are the services' own.
//  2. The clock moves only while all is at rest (World.MoveTo): at the end no fact waits.
//  3. Nobody is real: names are put together from lists, identity numbers have a region that is not assigned.
//
// Shares and times are invented, in the order of magnitude that county practice reports; they prove nothing.
package history
