// Package notification owns who is told of what: it turns facts into entries in persons' inboxes and keeps them until they are acknowledged, rings for
// an emergency until somebody does, has somebody telephoned, and keeps what people and the county want; and it sends the messages that leave the house,
// by WeCom, DingTalk, e-mail, SMS and signed webhooks. It refuses to word pages, to know of patients more than an id (a number for SMS is asked at the
// moment of sending and not kept), and to decide that a limit passed.
//
// RPCs: NotificationService, AlarmService and DeliveryService of tongzhen.notification.v1. Publishes entry_created and entry_acknowledged, each for the
// one account, alarm_rang and alarm_acknowledged for those at whom it rang, and delivery_failed; consumes the referral facts that the rules name or that
// end a wait, glass_broken, consent_withdrawn, encounter_opened, encounter_closed and encounter_cancelled of patient-record, the facts of bookings,
// sessions and the fallback list of scheduling, account_changed and roster_changed; calls directory's ListAccounts, ListRosters and GetOrganization, and
// to word a message directory.ListOrganizations and ListDepartments, scheduling.GetBooking, patientrecord.GetContact and referral.GetSlipKey.
//
// Invariants (tests cite them by number):
//  1. The rules and ladders are data (internal/rules/rules.yaml, and a county's own over it); the entries and messages are what they say, no more
//     and no less. A file that cannot be read stops the start.
//  2. A fact makes one entry for each account that is meant, however often it is delivered.
//  3. Accounts are a projection of the directory. A fact is not told by it before the county was read completely once,
//     nor, while an organisation or account is unknown, by a reading that is older than the fact.
//  4. A person sees and acknowledges the own entries only; another's is not found. Who else was told, and whether it was
//     acknowledged, is shown to the own organisation, and to the administrator of the county.
//  5. Acknowledging leaves an audit entry and a fact in its transaction, once.
//  6. A rung of a limit is told once to each account in each round of its step, acknowledged or not.
//  7. No entry of a passed limit is open that was answered after it passed, or that nobody is urged about since (a candidate that rests), in whatever order
//     the facts come.
//  8. The home centre is told of an admission and of a discharge once, and when either is taken back; of moves and later codes it is not.
//  9. A message that is to leave the house is a row of the change that causes it. An attempt is committed before its provider is called, its outcome
//     after; one whose outcome nobody knows is repeated at most once, and the repeat says so (重发). Only what was certainly not taken goes again unmarked.
//  10. Each channel has a worker, each message a hand, each provider its limit and its rest: one that is dead, and a peer that hangs, delay only what needs
//     them. Emergencies go before everything that is due, and find a hand whatever hangs. After a rest exactly one call decides.
//  11. What leaves the house says a number, an urgency, organisations, where and when, what to bring, and links: nothing medical, and no patient's name.
//  12. Addresses are sealed with the key ring, those of the directory too; answers show them masked. Of a link's token only the hash is kept, for 48
//     hours. A person who set no address for SMS or e-mail is reached at the one that the directory has.
//  13. An entry that is acknowledged, on whatever device, ends its messages that wait, an alarm those to groups too; one under way is not tried again, and
//     one that was given up is not sent again by command.
//  14. An emergency has one alarm for each round of its wait. It rings at once, then every minute at those on duty at that moment (all of the role
//     when nobody is planned), until the first acknowledgement of any of its entries on any channel, or until the referral is answered: then it is
//     silent for all. Who sent the patient silences it for themselves only, and the news of where the patient goes is none of its rings. However many instances run, a minute has one ring; what was missed is rung once.
//  15. After call_minutes without an acknowledgement somebody is to be telephoned: one task, which says whom in order; the receiver and whoever sent the
//     patient may do it, and the sender is told. An account that was reached is one of those. Its numbers are the directory's when somebody looks.
//  16. Nobody's preferences hold back what is an emergency or urgent, or go beyond what the county allows now.
//  17. A patient is reminded once on the evening before a booked day, unless the booking was freed; of one that is moved, before its new day. Nobody is
//     reminded at night, or of what has begun.
//  18. Of a consent to what is sensitive that was withdrawn, the home centre's head and whoever has a care relation then are told.
//  19. What left the house and telephone tasks are deleted a year (TONGZHEN_DELIVERY_KEPT) after they were made, reminders after the appointment; none that
//     waits or is open is.
//  20. What still waits does not reach who was disabled, or works elsewhere or as something else by now: it is withdrawn at the moment of sending, and an
//     emergency goes on to who is on duty. Nor does the link of a message that went to them acknowledge anything.
package notification
