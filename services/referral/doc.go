// Package referral owns the life of a referral (双向转诊): its content, its states, its number, its history and its deadlines; criteria,
// candidates for the way down (应转未转), follow-up, and the figures of all of it. It refuses to own capacity (scheduling), patients and
// their records (patient-record), organisations and accounts (directory), and to tell people (notification); of a patient it keeps one
// sealed snapshot, of organisations and their medicines a projection.
//
// RPCs: ReferralService, FollowUpService, CriteriaService, CandidateService, StatisticsService, SettingService, DowntimeService and HandoverService
// (completeness, printed slips, consent) of tongzhen.referral.v1. Publishes the facts of its events table; consumes organisation_changed, formulary_changed and
// capabilities_changed of directory, encounter_opened, encounter_closed, encounter_cancelled, patient_merged and patient_unmerged of the record, booking_moved and
// session_cancelled of scheduling, and its own deadline_passed.
// Calls patient-record (snapshot at creation, values for criteria), scheduling (AttachHold, ConfirmHold) and directory (an organisation
// that the projection misses, the lists at start).
//
// Invariants (tests cite them by number):
//  1. Every transition is a row of the one table in domain/lifecycle.go. The history of a referral is a path through it, and its versions
//     have no gap.
//  2. Row, history, deadlines, audit, request log and facts of a change commit together, or none of them does.
//  3. A request id makes at most one change, and the same id and body gets the same answer.
//  4. A patient has at most one open referral of a kind between two organisations.
//  5. An organisation that is no side of a referral learns nothing about it; a draft is its originator's alone. A receiver that gave it on
//     may go on reading.
//  6. A hold or booking is given up here before scheduling is told that it may free it: after RELEASE no accept can take it.
//  7. An attached hold stays with its referral until that is answered, and only accept and decline are answers: a referral that is
//     returned keeps it, so that the patient does not lose the place to a question. Redirect, cancel, a walk-in or the arrival of an
//     emergency and an edit to another department give it up, in their own transaction.
//  8. Names, forms, notes and replies are sealed in the database and appear in no fact, log, error or page token.
//  9. A limit that passed is told once for each rung, by one instance, also when another died over it; only no-show and acknowledge are
//     decided by time. A step's new beginning silences what was claimed before.
//  10. What a referral contributes to the figures is a pure function of it; the difference is written with every change, so that the
//     figures are the recomputation at every moment.
//  11. An up-referral and the down-referral that answers it, an escalation and its follow-up, a bounce-back and what it bounces off name
//     each other, or neither does: both sides are written in one transaction.
//  12. One stay makes at most one candidate, whichever source tells of it first.
//  13. An accepted referral's expected window and the limit of its arrival are those of the booking that it names, as scheduling told last; while that
//     booking has no place no limit runs. To follow it is a mark: the version stays, and nobody's work is refused for it.
//  14. A referral names at most one booking. An admission to a bed of the board is booked as an acceptance is, in place of what was booked before; its
//     fact names both. Its bed ends with the stay: the fact of the conclusion, of a discharge that the hospital's system told, or of an admission that is undone
//     names it, the last two once, for the referral then names it no more. A discharge that is taken back brings no bed back.
//  15. A candidate rests while another up-referral brings the patient to the same hospital again, or has them there (domain.Candidate.UpAgain): it stays on the list
//     and in every figure as undecided, but no limit runs and nobody is late. Who does not come (NO_SHOW) is not brought any more. When that is over and nobody has decided, the department has its whole time again;
//     where the patient died or went to another hospital meanwhile, it ends for that reason. While it rests somebody is urged about the other referral: of one that was returned (RETURNED)
//     its sender, the sender's head and at last the administrator, until it is resubmitted or cancelled; of one that does not come nobody is. candidate_rested and candidate_resumed tell of both,
//     also where two patients become one person, or are not any more. The emergency that the township writes while the patient is in the ward already brings nobody again.
//
// At its start the service takes over what an earlier release left. It builds the figures of every county that has none by today's counters,
// dimensions and totals (table figures_built); one instance does, and until then a county's figures are answered as filling. A county that
// makes its first referral later is whole from the start. Limits that nobody was told of begin anew (domain.Calendar.Anew); none of them is
// told before.
//
// Opening a referral (by id or number) is audited before it is answered; lists are not.
package referral
