// Package placetest is the proof that places are given to one at a time: a record of what clients of the scheduling
// service asked and were told while instances were killed, and the model that must explain it (linearizability, checked
// by porcupine).
//
// Owns: the model of a group of slots, the history, and its judgement. Refuses: to know the service; whoever drives it says
// what was asked and what was answered.
//
// A group is all slots of one department. Nothing leaves its group: bookings move within it, sessions of it are cancelled,
// its slots are blocked and offered. So a history is checked group by group, each with all its slots at once, as a move
// touches two and a cancellation several. What the service does for its own account (it gives bookings of a cancelled
// session another place, it offers places to those who wait) is in the history by the facts that it published: begun no
// earlier than the fact says, and over when the fact was seen.
package placetest
