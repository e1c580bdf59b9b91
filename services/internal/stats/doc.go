// Package stats keeps exact figures without hot rows: what a change adds to them is inserted with the change, added up
// later, and read together with what was added up.
//
// It owns the tables statistics_delta and statistics_total, the folder that moves rows from the one to the other, the
// choice of the total that answers a query, histograms of durations, measures as published definitions, and holding all
// of it against a recomputation. It refuses to know what is counted: counters, dimensions, cubes, measures and the cells
// that a case contributes come from the service. It knows no patient: dimensions are ids and codes.
//
// A counter counts cases. A cell is a county, a counter, a local day, a value for each dimension and, of a timed
// counter, a bucket. A cube is the counters by day or by month and by some dimensions; the service declares those that
// its queries need, and each costs a row for every combination that occurs. Columns d1 to d12 of both tables are the
// dimensions by their place in the schema, so that one layout serves every service.
//
// Invariants:
//  1. Totals and deltas together are the sum of all cells ever written, for each cube, at every moment that a
//     statement can see: a delta is deleted in the transaction that adds it to every cube, and read in the statement
//     that reads the totals.
//  2. A delta counts once, whatever number of folders runs and wherever one of them is cut off.
//  3. The transaction of a change inserts only. It updates no row that another change updates, waits for none and
//     cannot be part of a deadlock.
//  4. Totals are added to in the order of their key. Two who do so at once (a folder and a Rebuild) wait for one
//     another at the same places; the rest is retried by sqldb.
//  5. What a query costs grows with its answer's share of the cube and with what is not folded yet, not with the number
//     of cases.
//  6. A correction is the old cells taken away and the new ones added. A cell that came to nothing stays as a row and is
//     left out of every answer.
//
// A Schema and a Folder are safe for concurrent use; any number of processes may write, fold and read one database.
package stats
