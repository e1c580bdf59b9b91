// Package scheduling owns capacity: clinic and examination sessions cut into slots, wards with beds, holds on them and
// the bookings that come of holds; and from what sessions come: devices, templates, exceptions, and the policy of the
// township reserve. It refuses to know patients beyond an id, and to decide anything about a referral.
//
// RPCs: SchedulingService and CalendarService of tongzhen.scheduling.v1. Publishes hold_attached, booking_confirmed,
// booking_released (also for an attached hold that ends), booking_moved and session_cancelled; consumes the referral
// facts that settle or free capacity, and patient-record's facts about patients who are one person; calls
// referral.SettleBooking.
//
// Invariants (tests cite them by number):
//  1. A slot or bed is in at most one live hold or booking: the key of table occupancy cannot hold a second.
//  2. A hold is live for 10 minutes, or from AttachHold on until its referral is accepted, declined, redirected or
//     cancelled, at the latest until the slot begins or the time the referral gave; a booking until it is freed. A
//     referral that is returned, and submitted again, gives a new time by its facts: 24 hours after it is due.
//  3. A booking is made unsettled. It becomes LIVE when a fact or an answer of the referral service names it, and is
//     freed only by a fact that names it or by that service's word, given about the hold as it still is. While that
//     service is away no booking is freed.
//  4. A fact frees what it names and its referral holds, nothing else; handled twice it acts once.
//  5. The same request id gets the first answer; AttachHold and ConfirmHold are idempotent by referral.
//  6. Every change of a hold leaves an audit entry, and attaching, booking, moving, displacing and freeing what is tied
//     to a referral a fact, in its transaction.
//  7. The sessions of a template are those that it, the exceptions, the public holidays and the lunar calendar say, up to
//     the horizon; made twice they are the same, as their ids follow from template and day. A change makes anew what
//     nobody has; a session with a hold, booking or blocked slot is a conflict, and stays. A cancelled one stays
//     cancelled, and a substitution by hand stands.
//  8. Whether a template takes place on a day, and who holds it, is decided by the narrowest exception that speaks to the
//     question. A public holiday is the widest; a made-up working day is none before an exception says as which weekday.
//  9. Of the slots of a department's day the policy's share is reserved for townships, lying evenly over each session. A
//     slot that somebody has, or that is blocked, keeps its pool.
//  10. A slot that is being taken and the end of its session do not pass each other: who takes holds a share of the slot,
//     who closes it or takes it back waits for that share and then looks who has it.
//  11. When a session is cancelled nobody in it is lost: each hold or booking has another place, or is displaced, or was
//     nobody's yet and ends. A displaced one keeps its booking and gets the next free place that suits, before others. It
//     keeps its id all the while.
package scheduling
