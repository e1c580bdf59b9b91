// Package events is the edge to the stream: it writes this service's facts as envelopes and subjects, and reads those of the referral
// service into calls of app.
package events
