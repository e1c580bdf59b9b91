// Package scheduling owns capacity: clinic and examination sessions cut into slots, wards with beds, holds on them and
// the bookings that come of holds; from what sessions come: devices, templates, exceptions, and the policy of the
// township reserve; and who gets a free place: when slots open to whom, the fallback list, waiting times. It refuses to
// know patients beyond an id, and to decide anything about a referral.
//
// RPCs: SchedulingService, CalendarService and AllocationService of tongzhen.scheduling.v1. Publishes hold_attached,
// booking_confirmed, booking_released (also for an attached hold that ends), booking_moved, session_cancelled,
// waitlist_offered and waitlist_ended; consumes the referral facts that settle or free capacity or change a referral's
// state, and patient-record's facts about patients who are one person; calls referral.SettleBooking, and referral.GetCase
// for a referral of which it has heard no fact.
//
// Invariants (tests cite them by number):
//  1. A slot or bed is in at most one live hold or booking: the key of table occupancy cannot hold a second.
//  2. A hold is live for 10 minutes, or from AttachHold on until its referral is accepted, declined, redirected or
//     cancelled, at the latest until the slot begins or the time the referral gave; a booking until it is freed. A
//     referral that is returned, and submitted again, gives a new time by its facts: 24 hours after it is due.
//  3. A booking is made unsettled. It becomes LIVE when a fact or an answer of the referral service names it, and is
//     freed only by a fact that names it or by that service's word, given about the hold as it still is. While that
//     service is away no booking is freed.
//  4. A fact frees what it names and its referral holds, nothing else; handled twice it acts once. What it says of its
//     referral (referral_case) never replaces what a newer one said. That of an admission settles the bed and frees the place before it;
//     a slot before it keeps the patient on its day's list. A bed is freed by the first of conclusion, discharge and undone admission, and cleaned unless that admission was
//     a mistake.
//  5. The same request id gets the first answer; AttachHold and ConfirmHold are idempotent by referral.
//  6. Every change of a hold leaves an audit entry, and attaching, booking, moving, displacing and freeing what is tied
//     to a referral a fact, in its transaction. So does every change of an entry of the fallback list, of a ward and of a
//     bed.
//  7. The sessions of a template are those that it, the exceptions, the public holidays and the lunar calendar say, up to
//     the horizon; made twice they are the same, as their ids follow from template and day. A change makes anew what
//     nobody has; a session with a hold, booking or blocked slot is a conflict, and stays. A cancelled one stays
//     cancelled, and a substitution by hand stands, until somebody undoes it.
//  8. Whether a template takes place on a day, and who holds it, is decided by the narrowest exception that speaks to the
//     question. A public holiday is the widest; a made-up working day is none before an exception says as which weekday.
//  9. Of the slots of a department's day the policy's share is reserved for townships, lying evenly over each session. A
//     slot that somebody has, or that is blocked, keeps its pool. Whatever changes a day's sessions notes it in spread_due;
//     the reserve is laid over the days that are noted, once for all that changed.
//  10. A slot that is being taken and the end of its session do not pass each other: who takes holds a share of the slot,
//     who closes it or takes it back waits for that share and then looks who has it.
//  11. When a session is cancelled nobody in it is lost: each hold or booking has another place, or is displaced, or was
//     nobody's yet and ends. A displaced one keeps its booking and gets the next free place that suits and that the search
//     would give it, before others. It keeps its id all the while. A displaced hold that ends while its referral has no
//     answer leaves that on the fallback list.
//  12. Nobody takes a slot before it opens to them by the booking policy (domain.Policy), one that is closed, or one whose
//     session does not take place; the fallback list neither. A booking comes of a referral alone.
//  13. A referral is on the fallback list once. A place that is free is offered to one entry: the hold and the entry's
//     state are written together. An offer's hold is tied to the referral, which does not know of it and is not asked
//     about it; it ends by the referral's facts, with the entry, or by its time. A slot is offered only as long as there
//     is time to answer and to come (domain.OfferLead), a bed from the first day on. An offer that had its time and was not
//     taken up ends the entry; one that the beginning of its slot cut short does not.
//  14. Whatever takes, frees, adds or closes a place writes a row of capacity_change in its transaction. A leased worker
//     works the departments that have one (displaced bookings, the fallback list, the waiting times) and deletes the rows
//     it saw; every minute it also looks where time alone may have opened or ended something, and computes what is of
//     yesterday. Each step is decided again in its transaction, so that two workers do no harm.
//  15. A bed is given to whom it suits: class of the ward, sex of ward and room, in service and clean. Somebody who has a
//     bed keeps it, whatever is said of it. Whether it is occupied follows from the referral's facts. One that is closed (out of service for
//     domain.OutClosed) stays in the tables and counts in no total; nobody's bed is closed.
//  16. Every change locks in one order: templates, sessions by id, entries of the fallback list, slots by id, holds by id.
//     Who does not know yet which slots it needs looks without a lock, locks them, and decides on what it then finds.
//  17. Whatever changes a template, an exception, a session, a device, a ward or the booking policy leaves what it was after that, and who did it, in
//     calendar_change. A cancellation is undone only while nobody in the session was moved or displaced, and its template has it; what was blocked before
//     is blocked again.
package scheduling
