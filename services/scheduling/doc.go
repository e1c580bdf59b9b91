// Package scheduling owns capacity: clinic and examination sessions cut into slots, wards with beds, holds on them and
// the bookings that come of holds. It refuses to know patients beyond an id, and to decide anything about a referral.
//
// RPCs: SchedulingService of tongzhen.scheduling.v1. Publishes hold_attached, booking_confirmed and booking_released
// (also for an attached hold that ends); consumes the referral facts that settle or free capacity,
// and patient-record's facts about patients who are one person; calls referral.SettleBooking.
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
//  6. Every change of a hold leaves an audit entry, and attaching, booking and freeing what is tied to a referral a
//     fact, in its transaction.
package scheduling
