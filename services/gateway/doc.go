// Package gateway is the only door from outside: pages, the REST and FHIR interfaces, HL7 v2 over MLLP, printed slips and their verification
// (the one page that needs no sign-in), and the live stream.
//
// Owns: browser sessions at the edge, wording, what a page shows, and the form of answers and errors over HTTP and MLLP.
// Refuses to own: data (it has no store), rules (it has no domain: buttons are drawn from referral.ListActions) and the
// right to see anything (services decide; the gateway carries the person's call token).
// Publishes no facts. Reads all facts once a process, to tell open pages that something changed.
// Invariants: 1. a call for a person carries that person's token, never the gateway's own; 2. the cookie counts on pages
// and /events only, the bearer secret on /api and /fhir only; 3. no patient data in a URL.
package gateway
