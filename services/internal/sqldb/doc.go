// Package sqldb is SQL on two engines behind one contract: SQLite for one machine, PostgreSQL for production.
//
// It owns opening and sizing the pools, transactions and the time they carry, batches, the few fragments in which the
// engines differ, the classes of driver errors, migrations, and the two tables every service needs: lease and
// request_log. It refuses to build queries: the text is PostgreSQL's dialect with $N placeholders, written by the
// stores. It knows no service.
//
// Invariants, the same on both engines:
//  1. Update commits everything or nothing, and nil means that it is on the disk.
//  2. After a statement or a batch failed, the transaction is over: every later call answers the same error and the
//     end is a roll-back, even if the function answers nil. (PostgreSQL aborts by itself; SQLite would go on.)
//  3. View sees one state of the database from its first read to its end; so does the one query of Read.
//  4. Every time that a transaction gives or reads is UTC in whole microseconds.
//  5. Neither an error's text nor a span carries the value of an argument.
//
// A *DB is safe for concurrent use. A *Tx is not, and ends with the function it was given to; the rows of a query must
// be closed before the next statement.
package sqldb
