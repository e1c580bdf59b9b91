// Package seed fills a running system with a demo county: the real townships of one county, the names of real
// hospitals outside it, and everything else invented. It owns the data and the order of the calls; it writes through the services' gRPC interfaces like any
// other client and refuses to touch their databases.
//
// Invariants:
//  1. The same county, day and seed give the same content, ids of organisations, accounts, schedules and wards
//     included, and running it again changes nothing.
//  2. No person is real: names are put together from lists, identity numbers have a region that is not assigned,
//     telephone numbers a prefix that is not.
//  3. The logins of the demo county 450321 are the bare ones; any other county's end in "." and its code, because
//     logins are unique in a deployment.
package seed
