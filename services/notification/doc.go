// Package notification owns who is told of what: it turns facts of referrals into entries in persons' inboxes and keeps
// them until they are acknowledged. It refuses to word anything, and to know patients at all.
//
// RPCs: NotificationService of tongzhen.notification.v1. Publishes entry_created and entry_acknowledged, each for the
// one account; consumes the referral facts that the rules name, and account_changed; calls directory.ListAccounts.
//
// Invariants (tests cite them by number):
//  1. The rules are one table (internal/domain/rules.go); the entries are what it says, no more and no less.
//  2. A fact makes one entry for each account that is meant, however often it is delivered.
//  3. Accounts are a projection of the directory. A fact is not told by it before the county was read completely once,
//     nor, while an organisation or account is unknown, by a reading that is older than the fact.
//  4. A person sees and acknowledges the own entries only; another's is not found.
//  5. Acknowledging leaves an audit entry and a fact in its transaction, once.
package notification
