// Package harness builds the product, starts it as processes and talks to it from outside, as its users do.
//
// Owns: the binary under test, its processes and their logs, the servers next to it, and a client of the REST interface
// for each person. Everything listens on free ports of the loopback and is ended with the test that asked for it.
// Refuses: to look inside; what a test wants to know it asks the public interfaces. The one exception is the audit
// chain, which no call shows.
package harness
