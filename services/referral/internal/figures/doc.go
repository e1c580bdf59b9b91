// Package figures says what one referral contributes to the county's figures, and what is computed from that.
//
// Owns: the counters, dimensions and totals of this service ([Schema]), what a referral or a candidate counts in them ([Cells],
// [CandidateCells]: pure functions of what is stored), and the published definitions ([Load]: measures.yaml and absent.yaml). Refuses:
// storage, time, and whatever a patient could be known by; dimensions are ids and codes.
//
// A case counts on the local day of one event, its numerators on the day of its denominator's case (cohort), so that no share exceeds
// 100 %. Which event a counter goes by is its [Event].
//
// Organisations are told apart by what they are, not by who wrote: centre is the township centre or clinic, hospital the county hospital
// and department the hospital's, whichever of them sent the patient. So a figure by hospital adds up across both directions. A patient
// who left the county counts with the organisation that noted it, under both names.
package figures
