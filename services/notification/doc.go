// Package notification owns who is told of what: it turns facts of referrals into entries in persons' inboxes and keeps
// them until they are acknowledged. It refuses to word anything, to know of patients more than an id, and to decide that a limit passed.
//
// RPCs: NotificationService of tongzhen.notification.v1. Publishes entry_created and entry_acknowledged, each for the
// one account; consumes the referral facts that the rules name or that end a wait, glass_broken, consent_withdrawn, encounter_opened,
// encounter_closed and encounter_cancelled of patient-record, and account_changed; calls directory.ListAccounts.
//
// Invariants (tests cite them by number):
//  1. The rules and ladders are two tables (internal/domain/rules.go); the entries are what they say, no more and no less.
//  2. A fact makes one entry for each account that is meant, however often it is delivered.
//  3. Accounts are a projection of the directory. A fact is not told by it before the county was read completely once,
//     nor, while an organisation or account is unknown, by a reading that is older than the fact.
//  4. A person sees and acknowledges the own entries only; another's is not found. Who else was told, and whether it was
//     acknowledged, is shown to the own organisation, and to the administrator of the county.
//  5. Acknowledging leaves an audit entry and a fact in its transaction, once.
//  6. A rung of a limit is told once to each account in each round of its step, acknowledged or not.
//  7. No entry of a passed limit is open that was answered after it passed, in whatever order the facts come.
//  8. The home centre is told of an admission and of a discharge once, and when either is taken back; of moves and later codes it is not.
//  9. Of a consent to what is sensitive that was withdrawn, the home centre's head and whoever has a care relation then are told.
package notification
