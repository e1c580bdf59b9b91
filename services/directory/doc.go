// Package directory owns who and where: counties, organisations with their departments, their medicines (药品目录) and
// what they can do, duty rosters (值班), accounts with their roles, sign-in, sessions and the signed call token. It refuses to know patients,
// referrals and capacity, and to decide what a role may do elsewhere.
//
// RPCs: DirectoryService, AccountService, PlaceService and RosterService of tongzhen.directory.v1. Publishes organisation_changed, account_changed, formulary_changed,
// capabilities_changed and roster_changed; consumes nothing and calls no other service.
//
// Invariants (tests cite them by number):
//  1. An organisation is known by its code within its county, an account by its login within the deployment; both keep
//     them, and their ids, for ever. Nothing is deleted: a leaver is disabled, a department that an import does not
//     name stays.
//  2. An account has one organisation, of its own county, and at least one role; of SYSTEM_ADMIN, SECURITY_ADMIN,
//     AUDITOR, INTEGRATION and SYSTEM at most one.
//  3. A fact leaves exactly with a change: an import that changes nothing writes nothing.
//  4. An unknown login, a disabled account and a wrong password are answered alike, after the same work.
//  5. The fifth wrong password in a row locks the login for 15 minutes, however many are tried at once; the right one
//     before that begins the count anew. Unknown logins lock alike.
//  6. A session ends 30 minutes after its last use, 12 hours after its beginning, or when the person signs out,
//     whichever comes first. Its row holds the hash of the secret; the secret is told once and kept nowhere.
//  7. A call token lives 5 minutes, and no longer than its session may at most. It carries what the account is at that
//     moment; a disabled account gets none.
//  8. Everybody sees the own county only, taken from the call token; a service whose token names no county sees all.
//  9. Sign-ins, failed ones, locks, sign-outs, imports and changes of places and medicines leave audit entries in the transaction of
//     what they record; those about unknown logins under county 000000.
//  10. A medicine is known by its organisation, name and specification, and its id is made of them: importing it again
//     finds it. It leaves the list by a mark, never by deletion.
//  11. People see the list of one organisation of their county without what left it; services also all lists of the
//     county with it, so that a copy can follow. Stock is changed by the organisation's own doctors and the administrator
//     of the county, the list by its head and the administrator.
//  12. Organisations, departments, capabilities and medicines change under their versions; what was said in each version is kept, with who said it
//     and when, and can be said again. What is closed, or off a list, stays. An organisation stands below an open one of a kind above its own;
//     its kind stays while something hangs on it.
//  13. A roster changes under its version, with its fact, which carries all of it. Its week is in the county's zone; of hand-overs that overlap
//     the later one holds; who was disabled drops out. A post is planned by its own head, desk or the county; who is on duty now the
//     whole county sees, the plan the own organisation.
//  13. Who looks after accounts gives and takes only roles of the own reach, of which SECURITY_ADMIN, AUDITOR and SYSTEM never are one; nobody changes
//     the own roles or takes away the own access; a county that had an administrator keeps one, whoever acts at the same moment. The file, the
//     form and the command of the machine stand on the same rules.
//  14. A one-time password is told once, in one answer, and hashed before the transaction. A session that began with it gets call tokens without roles
//     until the person chose another. It signs in for 72 hours (--one-time-password), counted from when it was given. A new password, and disabling, end the account's sessions.
//  15. Every change of an account or of its password is a version with who made it, in account_change; the fact and the audit entry leave with it.
package directory
