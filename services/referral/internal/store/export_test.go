package store

// DueRows is the search for rungs that are due.
const DueRows = dueRows

// Rare are the conditions of counters.
var Rare = rare
