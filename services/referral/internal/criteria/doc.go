// Package criteria holds the criteria of referral (转诊指征) as data and says which of them a patient meets.
//
// Owns: the rules (rules/*.yaml, one file a condition), the clinical values that rules may name with their units, codes and the age at
// which they stop counting (values.yaml), the usual lengths of stay (los.yaml), the categories of SNOMED CT conditions (snomed.yaml), a
// county's changes to all of these, and the evaluation. Refuses: to decide (criteria advise, and never block a referral), to guess (a
// value that is missing, too old or impossible leaves the rule unknown and is named), and to fetch values or keep results.
//
// Invariants (tests cite them by number):
//  1. A rule is met or not met only if every way of filling in what is missing gives that answer; otherwise it is unknown and names what
//     it waits for. More information never turns met into not met, or the reverse.
//  2. A Book exists only if all its rules compile. What is wrong is reported with file, line and reason, all of it at once.
//  3. A county's row replaces the shipped one of the same code and nothing else; `disabled: true` switches it off.
//  4. Every shipped rule has its text in both languages, a source, a certainty, and examples that hold. The certainty is that of the
//     weakest part: a threshold that its source does not give makes the rule ours.
//  5. Only FOUND and FOUND_MIRROR were read in the source they name; with the rest it is where to look, never what is quoted.
//
// Rules are those between township and county. Criteria from township to village, from county to a higher hospital (both in the plans of
// 2022) and the grading of transports are not here, because no referral of this system asks for them. What a hand-over must carry
// is no criterion either: it stands with its condition as [Condition.Handover].
//
// A [Book] never changes and is safe for concurrent use; a county's new rules are a new Book.
package criteria
