// Package domain holds what a hold, a booking and a session are, and the one table of what may happen to a hold.
//
// Owns: the life of a hold, from HELD to a booking or back to free capacity; cutting a session into slots.
// Refuses: an action that the table does not name; a hold without owner, patient or place; a session whose slots do
// not fit between its start and its end.
package domain
