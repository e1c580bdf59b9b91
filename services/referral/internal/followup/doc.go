// Package followup holds the templates (随访方案) that a township's follow-up plan may start from.
//
// Owns: the embedded templates.yaml with the intervals, their sources and how certain they are, and the choice of the templates that
// suit a down-referral. Refuses: a file with an unknown key, a code used twice, visits out of order or codes that the domain does not
// know; every problem is told with file and line. It plans nothing itself: a plan is the domain's, and the doctor's to edit. A [Book] is
// never changed and safe for concurrent use.
package followup
